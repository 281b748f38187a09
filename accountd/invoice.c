/* From the kept sums to an invoice. Each record's charge was rounded down to a
 * nano; here each line is rounded once to a cent, and the difference moves too,
 * so that the wallet has paid exactly what the invoice says. */
#include "accountd/invoice.h"
#include "accountd/funding/reference.h"
#include "accountd/ledger/chart.h"
#include "accountd/ledger/details.h"
#include "accountd/ledger/holds.h"
#include "accountd/ledger/sums.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The invoice that is being made. */
struct making {
    struct accountd *a;
    const char *invoice_id, *account;
    struct statement statement;
    struct sums_open open;
    int64_t carried_nano;               /* by the rounding */
};

/* NOT_FOUND: nothing was used since the last invoice. */
static enum ledger_result gather(struct making *m, struct json_why *why)
{
    enum ledger_result result = sums_open(m->a->ledger, m->account, m->a->head.origin, &m->open);

    snprintf(why->text, sizeof(why->text), result == LEDGER_NOT_FOUND ? "nothing was used since the last invoice"
                                                                      : "the database failed");
    if (result != LEDGER_OK)
        return result;
    return price_books_all(m->a->ledger, &m->statement.books, &m->statement.books_count) ||
           sums_statement(m->a->ledger, m->account, m->a->head.origin, &m->statement) ||
           statement_close(&m->statement, why) ? LEDGER_FAILED : LEDGER_OK;
}

static char *number_text(const struct accountd *a, int64_t number, int64_t issued_ms, char text[static 48])
{
    time_t at_s = (time_t)(issued_ms / 1000);
    struct tm tm;

    gmtime_r(&at_s, &tm);
    if (number)
        snprintf(text, 48, "%s-%d-%06jd", a->seller.number_prefix, tm.tm_year + 1900, (intmax_t)number);
    else
        strcpy(text, "DRAFT");
    return text;
}

json_t *invoice_head(struct accountd *a, const char *kind, const char *invoice_id, const char *account, int64_t number)
{
    struct ledger_balance balance;
    char name[129], currency[4], text[48], reference[REFERENCE_BYTES];
    int64_t issued_ms = clock_unix_ms();
    json_t *buyer = ledger_details(a->ledger, account), *body;

    if (!buyer || ledger_account(a->ledger, account, &balance, name, currency) != LEDGER_OK) {
        json_decref(buyer);
        return NULL;
    }
    body = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:I, s:O, s:o, s:s}", "format", "xs-invoice/v2", "kind",
                     kind, "invoice_id", invoice_id, "number", (json_int_t)number, "number_text",
                     number_text(a, number, issued_ms, text), "account_id", account, "currency", currency, "host",
                     a->head.host, "origin", a->head.origin, "issued_ms", (json_int_t)issued_ms, "seller",
                     a->seller.party, "buyer", buyer, "payment_reference", reference_of_account(account, reference));
    return body;
}

/* Where the period of the earliest line begins in the log. */
static int64_t context_index(const struct making *m)
{
    int64_t idx = -1;

    if (m->statement.lines_count)
        idx = sums_period_start(m->a->ledger, m->account, m->a->head.origin, m->statement.lines[0].period);
    return idx < 0 || idx > m->open.from_idx ? m->open.from_idx : idx;
}

static json_t *invoice_body(const struct making *m, const char *kind, int64_t number)
{
    const struct statement *s = &m->statement;
    json_t *body = invoice_head(m->a, kind, m->invoice_id, m->account, number);
    json_t *chains = sums_chains(m->a->ledger, m->account, m->a->head.origin);
    json_t *range = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:s}", "from_index",
                              (json_int_t)m->open.from_idx, "to_index", (json_int_t)m->a->head.size, "context_index",
                              (json_int_t)context_index(m), "period_start_ms", (json_int_t)s->t0_ms, "period_end_ms",
                              (json_int_t)s->t1_ms, "records", (json_int_t)m->open.records, "chains", chains,
                              "carried_by_host_nano", json_decimal(m->open.carried_nano + m->carried_nano), "paid_nano",
                              json_decimal(s->total_nano), "payable_nano", "0");

    if (body && chains && range && json_object_update(body, range) == 0 && statement_put(s, body) == 0) {
        json_decref(range);
        return body;
    }
    json_decref(body);
    json_decref(range);
    return NULL;
}

json_t *invoice_draft(struct accountd *a, const char *account, struct json_why *why)
{
    struct making m = { .a = a, .invoice_id = "draft", .account = account };
    enum ledger_result result = gather(&m, why);
    json_t *body = NULL;

    if (result == LEDGER_NOT_FOUND) {
        m.open.from_idx = (int64_t)a->head.size;
        strcpy(m.statement.tax.category, "O");
        result = LEDGER_OK;
    }
    if (result == LEDGER_OK)
        body = invoice_body(&m, "draft", 0);
    statement_free(&m.statement);
    return body;
}

