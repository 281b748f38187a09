/* The files of the bundle: which there are, who signed them, what some must say, and the head of the log. */
#include "accountd/bundle.h"
#include "accountd/paper/cades.h"
#include "accountd/paper/sshsig.h"
#include "client/verify/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int check_keys(struct check *c)
{
    const char *text = check_text(c, "keys.txt");

    if (!text)
        return -1;
    return keys_parse(text, &c->keys, c->origin, sizeof(c->origin)) ? 0 : check_wrong(c, "keys.txt: not a list of keys");
}

static bool same_key(const struct note_key *a, const struct note_key *b)
{
    return a && b && memcmp(a->public_key, b->public_key, NOTE_PUBLIC_BYTES) == 0;
}

/* The keys that sign a log of this size are those that the customer knows as
 * valid then. While a key hands over there are two: either will do, both are checked. */
static int check_trusted(struct check *c, const char *trusted_text)
{
    const struct note_key *ours[KEYS_OVERLAP], *theirs[KEYS_OVERLAP];
    unsigned ours_count, theirs_count;
    struct keys trusted;
    char origin[128];
    bool found = false;

    if (!keys_parse(trusted_text, &trusted, origin, sizeof(origin)))
        return check_wrong(c, "--key: not a keys.txt");
    ours_count = keys_find_log(&c->keys, c->size, ours);
    theirs_count = keys_find_log(&trusted, c->size, theirs);
    for (unsigned i = 0; i < ours_count; i++)
        for (unsigned j = 0; j < theirs_count; j++)
            found = found || same_key(ours[i], theirs[j]);
    if (!found)
        return check_wrong(c, "keys.txt: the log key is not the one you trust");
    if (!same_key(&c->keys.invoice, keys_find_invoice(&trusted, c->size)))
        return check_wrong(c, "keys.txt: the invoice key is not the one you trust");
    return 0;
}

int check_checkpoint(struct check *c, const char *trusted_keys)
{
    const struct note_key *keys[KEYS_OVERLAP];
    struct note_checkpoint read;
    int64_t to, from, context;
    unsigned count;

    c->checkpoint = check_text(c, "checkpoint");
    if (!c->checkpoint)
        return -1;
    if (!note_checkpoint_read(c->checkpoint, &read))
        return check_wrong(c, "checkpoint: not a checkpoint");
    count = keys_find_log(&c->keys, read.size, keys);
    if (!note_checkpoint_open_by(c->checkpoint, c->origin, keys, count, &c->size, &c->root, c->why))
        return check_wrong_in(c, "checkpoint");
    if (json_arg_int(c->invoice, "to_index", 1, (1ll << 53) - 1, &to, c->why) ||
        json_arg_int(c->invoice, "from_index", 0, to, &from, c->why) ||
        json_arg_int(c->invoice, "context_index", 0, from, &context, c->why))
        return check_wrong_in(c, "invoice.json");
    c->from = (uint64_t)from;
    c->context = (uint64_t)context;
    if ((uint64_t)to != c->size)
        return check_wrong(c, "checkpoint: not of the leaves that the invoice covers");
    return trusted_keys ? check_trusted(c, trusted_keys) : 0;
}

int check_minisig(struct check *c, const char *name)
{
    char comment[160], sig_name[USTAR_NAME_BYTES + 16], *expected;
    const struct ustar_file *file = ustar_find(&c->tar, name);
    const char *sig, *at;

    snprintf(sig_name, sizeof(sig_name), "%s" BUNDLE_MINISIG, name);
    sig = check_text(c, sig_name);
    if (!sig)
        return -1;
    if (!note_minisig_verify(sig, file->bytes, file->len, &c->keys.invoice))
        return check_wrong(c, "%s: the invoice key's signature does not fit", name);
    if (asprintf(&expected, "\ntrusted comment: %s\n", bundle_comment(name, c->invoice, comment)) < 0)
        return check_wrong(c, "out of memory");
    at = strstr(sig, expected);
    free(expected);
    return at ? 0 : check_wrong(c, "%s: its comment is of another file or invoice", sig_name);
}

