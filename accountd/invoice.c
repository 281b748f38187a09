/* From records to an invoice. The ledger has charged each record's amounts
 * rounded down; here each line is rounded once, and the difference is charged
 * too, so that the wallet has paid exactly what the invoice says. */
#include "accountd/invoice.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The invoice that is being made. */
struct making {
    struct accountd *a;
    const char *invoice_id, *account;
    uint64_t from_idx, to_idx;
    struct invoice_draft draft;
};

static int add_book(void *arg, const struct rate_book *book, const char *body)
{
    struct invoice_draft *d = arg;
    struct rate_book *books = realloc(d->books, (d->books_count + 1) * sizeof(*books));

    (void)body;
    if (!books)
        return -1;
    d->books = books;
    books[d->books_count++] = *book;
    return 0;
}

static void add_to_chain(struct invoice_draft *d, const struct record *r)
{
    json_t *chain = json_object_get(d->chains, r->incarnation);

    if (!chain) {
        chain = json_pack("{s:s, s:s, s:I}", "incarnation", r->incarnation, "instance_id", r->instance, "first_number",
                          (json_int_t)r->number);
        json_object_set_new(d->chains, r->incarnation, chain);
    }
    json_object_set_new(chain, "last_number", json_integer(r->number));
}

static int add_leaf(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    struct invoice_draft *d = arg;
    char leaf_type[CHAIN_TYPE_BYTES];
    json_t *fields = chain_leaf_parse(leaf, strlen(leaf), leaf_type, d->why);
    int rc = fields ? record_parse(leaf_type, fields, &d->last, d->why) : -1;

    (void)idx;
    (void)type;
    if (rc == 0)
        rc = statement_add(&d->statement, &d->last, d->why);
    if (rc == 0)
        add_to_chain(d, &d->last);
    d->records++;
    json_decref(fields);
    return rc;
}

int invoice_draft_read(struct accountd *a, const char *account, uint64_t from_idx, uint64_t to_idx,
                       struct invoice_draft *d, struct json_why *why)
{
    *d = (struct invoice_draft){ .chains = json_object(), .why = why };
    snprintf(why->text, sizeof(why->text), "the database failed");
    if (ledger_each_price_book(a->ledger, add_book, d))
        return -1;
    d->statement.books = d->books;
    d->statement.books_count = d->books_count;
    if (store_each_leaf(a->store, account, NULL, from_idx, to_idx, -1, add_leaf, d))
        return -1;
    return statement_close(&d->statement, why);
}

void invoice_draft_free(struct invoice_draft *d)
{
    json_decref(d->chains);
    statement_free(&d->statement);
    free(d->books);
}

static json_t *chains_json(const struct invoice_draft *d)
{
    json_t *list = json_array(), *chain;
    const char *key;

    json_object_foreach(d->chains, key, chain)
        json_array_append(list, chain);
    return list;
}

static json_t *invoice_json(const struct making *m, int64_t number, int64_t carried_nano, const char *name,
                            const char *currency)
{
    const struct statement *s = &m->draft.statement;
    char money[32];
    json_t *body = json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:I}", "format", "xs-invoice/v1", "invoice_id",
                             m->invoice_id, "number", (json_int_t)number, "account_id", m->account, "account_name", name,
                             "currency", currency, "host", m->a->head.host, "issued_ms", (json_int_t)clock_utc_ms());

    json_object_set_new(body, "origin", json_string(m->a->head.origin));
    json_object_set_new(body, "from_index", json_integer((json_int_t)m->from_idx));
    json_object_set_new(body, "to_index", json_integer((json_int_t)m->to_idx));
    json_object_set_new(body, "period_start_ms", json_integer(s->t0_ms));
    json_object_set_new(body, "period_end_ms", json_integer(s->t1_ms));
    json_object_set_new(body, "records", json_integer((json_int_t)m->draft.records));
    json_object_set_new(body, "chains", chains_json(&m->draft));
    json_object_set_new(body, "lines", statement_lines_json(s));
    json_object_set_new(body, "total_nano", json_decimal(s->total_nano));
    json_object_set_new(body, "total", json_string(statement_money(s->total_nano, money)));
    json_object_set_new(body, "carried_by_host_nano", json_decimal(carried_nano));
    json_object_set_new(body, "paid_from_wallet_nano", json_decimal(s->total_nano - carried_nano));
    return body;
}

