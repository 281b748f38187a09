/* From records to an invoice. The ledger has charged each record's amounts
 * rounded down; here each line is rounded once, and the difference is charged
 * too, so that the wallet has paid exactly what the invoice says. */
#include "accountd/invoice.h"
#include "accountd/statement.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is gathered while walking the account's leaves. */
struct draft {
    struct accountd *a;
    const char *invoice_id, *account;
    uint64_t from_idx, to_idx;
    struct rate_book *books;
    size_t books_count;
    struct statement statement;
    json_t *chains;                     /* {incarnation: {first_number, last_number}} */
    struct record last;                 /* any record of the account: who pays a rounding */
    size_t records;
    struct json_why *why;
};

static int add_book(void *arg, const struct rate_book *book, const char *body)
{
    struct draft *d = arg;
    struct rate_book *books = realloc(d->books, (d->books_count + 1) * sizeof(*books));

    (void)body;
    if (!books)
        return -1;
    d->books = books;
    books[d->books_count++] = *book;
    return 0;
}

static void add_to_chain(struct draft *d, const struct record *r)
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
    struct draft *d = arg;
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

static int gather(struct draft *d)
{
    int64_t from = ledger_invoice_from(d->a->ledger, d->account, d->a->head.origin);

    snprintf(d->why->text, sizeof(d->why->text), "the database failed");
    if (from < 0 || ledger_each_price_book(d->a->ledger, add_book, d))
        return -1;
    d->from_idx = (uint64_t)from;
    d->to_idx = d->a->head.size;
    d->statement.books = d->books;
    d->statement.books_count = d->books_count;
    if (store_each_leaf(d->a->store, d->account, NULL, d->from_idx, d->to_idx, -1, add_leaf, d))
        return -1;
    return statement_close(&d->statement, d->why);
}

static json_t *chains_json(const struct draft *d)
{
    json_t *list = json_array(), *chain;
    const char *key;

    json_object_foreach(d->chains, key, chain)
        json_array_append(list, chain);
    return list;
}

static json_t *invoice_json(const struct draft *d, int64_t number, int64_t carried_nano, const char *name,
                            const char *currency)
{
    const struct statement *s = &d->statement;
    char money[32];
    json_t *body = json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:I}", "format", "xs-invoice/v1", "invoice_id",
                             d->invoice_id, "number", (json_int_t)number, "account_id", d->account, "account_name", name,
                             "currency", currency, "host", d->a->head.host, "issued_ms", (json_int_t)clock_utc_ms());

    json_object_set_new(body, "origin", json_string(d->a->head.origin));
    json_object_set_new(body, "from_index", json_integer((json_int_t)d->from_idx));
    json_object_set_new(body, "to_index", json_integer((json_int_t)d->to_idx));
    json_object_set_new(body, "period_start_ms", json_integer(s->t0_ms));
    json_object_set_new(body, "period_end_ms", json_integer(s->t1_ms));
    json_object_set_new(body, "records", json_integer((json_int_t)d->records));
    json_object_set_new(body, "chains", chains_json(d));
    json_object_set_new(body, "lines", statement_lines_json(s));
    json_object_set_new(body, "total_nano", json_decimal(s->total_nano));
    json_object_set_new(body, "total", json_string(statement_money(s->total_nano, money)));
    json_object_set_new(body, "carried_by_host_nano", json_decimal(carried_nano));
    json_object_set_new(body, "paid_from_wallet_nano", json_decimal(s->total_nano - carried_nano));
    return body;
}

/* Charges what rounding added to each line. */
static enum ledger_result charge_rounding(struct draft *d)
{
    char key[160], refers[160];
    int64_t carried_nano = 0;

    snprintf(refers, sizeof(refers), "invoice %s", d->invoice_id);
    for (size_t i = 0; i < d->statement.count; i++) {
        const struct statement_line *line = &d->statement.lines[i];
        enum ledger_result result;

        snprintf(d->last.instance, sizeof(d->last.instance), "%s", line->instance);
        snprintf(key, sizeof(key), "%s %s %jd", d->invoice_id, line->instance, (intmax_t)line->book->version);
        result = ledger_charge_locked(d->a->ledger, &d->last, line->meter, line->amount_nano - line->charged_nano, key,
                                      "rounding", refers, clock_utc_ms(), &carried_nano);
        if (result != LEDGER_OK && result != LEDGER_EXISTS)
            return result;
    }
    return LEDGER_OK;
}

static enum ledger_result put_locked(struct draft *d, json_t **body)
{
    struct ledger_balance balance;
    char name[129], currency[4], *text;
    struct ledger_invoice row = { .invoice_id = d->invoice_id, .account = d->account, .origin = d->a->head.origin,
                                  .from_idx = d->from_idx, .to_idx = d->to_idx, .head_note = d->a->head.note };
    enum ledger_result result = charge_rounding(d);

    if (result == LEDGER_OK)
        result = ledger_account(d->a->ledger, d->account, &balance, name, currency);
    if (result != LEDGER_OK)
        return result;
    row.number = ledger_invoice_next_number(d->a->ledger);
    row.carried_nano = ledger_carried(d->a->ledger, d->account);
    if (row.number < 0 || row.carried_nano < 0)
        return LEDGER_FAILED;
    *body = invoice_json(d, row.number, row.carried_nano, name, currency);
    text = json_canonical(*body);
    row.body = text;
    result = text ? ledger_invoice_put_locked(d->a->ledger, &row) : LEDGER_FAILED;
    free(text);
    return result;
}

static enum ledger_result create_new(struct draft *d, json_t **body)
{
    enum ledger_result result;

    if (gather(d))
        return LEDGER_FAILED;
    if (d->records == 0) {
        snprintf(d->why->text, sizeof(d->why->text), "nothing was used since the last invoice");
        return LEDGER_CONFLICT;
    }
    if (ledger_begin(d->a->ledger))
        return LEDGER_FAILED;
    result = put_locked(d, body);
    if (result == LEDGER_OK && ledger_commit(d->a->ledger))
        result = LEDGER_FAILED;
    else if (result != LEDGER_OK)
        ledger_rollback(d->a->ledger);
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
    struct draft d = { .a = a, .invoice_id = invoice_id, .account = account, .why = why };
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
    d.chains = json_object();
    result = create_new(&d, body);
    if (result != LEDGER_OK) {
        json_decref(*body);
        *body = NULL;
    }
    json_decref(d.chains);
    statement_free(&d.statement);
    free(d.books);
    return result;
}
