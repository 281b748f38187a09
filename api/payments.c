/* The payment provider's webhook. Nobody logs in here: the signature over the body's very bytes says who speaks, and
 * accountd, which has the secrets, judges it. Known events are acknowledged again, so that the provider stops sending.
 */
#include "api/relay.h"
#include "api/resources.h"
#include "api/upstream.h"

enum answer payment_event(struct request *rq, struct reply *rp)
{
    json_t *body = json_stringn(rq->body, rq->body_size), *ok;
    enum answer answer;

    if (!body || !rq->signature) {
        json_decref(body);
        return reply_fail(rp, ANSWER_MALFORMED, "%s",
                          rq->signature ? "the body is not UTF-8 text" : "the header Stripe-Signature is missing");
    }
    answer =
        upstream_ask(rq, rp, DAEMON_ACCOUNTD, "payment_event",
                     json_pack("{s:s, s:s, s:o}", "provider", "stripe", "signature", rq->signature, "body", body), &ok);
    if (answer == ANSWER_FORBIDDEN || answer == ANSWER_INVALID_FIELDS)
        return reply_fail(rp, ANSWER_MALFORMED, "the signature or the event is not one that fits");
    if (answer != ANSWER_OK)
        return answer;
    json_decref(ok);
    rp->json = json_pack("{s:b}", "received", 1);
    return ANSWER_OK;
}
