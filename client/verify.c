/* The checks, in the order of VERIFY.txt: the files and their signatures, the
 * head of the log, each record's place in it, the chains, and every amount
 * again from the records. Anything that is not needed and known is refused: a
 * bundle has exactly one form. */
#include "client/verify.h"
#include "accountd/bundle.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A leaf whose place in the log has a proof of its own. */
struct proven {
    uint64_t index;
    struct chain_hash hash;
};

/* One incarnation's chain, as far as it has been read. Each record names the
 * one before it by its hash, so the places of three prove the places of all:
 * the last that was invoiced before, the first and the last of this invoice. */
struct chain {
    struct record first, last;          /* first: of this invoice */
    struct proven before, begin, end;
    bool has_before, is_billed;
};

struct check {
    struct ustar tar;
    struct keys keys;
    char origin[128];
    json_t *invoice;
    uint64_t size;                      /* leaves under the checkpoint */
    struct chain_hash root;
    const char *checkpoint;
    struct rate_book *books;
    size_t books_count, tariffs_count;
    struct chain *chains;
    size_t chains_count;
    size_t *billed;                     /* those that are invoiced, in the order of the log */
    size_t billed_count;
    uint64_t from, context;             /* where the invoice begins in the log, and what counts for its prices */
    size_t proofs;
    struct statement statement;
    size_t records, leaves;
    uint64_t next_index;                /* records stand in the order of the log */
    struct json_why *why;
};

