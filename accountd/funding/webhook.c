/* The header is read strictly, of the body only what is needed. */
#include "accountd/funding/webhook.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define MAC_BYTES      crypto_auth_hmacsha256_BYTES
#define SIGNATURES_MAX 8
#define HEADER_MAX     2048
#define AMOUNT_MAX     10000000000ll    /* a hundred millions of the currency, in cents */

struct header {
    char time[20];                      /* as it was signed */
    int64_t time_s;
    uint8_t mac[SIGNATURES_MAX][MAC_BYTES];
    unsigned macs;
};

static int refuse(struct json_why *why, const char *text)
{
    snprintf(why->text, sizeof(why->text), "%s", text);
    return -1;
}

int webhook_secrets_parse(const json_t *object, struct webhook_secrets *secrets, struct json_why *why)
{
    const json_t *list = json_object_get(object, "stripe");

    *secrets = (struct webhook_secrets){ 0 };
    if (json_arg_only(object, "stripe", why))
        return -1;
    if (!json_is_array(list) || json_array_size(list) < 1 || json_array_size(list) > WEBHOOK_SECRETS_MAX)
        return refuse(why, "stripe: must be a list of 1 to 4 endpoint secrets");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));

        if (!text || strncmp(text, "whsec_", 6) != 0 || strlen(text) < 16 || strlen(text) > WEBHOOK_SECRET_MAX)
            return refuse(why, "stripe: a secret is \"whsec_\" and 10 to 122 characters");
        strcpy(secrets->secret[secrets->count++], text);
    }
    return 0;
}

static bool read_time(struct header *h, const char *text, size_t len)
{
    if (h->time[0] || len == 0 || len >= sizeof(h->time))
        return false;
    snprintf(h->time, sizeof(h->time), "%.*s", (int)len, text);
    return json_decimal_parse(h->time, &h->time_s) && h->time_s >= 0;
}

static bool read_mac(struct header *h, const char *text, size_t len)
{
    size_t bytes;

    if (h->macs == SIGNATURES_MAX || len != 2 * MAC_BYTES ||
        sodium_hex2bin(h->mac[h->macs], MAC_BYTES, text, len, NULL, &bytes, NULL) != 0 || bytes != MAC_BYTES)
        return false;
    h->macs++;
    return true;
}

static int read_header(const char *text, struct header *h, struct json_why *why)
{
    *h = (struct header){ 0 };
    if (strlen(text) > HEADER_MAX)
        return refuse(why, "signature: is too long");
    while (*text) {
        size_t len = strcspn(text, ",");
        bool good = true;

        if (strncmp(text, "t=", 2) == 0)
            good = read_time(h, text + 2, len - 2);
        else if (strncmp(text, "v1=", 3) == 0)
            good = read_mac(h, text + 3, len - 3);
        if (!good)
            return refuse(why, "signature: must be t=SECONDS,v1=HEX with one t and 1 to 8 times v1 of 64 hex digits");
        text += len + (text[len] == ',');
    }
    return h->time[0] && h->macs ? 0 : refuse(why, "signature: t= or v1= is missing");
}

static void compute(uint8_t mac[static MAC_BYTES], const char *secret, const char *time, const char *body, size_t len)
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, (const uint8_t *)secret, strlen(secret));
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)time, strlen(time));
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)".", 1);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)body, len);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(&state, sizeof(state));
}

int webhook_verify(const char *header, const char *body, size_t len, const struct webhook_secrets *secrets,
                   int64_t now_s, struct json_why *why)
{
    uint8_t mac[MAC_BYTES];
    struct header h;
    int good = 0;

    if (read_header(header, &h, why))
        return -1;
    for (unsigned s = 0; s < secrets->count; s++) {
        compute(mac, secrets->secret[s], h.time, body, len);
        /* All are compared, each in constant time: how long it takes says nothing. */
        for (unsigned m = 0; m < h.macs; m++)
            good |= sodium_memcmp(mac, h.mac[m], MAC_BYTES) == 0;
    }
    if (!good)
        return refuse(why, "signature: not made by the provider over this body");
    /* Only now: whoever cannot sign learns nothing about our clock. */
    if (h.time_s < now_s - WEBHOOK_TOLERANCE_S)
        return refuse(why, "signature: older than 300 s; the provider sends the event again with a new one");
    if (h.time_s > now_s + WEBHOOK_TOLERANCE_S)
        return refuse(why, "signature: more than 300 s in the future: is this host's clock right?");
    return 0;
}

