/* One customer as operators see them: who they are, their money, what runs, who may act for them, and what speaks for
 * caution. Each part comes from the daemon that keeps it, asked one after the other. */
#include "api/admin.h"
#include "api/api.h"
#include "api/keys.h"
#include "api/pages.h"
#include "api/people/sessions.h"
#include "api/present.h"
#include "api/relay.h"
#include "api/resources.h"
#include "api/upstream.h"
#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>

#define INVOICES_SHOWN 10

enum answer customer_find(struct request *rq, struct reply *rp, struct customer_row *customer)
{
    int rc = id_valid("acc_", rq->param) ? store_customer_get(rq->api->store, rq->param, customer) : 0;

    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "the customer cannot be looked up");
    if (rc == 0 || !customer->confirmed)
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such customer");
    return ANSWER_OK;
}

/* What `verb` says of this account, its `name` or all of it, as `field` of the answer. */
struct part {
    enum daemon daemon;
    const char *verb, *name, *field;
    const char *id_name;                /* a list's things have their id here; NULL: no list */
};

static const struct part parts[] = {
    { DAEMON_ACCOUNTD, "account_details", "details", "billing_details", NULL },
    { DAEMON_ACCOUNTD, "wallet", NULL, "wallet", NULL },
    { DAEMON_ACCOUNTD, "account_standing", NULL, "standing", NULL },
    { DAEMON_ACCOUNTD, "holds", "holds", "holds", "hold_id" },
    { DAEMON_ACCOUNTD, "purchase_orders", "purchase_orders", "purchase_orders", "po_id" },
    { DAEMON_ACCOUNTD, "suspensions", "suspensions", "suspensions", "" },
    { DAEMON_ACCOUNTD, "invoice_list", "invoices", "invoices", "invoice_id" },
    { DAEMON_PROVISIONER, "instances", "instances", "instances", "instance_id" },
};

static json_t *part_view(const struct request *rq, const struct part *part, const json_t *thing)
{
    json_t *list, *each;
    size_t i;

    if (!part->id_name)
        return relay_view(rq, thing, NULL);
    list = json_array();
    json_array_foreach(thing, i, each)
        json_array_append_new(list, relay_view(rq, each, part->id_name));
    return list;
}

static enum answer part_add(struct request *rq, struct reply *rp, const struct part *part, const char *account_id,
                            json_t *view)
{
    json_t *ok;
    enum answer answer = upstream_ask(rq, rp, part->daemon, part->verb, json_pack("{s:s}", "account_id", account_id), &ok);

    if (answer == ANSWER_OK)
        json_object_set_new(view, part->field, part_view(rq, part, part->name ? json_object_get(ok, part->name) : ok));
    json_decref(ok);
    return answer;
}

/* accountd lists the oldest first and 1,000 at most: more than a life of months. */
static void invoices_newest(json_t *view)
{
    json_t *all = json_object_get(view, "invoices"), *newest = json_array();

    for (size_t n = json_array_size(all); n > 0 && json_array_size(newest) < INVOICES_SHOWN; n--)
        json_array_append(newest, json_array_get(all, n - 1));
    json_object_set_new(view, "invoices", newest);
}

/* Balance, free and burn are the wallet's; funded, spent and the risks of the wallet and all purchase orders. */
static void money_arrange(json_t *view)
{
    static const char *const money[] = { "funded", "spent", "uninvoiced" };
    static const char *const risk[] = { "carried", "payments_taken_back", "taken_back", "taken_unpaid", "disputes",
                                        "disputes_open", "stops", "last_stop_at" };
    static const char *const wallet[][2] = { { "balance", "posted" }, { "held", "held" }, { "free", "available" },
                                             { "burn_per_hour", "burn_per_hour" }, { "lasts_until", "lasts_until" },
                                             { "payment_reference", "payment_reference" } };
    json_t *standing = json_object_get(view, "standing"), *from = json_object_get(view, "wallet");
    json_t *to = json_object(), *risks = json_object();

    for (size_t i = 0; i < sizeof(wallet) / sizeof(wallet[0]); i++)
        json_object_set(to, wallet[i][0], json_object_get(from, wallet[i][1]));
    for (size_t i = 0; i < sizeof(money) / sizeof(money[0]); i++)
        json_object_set(to, money[i], json_object_get(standing, money[i]));
    for (size_t i = 0; i < sizeof(risk) / sizeof(risk[0]); i++)
        json_object_set(risks, risk[i], json_object_get(standing, risk[i]));
    json_object_del(view, "wallet");
    json_object_del(view, "standing");
    json_object_set_new(view, "money", to);
    json_object_set_new(view, "risk", risks);
}

enum answer customer_show(struct request *rq, struct reply *rp)
{
    struct customer_row customer;
    json_t *view, *keys = NULL, *people = NULL;
    enum answer answer = customer_find(rq, rp, &customer);

    if (answer != ANSWER_OK)
        return answer;
    view = customer_view(&customer);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && answer == ANSWER_OK; i++)
        answer = part_add(rq, rp, &parts[i], customer.account_id, view);
    if (answer == ANSWER_OK)
        answer = keys_view(rq, rp, customer.account_id, 0, PAGE_MAX, &keys);
    if (answer == ANSWER_OK)
        answer = users_view(rq, rp, customer.account_id, &people);
    if (answer != ANSWER_OK) {
        json_decref(keys);
        json_decref(view);
        return answer;
    }
    invoices_newest(view);
    money_arrange(view);
    json_object_set(view, "keys", json_object_get(keys, "data"));
    json_decref(keys);
    json_object_set_new(view, "people", people);
    rp->json = view;
    return ANSWER_OK;
}

/* An operator's way to end any customer's key. */
enum answer customer_key_revoke(struct request *rq, struct reply *rp)
{
    struct key_row key;
    int rc = id_valid("key_", rq->param) ? store_key_get(rq->api->store, NULL, rq->param, &key) : 0;

    if (rc == 0)
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such key");
    if (rc > 0)
        snprintf(rq->about.account_id, sizeof(rq->about.account_id), "%s", key.account_id);
    if (rc < 0 || store_key_revoke(rq->api->store, key.account_id, rq->param, rq->now_ms) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "the key still works; try again");
    return ANSWER_NO_CONTENT;
}
