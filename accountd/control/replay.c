/* What a month would have cost under another price book, beside what was billed: both by the code that bills, of
 * the quantities that the records came to. */
#include "accountd/control/args.h"
#include "accountd/ledger/sums.h"
#include "common/utc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct replay {
    const char *account;
    char period[STATEMENT_PERIOD_BYTES];
    struct statement billed, other;
    struct rate_book book;              /* the other's: published, or proposed only */
    const struct rate_book *only;       /* that one, as the other's list of books */
};

static int add(struct statement *s, const struct replay *r, int64_t version, enum meter_quantity meter,
               unsigned __int128 quantity)
{
    struct statement_line *line = statement_line(s, r->period, version, meter);

    return !line || __builtin_add_overflow(line->quantity, quantity, &line->quantity) ? -1 : 0;
}

static int gather(struct replay *r)
{
    if (price_books_all(control_self->ledger, &r->billed.books, &r->billed.books_count))
        return -1;
    r->only = &r->book;
    r->other.books = &r->only;
    r->other.books_count = 1;
    for (size_t b = 0; b < r->billed.books_count; b++)
        for (int q = 0; q < METER_QUANTITIES; q++) {
            int64_t version = r->billed.books[b]->version;
            unsigned __int128 quantity;

            if (sums_quantity(control_self->ledger, r->account, control_self->head.origin, r->period, version, q,
                              &quantity))
                return -1;
            if (quantity && (add(&r->billed, r, version, q, quantity) || add(&r->other, r, r->book.version, q, quantity)))
                return -1;
        }
    return 0;
}

/* A meter may have been billed by several books. */
static int64_t billed_of(const struct replay *r, enum meter_quantity meter)
{
    int64_t nano = 0;

    for (size_t i = 0; i < r->billed.lines_count; i++)
        if (r->billed.lines[i].meter == meter)
            nano += r->billed.lines[i].amount_nano;
    return nano;
}

static json_t *lines_json(const struct replay *r)
{
    json_t *lines = json_array();
    char text[RATE_TEXT_BYTES];

    for (size_t i = 0; i < r->other.lines_count; i++) {
        const struct statement_line *line = &r->other.lines[i];
        const struct meter_quantity_row *meter = &meter_quantities[line->meter];

        json_array_append_new(lines, json_pack("{s:s, s:s, s:o, s:o, s:s, s:o, s:o}", "meter", meter->name, "unit",
                                               meter->unit, "quantity", json_decimal_u128(line->quantity),
                                               "quantity_per_unit", json_decimal_u128(meter->per_unit), "price",
                                               rate_price_text(line->book, line->meter, text), "amount_nano",
                                               json_decimal(line->amount_nano), "billed_nano",
                                               json_decimal(billed_of(r, line->meter))));
    }
    return lines;
}

static int answer(struct rpc_call *call, struct replay *r, json_t **result)
{
    struct json_why why;

    if (gather(r))
        return control_failed(call);
    if (statement_close(&r->billed, &why) || statement_close(&r->other, &why))
        return rpc_fail(call, "bad_request", "version: %s", why.text);
    *result = json_pack("{s:s, s:s, s:I, s:s, s:o, s:o, s:o}", "account_id", r->account, "period", r->period, "version",
                        (json_int_t)r->book.version, "currency", r->book.currency, "lines", lines_json(r), "total_nano",
                        json_decimal(r->other.net_nano), "billed_nano", json_decimal(r->billed.net_nano));
    return 0;
}

static int arg_period(const json_t *args, char period[static STATEMENT_PERIOD_BYTES], struct json_why *why)
{
    const char *text;
    int64_t from_ms, to_ms;

    if (json_arg_string(args, "period", 16, &text, why))
        return -1;
    if (!utc_month_parse(text, &from_ms, &to_ms)) {
        snprintf(why->text, sizeof(why->text), "period: must be a month such as 2026-11");
        return -1;
    }
    strcpy(period, text);
    return 0;
}

static int replay(struct rpc_call *call, json_t *args, json_t **result)
{
    struct replay r = { .account = NULL };
    struct json_why why;
    enum ledger_result found;
    int64_t version;
    int rc;

    if (json_arg_only(args, "account_id period version", &why) || control_arg_account(args, &r.account, &why) ||
        arg_period(args, r.period, &why) || json_arg_int(args, "version", 1, INT32_MAX, &version, &why))
        return control_bad(call, &why);
    if (!ledger_account_exists(control_self->ledger, r.account))
        return control_refuse(call, LEDGER_NOT_FOUND, r.account);
    found = control_any_book(version, &r.book);
    if (found != LEDGER_OK)
        return control_refuse(call, found, "price book");
    rc = answer(call, &r, result);
    statement_free(&r.billed);
    statement_free(&r.other);
    return rc;
}

const struct rpc_verb control_replay_verbs[] = {
    { "replay", replay, RPC_API },
    { NULL, NULL, 0 },
};