static int wrong(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int wrong(struct check *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(c->why->text, sizeof(c->why->text), fmt, args);
    va_end(args);
    return -1;
}

/* As wrong, with the reason that is in `why` already. */
static int wrong_in(struct check *c, const char *where)
{
    struct json_why inner = *c->why;

    return wrong(c, "%.80s: %.160s", where, inner.text);
}

static const char *text_of(struct check *c, const char *name)
{
    const struct ustar_file *file = ustar_find(&c->tar, name);

    if (!file)
        wrong(c, "%s: missing", name);
    else if (memchr(file->bytes, 0, file->len))
        wrong(c, "%s: contains a zero byte", name);
    else
        return file->bytes;
    return NULL;
}

/* That a file says exactly this; steals `expected`. */
static int expect(struct check *c, const char *name, char *expected)
{
    const char *text = text_of(c, name);
    bool same = text && expected && strcmp(text, expected) == 0;

    free(expected);
    if (!text)
        return -1;
    return same ? 0 : wrong(c, "%s: differs from what it must say", name);
}

static const char *field(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static json_t *parse_canonical(struct check *c, const char *name)
{
    const char *text = text_of(c, name);
    json_t *object = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    char *again = object ? json_canonical(object) : NULL;
    bool same = again && json_is_object(object) && strcmp(again, text) == 0;

    free(again);
    if (same)
        return object;
    json_decref(object);
    if (text)
        wrong(c, "%s: not JSON in canonical form", name);
    return NULL;
}

static bool same_key(const struct note_key *a, const struct note_key *b)
{
    return a && b && memcmp(a->public_key, b->public_key, NOTE_PUBLIC_BYTES) == 0;
}

/* The keys that sign a log of `size` leaves are those that the customer knows
 * as valid then. While a key hands over there are two: either will do, both are checked. */
static int check_trusted(struct check *c, const struct keys *trusted, uint64_t size)
{
    const struct note_key *ours[KEYS_OVERLAP], *theirs[KEYS_OVERLAP];
    unsigned ours_count = keys_find_log(&c->keys, size, ours), theirs_count = keys_find_log(trusted, size, theirs);
    bool known = false;

    for (unsigned i = 0; i < ours_count; i++)
        for (unsigned j = 0; j < theirs_count; j++)
            known = known || same_key(ours[i], theirs[j]);
    if (!known)
        return wrong(c, "keys.txt: the log key is not the one you trust");
    if (!same_key(&c->keys.invoice, keys_find_invoice(trusted, size)))
        return wrong(c, "keys.txt: the invoice key is not the one you trust");
    return 0;
}

static int check_keys(struct check *c, const char *trusted_text)
{
    const char *text = text_of(c, "keys.txt"), *checkpoint = text_of(c, "checkpoint");
    struct note_checkpoint head;
    struct keys trusted;
    char origin[128];

    if (!text || !checkpoint)
        return -1;
    if (!keys_parse(text, &c->keys, c->origin, sizeof(c->origin)))
        return wrong(c, "keys.txt: not a list of a log key and an invoice key");
    if (!trusted_text)
        return 0;
    if (!keys_parse(trusted_text, &trusted, origin, sizeof(origin)))
        return wrong(c, "--key: not a keys.txt");
    return check_trusted(c, &trusted, note_checkpoint_read(checkpoint, &head) ? head.size : 0);
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len > end_len && strcmp(text + len - end_len, end) == 0;
}

/* NAME.minisig against NAME. */
static int check_signature(struct check *c, const char *sig_name)
{
    char name[USTAR_NAME_BYTES], comment[160], *expected;
    const struct ustar_file *file;
    const char *sig = text_of(c, sig_name);

    snprintf(name, sizeof(name), "%.*s", (int)(strlen(sig_name) - strlen(BUNDLE_MINISIG)), sig_name);
    file = ustar_find(&c->tar, name);
    if (!sig || !file)
        return sig ? wrong(c, "%s: signs a file that is missing", sig_name) : -1;
    if (!note_minisig_verify(sig, file->bytes, file->len, &c->keys.invoice))
        return wrong(c, "%s: the invoice key's signature does not fit", name);
    if (asprintf(&expected, "\ntrusted comment: %s\n", bundle_comment(name, c->invoice, comment)) < 0)
        return wrong(c, "out of memory");
    file = strstr(sig, expected) ? file : NULL;
    free(expected);
    return file ? 0 : wrong(c, "%s: its comment is of another file or invoice", sig_name);
}

static int check_signatures(struct check *c)
{
    static const char *const signed_files[] = { "invoice.json", BUNDLE_SUMS };
    char name[USTAR_NAME_BYTES + 16];

    for (size_t i = 0; i < sizeof(signed_files) / sizeof(signed_files[0]); i++) {
        snprintf(name, sizeof(name), "%s" BUNDLE_MINISIG, signed_files[i]);
        if (!text_of(c, name))
            return -1;
    }
    for (size_t i = 0; i < c->tar.count; i++)
        if (ends_with(c->tar.files[i].name, BUNDLE_MINISIG) && check_signature(c, c->tar.files[i].name))
            return -1;
    return 0;
}

static int check_texts(struct check *c)
{
    int64_t issued_ms;

    if (json_arg_int(c->invoice, "issued_ms", 0, (1ll << 53) - 1, &issued_ms, c->why))
        return wrong_in(c, "invoice.json");
    if (c->tar.mtime_s != issued_ms / 1000)
        return wrong(c, "tar: its time is not the invoice's");
    if (strcmp(field(c->invoice, "origin"), c->origin) != 0)
        return wrong(c, "invoice.json: origin: the log key is of another log");
    return expect(c, "invoice-key.pem", note_pem(&c->keys.invoice)) || expect(c, "log-key.pem", note_pem(&c->keys.log)) ||
           expect(c, "VERIFY.txt", bundle_verify_text(c->invoice)) ? -1 : 0;
}

static int check_checkpoint(struct check *c)
{
    const struct note_key *keys[KEYS_OVERLAP];
    struct note_checkpoint head;
    int64_t to, from, context;
    unsigned count;

    c->checkpoint = text_of(c, "checkpoint");
    if (!c->checkpoint)
        return -1;
    count = note_checkpoint_read(c->checkpoint, &head) ? keys_find_log(&c->keys, head.size, keys) : 0;
    if (!note_checkpoint_open_by(c->checkpoint, c->origin, keys, count, &c->size, &c->root, c->why))
        return wrong_in(c, "checkpoint");
    if (json_arg_int(c->invoice, "to_index", 1, (1ll << 53) - 1, &to, c->why) ||
        json_arg_int(c->invoice, "from_index", 0, to, &from, c->why) ||
        json_arg_int(c->invoice, "context_index", 0, from, &context, c->why))
        return wrong_in(c, "invoice.json");
    c->from = (uint64_t)from;
    c->context = (uint64_t)context;
    return (uint64_t)to == c->size ? 0 : wrong(c, "checkpoint: not of the leaves that the invoice covers");
}

/* pricebook-N.json files, before the records that name them. */
static int check_book(struct check *c, const struct ustar_file *file)
{
    struct rate_book book, *books = realloc(c->books, (c->books_count + 1) * sizeof(book));
    char name[USTAR_NAME_BYTES], sig_name[USTAR_NAME_BYTES + 16];
    json_t *object;
    int rc;

    if (!books)
        return wrong(c, "out of memory");
    c->books = books;
    object = parse_canonical(c, file->name);
    if (!object)
        return -1;
    rc = rate_book_parse(object, &book, c->why);
    json_decref(object);
    if (rc)
        return wrong_in(c, file->name);
    if (strcmp(bundle_book_name(book.version, name), file->name) != 0)
        return wrong(c, "%s: its version is %jd", file->name, (intmax_t)book.version);
    if (strcmp(book.currency, field(c->invoice, "currency")) != 0)
        return wrong(c, "%s: another currency than the invoice's", file->name);
    snprintf(sig_name, sizeof(sig_name), "%s" BUNDLE_MINISIG, file->name);
    c->books[c->books_count++] = book;
    return text_of(c, sig_name) ? 0 : -1;
}

static int check_books(struct check *c)
{
    for (size_t i = 0; i < c->tar.count; i++)
        if (strncmp(c->tar.files[i].name, "pricebook-", 10) == 0 && ends_with(c->tar.files[i].name, ".json") &&
            check_book(c, &c->tar.files[i]))
            return -1;
    c->statement.books = c->books;
    c->statement.books_count = c->books_count;
    return 0;
}

/* A tariff leaf binds a price book to the log. */
static int check_tariff(struct check *c, const json_t *fields)
{
    char name[USTAR_NAME_BYTES], hex[65];
    const struct ustar_file *file;
    uint8_t hash[32];

    bundle_book_name(json_integer_value(json_object_get(fields, "version")), name);
    file = ustar_find(&c->tar, name);
    if (!file)
        return wrong(c, "records.jsonl: a tariff leaf for %s, which is missing", name);
    crypto_hash_sha256(hash, (const uint8_t *)file->bytes, file->len);
    if (strcmp(sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash)), field(fields, "sha256")) != 0)
        return wrong(c, "%s: not the price book that was logged", name);
    c->tariffs_count++;
    return 0;
}