static const struct {
    const char *type;
    enum webhook_kind kind;
    const char *amount, *payment;
} kinds[] = {
    { "checkout.session.completed", WEBHOOK_PAID, "amount_total", "payment_intent" },
    { "checkout.session.async_payment_succeeded", WEBHOOK_PAID, "amount_total", "payment_intent" },
    { "payment_intent.succeeded", WEBHOOK_PAID, "amount_received", "id" },
    { "charge.refunded", WEBHOOK_REFUNDED, "amount_refunded", "payment_intent" },
    { "charge.dispute.created", WEBHOOK_DISPUTED, "amount", "payment_intent" },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int read_id(const json_t *object, const char *key, char out[static WEBHOOK_ID_BYTES], struct json_why *why)
{
    const char *text;

    if (json_arg_string(object, key, WEBHOOK_ID_BYTES - 1, &text, why))
        return -1;
    strcpy(out, text);
    return 0;
}

static int read_currency(const json_t *object, char currency[static 4], struct json_why *why)
{
    const char *text;

    if (json_arg_string(object, "currency", 3, &text, why))
        return -1;
    if (strlen(text) != 3)
        return refuse(why, "currency: three letters");
    for (int i = 0; i < 4; i++)
        currency[i] = (char)toupper((unsigned char)text[i]);
    return 0;
}

/* What is no account's id is as good as none: the money is then nobody's yet. */
static void read_account(const json_t *object, char account[static RECORD_NAME_BYTES])
{
    const char *text = json_text(json_object_get(object, "metadata"), "account_id");

    snprintf(account, RECORD_NAME_BYTES, "%s", record_is_name(text) ? text : "");
}

/* A session may be completed before its money has come: nothing yet then. */
static bool is_unpaid(const json_t *object)
{
    const char *status = json_string_value(json_object_get(object, "payment_status"));

    return status && strcmp(status, "paid") != 0;
}

static int read_object(const json_t *object, size_t kind, struct webhook_event *event, struct json_why *why)
{
    /* Without an intent it is no payment that began with us. */
    if ((kinds[kind].kind == WEBHOOK_PAID && is_unpaid(object)) ||
        json_is_null(json_object_get(object, kinds[kind].payment)))
        return 0;
    if (read_id(object, kinds[kind].payment, event->payment, why) ||
        json_arg_int(object, kinds[kind].amount, 1, AMOUNT_MAX, &event->amount_minor, why) ||
        read_currency(object, event->currency, why) ||
        (kinds[kind].kind == WEBHOOK_DISPUTED && read_id(object, "id", event->dispute, why)))
        return -1;
    read_account(object, event->account);
    event->kind = kinds[kind].kind;
    return 0;
}

static int read_event(const json_t *root, struct webhook_event *event, struct json_why *why)
{
    const json_t *object = json_object_get(json_object_get(root, "data"), "object");

    if (!json_is_object(root))
        return refuse(why, "body: must be a JSON object");
    if (read_id(root, "id", event->id, why) || read_id(root, "type", event->type, why))
        return -1;
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(event->type, kinds[i].type) == 0)
            return json_is_object(object) ? read_object(object, i, event, why)
                                          : refuse(why, "data.object: must be a JSON object");
    return 0;
}

int webhook_parse(const char *body, size_t len, struct webhook_event *event, struct json_why *why)
{
    json_t *root = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
    int rc;

    *event = (struct webhook_event){ .kind = WEBHOOK_OTHER };
    rc = read_event(root, event, why);
    json_decref(root);
    return rc;
}
