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

static int quote(struct rpc_call *call, json_t *args, json_t **result)
{
    int64_t seconds, cpu_percent = 100, hold_nano, now_ms = clock_utc_ms();
    const struct rate_book *book = price_book_at(control_self->ledger, now_ms);
    struct meter_reserved reserved;
    struct meter_usage usage, hour, hold;
    struct quote whole, first_hour;
    struct json_why why;

    if (control_arg_reserved(args, &reserved, &why) || json_arg_int(args, "seconds", 1, SECONDS_MAX, &seconds, &why) ||
        (json_has(args, "cpu_percent") && json_arg_int(args, "cpu_percent", 0, 100, &cpu_percent, &why)))
        return control_bad(call, &why);
    usage = rate_forecast(&reserved, seconds, cpu_percent);
    hour = rate_forecast(&reserved, 3600, cpu_percent);
    hold = rate_forecast(&reserved, CHARGE_HOLD_SECONDS, 100);
    if (arg_devices(args, seconds, &usage, &hour, &why))
        return control_bad(call, &why);
    if (!book)
        return control_failed(call);
    if (quote_price(book, NULL, &usage, now_ms, seconds, &whole) || quote_price(book, NULL, &hour, now_ms, 3600, &first_hour) ||
        rate_ceiling(book, &hold, &hold_nano))
        return rpc_fail(call, "bad_request", "seconds: the amount would be too large");
    *result = json_pack("{s:I, s:s, s:I, s:o, s:o, s:o, s:o}", "price_book", (json_int_t)book->version, "currency",
                        book->currency, "seconds", (json_int_t)seconds, "lines", quote_lines(book, &usage, &whole),
                        "total_nano", json_decimal(whole.total_nano), "per_hour_nano", json_decimal(first_hour.total_nano),
                        "hold_nano", json_decimal(hold_nano));
    return 0;
}

const struct rpc_verb control_quote_verbs[] = {
    { "quote", quote, RPC_API },
    { NULL, NULL, 0 },
};
