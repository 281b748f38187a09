/* What a price book may say. Whatever is refused is refused by name: a price
 * that was meant and not read would be billed for a month. */
#include "accountd/rate.h"
#include "common/utc.h"

#include <stdio.h>
#include <string.h>

static int refuse(struct json_why *why, const char *meter, const char *text)
{
    snprintf(why->text, sizeof(why->text), "meters: %.40s: %.180s", meter, text);
    return -1;
}

/* An optional number of priced units, as a quantity. */
static int arg_units(const json_t *object, const char *key, enum meter_quantity q, unsigned __int128 *quantity,
                     struct json_why *why)
{
    int64_t units = 0;

    if (json_has(object, key) && json_arg_decimal(object, key, 0, RATE_PRICE_MAX, &units, why))
        return -1;
    *quantity = (unsigned __int128)units * meter_quantities[q].per_unit;
    return 0;
}

static int arg_fraction(const json_t *object, struct rate_tier *tier, struct json_why *why)
{
    return json_arg_decimal(object, "num_nano", 0, RATE_PRICE_MAX, &tier->num_nano, why) ||
           json_arg_decimal(object, "den", 1, RATE_PRICE_MAX, &tier->den, why) ? -1 : 0;
}

static int refuse_tier(struct json_why *why, size_t i, const char *text)
{
    snprintf(why->text, sizeof(why->text), "tiers: number %zu: %.150s", i + 1, text);
    return -1;
}

static int parse_tier(const json_t *row, size_t i, enum meter_quantity q, struct rate_price *price,
                      struct json_why *why)
{
    struct rate_tier *tier = &price->tiers[i];
    struct json_why inner = { "above: missing" };

    if (json_arg_only(row, "above num_nano den", &inner) || !json_has(row, "above") ||
        arg_units(row, "above", q, &tier->above, &inner) || arg_fraction(row, tier, &inner))
        return refuse_tier(why, i, inner.text);
    if (i == 0 && tier->above != 0)
        return refuse_tier(why, i, "above: the first tier begins at 0");
    if (i > 0 && tier->above <= price->tiers[i - 1].above)
        return refuse_tier(why, i, "above: must be more than the tier before");
    /* One divisor for the sum of all: rate.h. */
    if (tier->den != price->tiers[0].den)
        return refuse_tier(why, i, "den: all tiers of a meter share one: expand the fractions");
    return 0;
}

static int parse_tiers(const json_t *row, enum meter_quantity q, struct rate_price *price, struct json_why *why)
{
    const json_t *tiers = json_object_get(row, "tiers");
    size_t i;
    json_t *tier;

    if (!tiers) {
        price->tiers_count = 1;
        return arg_fraction(row, &price->tiers[0], why);
    }
    if (json_has(row, "num_nano") || json_has(row, "den")) {
        snprintf(why->text, sizeof(why->text), "tiers: beside them there is no num_nano and no den");
        return -1;
    }
    if (json_array_size(tiers) < 1 || json_array_size(tiers) > RATE_TIERS_MAX) {
        snprintf(why->text, sizeof(why->text), "tiers: must be an array of 1 to %d", RATE_TIERS_MAX);
        return -1;
    }
    price->tiers_count = (unsigned)json_array_size(tiers);
    json_array_foreach(tiers, i, tier)
        if (parse_tier(tier, i, q, price, why))
            return -1;
    return 0;
}

static int parse_price(const json_t *row, struct rate_book *book, bool seen[METER_QUANTITIES], struct json_why *why)
{
    struct rate_price price = { .free = 0 };
    struct json_why inner;
    const char *name, *unit;
    enum meter_quantity q;

    if (json_arg_string(row, "meter", 40, &name, why))
        return -1;
    q = meter_quantity_find(name);
    if (q == METER_QUANTITIES)
        return refuse(why, name, "no such meter");
    if (seen[q])
        return refuse(why, name, "appears twice");
    if (json_arg_only(row, "meter unit num_nano den tiers free minimum_nano", &inner) ||
        json_arg_string(row, "unit", 40, &unit, &inner) || parse_tiers(row, q, &price, &inner) ||
        arg_units(row, "free", q, &price.free, &inner) ||
        (json_has(row, "minimum_nano") &&
         json_arg_decimal(row, "minimum_nano", 0, RATE_PRICE_MAX, &price.minimum_nano, &inner)))
        return refuse(why, name, inner.text);
    if (strcmp(unit, meter_quantities[q].unit) != 0)
        return refuse(why, name, "unit differs from the meter's own");
    book->price[q] = price;
    seen[q] = true;
    return 0;
}

static bool is_currency(const char *text)
{
    return strlen(text) == 3 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

static int arg_instant(const json_t *object, const char *key, int64_t *at_ms, struct json_why *why)
{
    const char *text;

    if (!json_has(object, key))
        return 0;
    if (json_arg_string(object, key, UTC_TEXT_BYTES - 1, &text, why))
        return -1;
    if (utc_parse(text, at_ms))
        return 0;
    snprintf(why->text, sizeof(why->text), "%s: must be an instant of UTC such as 2026-12-01T00:00:00Z", key);
    return -1;
}

static int parse_head(const json_t *object, struct rate_book *book, struct json_why *why)
{
    const char *currency;

    if (json_arg_only(object, "version currency valid_from moves_running_at meters", why) ||
        json_arg_int(object, "version", 1, INT32_MAX, &book->version, why) ||
        json_arg_string(object, "currency", 3, &currency, why) ||
        arg_instant(object, "valid_from", &book->valid_from_ms, why) ||
        arg_instant(object, "moves_running_at", &book->moves_running_ms, why))
        return -1;
    if (!is_currency(currency)) {
        snprintf(why->text, sizeof(why->text), "currency: must be three capital letters");
        return -1;
    }
    memcpy(book->currency, currency, sizeof(book->currency));
    if (book->moves_running_ms && book->moves_running_ms < book->valid_from_ms) {
        snprintf(why->text, sizeof(why->text), "moves_running_at: must not be before valid_from");
        return -1;
    }
    return 0;
}

int rate_book_parse(const json_t *object, struct rate_book *book, struct json_why *why)
{
    bool seen[METER_QUANTITIES] = { false };
    struct rate_book parsed = { 0 };
    const json_t *meters = json_object_get(object, "meters");
    size_t i;
    json_t *row;

    if (parse_head(object, &parsed, why))
        return -1;
    if (!json_is_array(meters)) {
        snprintf(why->text, sizeof(why->text), "meters: missing or not an array");
        return -1;
    }
    json_array_foreach(meters, i, row)
        if (parse_price(row, &parsed, seen, why))
            return -1;
    for (int q = 0; q < METER_QUANTITIES; q++)
        if (!seen[q])
            return refuse(why, meter_quantities[q].name, "missing (a price of 0 must be written down)");
    *book = parsed;
    return 0;
}