static struct chain *find_chain(struct check *c, const char *incarnation)
{
    /* Records of one incarnation often follow each other, and new ones come last. */
    for (size_t i = c->chains_count; i-- > 0;)
        if (strcmp(c->chains[i].last.incarnation, incarnation) == 0)
            return &c->chains[i];
    return NULL;
}

static struct chain *begin_chain(struct check *c, const struct record *r)
{
    static const struct chain_hash zero;
    struct chain *chains = reallocarray(c->chains, c->chains_count + 1, sizeof(*chains));

    if (!chains) {
        wrong(c, "out of memory");
        return NULL;
    }
    c->chains = chains;
    if (r->number == 0 && !record_is_first(r, c->why))
        return NULL;
    /* Its earlier records are of an earlier period. */
    if (r->number > 0 && chain_hash_equal(&r->prev, &zero)) {
        wrong(c, "incarnation %s: record %jd names none before it", r->incarnation, (intmax_t)r->number);
        return NULL;
    }
    chains[c->chains_count] = (struct chain){ .last = *r };
    return &chains[c->chains_count++];
}

static int bill_chain(struct check *c, struct chain *chain, const struct record *r, struct proven at)
{
    size_t *billed = reallocarray(c->billed, c->billed_count + 1, sizeof(*billed));

    if (!billed)
        return wrong(c, "out of memory");
    c->billed = billed;
    billed[c->billed_count++] = (size_t)(chain - c->chains);
    chain->is_billed = true;
    chain->first = *r;
    chain->begin = at;
    return 0;
}

