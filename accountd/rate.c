/* Prices. 128-bit intermediates, and where even they do not suffice the
 * amount is refused: no quantity that a host can meter comes near. */
#include "accountd/rate.h"

#include <stdio.h>
#include <string.h>

static int why_set(struct json_why *why, const char *meter, const char *text)
{
    snprintf(why->text, sizeof(why->text), "meters: %.40s: %.180s", meter, text);
    return -1;
}

static int price_parse(const json_t *row, struct rate_book *book, bool seen[METER_QUANTITIES], struct json_why *why)
{
    struct json_why inner;
    const char *name, *unit;
    enum meter_quantity q;
    struct rate_price price;

    if (json_arg_string(row, "meter", 40, &name, why))
        return -1;
    q = meter_quantity_find(name);
    if (q == METER_QUANTITIES)
        return why_set(why, name, "no such meter");
    if (seen[q])
        return why_set(why, name, "appears twice");
    if (json_arg_only(row, "meter unit num_nano den", &inner) || json_arg_string(row, "unit", 40, &unit, &inner) ||
        json_arg_decimal(row, "num_nano", 0, RATE_PRICE_MAX, &price.num_nano, &inner) ||
        json_arg_decimal(row, "den", 1, RATE_PRICE_MAX, &price.den, &inner))
        return why_set(why, name, inner.text);
    if (strcmp(unit, meter_quantities[q].unit) != 0)
        return why_set(why, name, "unit differs from the meter's own");
    book->price[q] = price;
    seen[q] = true;
    return 0;
}

static bool is_currency(const char *text)
{
    return strlen(text) == 3 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

int rate_book_parse(const json_t *object, struct rate_book *book, struct json_why *why)
{
    bool seen[METER_QUANTITIES] = { false };
    struct rate_book parsed = { 0 };
    const json_t *meters = json_object_get(object, "meters");
    const char *currency;
    size_t i;
    json_t *row;

    if (json_arg_only(object, "version currency meters", why) ||
        json_arg_int(object, "version", 1, INT32_MAX, &parsed.version, why) ||
        json_arg_string(object, "currency", 3, &currency, why))
        return -1;
    if (!is_currency(currency) || !json_is_array(meters)) {
        snprintf(why->text, sizeof(why->text),
                 is_currency(currency) ? "meters: missing or not an array" : "currency: must be three capital letters");
        return -1;
    }
    memcpy(parsed.currency, currency, sizeof(parsed.currency));
    json_array_foreach(meters, i, row)
        if (price_parse(row, &parsed, seen, why))
            return -1;
    for (int q = 0; q < METER_QUANTITIES; q++)
        if (!seen[q])
            return why_set(why, meter_quantities[q].name, "missing (a price of 0 must be written down)");
    *book = parsed;
    return 0;
}

/* quantity * num / (den * per_unit), as whole and remainder. */
static int divide(const struct rate_book *book, enum meter_quantity meter, unsigned __int128 quantity,
                  unsigned __int128 *whole, unsigned __int128 *rest, unsigned __int128 *divisor)
{
    const struct rate_price *price = &book->price[meter];
    unsigned __int128 product;

    if (__builtin_mul_overflow(quantity, (unsigned __int128)price->num_nano, &product) ||
        __builtin_mul_overflow((unsigned __int128)price->den, meter_quantities[meter].per_unit, divisor))
        return -1;
    *whole = product / *divisor;
    *rest = product % *divisor;
    return *whole < INT64_MAX ? 0 : -1;
}

int rate_amount(const struct rate_book *book, enum meter_quantity meter, unsigned __int128 quantity,
                int64_t *amount_nano)
{
    unsigned __int128 whole, rest, divisor;

    if (divide(book, meter, quantity, &whole, &rest, &divisor))
        return -1;
    if (rest > divisor - rest || (rest == divisor - rest && whole & 1))
        whole++;
    *amount_nano = (int64_t)whole;
    return 0;
}

int rate_amount_floor(const struct rate_book *book, enum meter_quantity meter, unsigned __int128 quantity,
                      int64_t *amount_nano)
{
    unsigned __int128 whole, rest, divisor;

    if (divide(book, meter, quantity, &whole, &rest, &divisor))
        return -1;
    *amount_nano = (int64_t)whole;
    return 0;
}

struct meter_usage rate_forecast(const struct meter_reserved *reserved, int64_t seconds, int64_t cpu_percent)
{
    unsigned __int128 ns = (unsigned __int128)seconds * 1000000000u;

    return (struct meter_usage){ .of = {
        [METER_VCPU_RESERVED] = ns * reserved->vcpus,
        [METER_MEMORY_RESERVED] = ns * reserved->memory_mib,
        [METER_CPU_USED] = ns * reserved->vcpus * (unsigned)cpu_percent / 100,
        [METER_MEMORY_USED] = ns * reserved->memory_mib * 256,
    } };
}

int rate_total(const struct rate_book *book, const struct meter_usage *usage, int64_t *total_nano)
{
    int64_t total = 0, amount;

    for (int q = 0; q < METER_QUANTITIES; q++)
        if (rate_amount(book, q, usage->of[q], &amount) || __builtin_add_overflow(total, amount, &total))
            return -1;
    *total_nano = total;
    return 0;
}
