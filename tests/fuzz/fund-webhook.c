/* The provider's header and body, references and voucher codes out of foreign
 * bytes. No header is accepted unless it was signed, and what is accepted of a
 * code is its one spelling. */
#include "accountd/funding/reference.h"
#include "accountd/funding/voucher_code.h"
#include "accountd/funding/webhook.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

const char *const fuzz_name = "payment events, references, voucher codes";

const char *const fuzz_seeds[] = {
    "t=1000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd,v0="
    "6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39",
    "{\"id\":\"evt_1\",\"type\":\"payment_intent.succeeded\",\"data\":{\"object\":{\"id\":\"pi_1\",\"amount_received\":"
    "5000,\"currency\":\"eur\","
    "\"metadata\":{\"account_id\":\"ann\"}}}}",
    "{\"id\":\"evt_1\",\"type\":\"checkout.session.completed\",\"data\":{\"object\":{\"id\":\"cs_1\",\"payment_"
    "intent\":\"pi_1\",\"payment_status\":"
    "\"paid\",\"amount_total\":5000,\"currency\":\"eur\",\"metadata\":{\"account_id\":\"ann\"}}}}",
    "{\"id\":\"evt_2\",\"type\":\"charge.dispute.created\",\"data\":{\"object\":{\"id\":\"dp_1\",\"payment_intent\":"
    "\"pi_1\",\"amount\":1,"
    "\"currency\":\"eur\"}}}",
    "RF70 XSDF 2D68 AEA7 751E 1E",
    "DE89 3704 0044 0532 0130 00",
    "XSV-0000-0000-0000-00000",
    NULL,
};

static const struct webhook_secrets secrets = { .secret = { "whsec_0123456789" }, .count = 1 };

static void check_event(const struct webhook_event *e)
{
    if (!e->id[0] ||
        (e->kind != WEBHOOK_OTHER && (e->amount_minor < 1 || !e->payment[0] || strlen(e->currency) != 3)) ||
        (e->account[0] && !record_is_name(e->account)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = strndup((const char *)bytes, size), out[64], again[64];
    struct webhook_event event;
    struct json_why why;

    if (webhook_verify(text, text, strlen(text), &secrets, 1000, &why) == 0)
        abort();
    if (webhook_parse(text, strlen(text), &event, &why) == 0)
        check_event(&event);
    if (reference_parse(text, out) && (!reference_parse(out, again) || strcmp(out, again) != 0))
        abort();
    if (iban_parse(text, out) && (!iban_parse(out, again) || strcmp(out, again) != 0))
        abort();
    if (voucher_code_parse(text, out) && (!voucher_code_parse(out, again) || strcmp(out, again) != 0))
        abort();
    free(text);
    return 0;
}
