/* Verbs of prices: the book, and what something would cost. */
#include "accountd/control/args.h"

#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX (10ll * 366 * 86400)
#define COUNT_MAX   (1ll << 53)         /* operations, packets or bytes of one quote */

static int price_book(struct rpc_call *call, json_t *args, json_t **result)
{
    struct rate_book book;
    struct json_why why;
    int64_t version = 0;
    enum ledger_result rc;
    char *body, *signature;

    if (json_has(args, "version") && json_arg_int(args, "version", 1, INT32_MAX, &version, &why))
        return control_bad(call, &why);
    rc = ledger_price_book(control_self->ledger, version, &book, &body);
    if (rc != LEDGER_OK)
        return control_refuse(call, rc, "price book");
    signature = note_minisig(body, strlen(body), "price book", &control_self->keys.invoice);
    *result = json_loads(body, 0, NULL);
    json_object_set_new(*result, "signature", json_string(signature));
    free(signature);
    free(body);
    return 0;
}

static json_t *quote_lines(const struct rate_book *book, const struct meter_usage *usage)
{
    json_t *lines = json_array();

    for (int q = 0; q < METER_QUANTITIES; q++) {
        int64_t amount_nano;

        if (usage->of[q] == 0 || rate_amount(book, q, usage->of[q], &amount_nano))
            continue;
        json_array_append_new(lines, json_pack("{s:s, s:o, s:o, s:s, s:o}", "meter", meter_quantities[q].name, "quantity",
                                               json_decimal_u128(usage->of[q]), "quantity_per_unit",
                                               json_decimal_u128(meter_quantities[q].per_unit), "unit",
                                               meter_quantities[q].unit, "amount_nano", json_decimal(amount_nano)));
    }
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
    int64_t seconds, cpu_percent = 100, total_nano, per_hour_nano, hold_nano;
    struct meter_reserved reserved;
    struct meter_usage usage, hour, hold;
    struct rate_book book;
    struct json_why why;
    char *body;

    if (control_arg_reserved(args, &reserved, &why) || json_arg_int(args, "seconds", 1, SECONDS_MAX, &seconds, &why) ||
        (json_has(args, "cpu_percent") && json_arg_int(args, "cpu_percent", 0, 100, &cpu_percent, &why)))
        return control_bad(call, &why);
    usage = rate_forecast(&reserved, seconds, cpu_percent);
    hour = rate_forecast(&reserved, 3600, cpu_percent);
    hold = rate_forecast(&reserved, CHARGE_HOLD_SECONDS, 100);
    if (arg_devices(args, seconds, &usage, &hour, &why))
        return control_bad(call, &why);
    if (ledger_price_book(control_self->ledger, 0, &book, &body) != LEDGER_OK)
        return control_failed(call);
    free(body);
    if (rate_total(&book, NULL, &usage, &total_nano) || rate_total(&book, NULL, &hour, &per_hour_nano) ||
        rate_total(&book, NULL, &hold, &hold_nano))
        return rpc_fail(call, "bad_request", "seconds: the amount would be too large");
    *result = json_pack("{s:I, s:s, s:I, s:o, s:o, s:o, s:o}", "price_book", (json_int_t)book.version, "currency",
                        book.currency, "seconds", (json_int_t)seconds, "lines", quote_lines(&book, &usage), "total_nano",
                        json_decimal(total_nano), "per_hour_nano", json_decimal(per_hour_nano), "hold_nano",
                        json_decimal(hold_nano));
    return 0;
}

/* "6d2f...": 32 hex digits, with or without the dashes of RFC 9562. */

const struct rpc_verb control_price_verbs[] = {
    { "price_book", price_book, RPC_API },
    { "quote", quote, RPC_API },
    { NULL, NULL, 0 },
};
