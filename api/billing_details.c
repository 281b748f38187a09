/* Who is billed: the buyer that invoices name, and by whose country they are taxed. */
#include "api/fields.h"
#include "api/relay.h"
#include "api/resources.h"

#include <string.h>

enum answer billing_details_show(struct request *rq, struct reply *rp)
{
    return relay_show(rq, rp, "account_details", relay_args(rq), "details", NULL);
}

static void country_read(struct fields *fields, json_t *args)
{
    const char *country;

    if (!fields_text(fields, "country", 2, &country))
        return;
    if (strlen(country) != 2 || strspn(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2)
        fields_error(fields, "country", "invalid_country", "must be two capital letters of ISO 3166-1, such as DE");
    json_object_set_new(args, "country", json_string(country));
}

static void email_read(struct fields *fields, json_t *args)
{
    const char *email, *at;

    if (!fields_text(fields, "email", 128, &email))
        return;
    at = strchr(email, '@');
    if (!at || at == email || !at[1] || strchr(at + 1, '@') || strchr(email, ' '))
        fields_error(fields, "email", "invalid_email", "must be an address such as accounts@example.org");
    json_object_set_new(args, "email", json_string(email));
}

/* Without a VAT id the buyer is a consumer. */
static void vat_id_read(struct fields *fields, json_t *args)
{
    const char *vat_id;

    if (!fields_has(fields, "vat_id") || !fields_text(fields, "vat_id", 16, &vat_id))
        return;
    if (strspn(vat_id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != strlen(vat_id))
        fields_error(fields, "vat_id", "invalid_vat_id", "must be capital letters and digits, such as DE123456789");
    json_object_set_new(args, "vat_id", json_string(vat_id));
}

enum answer billing_details_set(struct request *rq, struct reply *rp)
{
    static const char *const texts[] = {"name", "street", "postcode", "city"};
    json_t *args = relay_args(rq);
    struct fields fields;
    const char *text;

    fields_start(&fields, rq->json);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (fields_text(&fields, texts[i], 128, &text))
            json_object_set_new(args, texts[i], json_string(text));
    country_read(&fields, args);
    vat_id_read(&fields, args);
    email_read(&fields, args);
    if (fields_end(&fields, rp) == ANSWER_OK)
        return relay_show(rq, rp, "account_details_set", args, "details", NULL);
    json_decref(args);
    return ANSWER_INVALID_FIELDS;
}