/* A running guest keeps its price book until a newer one takes it over: nobody can price its records anew. */
static int check_book_kept(struct check *c, const struct record *last, const struct record *r)
{
    bool moved = r->price_book == last->price_book;

    for (size_t i = 0; i < c->books_count && !moved; i++)
        moved = c->books[i].version == r->price_book && rate_book_moves(&c->books[i], last->price_book, r->t0_ms);
    return moved ? 0 : wrong(c, "incarnation %s: record %jd: price book %jd does not take it over from %jd by then",
                             r->incarnation, (intmax_t)r->number, (intmax_t)r->price_book, (intmax_t)last->price_book);
}

static int check_record(struct check *c, const struct record *r, struct proven at)
{
    struct chain *chain = find_chain(c, r->incarnation);
    bool context = at.index < c->from;

    if (strcmp(r->account, field(c->invoice, "account_id")) != 0)
        return wrong(c, "a record of another account");
    if (strcmp(r->host, field(c->invoice, "host")) != 0)
        return wrong(c, "a record of another host");
    if (chain && (!record_follows(&chain->last, &chain->end.hash, r, c->why) || check_book_kept(c, &chain->last, r)))
        return -1;
    chain = chain ? chain : begin_chain(c, r);
    if (!chain || (!context && !chain->is_billed && bill_chain(c, chain, r, at)))
        return -1;
    if (context) {
        chain->has_before = true;
        chain->before = at;
    } else {
        c->records++;
    }
    chain->last = *r;
    chain->end = at;
    return statement_add(&c->statement, r, context, c->why);
}

static int check_inclusion(struct check *c, struct proven leaf)
{
    struct chain_hash proof[CHAIN_PROOF_MAX];
    char name[USTAR_NAME_BYTES];
    const char *text, *checkpoint;
    unsigned proof_len;
    uint64_t proof_index;

    text = text_of(c, bundle_proof_name(leaf.index, name));
    if (!text)
        return -1;
    if (!note_proof_parse(text, &proof_index, proof, &proof_len, &checkpoint) || proof_index != leaf.index ||
        strcmp(checkpoint, c->checkpoint) != 0)
        return wrong(c, "%s: not a proof for this record and this checkpoint", name);
    if (!chain_proof_verify(&leaf.hash, leaf.index, c->size, proof, proof_len, &c->root))
        return wrong(c, "%s: the record is not in the log", name);
    c->proofs++;
    return 0;
}

static int check_chain(struct check *c, const struct chain *chain)
{
    if (chain->has_before && check_inclusion(c, chain->before))
        return -1;
    if (chain->is_billed && check_inclusion(c, chain->begin))
        return -1;
    return chain->is_billed && chain->end.index != chain->begin.index && check_inclusion(c, chain->end) ? -1 : 0;
}

static int check_leaf(struct check *c, uint64_t index, const char *leaf)
{
    struct proven at = { index, chain_leaf_hash(leaf, strlen(leaf)) };
    char type[CHAIN_TYPE_BYTES], where[64];
    struct record record;
    json_t *fields = chain_leaf_parse(leaf, strlen(leaf), type, c->why);
    int rc;

    snprintf(where, sizeof(where), "records.jsonl: leaf %ju", (uintmax_t)index);
    if (!fields)
        return wrong_in(c, where);
    if (strcmp(type, "tariff") == 0) {
        rc = check_tariff(c, fields) || check_inclusion(c, at) ? -1 : 0;
    } else {
        rc = record_parse(type, fields, &record, c->why);
        if (rc == 0 && (index < c->next_index || index < c->context || index >= c->size))
            rc = wrong(c, "out of the invoice's range or order");
        if (rc == 0)
            rc = check_record(c, &record, at);
        c->next_index = index + 1;
        if (rc)
            wrong_in(c, where);
    }
    json_decref(fields);
    return rc;
}

