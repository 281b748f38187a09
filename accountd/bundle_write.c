/* Writes the tar of an invoice. It is made of what is durable and of
 * deterministic signatures only: made again, it has the same bytes. */
#include "accountd/bundle.h"
#include "accountd/bundle_documents.h"
#include "accountd/invoice.h"
#include "accountd/ledger/hledger.h"
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
    struct keys keys;                   /* as they were then */
    struct bundle_signer signer;
    struct ustar tar;
    FILE *records;
    struct chain_ends *chains;
    size_t chains_count;
    int64_t *books;                     /* versions of the price books that the records name */
    size_t books_count;
};

/* Where an incarnation's records begin and end: these places are proven, the hashes in the records prove the rest. */
struct chain_ends {
    char incarnation[RECORD_HEX_BYTES];
    uint64_t before, begin, end;
    bool has_before, is_billed;
};

/* Steals text. */
static int add_signed(struct writer *w, const char *name, char *text)
{
    if (!text || bundle_add_minisig(&w->signer, &w->tar, name, text, strlen(text))) {
        free(text);
        return -1;
    }
    return ustar_add_text(&w->tar, name, text);
}

static int add_proof(struct writer *w, uint64_t idx)
{
    struct chain_hash proof[CHAIN_PROOF_MAX];
    int len = store_proof(w->a->store, idx, w->invoice->to_idx, proof);
    char name[USTAR_NAME_BYTES];

    return len < 0 ? -1 : ustar_add_text(&w->tar, bundle_proof_name(idx, name),
                                         note_proof(idx, proof, (unsigned)len, w->invoice->head_note));
}

static int add_line(struct writer *w, uint64_t idx, const char *leaf)
{
    char *line = bundle_record_line(idx, leaf);
    int rc = line && fprintf(w->records, "%s\n", line) > 0 ? 0 : -1;

    free(line);
    return rc;
}

static struct chain_ends *chain_of(struct writer *w, const char *incarnation)
{
    struct chain_ends *chains;

    for (size_t i = w->chains_count; i-- > 0;)
        if (strcmp(w->chains[i].incarnation, incarnation) == 0)
            return &w->chains[i];
    chains = reallocarray(w->chains, w->chains_count + 1, sizeof(*chains));
    if (!chains)
        return NULL;
    w->chains = chains;
    chains[w->chains_count] = (struct chain_ends){ .end = 0 };
    snprintf(chains[w->chains_count].incarnation, RECORD_HEX_BYTES, "%s", incarnation);
    return &chains[w->chains_count++];
}

static int note_place(struct writer *w, const char *incarnation, uint64_t idx)
{
    struct chain_ends *chain = chain_of(w, incarnation);

    if (!chain)
        return -1;
    if (idx < w->invoice->from_idx) {
        chain->has_before = true;
        chain->before = idx;
        return 0;
    }
    if (!chain->is_billed)
        chain->begin = idx;
    chain->is_billed = true;
    chain->end = idx;
    return 0;
}

static bool names_book(const struct writer *w, int64_t version)
{
    for (size_t i = w->books_count; i-- > 0;)
        if (w->books[i] == version)
            return true;
    return false;
}

static int note_book(struct writer *w, int64_t version)
{
    int64_t *books;

    if (names_book(w, version))
        return 0;
    books = reallocarray(w->books, w->books_count + 1, sizeof(*books));
    if (!books)
        return -1;
    w->books = books;
    books[w->books_count++] = version;
    return 0;
}

static int add_leaf(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    struct writer *w = arg;
    char leaf_type[CHAIN_TYPE_BYTES];
    struct json_why why;
    json_t *fields = chain_leaf_parse(leaf, strlen(leaf), leaf_type, &why);
    int rc = !fields || note_place(w, json_text(fields, "incarnation"), idx) ||
             note_book(w, json_integer_value(json_object_get(fields, "price_book"))) ? -1 : 0;

    (void)type;
    json_decref(fields);
    return rc ? -1 : add_line(w, idx, leaf);
}

static int add_found(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    (void)type;
    return add_line(arg, idx, leaf) || add_proof(arg, idx) ? -1 : 0;
}

