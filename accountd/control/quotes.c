/* What something would cost: by the book and the code that would bill it. */
#include "accountd/control/args.h"
#include "accountd/quote.h"

#define SECONDS_MAX (10ll * 366 * 86400)
#define COUNT_MAX   (1ll << 53)         /* operations, packets or bytes of one quote */

static json_t *quote_lines(const struct rate_book *book, const struct meter_usage *usage, const struct quote *quote)
{
    json_t *lines = json_array();
    char text[RATE_TEXT_BYTES];

    for (int q = 0; q < METER_QUANTITIES; q++)
        if (usage->of[q])
            json_array_append_new(lines, json_pack("{s:s, s:o, s:o, s:s, s:s, s:o}", "meter", meter_quantities[q].name,
                                                   "quantity", json_decimal_u128(usage->of[q]), "quantity_per_unit",
                                                   json_decimal_u128(meter_quantities[q].per_unit), "unit",
                                                   meter_quantities[q].unit, "price", rate_price_text(book, q, text),
                                                   "amount_nano", json_decimal(quote->amount_nano[q])));
    return lines;
}

/* Operations, packets and bytes that are expected in these seconds, and how many of them make an hour. */
static int arg_devices(const json_t *args, int64_t seconds, struct meter_usage *usage, struct meter_usage *hour,
                       struct json_why *why)
{
    int64_t count;

    for (int q = METER_DISK_OPS; q < METER_QUANTITIES; q++) {
        if (!json_has(args, meter_quantities[q].name))
            continue;
        if (json_arg_decimal(args, meter_quantities[q].name, 0, COUNT_MAX, &count, why))
            return -1;
        usage->of[q] = (unsigned __int128)count;
        hour->of[q] = (unsigned __int128)count * 3600 / (uint64_t)seconds;
    }
    return 0;
}

/* What is to be priced, and for whom. */
struct question {
    const char *account;                /* NULL: anybody, from the beginning of a month's prices, without tax */
    struct meter_reserved reserved;
    int64_t seconds, cpu_percent;
    struct meter_usage usage, hour;
};

static int arg_question(const json_t *args, struct question *q, struct json_why *why)
{
    *q = (struct question){ .cpu_percent = 100 };
    if (json_arg_only(args,
                      "account_id vcpus memory_mib seconds cpu_percent disk_ops disk_bytes net_packets net_bytes_out"
                      " net_bytes_in",
                      why) ||
        (json_has(args, "account_id") && control_arg_account(args, &q->account, why)) ||
        control_arg_reserved(args, &q->reserved, why) ||
        json_arg_int(args, "seconds", 1, SECONDS_MAX, &q->seconds, why) ||
        (json_has(args, "cpu_percent") && json_arg_int(args, "cpu_percent", 0, 100, &q->cpu_percent, why)))
        return -1;
    q->usage = rate_forecast(&q->reserved, q->seconds, q->cpu_percent);
    q->hour = rate_forecast(&q->reserved, 3600, q->cpu_percent);
    return arg_devices(args, q->seconds, &q->usage, &q->hour, why);
}

static json_t *quote_json(const struct rate_book *book, const struct question *q, const struct quote *whole,
                          const struct quote *hour)
{
    return json_pack("{s:I, s:s, s:I, s:o, s:o, s:o}", "price_book", (json_int_t)book->version, "currency",
                     book->currency, "seconds", (json_int_t)q->seconds, "lines", quote_lines(book, &q->usage, whole),
                     "total_nano", json_decimal(whole->total_nano), "per_hour_nano", json_decimal(hour->total_nano));
}

static int too_large(struct rpc_call *call)
{
    return rpc_fail(call, "bad_request", "seconds: the amount would be too large");
}

/* The hold, and for an account its tax. */
static int put_account(struct rpc_call *call, const struct rate_book *book, const struct question *q, int64_t net_nano,
                       json_t *result)
{
    struct meter_usage hold = rate_forecast(&q->reserved, control_self->hold_s, 100);
    int64_t hold_nano, tax_nano;
    struct tax tax;

    if (!q->account) {
        if (rate_ceiling(book, &hold, &hold_nano))
            return too_large(call);
    } else {
        if (quote_hold(control_self, q->account, book, &q->reserved, &hold_nano) ||
            quote_tax(control_self, q->account, net_nano, &tax, &tax_nano))
            return control_failed(call);
        json_object_set_new(result, "tax", tax_json(&tax, net_nano, tax_nano));
        json_object_set_new(result, "total_with_tax_nano", json_decimal(net_nano + tax_nano));
    }
    json_object_set_new(result, "hold_nano", json_decimal(hold_nano));
    return 0;
}

static int quote(struct rpc_call *call, json_t *args, json_t **result)
{
    int64_t now_ms = clock_unix_ms();
    const struct rate_book *book = price_book_at(control_self->ledger, now_ms);
    struct meter_usage before = { { 0 } };
    struct quote whole, hour;
    struct question q;
    struct json_why why;

    if (arg_question(args, &q, &why))
        return control_bad(call, &why);
    if (q.account && !ledger_account_exists(control_self->ledger, q.account))
        return control_refuse(call, LEDGER_NOT_FOUND, q.account);
    if (!book || (q.account && quote_before(control_self, q.account, book->version, now_ms, &before)))
        return control_failed(call);
    if (quote_price(book, &before, &q.usage, now_ms, q.seconds, &whole) ||
        quote_price(book, &before, &q.hour, now_ms, 3600, &hour))
        return too_large(call);
    *result = quote_json(book, &q, &whole, &hour);
    if (put_account(call, book, &q, whole.total_nano, *result) == 0)
        return 0;
    json_decref(*result);
    *result = NULL;
    return -1;
}

const struct rpc_verb control_quote_verbs[] = {
    { "quote", quote, RPC_API },
    { NULL, NULL, 0 },
};
