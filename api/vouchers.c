/* Vouchers, as operators make them. A code is money: it is shown to who makes it and kept nowhere. accountd derives it
 * anew for a replay, so it never stands in our own stored answers. */
#include "api/fields.h"
#include "api/idem.h"
#include "api/present.h"
#include "api/relay.h"
#include "api/resources.h"
#include "api/upstream.h"
#include "common/json.h"

static enum answer voucher_read(struct request *rq, struct reply *rp, json_t *args)
{
    int64_t amount_nano = 0, expires_ms = 0;
    struct fields fields;

    fields_start(&fields, rq->json);
    fields_money(&fields, "amount", MONEY_NANO_MAX, &amount_nano);
    if (fields_has(&fields, "expires_at") && fields_time(&fields, "expires_at", &expires_ms) &&
        expires_ms <= rq->now_ms)
        fields_error(&fields, "expires_at", "past", "must be in the future");
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    json_object_set_new(args, "amount_nano", json_decimal(amount_nano));
    if (expires_ms)
        json_object_set_new(args, "expires_ms", json_integer(expires_ms));
    return ANSWER_OK;
}

static enum answer voucher_ask(struct request *rq, struct reply *rp, json_t *args, const char *id, json_t **voucher)
{
    json_object_set_new(args, "voucher_id", json_string(id));
    return upstream_ask(rq, rp, DAEMON_ACCOUNTD, "voucher_create", json_incref(args), voucher);
}

/* A first answer is stored without the code; a replay asks for it again by the stored id. */
static enum answer voucher_made(struct request *rq, struct reply *rp, json_t *args)
{
    json_t *voucher = NULL;
    struct idem idem;
    enum answer answer = idem_open(rq, rp, "vch_", "nil_", NULL, NULL, &idem);

    if (answer == ANSWER_OK) {
        answer = voucher_ask(rq, rp, args, idem.subject_id, &voucher);
        if (answer == ANSWER_OK) {
            rp->json = relay_view(rq, voucher, "voucher_id");
            json_object_del(rp->json, "code");
            answer = ANSWER_CREATED;
        }
        answer = idem_close(rq, rp, &idem, answer);
    } else if (answer == ANSWER_REPLAYED && rp->status == 201) {
        enum answer asked = voucher_ask(rq, rp, args, idem.subject_id, &voucher);

        answer = asked == ANSWER_OK ? answer : asked;
    }
    if (voucher && (answer == ANSWER_CREATED || answer == ANSWER_REPLAYED))
        json_object_set(rp->json, "code", json_object_get(voucher, "code"));
    json_decref(voucher);
    return answer;
}

enum answer voucher_create(struct request *rq, struct reply *rp)
{
    json_t *args = relay_operator_args(rq);
    enum answer answer = voucher_read(rq, rp, args);

    if (answer == ANSWER_OK)
        answer = voucher_made(rq, rp, args);
    json_decref(args);
    return answer;
}
