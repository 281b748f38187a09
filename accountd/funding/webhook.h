/* A payment provider's signed events, in Stripe's scheme. Pure.
 *
 * The header `Stripe-Signature: t=UNIX_SECONDS,v1=HEX[,v1=HEX...]` holds HMAC-SHA256
 * over "UNIX_SECONDS.BODY", keyed with the endpoint's secret as it is written
 * ("whsec_..."); docs.stripe.com/webhooks, "Verify manually". Other schemes (v0)
 * are passed over. While a secret is rotated two are valid.
 */
#ifndef ACCOUNTD_FUNDING_WEBHOOK_H
#define ACCOUNTD_FUNDING_WEBHOOK_H

#include "accountd/record.h"
#include "common/json.h"

#define WEBHOOK_TOLERANCE_S 300         /* a signature's age, and how far it may be ahead */
#define WEBHOOK_SECRETS_MAX 4
#define WEBHOOK_SECRET_MAX  128
#define WEBHOOK_ID_BYTES    256         /* the provider's ids have up to 255 characters */

struct webhook_secrets {
    char secret[WEBHOOK_SECRETS_MAX][WEBHOOK_SECRET_MAX + 1];
    unsigned count;
};

/* Reads {"stripe":["whsec_...", ...]}, the file that accountd's `payments` names. */
int webhook_secrets_parse(const json_t *object, struct webhook_secrets *secrets, struct json_why *why);

/* 0 if one of the secrets signed this body within the tolerance of now_s. -1: `why` says what is wrong with the
 * header or the clock; of a signature that does not fit it says no more than that. */
int webhook_verify(const char *header, const char *body, size_t len, const struct webhook_secrets *secrets,
                   int64_t now_s, struct json_why *why);

enum webhook_kind {
    WEBHOOK_OTHER,                      /* of no consequence here: kept and acknowledged */
    WEBHOOK_PAID,                       /* checkout.session.completed (paid), payment_intent.succeeded */
    WEBHOOK_REFUNDED,                   /* charge.refunded: amount is all that was refunded of the payment so far */
    WEBHOOK_DISPUTED,                   /* charge.dispute.created */
};

struct webhook_event {
    enum webhook_kind kind;
    char id[WEBHOOK_ID_BYTES], type[WEBHOOK_ID_BYTES];
    char payment[WEBHOOK_ID_BYTES];     /* the payment intent; "" only for OTHER */
    char dispute[WEBHOOK_ID_BYTES];     /* DISPUTED */
    char account[RECORD_NAME_BYTES];    /* metadata.account_id; "" if there is none of that shape */
    char currency[4];                   /* upper case */
    int64_t amount_minor;               /* cents */
};

/* The event of a body whose signature is right. -1: `why` names the field. */
int webhook_parse(const char *body, size_t len, struct webhook_event *event, struct json_why *why);

#endif
