/* Verbs of instances that are to be charged. */
#include "accountd/control/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "6d2f...": 32 hex digits, with or without the dashes of RFC 9562. */
static int arg_uuid(const json_t *args, const char *key, char out[static RECORD_HEX_BYTES], struct json_why *why)
{
    const char *text;
    size_t len = 0;

    if (json_arg_string(args, key, 36, &text, why))
        return -1;
    for (size_t i = 0; text[i] && len < RECORD_HEX_BYTES - 1; i++)
        if (text[i] != '-' || (i != 8 && i != 13 && i != 18 && i != 23))
            out[len++] = text[i];
    out[len] = 0;
    if ((strlen(text) == 32 || strlen(text) == 36) && len == 32 && strspn(out, "0123456789abcdef") == 32)
        return 0;
    snprintf(why->text, sizeof(why->text), "%s: must be a UUID in lower-case hex", key);
    return -1;
}

static int arg_registration(const json_t *args, struct ledger_registration *r, struct json_why *why)
{
    const char *account, *instance;
    uint8_t bytes[16];

    if (control_arg_account(args, &account, why) || control_arg_name(args, "instance_id", &instance, why) ||
        arg_uuid(args, "domain_uuid", r->domain_uuid, why) ||
        json_arg_hex(args, "incarnation", bytes, sizeof(bytes), why) || control_arg_reserved(args, &r->reserved, why))
        return -1;
    snprintf(r->account, sizeof(r->account), "%s", account);
    snprintf(r->instance, sizeof(r->instance), "%s", instance);
    snprintf(r->incarnation, sizeof(r->incarnation), "%s", json_string_value(json_object_get(args, "incarnation")));
    return 0;
}

/* Who is to pay; a launch says so once, and later ones may repeat it. */
static int arg_payer(struct rpc_call *call, const json_t *args, struct ledger_registration *r)
{
    struct purchase_order order;
    const char *id;
    struct json_why why;
    enum ledger_result rc;

    r->payer[0] = 0;
    if (!json_has(args, "purchase_order_id"))
        return 0;
    if (control_arg_name(args, "purchase_order_id", &id, &why))
        return control_bad(call, &why);
    rc = purchase_order_get(control_self->ledger, id, &order);
    if (rc == LEDGER_FAILED)
        return control_failed(call);
    if (rc != LEDGER_OK || strcmp(order.account, r->account) != 0)
        return rpc_fail(call, "not_found", "purchase_order_id: account %s has no purchase order %s", r->account, id);
    snprintf(r->payer, sizeof(r->payer), LEDGER_PURSE "%s", id);
    return 0;
}

/* Why the instance may not be registered so. */
static int registration_conflict(struct rpc_call *call, const struct ledger_registration *r)
{
    char payer[LEDGER_ACCOUNT_BYTES] = "";
    struct purchase_order order;

    if (ledger_payer(control_self->ledger, r->instance, payer) == 1 && r->payer[0] && strcmp(payer, r->payer) != 0)
        return rpc_fail(call, "conflict", "instance %s: is paid from %s, and keeps its payer", r->instance, payer);
    if (!payer[0])
        snprintf(payer, sizeof(payer), "%s", r->payer);
    if (strncmp(payer, LEDGER_PURSE, strlen(LEDGER_PURSE)) == 0 &&
        purchase_order_get(control_self->ledger, payer + strlen(LEDGER_PURSE), &order) == LEDGER_OK &&
        !purchase_order_takes_launches(&order, clock_unix_ms()))
        return rpc_fail(call, "conflict", "purchase order %s: closed, or past its end: it takes no launches", order.id);
    return control_refuse(call, LEDGER_CONFLICT, r->instance);
}