/* Charges what rounding added to each line. */
static enum ledger_result charge_rounding(struct making *m)
{
    char key[160], refers[160];
    int64_t carried_nano = 0;

    snprintf(refers, sizeof(refers), "invoice %s", m->invoice_id);
    for (size_t i = 0; i < m->draft.statement.count; i++) {
        const struct statement_line *line = &m->draft.statement.lines[i];
        enum ledger_result result;

        snprintf(m->draft.last.instance, sizeof(m->draft.last.instance), "%s", line->instance);
        snprintf(key, sizeof(key), "%s %s %jd", m->invoice_id, line->instance, (intmax_t)line->book->version);
        result = ledger_charge_locked(m->a->ledger, &m->draft.last, line->meter, line->amount_nano - line->charged_nano, key,
                                      "rounding", refers, clock_utc_ms(), &carried_nano);
        if (result != LEDGER_OK && result != LEDGER_EXISTS)
            return result;
    }
    return LEDGER_OK;
}

static enum ledger_result put_locked(struct making *m, json_t **body)
{
    struct ledger_balance balance;
    char name[129], currency[4], *text;
    struct ledger_invoice row = { .invoice_id = m->invoice_id, .account = m->account, .origin = m->a->head.origin,
                                  .from_idx = m->from_idx, .to_idx = m->to_idx, .head_note = m->a->head.note };
    enum ledger_result result = charge_rounding(m);

    if (result == LEDGER_OK)
        result = ledger_account(m->a->ledger, m->account, &balance, name, currency);
    if (result != LEDGER_OK)
        return result;
    row.number = ledger_invoice_next_number(m->a->ledger);
    row.carried_nano = ledger_carried(m->a->ledger, m->account);
    if (row.number < 0 || row.carried_nano < 0)
        return LEDGER_FAILED;
    *body = invoice_json(m, row.number, row.carried_nano, name, currency);
    text = json_canonical(*body);
    row.body = text;
    result = text ? ledger_invoice_put_locked(m->a->ledger, &row) : LEDGER_FAILED;
    free(text);
    return result;
}

static int gather(struct making *m, struct json_why *why)
{
    int64_t from = ledger_invoice_from(m->a->ledger, m->account, m->a->head.origin);

    m->from_idx = from < 0 ? 0 : (uint64_t)from;
    m->to_idx = m->a->head.size;
    return from < 0 ? -1 : invoice_draft_read(m->a, m->account, m->from_idx, m->to_idx, &m->draft, why);
}

static enum ledger_result create_new(struct making *m, json_t **body, struct json_why *why)
{
    enum ledger_result result;

    if (gather(m, why))
        return LEDGER_FAILED;
    if (m->draft.records == 0) {
        snprintf(why->text, sizeof(why->text), "nothing was used since the last invoice");
        return LEDGER_CONFLICT;
    }
    if (ledger_begin(m->a->ledger))
        return LEDGER_FAILED;
    result = put_locked(m, body);
    if (result == LEDGER_OK && ledger_commit(m->a->ledger))
        result = LEDGER_FAILED;
    else if (result != LEDGER_OK)
        ledger_rollback(m->a->ledger);
    return result;
}

static int body_of(void *arg, const struct ledger_invoice *invoice)
{
    json_t **body = arg;

    *body = json_loads(invoice->body, JSON_REJECT_DUPLICATES, NULL);
    return *body ? 0 : -1;
}

enum ledger_result invoice_create(struct accountd *a, const char *invoice_id, const char *account, json_t **body,
                                  struct json_why *why)
{
    struct making m = { .a = a, .invoice_id = invoice_id, .account = account };
    enum ledger_result result;

    *body = NULL;
    result = ledger_invoice_get(a->ledger, NULL, invoice_id, body_of, body);
    if (result == LEDGER_OK) {
        if (strcmp(json_string_value(json_object_get(*body, "account_id")), account) == 0)
            return LEDGER_EXISTS;
        json_decref(*body);
        *body = NULL;
        snprintf(why->text, sizeof(why->text), "invoice_id: used for another account");
        return LEDGER_EXISTS_DIFFERENT;
    }
    if (result != LEDGER_NOT_FOUND)
        return result;
    result = create_new(&m, body, why);
    if (result != LEDGER_OK) {
        json_decref(*body);
        *body = NULL;
    }
    invoice_draft_free(&m.draft);
    return result;
}
