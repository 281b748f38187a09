#include "accountd/dispute/proofs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct proofs_chain *proofs_find(const struct proofs *p, const char *incarnation)
{
    for (size_t i = p->chains_count; i-- > 0;)
        if (strcmp(p->chains[i].incarnation, incarnation) == 0)
            return &p->chains[i];
    return NULL;
}

static struct proofs_chain *chain_begin(struct proofs *p, const struct record *r, uint64_t idx, const char *leaf)
{
    struct proofs_chain *chains = reallocarray(p->chains, p->chains_count + 1, sizeof(*chains)), *chain;

    if (!chains)
        return NULL;
    p->chains = chains;
    chain = &chains[p->chains_count++];
    *chain = (struct proofs_chain){ .first_idx = idx, .first = strdup(leaf), .from = r->from };
    snprintf(chain->incarnation, sizeof(chain->incarnation), "%s", r->incarnation);
    snprintf(chain->instance, sizeof(chain->instance), "%s", r->instance);
    return chain;
}

static int note_billed(struct proofs *p, const struct record *r, uint64_t idx, const char *leaf)
{
    struct proofs_chain *chain = (struct proofs_chain *)proofs_find(p, r->incarnation);

    if (!chain)
        chain = chain_begin(p, r, idx, leaf);
    if (!chain)
        return -1;
    free(chain->last);
    chain->last = strdup(leaf);
    chain->last_idx = idx;
    chain->to = r->to;
    p->records++;
    return chain->first && chain->last ? 0 : -1;
}

static int add_leaf(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    struct proofs *p = arg;
    bool context = idx < p->invoice->from_idx;
    char leaf_type[CHAIN_TYPE_BYTES];
    struct record record;
    json_t *fields = chain_leaf_parse(leaf, strlen(leaf), leaf_type, &p->why);
    int rc = fields ? record_parse(leaf_type, fields, &record, &p->why) : -1;

    (void)type;
    json_decref(fields);
    if (rc == 0)
        rc = statement_add(&p->statement, &record, context, &p->why);
    return rc || context ? rc : note_billed(p, &record, idx, leaf);
}

int proofs_read(struct proofs *p, uint64_t context_idx)
{
    snprintf(p->why.text, sizeof(p->why.text), "the records could not be read");
    return price_books_all(p->a->ledger, &p->statement.books, &p->statement.books_count) ||
           store_each_leaf(p->a->store, p->invoice->account, NULL, context_idx, p->invoice->to_idx, -1, add_leaf, p) ||
           statement_close(&p->statement, &p->why) ? -1 : 0;
}

void proofs_free(struct proofs *p)
{
    for (size_t i = 0; i < p->chains_count; i++) {
        free(p->chains[i].first);
        free(p->chains[i].last);
    }
    free(p->chains);
    statement_free(&p->statement);
}

static json_t *proven(const struct proofs *p, uint64_t idx, const char *leaf)
{
    struct chain_hash path[CHAIN_PROOF_MAX];
    int len = store_proof(p->a->store, idx, p->invoice->to_idx, path);
    char *proof = len < 0 ? NULL : note_proof(idx, path, (unsigned)len, p->invoice->head_note);
    json_t *object =
        proof ? json_pack("{s:I, s:s, s:s}", "index", (json_int_t)idx, "leaf", leaf, "proof", proof) : NULL;

    free(proof);
    return object;
}

static json_t *counters(const struct proofs_chain *chain)
{
    json_t *object = json_object();

    for (int c = 0; c < METER_COUNTERS; c++)
        json_object_set_new(object, meter_counter_names[c],
                            json_pack("{s:o, s:o}", "start", json_decimal_u128(chain->from.at[c]), "end",
                                      json_decimal_u128(chain->to.at[c])));
    return object;
}

json_t *proofs_chains(const struct proofs *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->chains_count; i++) {
        const struct proofs_chain *c = &p->chains[i];
        json_t *row = json_pack("{s:s, s:s, s:o, s:o, s:o}", "incarnation", c->incarnation, "instance_id", c->instance,
                                "first", proven(p, c->first_idx, c->first), "last", proven(p, c->last_idx, c->last),
                                "counters", counters(c));

        if (json_array_append_new(list, row)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static bool is_used(const struct proofs *p, int64_t version)
{
    for (size_t i = 0; i < p->statement.lines_count; i++)
        if (p->statement.lines[i].book->version == version)
            return true;
    return false;
}

struct listing {
    const struct proofs *proofs;
    json_t *list, *leaf;
};

static int take_leaf(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    struct listing *l = arg;

    (void)type;
    l->leaf = proven(l->proofs, idx, leaf);
    return l->leaf ? 0 : -1;
}

static int list_book(void *arg, const struct rate_book *book, const char *body)
{
    struct listing *l = arg;
    char part[40], *minisig = NULL;
    uint64_t idx;
    json_t *row;

    if (!is_used(l->proofs, book->version))
        return 0;
    snprintf(part, sizeof(part), "\"version\":%jd}", (intmax_t)book->version);
    if (store_find_leaf(l->proofs->a->store, "tariff", part, &idx) != 1 ||
        store_each_leaf(l->proofs->a->store, NULL, NULL, idx, idx + 1, 1, take_leaf, l) ||
        price_book_signature(l->proofs->a->ledger, book->version, &minisig) != LEDGER_OK)
        return -1;
    row = json_pack("{s:I, s:o, s:s, s:o}", "version", (json_int_t)book->version, "body", json_loads(body, 0, NULL),
                    "signature", minisig, "leaf", l->leaf);
    free(minisig);
    return json_array_append_new(l->list, row);
}

json_t *proofs_books(const struct proofs *p)
{
    struct listing l = { .proofs = p, .list = json_array() };

    if (ledger_each_price_book(p->a->ledger, list_book, &l) == 0)
        return l.list;
    json_decref(l.list);
    return NULL;
}