static int check_sshsig(struct check *c, const struct ustar_file *file)
{
    char sig_name[USTAR_NAME_BYTES + 16], namespace[BUNDLE_NAMESPACE_BYTES];
    const char *sig;

    snprintf(sig_name, sizeof(sig_name), "%s" BUNDLE_SSHSIG, file->name);
    sig = check_text(c, sig_name);
    if (!sig)
        return -1;
    return paper_sshsig_verify(sig, file->bytes, file->len, bundle_namespace(c->invoice, namespace), &c->keys.invoice)
        ? 0 : check_wrong(c, "%s: not the invoice key's SSH signature of %s", sig_name, file->name);
}

static int check_cades(struct check *c, const struct ustar_file *file)
{
    char sig_name[USTAR_NAME_BYTES + 16];
    const char *pem = check_text(c, BUNDLE_CERTIFICATE);
    const struct ustar_file *sig;

    snprintf(sig_name, sizeof(sig_name), "%s" BUNDLE_CADES, file->name);
    sig = ustar_find(&c->tar, sig_name);
    if (!pem || !sig)
        return pem ? check_wrong(c, "%s: missing", sig_name) : -1;
    return paper_cades_verify(pem, file->bytes, file->len, (const uint8_t *)sig->bytes, sig->len)
        ? 0 : check_wrong(c, "%s: not the certificate's signature of %s", sig_name, file->name);
}

static int check_document(struct check *c, const char *name)
{
    const struct ustar_file *file = ustar_find(&c->tar, name);

    if (!file)
        return check_wrong(c, "%s: missing", name);
    return check_minisig(c, name) || check_sshsig(c, file) || check_cades(c, file) ? -1 : 0;
}

int check_signatures(struct check *c)
{
    for (size_t i = 0; i < BUNDLE_DOCUMENTS; i++)
        if (check_document(c, bundle_documents[i]))
            return -1;
    return check_minisig(c, BUNDLE_SUMS);
}

int check_texts(struct check *c)
{
    char namespace[BUNDLE_NAMESPACE_BYTES];
    int64_t issued_ms;

    if (json_arg_int(c->invoice, "issued_ms", 0, (1ll << 53) - 1, &issued_ms, c->why))
        return check_wrong_in(c, "invoice.json");
    if (c->tar.mtime_s != issued_ms / 1000)
        return check_wrong(c, "tar: its time is not the invoice's");
    if (strcmp(json_text(c->invoice, "format"), "xs-invoice/v2") != 0)
        return check_wrong(c, "invoice.json: format: this program checks xs-invoice/v2");
    if (strcmp(json_text(c->invoice, "origin"), c->origin) != 0)
        return check_wrong(c, "invoice.json: origin: the log key is of another log");
    return check_expect(c, "invoice-key.pem", note_pem(&c->keys.invoice)) ||
           check_expect(c, "log-key.pem", note_pem(&c->keys.log)) ||
           check_expect(c, BUNDLE_SIGNERS, paper_ssh_allowed(json_text(c->invoice, "host"),
                                                             bundle_namespace(c->invoice, namespace), &c->keys.invoice)) ||
           check_expect(c, "VERIFY.txt", bundle_verify_text(c->invoice)) ? -1 : 0;
}

int check_names(struct check *c)
{
    static const char *const known[] = { "VERIFY.txt", "checkpoint", "invoice-key.pem", "keys.txt", "ledger.journal",
                                         "log-key.pem", BUNDLE_SIGNERS, BUNDLE_CERTIFICATE, BUNDLE_SUMS,
                                         BUNDLE_SUMS BUNDLE_MINISIG };
    size_t expected = sizeof(known) / sizeof(known[0]) + 4 * BUNDLE_DOCUMENTS;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (!ustar_find(&c->tar, known[i]))
            return check_wrong(c, "%s: missing", known[i]);
    /* Each document has three signatures, each book one; each proof was asked for once: the count settles the rest. */
    if (!c->is_credit_note)
        expected += 1 + 2 * c->books_count + c->proofs;
    return c->tar.count == expected ? 0 : check_wrong(c, "tar: %zu files, %zu are needed", c->tar.count, expected);
}
