#include "accountd/tax.h"

#include <stdio.h>
#include <string.h>

#define RATE_MAX  5000
#define PERMYRIAD 10000

static bool is_country(const char *text)
{
    return strlen(text) == 2 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 2;
}

int tax_rates_check(const json_t *rates, struct json_why *why)
{
    const char *country;
    int64_t rate;
    json_t *row;

    if (!json_is_object(rates)) {
        snprintf(why->text, sizeof(why->text), "must be an object of countries and rates");
        return -1;
    }
    json_object_foreach((json_t *)rates, country, row) {
        if (!is_country(country)) {
            snprintf(why->text, sizeof(why->text), "%.40s: not a country (two capital letters, ISO 3166-1)", country);
            return -1;
        }
        if (json_arg_int(rates, country, 0, RATE_MAX, &rate, why))
            return -1;
    }
    return 0;
}

static void decide(struct tax *tax, const char *category, const char *country, int rate, const char *reason)
{
    snprintf(tax->category, sizeof(tax->category), "%s", category);
    snprintf(tax->country, sizeof(tax->country), "%s", country);
    tax->rate_permyriad = rate;
    snprintf(tax->reason, sizeof(tax->reason), "%s", reason);
}

void tax_decide(const char *seller_country, const char *seller_vat_id, const json_t *rates, const char *buyer_country,
                const char *buyer_vat_id, struct tax *tax)
{
    const char *buyer = buyer_country[0] ? buyer_country : seller_country;
    const json_t *rate = json_object_get(rates, buyer);

    if (!seller_vat_id[0])
        decide(tax, "O", seller_country, 0, "The seller is not registered for VAT");
    else if (!rate)
        decide(tax, "O", buyer, 0, "Outside the scope of EU VAT (Art. 44 and 59 Directive 2006/112/EC)");
    else if (strcmp(buyer, seller_country) != 0 && buyer_vat_id[0])
        decide(tax, "AE", buyer, 0, "Reverse charge (Art. 196 Directive 2006/112/EC)");
    else
        decide(tax, "S", buyer, (int)json_integer_value(rate), "");
}

int tax_floor(const struct tax *tax, int64_t net_nano, int64_t *tax_nano)
{
    if (net_nano < 0)
        return -1;
    *tax_nano = (int64_t)((unsigned __int128)net_nano * (unsigned)tax->rate_permyriad / PERMYRIAD);
    return 0;
}

int tax_round(const struct tax *tax, int64_t net_nano, int64_t *tax_nano)
{
    const unsigned __int128 divisor = (unsigned __int128)PERMYRIAD * RATE_CENT_NANO;
    unsigned __int128 product, whole, rest;

    if (net_nano < 0)
        return -1;
    product = (unsigned __int128)net_nano * (unsigned)tax->rate_permyriad;
    whole = product / divisor;
    rest = product % divisor;
    if (rest > divisor / 2 || (rest == divisor / 2 && whole & 1))
        whole++;
    *tax_nano = (int64_t)(whole * RATE_CENT_NANO);
    return 0;
}

json_t *tax_json(const struct tax *tax, int64_t net_nano, int64_t tax_nano)
{
    return json_pack("{s:s, s:s, s:i, s:s, s:o, s:o}", "category", tax->category, "country", tax->country,
                     "rate_permyriad", tax->rate_permyriad, "reason", tax->reason, "taxable_nano", json_decimal(net_nano),
                     "amount_nano", json_decimal(tax_nano));
}

/* Any string, also an empty one. */
static int text(const json_t *object, const char *key, char *out, size_t bytes, struct json_why *why)
{
    const char *value = json_string_value(json_object_get(object, key));

    if (!value || strlen(value) >= bytes) {
        snprintf(why->text, sizeof(why->text), "tax: %s: missing or too long", key);
        return -1;
    }
    strcpy(out, value);
    return 0;
}

int tax_parse(const json_t *object, struct tax *tax, struct json_why *why)
{
    static const char *const categories[] = { "S", "AE", "O" };
    int64_t rate;

    if (json_arg_only(object, "category country rate_permyriad reason taxable_nano amount_nano", why) ||
        text(object, "category", tax->category, sizeof(tax->category), why) ||
        text(object, "country", tax->country, sizeof(tax->country), why) ||
        text(object, "reason", tax->reason, sizeof(tax->reason), why) ||
        json_arg_int(object, "rate_permyriad", 0, RATE_MAX, &rate, why))
        return -1;
    tax->rate_permyriad = (int)rate;
    for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++)
        if (strcmp(tax->category, categories[i]) == 0 && (i == 0 || rate == 0))
            return 0;
    snprintf(why->text, sizeof(why->text), "tax: category %s with %jd of 10,000", tax->category, (intmax_t)rate);
    return -1;
}
