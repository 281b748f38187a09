/* Writes the tar of an invoice. It is made of what is durable and of
 * deterministic signatures only: made again, it has the same bytes. */
#include "accountd/bundle.h"
#include "accountd/invoice.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct writer {
    struct accountd *a;
    const struct ledger_invoice *invoice;
    json_t *body;
    struct ustar tar;
    FILE *records;
    bool used_book[1024];               /* by version; larger ones are refused */
};

static int add_signed(struct writer *w, const char *name, char *text)
{
    char comment[160], sig_name[USTAR_NAME_BYTES + 16];
    char *sig = text ? note_minisig(text, strlen(text), bundle_comment(name, w->body, comment), &w->a->keys.invoice)
                     : NULL;

    snprintf(sig_name, sizeof(sig_name), "%s" BUNDLE_MINISIG, name);
    return ustar_add_text(&w->tar, name, text) || ustar_add_text(&w->tar, sig_name, sig) ? -1 : 0;
}

static int add_record(struct writer *w, uint64_t idx, const char *leaf)
{
    struct chain_hash proof[CHAIN_PROOF_MAX];
    int len = store_proof(w->a->store, idx, w->invoice->to_idx, proof);
    char name[USTAR_NAME_BYTES], *line = bundle_record_line(idx, leaf);

    if (line)
        fprintf(w->records, "%s\n", line);
    free(line);
    if (!line || len < 0)
        return -1;
    return ustar_add_text(&w->tar, bundle_proof_name(idx, name),
                          note_proof(idx, proof, (unsigned)len, w->invoice->head_note));
}

static int add_leaf(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    struct writer *w = arg;
    char leaf_type[CHAIN_TYPE_BYTES];
    struct json_why why;
    json_t *fields = chain_leaf_parse(leaf, strlen(leaf), leaf_type, &why);
    json_int_t version = json_integer_value(json_object_get(fields, "price_book"));

    (void)type;
    json_decref(fields);
    if (version < 0 || version >= (json_int_t)(sizeof(w->used_book) / sizeof(w->used_book[0])))
        return -1;
    w->used_book[version] = true;
    return add_record(w, idx, leaf);
}

static int add_found(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    (void)type;
    return add_record(arg, idx, leaf);
}

/* The price book and the leaf that binds it to the log. */
static int add_book(void *arg, const struct rate_book *book, const char *body)
{
    struct writer *w = arg;
    char name[USTAR_NAME_BYTES], part[40];
    uint64_t idx;

    if (book->version >= (int64_t)(sizeof(w->used_book) / sizeof(w->used_book[0])) || !w->used_book[book->version])
        return 0;
    snprintf(part, sizeof(part), "\"version\":%jd}", (intmax_t)book->version);
    if (store_find_leaf(w->a->store, "tariff", part, &idx) != 1 ||
        store_each_leaf(w->a->store, NULL, NULL, idx, idx + 1, 1, add_found, w))
        return -1;
    return add_signed(w, bundle_book_name(book->version, name), strdup(body));
}

static int add_records(struct writer *w)
{
    char *text = NULL;
    size_t len;
    int rc;

    w->records = open_memstream(&text, &len);
    if (!w->records)
        return -1;
    rc = store_each_leaf(w->a->store, w->invoice->account, NULL, w->invoice->from_idx, w->invoice->to_idx, -1, add_leaf,
                         w);
    if (rc == 0)
        rc = ledger_each_price_book(w->a->ledger, add_book, w);
    if (fclose(w->records) != 0 || rc) {
        free(text);
        return -1;
    }
    return ustar_add_text(&w->tar, "records.jsonl", text);
}

/* The lines again, from the same leaves: the CSV is the statement's, not the JSON's. */
static char *make_csv(struct writer *w)
{
    struct invoice_draft draft;
    struct json_why why;
    char *csv = NULL;

    if (invoice_draft_read(w->a, w->invoice->account, w->invoice->from_idx, w->invoice->to_idx, &draft, &why) == 0)
        csv = statement_csv(&draft.statement, w->body);
    invoice_draft_free(&draft);
    return csv;
}

static int fill(struct writer *w)
{
    const struct keys *keys = &w->a->keys;

    if (add_signed(w, "invoice.json", strdup(w->invoice->body)) || add_signed(w, "lines.csv", make_csv(w)) ||
        add_records(w) || ustar_add_text(&w->tar, "checkpoint", strdup(w->invoice->head_note)) ||
        ustar_add_text(&w->tar, "keys.txt", keys_text(keys, w->a->head.host, w->invoice->origin)) ||
        ustar_add_text(&w->tar, "invoice-key.pem", note_pem(&keys->invoice)) ||
        ustar_add_text(&w->tar, "log-key.pem", note_pem(&keys->log)) ||
        ustar_add_text(&w->tar, "VERIFY.txt", bundle_verify_text(w->body)))
        return -1;
    ustar_sort(&w->tar);
    if (add_signed(w, BUNDLE_SUMS, bundle_sums(&w->tar)))
        return -1;
    ustar_sort(&w->tar);
    return 0;
}

/* Whole or not at all: the name appears when the bytes are on the disk. */
static int write_file(const char *path, const char *bytes, size_t len)
{
    char fresh[600];
    int fd, rc = -1;

    snprintf(fresh, sizeof(fresh), "%s.new", path);
    unlink(fresh);
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0)
        return -1;
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, bytes + done, len - done);

        if (n < 0 && errno != EINTR)
            goto out;
        done += n > 0 ? (size_t)n : 0;
    }
    /* The umask may not have let api's group read. */
    if (fchmod(fd, 0640) == 0 && fsync(fd) == 0 && rename(fresh, path) == 0)
        rc = 0;
out:
    close(fd);
    if (rc)
        unlink(fresh);
    return rc;
}

static int make_bundle(struct accountd *a, const struct ledger_invoice *invoice, const char *path, struct json_why *why)
{
    struct writer w = { .a = a, .invoice = invoice };
    char *archive = NULL;
    size_t len;
    int rc;

    w.body = json_loads(invoice->body, JSON_REJECT_DUPLICATES, NULL);
    w.tar.mtime_s = json_integer_value(json_object_get(w.body, "issued_ms")) / 1000;
    rc = w.body ? fill(&w) : -1;
    snprintf(why->text, sizeof(why->text), "the bundle could not be put together");
    if (rc == 0)
        archive = ustar_pack(&w.tar, &len);
    if (archive && write_file(path, archive, len))
        snprintf(why->text, sizeof(why->text), "%.180s: %s", path, strerror(errno));
    else if (archive)
        why->text[0] = 0;
    free(archive);
    ustar_free(&w.tar);
    json_decref(w.body);
    return why->text[0] ? -1 : 0;
}

int invoice_bundle(struct accountd *a, const struct ledger_invoice *invoice, char *path, size_t path_bytes,
                   struct json_why *why)
{
    snprintf(path, path_bytes, "%s/%s.tar", a->bundle_dir, invoice->invoice_id);
    if (access(path, R_OK) == 0)
        return 0;
    if (make_bundle(a, invoice, path, why) == 0)
        return 0;
    log_warnx("invoice %s: %s", invoice->invoice_id, why->text);
    return -1;
}