/* Moves `more` (either way) between the wallet and an account of the host's. */
static enum ledger_result settle(struct making *m, const char *host_account, const char *what, int64_t more)
{
    char id[LEDGER_ID_BYTES], refers[96];
    struct ledger_transfer t = { .kind = "posted", .debit = more > 0 ? m->account : host_account,
                                 .credit = more > 0 ? host_account : m->account, .amount_nano = more > 0 ? more : -more,
                                 .code = "rounding", .reason = what, .refers = refers, .at_ms = clock_unix_ms() };

    if (more == 0)
        return LEDGER_OK;
    snprintf(refers, sizeof(refers), "invoice %s", m->invoice_id);
    t.id = ledger_derive_id(id, "rounding %s %s", m->invoice_id, what);
    return more > 0 ? ledger_draw_locked(m->a->ledger, NULL, &t, &m->carried_nano) : ledger_apply_locked(m->a->ledger, &t);
}

static enum ledger_result settle_line(struct making *m, const struct statement_line *line)
{
    const char *meter = meter_quantities[line->meter].name;
    char revenue[64], what[96];

    snprintf(revenue, sizeof(revenue), LEDGER_REVENUE "%s", meter);
    snprintf(what, sizeof(what), "%s %s %jd", meter, line->period, (intmax_t)line->book->version);
    return settle(m, revenue, what, line->amount_nano - line->charged_nano);
}

static enum ledger_result settle_rounding(struct making *m)
{
    enum ledger_result result = LEDGER_OK;
    char account[16];

    for (size_t i = 0; result == LEDGER_OK && i < m->statement.lines_count; i++)
        result = settle_line(m, &m->statement.lines[i]);
    if (result != LEDGER_OK || m->statement.tax.rate_permyriad == 0)
        return result;
    snprintf(account, sizeof(account), "tax:%s", m->statement.tax.country);
    if (chart_open_one_locked(m->a->ledger, account, clock_unix_ms()) != LEDGER_OK)
        return LEDGER_FAILED;
    return settle(m, account, account, m->statement.tax_nano - m->open.tax_nano);
}

static enum ledger_result put_locked(struct making *m, json_t **body)
{
    struct ledger_invoice row = { .invoice_id = m->invoice_id, .account = m->account, .origin = m->a->head.origin,
                                  .from_idx = (uint64_t)m->open.from_idx, .to_idx = m->a->head.size, .kind = "invoice",
                                  .head_note = m->a->head.note };
    enum ledger_result result = settle_rounding(m);
    char *text;

    if (result != LEDGER_OK)
        return result;
    row.number = ledger_invoice_next_number(m->a->ledger);
    row.carried_nano = m->open.carried_nano + m->carried_nano;
    row.ledger_seq = ledger_last_seq(m->a->ledger);
    if (row.number < 0 || row.ledger_seq < 0)
        return LEDGER_FAILED;
    *body = invoice_body(m, "invoice", row.number);
    text = *body ? json_canonical(*body) : NULL;
    row.body = text;
    result = text ? ledger_invoice_put_locked(m->a->ledger, &row) : LEDGER_FAILED;
    free(text);
    if (result == LEDGER_OK && sums_close_locked(m->a->ledger, m->account, m->a->head.origin))
        result = LEDGER_FAILED;
    return result;
}

static enum ledger_result create_new(struct making *m, json_t **body, struct json_why *why)
{
    enum ledger_result result = gather(m, why);

    if (result == LEDGER_NOT_FOUND)
        return LEDGER_CONFLICT;
    if (result != LEDGER_OK || ledger_begin(m->a->ledger))
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

enum ledger_result invoice_known(struct accountd *a, const char *invoice_id, const char *kind, const char *key,
                                 const char *value, json_t **body, struct json_why *why)
{
    enum ledger_result result = ledger_invoice_get(a->ledger, NULL, invoice_id, body_of, body);

    if (result != LEDGER_OK)
        return result;
    if (strcmp(json_text(*body, "kind"), kind) == 0 && strcmp(json_text(*body, key), value) == 0)
        return LEDGER_OK;
    json_decref(*body);
    *body = NULL;
    snprintf(why->text, sizeof(why->text), "%s: this id names another document", invoice_id);
    return LEDGER_EXISTS_DIFFERENT;
}

enum ledger_result invoice_create(struct accountd *a, const char *invoice_id, const char *account, json_t **body,
                                  struct json_why *why)
{
    struct making m = { .a = a, .invoice_id = invoice_id, .account = account };
    enum ledger_result result;

    *body = NULL;
    result = invoice_known(a, invoice_id, "invoice", "account_id", account, body, why);
    if (result != LEDGER_NOT_FOUND)
        return result == LEDGER_OK ? LEDGER_EXISTS : result;
    result = create_new(&m, body, why);
    if (result != LEDGER_OK) {
        json_decref(*body);
        *body = NULL;
    }
    statement_free(&m.statement);
    return result;
}