static int check_line(struct check *c, const char *line, size_t len)
{
    json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    const char *leaf = field(object, "leaf");
    int64_t index;
    char *again = NULL;
    int rc = -1;

    if (!json_is_object(object) || json_arg_int(object, "index", 0, (1ll << 53) - 1, &index, c->why)) {
        wrong(c, "records.jsonl: line %zu: not an object with index and leaf", c->leaves + 1);
    } else {
        again = bundle_record_line((uint64_t)index, leaf);
        if (!again || strlen(again) != len || memcmp(again, line, len) != 0)
            wrong(c, "records.jsonl: line %zu: not in canonical form", c->leaves + 1);
        else
            rc = check_leaf(c, (uint64_t)index, leaf);
    }
    c->leaves++;
    free(again);
    json_decref(object);
    return rc;
}

static int check_records(struct check *c)
{
    const char *at = text_of(c, "records.jsonl");

    if (!at)
        return -1;
    while (*at) {
        const char *end = strchr(at, '\n');

        if (!end)
            return wrong(c, "records.jsonl: its last line does not end");
        if (check_line(c, at, (size_t)(end - at)))
            return -1;
        at = end + 1;
    }
    for (size_t i = 0; i < c->chains_count; i++)
        if (check_chain(c, &c->chains[i]))
            return -1;
    if (c->tariffs_count != c->books_count)
        return wrong(c, "records.jsonl: %zu price books, but %zu tariff leaves", c->books_count, c->tariffs_count);
    return 0;
}

/* What the tar may hold, so that nothing rides along. */
static int check_names(struct check *c)
{
    static const char *const known[] = { "VERIFY.txt", "checkpoint", "invoice-key.pem", "invoice.json",
                                         "invoice.json.minisig", "keys.txt", "log-key.pem", "records.jsonl", BUNDLE_SUMS, BUNDLE_SUMS BUNDLE_MINISIG };
    size_t expected = sizeof(known) / sizeof(known[0]) + 2 * c->books_count + c->proofs;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (!ustar_find(&c->tar, known[i]))
            return wrong(c, "%s: missing", known[i]);
    /* Each proof was asked for once and each book has two files: the count settles the rest. */
    return c->tar.count == expected ? 0 : wrong(c, "tar: %zu files, %zu are needed", c->tar.count, expected);
}

static int check_chain_list(struct check *c)
{
    const json_t *list = json_object_get(c->invoice, "chains");

    if (json_array_size(list) != c->billed_count)
        return wrong(c, "invoice.json: chains: %zu are named, the records have %zu", json_array_size(list),
                     c->billed_count);
    for (size_t i = 0; i < c->billed_count; i++) {
        const struct chain *chain = &c->chains[c->billed[i]];
        json_t *expected = json_pack("{s:s, s:s, s:I, s:I}", "incarnation", chain->last.incarnation, "instance_id",
                                     chain->last.instance, "first_number", (json_int_t)chain->first.number,
                                     "last_number", (json_int_t)chain->last.number);
        bool same = json_equal(expected, json_array_get(list, i));

        json_decref(expected);
        if (!same)
            return wrong(c, "invoice.json: chains: incarnation %s is not stated as its records are",
                         chain->last.incarnation);
    }
    return 0;
}

static int check_rows(struct check *c, const json_t *expected, const char *key)
{
    const json_t *stated = json_object_get(c->invoice, key), *rows = json_object_get(expected, key);
    json_t *row;
    size_t i;

    if (json_array_size(stated) != json_array_size(rows))
        return wrong(c, "invoice.json: %zu %s, the records make %zu", json_array_size(stated), key, json_array_size(rows));
    json_array_foreach((json_t *)rows, i, row)
        if (!json_equal(row, json_array_get(stated, i)))
            return wrong(c, "invoice.json: %s: row %zu (%s): the records make %s of it, %s nano", key, i + 1,
                         field(row, "meter"), field(row, "quantity"),
                         field(row, strcmp(key, "lines") == 0 ? "amount_nano" : "charged_nano"));
    return 0;
}

