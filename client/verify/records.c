/* The records: their form, their chains, their places in the log, and the price books that they name. */
#include "accountd/bundle.h"
#include "client/verify/check.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* pricebook-N.json files, before the records that name them. */
static int check_book(struct check *c, const struct ustar_file *file)
{
    const struct rate_book **books = reallocarray(c->books, c->books_count + 1, sizeof(*books));
    struct rate_book *book = malloc(sizeof(*book));
    char name[USTAR_NAME_BYTES];
    json_t *object;
    int rc;

    if (books)
        c->books = books;
    if (!books || !book) {
        free(book);
        return check_wrong(c, "out of memory");
    }
    books[c->books_count++] = book;
    object = check_canonical(c, file->name);
    if (!object)
        return -1;
    rc = rate_book_parse(object, book, c->why);
    json_decref(object);
    if (rc)
        return check_wrong_in(c, file->name);
    if (strcmp(bundle_book_name(book->version, name), file->name) != 0)
        return check_wrong(c, "%s: its version is %jd", file->name, (intmax_t)book->version);
    if (strcmp(book->currency, json_text(c->invoice, "currency")) != 0)
        return check_wrong(c, "%s: another currency than the invoice's", file->name);
    return check_minisig(c, file->name);
}

int check_books(struct check *c)
{
    for (size_t i = 0; i < c->tar.count; i++)
        if (strncmp(c->tar.files[i].name, "pricebook-", 10) == 0 && !strstr(c->tar.files[i].name, BUNDLE_MINISIG) &&
            check_book(c, &c->tar.files[i]))
            return -1;
    c->statement.books = c->books;
    c->statement.books_count = c->books_count;
    return 0;
}

void check_books_free(struct check *c)
{
    for (size_t i = 0; i < c->books_count; i++)
        free((void *)c->books[i]);
    free(c->books);
}

/* A tariff leaf binds a price book to the log. They come by version, so that none stands for another's. */
static int check_tariff(struct check *c, const json_t *fields)
{
    int64_t version = json_integer_value(json_object_get(fields, "version"));
    char name[USTAR_NAME_BYTES], hex[65];
    const struct ustar_file *file;
    uint8_t hash[32];

    bundle_book_name(version, name);
    if (version <= c->tariff_version)
        return check_wrong(c, "records.jsonl: the tariff leaf of %s is there twice, or not by its version", name);
    c->tariff_version = version;
    file = ustar_find(&c->tar, name);
    if (!file)
        return check_wrong(c, "records.jsonl: a tariff leaf for %s, which is missing", name);
    crypto_hash_sha256(hash, (const uint8_t *)file->bytes, file->len);
    if (strcmp(sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash)), json_text(fields, "sha256")) != 0)
        return check_wrong(c, "%s: not the price book that was logged", name);
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
        check_wrong(c, "out of memory");
        return NULL;
    }
    c->chains = chains;
    if (r->number == 0 && !record_is_first(r, c->why))
        return NULL;
    /* Its earlier records are of an earlier period. */
    if (r->number > 0 && chain_hash_equal(&r->prev, &zero)) {
        check_wrong(c, "incarnation %s: record %jd names none before it", r->incarnation, (intmax_t)r->number);
        return NULL;
    }
    chains[c->chains_count] = (struct chain){ .last = *r };
    return &chains[c->chains_count++];
}

static int bill_chain(struct check *c, struct chain *chain, const struct record *r, struct proven at)
{
    size_t *billed = reallocarray(c->billed, c->billed_count + 1, sizeof(*billed));

    if (!billed)
        return check_wrong(c, "out of memory");
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
        moved = c->books[i]->version == r->price_book && rate_book_moves(c->books[i], last->price_book, r->t0_ms);
    return moved ? 0 : check_wrong(c, "incarnation %s: record %jd: price book %jd does not take it over from %jd by then",
                                   r->incarnation, (intmax_t)r->number, (intmax_t)r->price_book,
                                   (intmax_t)last->price_book);
}

static int check_record(struct check *c, const struct record *r, struct proven at)
{
    struct chain *chain = find_chain(c, r->incarnation);
    bool context = at.index < c->from;

    if (strcmp(r->account, json_text(c->invoice, "account_id")) != 0)
        return check_wrong(c, "a record of another account");
    if (strcmp(r->host, json_text(c->invoice, "host")) != 0)
        return check_wrong(c, "a record of another host");
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

    text = check_text(c, bundle_proof_name(leaf.index, name));
    if (!text)
        return -1;
    if (!note_proof_parse(text, &proof_index, proof, &proof_len, &checkpoint) || proof_index != leaf.index ||
        strcmp(checkpoint, c->checkpoint) != 0)
        return check_wrong(c, "%s: not a proof for this record and this checkpoint", name);
    if (!chain_proof_verify(&leaf.hash, leaf.index, c->size, proof, proof_len, &c->root))
        return check_wrong(c, "%s: the record is not in the log", name);
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
        return check_wrong_in(c, where);
    if (strcmp(type, "tariff") == 0) {
        rc = check_tariff(c, fields) || check_inclusion(c, at) ? -1 : 0;
    } else {
        rc = record_parse(type, fields, &record, c->why);
        if (rc == 0 && (index < c->next_index || index < c->context || index >= c->size))
            rc = check_wrong(c, "out of the invoice's range or order");
        if (rc == 0)
            rc = check_record(c, &record, at);
        c->next_index = index + 1;
        if (rc)
            check_wrong_in(c, where);
    }
    json_decref(fields);
    return rc;
}

static int check_line(struct check *c, const char *line, size_t len)
{
    json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    const char *leaf = json_text(object, "leaf");
    int64_t index;
    char *again = NULL;
    int rc = -1;

    if (!json_is_object(object) || json_arg_int(object, "index", 0, (1ll << 53) - 1, &index, c->why)) {
        check_wrong(c, "records.jsonl: line %zu: not an object with index and leaf", c->leaves + 1);
    } else {
        again = bundle_record_line((uint64_t)index, leaf);
        if (!again || strlen(again) != len || memcmp(again, line, len) != 0)
            check_wrong(c, "records.jsonl: line %zu: not in canonical form", c->leaves + 1);
        else
            rc = check_leaf(c, (uint64_t)index, leaf);
    }
    c->leaves++;
    free(again);
    json_decref(object);
    return rc;
}

int check_records(struct check *c)
{
    const char *at = check_text(c, "records.jsonl");

    if (!at)
        return -1;
    while (*at) {
        const char *end = strchr(at, '\n');

        if (!end)
            return check_wrong(c, "records.jsonl: its last line does not end");
        if (check_line(c, at, (size_t)(end - at)))
            return -1;
        at = end + 1;
    }
    for (size_t i = 0; i < c->chains_count; i++)
        if (check_chain(c, &c->chains[i]))
            return -1;
    if (c->tariffs_count != c->books_count)
        return check_wrong(c, "records.jsonl: %zu price books, but %zu tariff leaves", c->books_count, c->tariffs_count);
    return 0;
}