static int add_chain_proofs(struct writer *w, const struct chain_ends *chain)
{
    if (chain->has_before && add_proof(w, chain->before))
        return -1;
    if (chain->is_billed && add_proof(w, chain->begin))
        return -1;
    return chain->is_billed && chain->end != chain->begin && add_proof(w, chain->end) ? -1 : 0;
}

/* The price book and the leaf that binds it to the log. */
static int add_book(void *arg, const struct rate_book *book, const char *body)
{
    struct writer *w = arg;
    char name[USTAR_NAME_BYTES], part[40];
    uint64_t idx;

    if (!names_book(w, book->version))
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
    rc = store_each_leaf(w->a->store, w->invoice->account, NULL,
                         (uint64_t)json_integer_value(json_object_get(w->body, "context_index")), w->invoice->to_idx, -1,
                         add_leaf, w);
    for (size_t i = 0; rc == 0 && i < w->chains_count; i++)
        rc = add_chain_proofs(w, &w->chains[i]);
    if (rc == 0)
        rc = ledger_each_price_book(w->a->ledger, add_book, w);
    if (fclose(w->records) != 0 || rc) {
        free(text);
        return -1;
    }
    return ustar_add_text(&w->tar, "records.jsonl", text);
}

static int add_texts(struct writer *w)
{
    return ustar_add_text(&w->tar, "checkpoint", strdup(w->invoice->head_note)) ||
           ustar_add_text(&w->tar, "keys.txt", keys_text(&w->keys, w->a->head.host, w->invoice->origin)) ||
           ustar_add_text(&w->tar, "invoice-key.pem", note_pem(&w->keys.invoice)) ||
           ustar_add_text(&w->tar, "log-key.pem", note_pem(&w->keys.log)) ||
           ustar_add_text(&w->tar, "ledger.journal",
                          hledger_journal(w->a->ledger, w->invoice->account, w->invoice->ledger_seq)) ||
           ustar_add_text(&w->tar, "VERIFY.txt", bundle_verify_text(w->body)) ? -1 : 0;
}

static int fill(struct writer *w, struct json_why *why)
{
    bool has_records = strcmp(w->invoice->kind, "invoice") == 0;

    if (bundle_add_documents(&w->signer, &w->tar, why) || (has_records && add_records(w)) || add_texts(w))
        return -1;
    ustar_sort(&w->tar);
    if (add_signed(w, BUNDLE_SUMS, bundle_sums(&w->tar)))
        return -1;
    ustar_sort(&w->tar);
    return 0;
}

/* Whole or not at all: the name appears when the bytes are on the disk. */
static int write_file(const char *path, const struct ustar *tar)
{
    char fresh[600];
    FILE *out;
    int fd, rc;

    snprintf(fresh, sizeof(fresh), "%s.new", path);
    unlink(fresh);
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    out = fd < 0 ? NULL : fdopen(fd, "w");
    if (!out)
        return -1;
    /* The umask may not have let api's group read. */
    rc = fchmod(fd, 0640) || ustar_write(tar, out) || fsync(fd) ? -1 : 0;
    if (fclose(out) || rc || rename(fresh, path)) {
        unlink(fresh);
        return -1;
    }
    return 0;
}

static int make_bundle(struct accountd *a, const struct ledger_invoice *invoice, const char *path, struct json_why *why)
{
    struct writer w = { .a = a, .invoice = invoice };
    int rc;

    w.body = json_loads(invoice->body, JSON_REJECT_DUPLICATES, NULL);
    w.tar.mtime_s = json_integer_value(json_object_get(w.body, "issued_ms")) / 1000;
    keys_as_of(&a->keys, invoice->to_idx, &w.keys);
    w.signer = (struct bundle_signer){ a, w.body, &w.keys.invoice };
    snprintf(why->text, sizeof(why->text), "the bundle could not be put together");
    rc = w.body ? fill(&w, why) : -1;
    if (rc == 0 && write_file(path, &w.tar))
        snprintf(why->text, sizeof(why->text), "%.180s: %s", path, strerror(errno));
    else if (rc == 0)
        why->text[0] = 0;
    ustar_free(&w.tar);
    free(w.chains);
    free(w.books);
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