static int check_sum(struct check *c, const char *key, int64_t expected)
{
    int64_t stated;

    if (json_arg_decimal(c->invoice, key, 0, INT64_MAX, &stated, c->why))
        return wrong_in(c, "invoice.json");
    return stated == expected ? 0 : wrong(c, "invoice.json: %s is %jd, the records make %jd", key, (intmax_t)stated,
                                          (intmax_t)expected);
}

static int check_tax(struct check *c)
{
    const json_t *list = json_object_get(c->invoice, "tax");
    json_t *expected;
    bool same;

    if (json_array_size(list) != 1)
        return wrong(c, "invoice.json: tax: must have one row");
    if (tax_parse(json_array_get(list, 0), &c->statement.tax, c->why))
        return wrong_in(c, "invoice.json");
    if (statement_close(&c->statement, c->why))
        return wrong_in(c, "records.jsonl");
    expected = tax_json(&c->statement.tax, c->statement.net_nano, c->statement.tax_nano);
    same = json_equal(expected, json_array_get(list, 0));
    json_decref(expected);
    return same ? 0 : wrong(c, "invoice.json: tax: %jd nano at %d of 10,000 make %jd", (intmax_t)c->statement.net_nano,
                            c->statement.tax.rate_permyriad, (intmax_t)c->statement.tax_nano);
}

static int check_totals(struct check *c)
{
    int64_t carried, stated_records;

    if (check_sum(c, "net_nano", c->statement.net_nano) || check_sum(c, "total_nano", c->statement.total_nano) ||
        check_sum(c, "paid_nano", c->statement.total_nano) || check_sum(c, "payable_nano", 0))
        return -1;
    if (json_arg_decimal(c->invoice, "carried_by_host_nano", 0, INT64_MAX, &carried, c->why) ||
        json_arg_int(c->invoice, "records", 0, INT64_MAX, &stated_records, c->why))
        return wrong_in(c, "invoice.json");
    if ((size_t)stated_records != c->records)
        return wrong(c, "invoice.json: records: %jd stated, %zu are here", (intmax_t)stated_records, c->records);
    if (json_integer_value(json_object_get(c->invoice, "period_start_ms")) != c->statement.t0_ms ||
        json_integer_value(json_object_get(c->invoice, "period_end_ms")) != c->statement.t1_ms)
        return wrong(c, "invoice.json: its period is not that of its records");
    return 0;
}

static int check_amounts(struct check *c)
{
    json_t *expected = json_object();
    int rc = check_chain_list(c) || check_tax(c) || statement_put(&c->statement, expected) ||
             check_rows(c, expected, "lines") || check_rows(c, expected, "details") ? -1 : 0;

    json_decref(expected);
    return rc ? rc : check_totals(c);
}

static void summarise(const struct check *c, struct verify_summary *s)
{
    snprintf(s->invoice_id, sizeof(s->invoice_id), "%s", field(c->invoice, "invoice_id"));
    snprintf(s->account, sizeof(s->account), "%s", field(c->invoice, "account_id"));
    snprintf(s->host, sizeof(s->host), "%s", field(c->invoice, "host"));
    snprintf(s->currency, sizeof(s->currency), "%s", field(c->invoice, "currency"));
    s->total_nano = c->statement.total_nano;
    s->records = c->records;
    s->lines = c->statement.lines_count;
}

static int run(struct check *c, const char *archive, size_t len, const char *trusted_keys)
{
    if (ustar_unpack(archive, len, &c->tar, c->why) || check_keys(c, trusted_keys))
        return -1;
    c->invoice = parse_canonical(c, "invoice.json");
    if (!c->invoice || expect(c, BUNDLE_SUMS, bundle_sums(&c->tar)) || check_signatures(c) || check_texts(c) || check_checkpoint(c) ||
        check_books(c) || check_records(c) || check_names(c))
        return -1;
    return check_amounts(c);
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
    free(c.books);
    free(c.chains);
    free(c.billed);
    ustar_free(&c.tar);
    return rc;
}