static int insufficient(struct rpc_call *call, const struct ledger_registration *r, int64_t needed_nano,
                        int64_t available_nano)
{
    json_t *context = json_pack("{s:o, s:o}", "needed_nano", json_decimal(needed_nano), "available_nano",
                                json_decimal(available_nano));
    char payer[LEDGER_ACCOUNT_BYTES];

    snprintf(payer, sizeof(payer), "%s", r->payer[0] ? r->payer : r->account);
    ledger_payer(control_self->ledger, r->instance, payer);
    return rpc_fail_context(call, "insufficient_funds", context,
                            "account %s: a launch sets aside the money for %jd s: %jd nano, %jd are available: fund it",
                            payer, (intmax_t)control_self->hold_s, (intmax_t)needed_nano, (intmax_t)available_nano);
}

/* An operator's word beats money. */
static int barred(struct rpc_call *call, const struct cap_bar *bar)
{
    return rpc_fail(call, "forbidden", "%s: suspended by the operator of this host: ask them", bar->subject);
}

/* While its payer's money is gone, nothing more is started on it; what was registered before is only answered again. */
static bool has_money(const struct ledger_registration *r)
{
    char payer[LEDGER_ACCOUNT_BYTES];

    snprintf(payer, sizeof(payer), "%s", r->payer[0] ? r->payer : r->account);
    ledger_payer(control_self->ledger, r->instance, payer);
    return cap_allows(control_self, payer);
}

static int instance_register(struct rpc_call *call, json_t *args, json_t **result)
{
    struct ledger_registration r, before;
    const struct journal_entry *entry;
    const struct rate_book *book;
    const struct cap_bar *bar;
    bool known;
    struct json_why why;
    int64_t hold_nano, held_nano = 0, available_nano = 0;
    enum ledger_result rc;

    if (arg_registration(args, &r, &why))
        return control_bad(call, &why);
    if (arg_payer(call, args, &r))
        return -1;
    entry = journal_find(&control_self->journal, r.incarnation);
    if (entry && entry->started && strcmp(entry->last.account, RECORD_HOST_ACCOUNT) == 0)
        return rpc_fail(call, "conflict", "incarnation: ran unregistered and is recorded as the host's own");
    book = price_book_at(control_self->ledger, clock_unix_ms());
    if (!book)
        return control_failed(call);
    r.price_book = book->version;
    if (!ledger_account_exists(control_self->ledger, r.account))
        return control_refuse(call, LEDGER_NOT_FOUND, r.account);
    if (quote_hold(control_self, r.account, book, &r.reserved, &hold_nano))
        return rpc_fail(call, "bad_request", "vcpus, memory_mib: the hold would be too large");
    bar = cap_bar_find(&control_self->cap, r.account, r.instance);
    known = ledger_registration(control_self->ledger, r.incarnation, &before) == LEDGER_OK;
    if (!known && bar)
        return barred(call, bar);
    if (!known && !has_money(&r))
        return insufficient(call, &r, hold_nano, 0);
    rc = ledger_register(control_self->ledger, &r, hold_nano, clock_unix_ms(), &held_nano, &available_nano);
    if (rc == LEDGER_INSUFFICIENT)
        return insufficient(call, &r, hold_nano, available_nano);
    if (rc == LEDGER_CONFLICT)
        return registration_conflict(call, &r);
    if (!control_done(rc))
        return control_refuse(call, rc, rc == LEDGER_NOT_FOUND ? r.account : r.incarnation);
    *result = json_pack("{s:o}", "hold_nano", json_decimal(held_nano));
    return 0;
}

static int instance_close(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *instance;
    struct json_why why;
    enum ledger_result rc;

    if (control_arg_name(args, "instance_id", &instance, &why))
        return control_bad(call, &why);
    rc = ledger_instance_close(control_self->ledger, instance);
    if (!control_done(rc))
        return control_refuse(call, rc, instance);
    /* The final records may be waiting on the page: take them now, so that
     * the hold is back when the caller is told. */
    accountd_tick(control_self, 0, NULL);
    *result = json_object();
    return 0;
}

const struct rpc_verb control_instance_verbs[] = {
    { "instance_register", instance_register, RPC_PROVISIONER },
    { "instance_close", instance_close, RPC_PROVISIONER },
    { NULL, NULL, 0 },
};
