#include "accountd/party.h"
#include "accountd/tax.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX 128

static int why_set(struct json_why *why, const char *key, const char *text)
{
    snprintf(why->text, sizeof(why->text), "%s: %s", key, text);
    return -1;
}

/* Copies the field, which may be missing or empty. */
static int take(json_t *party, const json_t *object, const char *key, struct json_why *why)
{
    const json_t *value = json_object_get(object, key);
    const char *text = "";

    if (value && !(json_is_string(value) && json_string_length(value) == 0) &&
        json_arg_string(object, key, TEXT_MAX, &text, why))
        return -1;
    return json_object_set_new(party, key, json_string(text));
}

static int check_codes(const json_t *party, struct json_why *why)
{
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", both[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    const char *country = json_text(party, "country"), *vat_id = json_text(party, "vat_id");
    const char *prefix = strcmp(country, "GR") == 0 ? "EL" : country;

    if (!json_text(party, "name")[0])
        return why_set(why, "name", "must not be empty");
    if (country[0] && (strlen(country) != 2 || strspn(country, capitals) != 2))
        return why_set(why, "country", "must be two capital letters (ISO 3166-1)");
    if (vat_id[0] && (!country[0] || strncmp(vat_id, prefix, 2) != 0 || strlen(vat_id) < 4 || strlen(vat_id) > 14 ||
                      strspn(vat_id, both) != strlen(vat_id)))
        return why_set(why, "vat_id", "must begin with the country's prefix and have 2 to 12 capital letters or digits more");
    return 0;
}

json_t *party_read(const json_t *object, const char *keys, const char *others, struct json_why *why)
{
    json_t *party = json_object();
    char known[256], key[16];

    snprintf(known, sizeof(known), "%s %s", keys, others);
    if (json_arg_only(object, known, why))
        goto fail;
    for (const char *at = keys; *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");

        snprintf(key, sizeof(key), "%.*s", (int)len, at);
        if (take(party, object, key, why))
            goto fail;
        at += len;
    }
    if (check_codes(party, why) == 0)
        return party;
fail:
    json_decref(party);
    return NULL;
}

int seller_read(const json_t *object, struct seller *seller, struct json_why *why)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    const char *prefix;

    *seller = (struct seller){ .vat_rates = json_incref(json_object_get(object, "vat_rates")) };
    seller->party = party_read(object, PARTY_SELLER_KEYS, "number_prefix vat_rates", why);
    if (!seller->party || json_arg_string(object, "number_prefix", sizeof(seller->number_prefix) - 1, &prefix, why))
        return -1;
    if (strspn(prefix, allowed) != strlen(prefix))
        return why_set(why, "number_prefix", "must be 1 to 12 of A-Z and 0-9");
    strcpy(seller->number_prefix, prefix);
    if (!json_text(seller->party, "country")[0])
        return why_set(why, "country", "must not be empty: tax depends on it");
    if (seller->vat_rates && tax_rates_check(seller->vat_rates, why)) {
        char inner[200];

        snprintf(inner, sizeof(inner), "%.199s", why->text);
        return why_set(why, "vat_rates", inner);
    }
    if (json_text(seller->party, "vat_id")[0] &&
        !json_object_get(seller->vat_rates, json_text(seller->party, "country")))
        return why_set(why, "vat_rates", "has no rate of the seller's own country, which a seller with a vat_id needs");
    return 0;
}

void seller_free(struct seller *seller)
{
    json_decref(seller->party);
    json_decref(seller->vat_rates);
    *seller = (struct seller){ 0 };
}
