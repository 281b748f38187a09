/* A price as words. */
#include "accountd/rate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DECIMALS 15                     /* 9 of a nano, and 6 below it */

static void say(char text[static RATE_TEXT_BYTES], const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(char text[static RATE_TEXT_BYTES], const char *format, ...)
{
    size_t len = strlen(text);
    va_list args;

    va_start(args, format);
    vsnprintf(text + len, RATE_TEXT_BYTES - len, format, args);
    va_end(args);
}

/* num / den nano as decimals without needless zeros; a fraction that goes on says so and is shown as such. */
static void say_price(char text[static RATE_TEXT_BYTES], const char *currency, int64_t num, int64_t den)
{
    unsigned __int128 scaled = (unsigned __int128)num * 1000000u, unit = 1000000000000000u;
    unsigned __int128 units = scaled / (uint64_t)den;
    char decimals[DECIMALS + 1];
    int keep = DECIMALS;

    snprintf(decimals, sizeof(decimals), "%015ju", (uintmax_t)(units % unit));
    if (scaled % (uint64_t)den) {
        say(text, "%ju.%s... %s (%jd/%jd nano)", (uintmax_t)(units / unit), decimals, currency, (intmax_t)num,
            (intmax_t)den);
        return;
    }
    while (keep > 2 && decimals[keep - 1] == '0')
        keep--;
    say(text, "%ju.%.*s %s", (uintmax_t)(units / unit), keep, decimals, currency);
}

static uintmax_t priced_units(enum meter_quantity meter, unsigned __int128 quantity)
{
    return (uintmax_t)(quantity / meter_quantities[meter].per_unit);
}

char *rate_price_text(const struct rate_book *book, enum meter_quantity meter, char text[static RATE_TEXT_BYTES])
{
    const struct rate_price *price = &book->price[meter];
    const char *unit = meter_quantities[meter].unit;

    text[0] = 0;
    if (price->free)
        say(text, "first %ju %s free; ", priced_units(meter, price->free), unit);
    for (unsigned i = 0; i < price->tiers_count; i++) {
        if (i)
            say(text, "; above %ju %s: ", priced_units(meter, price->tiers[i].above), unit);
        say_price(text, book->currency, price->tiers[i].num_nano, price->tiers[i].den);
        if (i == 0)
            say(text, " per %s", unit);
    }
    if (price->minimum_nano) {
        say(text, "; at least ");
        say_price(text, book->currency, price->minimum_nano, 1);
        say(text, " per month");
    }
    return text;
}

char *rate_units_text(enum meter_quantity meter, unsigned __int128 quantity, char text[static RATE_UNITS_BYTES])
{
    unsigned __int128 per_unit = meter_quantities[meter].per_unit;
    json_t *whole = json_decimal_u128(quantity / per_unit);
    int len = snprintf(text, RATE_UNITS_BYTES, "%s.%09ju", json_string_value(whole),
                       (uintmax_t)(quantity % per_unit * 1000000000u / per_unit));

    json_decref(whole);
    while (text[len - 1] == '0')
        text[--len] = 0;
    if (text[len - 1] == '.')
        text[len - 1] = 0;
    return text;
}
