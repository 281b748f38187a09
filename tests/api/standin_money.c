/* accountd's money, as the api sees it: wallets, purses, vouchers, prices. */
#include "common/json.h"
#include "tests/api/standin_inside.h"

#include <stdio.h>
#include <string.h>

static json_t *orders; /* purchase orders by id */

void money_start(void)
{
    orders = json_object();
}

static int64_t posted(const json_t *account)
{
    return json_integer_value(json_object_get(account, "posted"));
}

static json_t *balances(const json_t *account)
{
    return json_pack("{s:o, s:s, s:o}", "posted_nano", json_decimal(posted(account)), "held_nano", "0",
                     "available_nano", json_decimal(posted(account)));
}

/* One entry of the wallet. */
static void move(json_t *account, const char *id, int64_t amount_nano, const char *code, const char *reason,
                 const char *refers)
{
    json_object_set_new(account, "posted", json_integer(posted(account) + amount_nano));
    json_array_append_new(json_object_get(account, "entries"),
                          json_pack("{s:s, s:I, s:o, s:s, s:s, s:s}", "transfer_id", id, "at_ms", (json_int_t)NOW_MS,
                                    "amount_nano", json_decimal(amount_nano), "code", code, "reason", reason, "refers",
                                    refers));
}

int stand_fund(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *account = json_object_get(accounts, text(args, "account_id"));
    int64_t amount_nano = 0;
    char refers[64];
    int known;

    if (changing(&accountd, call))
        return -1;
    if (!account || !json_decimal_parse(text(args, "amount_nano"), &amount_nano))
        return rpc_fail(call, account ? "bad_request" : "not_found", "account_id or amount_nano");
    if (!*text(args, "operator"))
        return rpc_fail(call, "bad_request", "operator: must be given");
    known = seen(call, text(args, "transfer_id"), args);
    if (known < 0)
        return -1;
    snprintf(refers, sizeof(refers), "operator %s", text(args, "operator"));
    if (!known)
        move(account, text(args, "transfer_id"), amount_nano, "fund", text(args, "reason"), refers);
    return done(&accountd, call, "fund", !known, balances(account), result);
}

json_t *page_of(const json_t *list, const json_t *args, const char *name)
{
    size_t after = (size_t)json_integer_value(json_object_get(args, "after"));
    json_int_t limit = json_object_get(args, "limit") ? json_integer_value(json_object_get(args, "limit")) : 200;
    json_t *page = json_array();
    size_t i = after;

    for (; i < json_array_size(list) && (json_int_t)json_array_size(page) < limit; i++)
        json_array_append(page, json_array_get(list, i));
    return json_pack("{s:o, s:o}", name, page, "next",
                     i < json_array_size(list) ? json_integer((json_int_t)i) : json_null());
}

json_t *newest_page_of(const json_t *list, const json_t *args, const char *name)
{
    json_int_t after = json_integer_value(json_object_get(args, "after"));
    json_int_t limit = json_object_get(args, "limit") ? json_integer_value(json_object_get(args, "limit")) : 200;
    size_t i = after ? (size_t)after - 1 : json_array_size(list);
    json_t *page = json_array();

    for (; i > 0 && (json_int_t)json_array_size(page) < limit; i--)
        json_array_append(page, json_array_get(list, i - 1));
    return json_pack("{s:o, s:o}", name, page, "next", i > 0 ? json_integer((json_int_t)i + 1) : json_null());
}

int stand_wallet(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *account = json_object_get(accounts, text(args, "account_id")), *page;

    if (!account)
        return rpc_fail(call, "not_found", "no account");
    page = page_of(json_object_get(account, "entries"), args, "entries");
    *result = balances(account);
    json_object_update(*result, page);
    json_object_set_new(*result, "account_id", json_string(text(account, "account_id")));
    json_object_set_new(*result, "currency", json_string(text(account, "currency")));
    json_object_set_new(*result, "burn_nano_per_hour", json_string("2500000000"));
    json_object_set_new(*result, "lasts_until_ms", json_integer(NOW_MS + 3600000));
    json_object_set_new(*result, "payment_reference", json_string("RF18XS0001"));
    json_decref(page);
    return 0;
}

int stand_holds(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *list = json_array(), *instance;
    const char *id;

    (void)call;
    json_object_foreach(instances, id,
                        instance) if (strcmp(text(instance, "account_id"), text(args, "account_id")) == 0)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I}", "instance_id", id, "account_id",
                                              text(args, "account_id"), "amount_nano", "3600000", "at_ms",
                                              (json_int_t)NOW_MS));
    *result = json_pack("{s:o}", "holds", list);
    return 0;
}

