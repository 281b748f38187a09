/* Purchase orders: amounts set aside from the wallet, each a purse of its own that instances can be paid from. */
#include "api/fields.h"
#include "api/present.h"
#include "api/purchase_orders.h"
#include "api/relay.h"
#include "api/resources.h"
#include "api/upstream.h"
#include "common/json.h"

#include <string.h>

enum answer purchase_order_create(struct request *rq, struct reply *rp)
{
    static const struct relay_making making = {.prefix = "po_",
                                               .verb = "purchase_order_create",
                                               .id_arg = "po_id",
                                               .name = "purchase_order",
                                               .id_name = "po_id",
                                               .place = "/v1/purchase_orders"};
    const char *name = "";
    int64_t amount_nano = 0, end_ms = 0;
    struct fields fields;
    json_t *args;

    fields_start(&fields, rq->json);
    fields_text(&fields, "name", 128, &name);
    fields_money(&fields, "amount", MONEY_NANO_MAX, &amount_nano);
    if (fields_has(&fields, "ends_at") && fields_time(&fields, "ends_at", &end_ms) && end_ms <= rq->now_ms)
        fields_error(&fields, "ends_at", "past", "must be in the future");
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    args = relay_args(rq);
    json_object_set_new(args, "name", json_string(name));
    json_object_set_new(args, "amount_nano", json_decimal(amount_nano));
    if (end_ms)
        json_object_set_new(args, "end_ms", json_integer(end_ms));
    return relay_make(rq, rp, &making, args);
}

enum answer purchase_orders_list(struct request *rq, struct reply *rp)
{
    return relay_list(rq, rp, "purchase_orders", relay_args(rq), "purchase_orders", "po_id");
}

enum answer purchase_order_own(struct request *rq, struct reply *rp, const char *id, json_t **order)
{
    json_t *args, *ok;
    enum answer answer;

    *order = NULL;
    if (!id_valid("po_", id))
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such purchase order");
    args = relay_args(rq);
    json_object_set_new(args, "po_id", json_string(id));
    answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "purchase_order", args, &ok);
    if (answer == ANSWER_NOT_FOUND)
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such purchase order");
    if (answer != ANSWER_OK)
        return answer;
    *order = json_incref(json_object_get(ok, "purchase_order"));
    json_decref(ok);
    return ANSWER_OK;
}

enum answer purchase_order_show(struct request *rq, struct reply *rp)
{
    json_t *order;
    enum answer answer = purchase_order_own(rq, rp, rq->param, &order);

    if (answer == ANSWER_OK)
        rp->json = relay_view(rq, order, "po_id");
    json_decref(order);
    return answer;
}

enum answer purchase_order_add(struct request *rq, struct reply *rp)
{
    static const struct relay_making making = {.prefix = "trf_",
                                               .verb = "purchase_order_add",
                                               .id_arg = "transfer_id",
                                               .name = "purchase_order",
                                               .id_name = "po_id"};
    int64_t amount_nano = 0;
    struct fields fields;
    json_t *args;
    enum answer answer;

    fields_start(&fields, rq->json);
    fields_money(&fields, "amount", MONEY_NANO_MAX, &amount_nano);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    args = relay_args(rq);
    json_object_set_new(args, "amount_nano", json_decimal(amount_nano));
    answer = relay_param(rq, rp, "po_", "po_id", args);
    if (answer == ANSWER_OK)
        return relay_make(rq, rp, &making, args);
    json_decref(args);
    return answer;
}

enum answer purchase_order_close(struct request *rq, struct reply *rp)
{
    json_t *args = relay_args(rq);
    enum answer answer = relay_param(rq, rp, "po_", "po_id", args);

    if (answer == ANSWER_OK)
        return relay_show(rq, rp, "purchase_order_close", args, "purchase_order", "po_id");
    json_decref(args);
    return answer;
}
