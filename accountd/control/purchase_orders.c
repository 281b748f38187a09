/* Verbs of purchase orders. */
#include "accountd/control/args.h"

#include <stdio.h>
#include <string.h>

#define ORDERS_MAX 200

static const char *state_of(const struct purchase_order *o)
{
    if (o->closed_ms)
        return "closed";
    return purchase_order_takes_launches(o, clock_unix_ms()) ? "open" : "ended";
}

static json_t *order_json(const struct purchase_order *o)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:I}", "po_id", o->id, "account_id", o->account,
                             "name", o->name, "state", state_of(o), "funded_nano", json_decimal(o->funded_nano),
                             "held_nano", json_decimal(o->held_nano), "spent_nano", json_decimal(o->spent_nano),
                             "available_nano", json_decimal(o->free_nano), "created_ms",
                             (json_int_t)o->created_ms);
    char purse[LEDGER_ACCOUNT_BYTES];

    json_object_set_new(json, "end_ms", o->end_ms ? json_integer((json_int_t)o->end_ms) : json_null());
    snprintf(purse, sizeof(purse), LEDGER_PURSE "%s", o->id);
    cap_show(control_self, purse, json);
    return json;
}

static int answer_order(struct rpc_call *call, const char *id, json_t **result)
{
    struct purchase_order order;

    if (purchase_order_get(control_self->ledger, id, &order) != LEDGER_OK)
        return control_failed(call);
    *result = json_pack("{s:o}", "purchase_order", order_json(&order));
    return 0;
}

static int insufficient(struct rpc_call *call, const char *account, int64_t needed_nano, int64_t available_nano)
{
    json_t *context = json_pack("{s:o, s:o}", "needed_nano", json_decimal(needed_nano), "available_nano",
                                json_decimal(available_nano));

    return rpc_fail_context(call, "insufficient_funds", context,
                            "account %s: %jd nano are to be set aside, the wallet has %jd available: fund the account",
                            account, (intmax_t)needed_nano, (intmax_t)available_nano);
}

static int create(struct rpc_call *call, json_t *args, json_t **result)
{
    struct purchase_order order = { .end_ms = 0 };
    const char *id, *account, *name;
    int64_t available_nano = 0;
    struct json_why why;
    enum ledger_result rc;

    if (control_arg_name(args, "po_id", &id, &why) || control_arg_account(args, &account, &why) ||
        json_arg_string(args, "name", LEDGER_NAME_BYTES - 1, &name, &why) ||
        json_arg_decimal(args, "amount_nano", 1, LEDGER_AMOUNT_MAX, &order.amount_nano, &why) ||
        (json_has(args, "end_ms") && json_arg_int(args, "end_ms", 1, CONTROL_TIME_MAX_MS, &order.end_ms, &why)))
        return control_bad(call, &why);
    snprintf(order.id, sizeof(order.id), "%s", id);
    snprintf(order.account, sizeof(order.account), "%s", account);
    snprintf(order.name, sizeof(order.name), "%s", name);
    rc = purchase_order_create(control_self->ledger, &order, clock_unix_ms(), &available_nano);
    if (rc == LEDGER_INSUFFICIENT)
        return insufficient(call, account, order.amount_nano, available_nano);
    if (rc == LEDGER_CONFLICT)
        return rpc_fail(call, "bad_request", "end_ms: must be in the future");
    if (!control_done(rc))
        return control_refuse(call, rc, rc == LEDGER_NOT_FOUND ? account : id);
    return answer_order(call, id, result);
}

static int add(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *transfer_id, *id, *account;
    int64_t amount_nano, available_nano = 0;
    struct json_why why;
    enum ledger_result rc;

    if (control_arg_name(args, "transfer_id", &transfer_id, &why) || control_arg_name(args, "po_id", &id, &why) ||
        control_arg_account(args, &account, &why) ||
        json_arg_decimal(args, "amount_nano", 1, LEDGER_AMOUNT_MAX, &amount_nano, &why))
        return control_bad(call, &why);
    rc = purchase_order_add(control_self->ledger, transfer_id, id, account, amount_nano, clock_unix_ms(),
                            &available_nano);
    if (rc == LEDGER_INSUFFICIENT)
        return insufficient(call, account, amount_nano, available_nano);
    if (rc == LEDGER_CONFLICT)
        return rpc_fail(call, "conflict", "purchase order %s: closed, or past its end: create another", id);
    if (!control_done(rc))
        return control_refuse(call, rc, rc == LEDGER_NOT_FOUND ? id : transfer_id);
    return answer_order(call, id, result);
}

static int close_order(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *id, *account;
    struct json_why why;
    enum ledger_result rc;

    if (control_arg_name(args, "po_id", &id, &why) || control_arg_account(args, &account, &why))
        return control_bad(call, &why);
    rc = purchase_order_close(control_self->ledger, id, account, clock_unix_ms());
    if (rc == LEDGER_CONFLICT)
        return rpc_fail(call, "conflict", "purchase order %s: instances are paid from it: delete them first", id);
    if (!control_done(rc))
        return control_refuse(call, rc, id);
    return answer_order(call, id, result);
}

static int show(struct rpc_call *call, json_t *args, json_t **result)
{
    struct purchase_order order;
    const char *id, *account;
    struct json_why why;
    enum ledger_result rc;

    if (control_arg_name(args, "po_id", &id, &why) || control_arg_account(args, &account, &why))
        return control_bad(call, &why);
    rc = purchase_order_own(control_self->ledger, id, account, &order);
    if (rc != LEDGER_OK)
        return control_refuse(call, rc, id);
    *result = json_pack("{s:o}", "purchase_order", order_json(&order));
    return 0;
}

static int put_order(void *arg, const struct purchase_order *order)
{
    struct control_list *l = arg;

    l->last = order->number;
    return json_array_append_new(l->list, order_json(order));
}

static int list(struct rpc_call *call, json_t *args, json_t **result)
{
    struct control_list l = { .last = 0 };
    int64_t before, limit;
    const char *account;
    struct json_why why;

    if (control_arg_account(args, &account, &why) || control_arg_page(args, ORDERS_MAX, &before, &limit, &why))
        return control_bad(call, &why);
    if (!ledger_account_exists(control_self->ledger, account))
        return control_refuse(call, LEDGER_NOT_FOUND, account);
    l.list = json_array();
    return control_answer_list(call, purchase_order_each(control_self->ledger, account, before, limit, put_order, &l), &l,
                               "purchase_orders", limit, result);
}

const struct rpc_verb control_purchase_order_verbs[] = {
    { "purchase_order_create", create, RPC_API },
    { "purchase_order_add", add, RPC_API },
    { "purchase_order_close", close_order, RPC_API },
    { "purchase_order", show, RPC_API },
    { "purchase_orders", list, RPC_API },
    { NULL, NULL, 0 },
};