int stand_voucher_redeem(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *account = json_object_get(accounts, text(args, "account_id"));
    int known;

    if (changing(&accountd, call))
        return -1;
    if (!account || strncmp(text(args, "code"), "XSV-", 4) != 0)
        return rpc_fail(call, "not_found", "code: no such voucher");
    known = seen(call, text(args, "transfer_id"), args);
    if (known < 0)
        return -1;
    if (!known)
        move(account, text(args, "transfer_id"), 5000000000, "voucher", "voucher", "voucher vou_1");
    return done(&accountd, call, "voucher_redeem", !known,
                json_pack("{s:s, s:o}", "amount_nano", "5000000000", "available_nano", json_decimal(posted(account))),
                result);
}

/* purchase orders */

static json_t *order_own(const json_t *args)
{
    json_t *order = json_object_get(orders, text(args, "po_id"));

    return strcmp(text(order, "account_id"), text(args, "account_id")) == 0 ? order : NULL;
}

static int order_pay(struct rpc_call *call, const json_t *args, json_t *order, const char *id)
{
    json_t *account = json_object_get(accounts, text(args, "account_id"));
    int64_t amount_nano = 0, before_nano = 0;

    if (!account || !json_decimal_parse(text(args, "amount_nano"), &amount_nano) || amount_nano > posted(account))
        return rpc_fail_context(call, "insufficient_funds",
                                json_pack("{s:s, s:o}", "needed_nano", text(args, "amount_nano"), "available_nano",
                                          json_decimal(posted(account))),
                                "the wallet has not so much");
    json_decimal_parse(text(order, "available_nano"), &before_nano);
    json_object_set_new(order, "available_nano", json_decimal(before_nano + amount_nano));
    json_object_set_new(order, "funded_nano", json_decimal(before_nano + amount_nano));
    move(account, id, -amount_nano, "po", text(order, "name"), "");
    return 0;
}

int stand_po_create(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *id = text(args, "po_id");
    json_t *order = NULL;
    int known;

    if (changing(&accountd, call) || (known = seen(call, id, args)) < 0)
        return -1;
    if (!known) {
        order = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:O?, s:I}", "po_id", id, "account_id",
                          text(args, "account_id"), "name", text(args, "name"), "state", "open", "held_nano", "0",
                          "spent_nano", "0", "available_nano", "0", "end_ms", json_object_get(args, "end_ms"),
                          "created_ms", (json_int_t)NOW_MS);
        json_object_set_new(orders, id, order);
        if (order_pay(call, args, order, id)) {
            json_object_del(orders, id);
            return -1;
        }
    }
    return done(&accountd, call, "purchase_order_create", !known,
                json_pack("{s:O}", "purchase_order", json_object_get(orders, id)), result);
}

int stand_po_add(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *order = order_own(args);
    int known;

    if (changing(&accountd, call))
        return -1;
    if (!order)
        return rpc_fail(call, "not_found", "no purchase order %s", text(args, "po_id"));
    known = seen(call, text(args, "transfer_id"), args);
    if (known < 0 || (!known && order_pay(call, args, order, text(args, "transfer_id"))))
        return -1;
    return done(&accountd, call, "purchase_order_add", !known, json_pack("{s:O}", "purchase_order", order), result);
}

int stand_po_close(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *order = order_own(args);

    if (!order)
        return rpc_fail(call, "not_found", "no purchase order %s", text(args, "po_id"));
    json_object_set_new(order, "state", json_string("closed"));
    *result = json_pack("{s:O}", "purchase_order", order);
    return 0;
}

int stand_po(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *order = order_own(args);

    if (!order)
        return rpc_fail(call, "not_found", "no purchase order %s", text(args, "po_id"));
    *result = json_pack("{s:O}", "purchase_order", order);
    return 0;
}

int stand_pos(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *list = json_array(), *order;
    const char *id;

    (void)call;
    json_object_foreach(orders, id, order) if (strcmp(text(order, "account_id"), text(args, "account_id")) == 0)
        json_array_append(list, order);
    *result = newest_page_of(list, args, "purchase_orders");
    json_decref(list);
    return 0;
}

/* prices */

static json_t *book(int version)
{
    return json_pack("{s:i, s:s, s:s, s:[{s:s, s:s, s:s, s:[{s:s, s:s, s:s}, {s:s, s:s, s:s}]}]}", "version", version,
                     "currency", "EUR", "valid_from", "2026-01-01T00:00:00Z", "meters", "meter", "vcpu_reserved",
                     "unit", "vCPU s", "free", "100", "tiers", "above", "0", "num_nano", version == 1 ? "7000" : "8000",
                     "den", "3", "above", "1000000", "num_nano", "2000", "den", "1");
}

int stand_price_books(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call, (void)args;
    *result = json_pack("{s:[{s:i, s:s, s:s, s:I}], s:i}", "price_books", "version", 1, "currency", "EUR", "state",
                        "published", "published_ms", (json_int_t)NOW_MS, "current", 1);
    return 0;
}

int stand_price_book(struct rpc_call *call, json_t *args, json_t **result)
{
    if (json_integer_value(json_object_get(args, "version")) > 1)
        return rpc_fail(call, "not_found", "no such price book");
    *result = book(1);
    json_object_set_new(*result, "signature", json_string("untrusted comment: signature\nRWQ\n"));
    return 0;
}
