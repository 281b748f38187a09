/* The checks, in the order of VERIFY.txt: the files and their signatures, the
 * head of the log, each record's place in it, the chains, and every amount
 * again from the records. Anything that is not needed and known is refused: a
 * bundle has exactly one form. */
#include "client/verify/verify.h"
#include "accountd/bundle.h"
#include "client/verify/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int check_wrong(struct check *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(c->why->text, sizeof(c->why->text), fmt, args);
    va_end(args);
    return -1;
}

int check_wrong_in(struct check *c, const char *where)
{
    struct json_why inner = *c->why;

    return check_wrong(c, "%.80s: %.160s", where, inner.text);
}

const char *check_text(struct check *c, const char *name)
{
    const struct ustar_file *file = ustar_find(&c->tar, name);

    if (!file)
        check_wrong(c, "%s: missing", name);
    else if (memchr(file->bytes, 0, file->len))
        check_wrong(c, "%s: contains a zero byte", name);
    else
        return file->bytes;
    return NULL;
}

int check_expect(struct check *c, const char *name, char *expected)
{
    const char *text = check_text(c, name);
    bool same = text && expected && strcmp(text, expected) == 0;

    free(expected);
    if (!text)
        return -1;
    return same ? 0 : check_wrong(c, "%s: differs from what it must say", name);
}

json_t *check_canonical(struct check *c, const char *name)
{
    const char *text = check_text(c, name);
    json_t *object = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    char *again = object ? json_canonical(object) : NULL;
    bool same = again && json_is_object(object) && strcmp(again, text) == 0;

    free(again);
    if (same)
        return object;
    json_decref(object);
    if (text)
        check_wrong(c, "%s: not JSON in canonical form", name);
    return NULL;
}

static void summarise(const struct check *c, struct verify_summary *s)
{
    snprintf(s->invoice_id, sizeof(s->invoice_id), "%s", json_text(c->invoice, "invoice_id"));
    snprintf(s->account, sizeof(s->account), "%s", json_text(c->invoice, "account_id"));
    snprintf(s->host, sizeof(s->host), "%s", json_text(c->invoice, "host"));
    snprintf(s->currency, sizeof(s->currency), "%s", json_text(c->invoice, "currency"));
    s->total_nano = c->statement.total_nano;
    s->records = c->records;
    s->lines = c->statement.lines_count;
}

static int check_sums(struct check *c)
{
    const char *sums = check_text(c, BUNDLE_SUMS), *name = sums ? bundle_sums_check(&c->tar, sums) : NULL;

    if (!sums)
        return -1;
    return name ? check_wrong(c, "%s: not the file that %s lists", name, BUNDLE_SUMS) : 0;
}

static int run(struct check *c, const char *archive, size_t len, const char *trusted_keys)
{
    /* The sums come first: they find what was changed by accident, and cost the least. */
    if (ustar_unpack(archive, len, &c->tar, c->why) || check_sums(c) || check_keys(c))
        return -1;
    c->invoice = check_canonical(c, "invoice.json");
    if (!c->invoice)
        return -1;
    c->is_credit_note = strcmp(json_text(c->invoice, "kind"), "credit_note") == 0;
    if (check_checkpoint(c, trusted_keys) || check_signatures(c) || check_texts(c))
        return -1;
    if (c->is_credit_note)
        return check_names(c) || check_credit(c) ? -1 : 0;
    return check_books(c) || check_records(c) || check_names(c) || check_amounts(c) ? -1 : 0;
}

int verify_bundle(const char *archive, size_t len, const char *trusted_keys, struct verify_summary *summary,
                  struct json_why *why)
{
    struct check c = { .why = why };
    int rc = run(&c, archive, len, trusted_keys);

    if (rc == 0)
        summarise(&c, summary);
    statement_free(&c.statement);
    json_decref(c.invoice);
    check_books_free(&c);
    free(c.chains);
    free(c.billed);
    ustar_free(&c.tar);
    return rc;
}
