/* Verbs about a customer, for operators. */
#include "accountd/control/args.h"
#include "accountd/ledger/standing.h"

#include <stdio.h>

static int account_standing(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account;
    struct standing s;
    struct json_why why;
    enum ledger_result rc;

    if (json_arg_only(args, "account_id", &why) || control_arg_account(args, &account, &why))
        return control_bad(call, &why);
    rc = standing_read(control_self->ledger, account, &s);
    if (rc != LEDGER_OK)
        return control_refuse(call, rc, account);
    *result = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:I, s:I, s:I, s:I}", "account_id", account,
                        "funded_nano", json_decimal(s.funded_nano), "spent_nano", json_decimal(s.spent_nano),
                        "posted_nano", json_decimal(s.posted_nano), "held_nano", json_decimal(s.held_nano),
                        "uninvoiced_nano", json_decimal(s.uninvoiced_nano), "carried_nano", json_decimal(s.carried_nano),
                        "payments_taken_back", (json_int_t)s.payments_taken_back, "taken_back_nano",
                        json_decimal(s.taken_back_nano), "taken_unpaid_nano", json_decimal(s.taken_unpaid_nano),
                        "disputes", (json_int_t)s.disputes, "disputes_open", (json_int_t)s.disputes_open, "stops",
                        (json_int_t)s.stops, "last_stop_ms", (json_int_t)s.last_stop_ms);
    return 0;
}

/* "account_id" and perhaps "instance_id", which must not be known as another account's. */
static int arg_subject(struct rpc_call *call, const json_t *args, const char **account, const char **instance)
{
    struct json_why why;
    enum ledger_result rc;

    *instance = NULL;
    if (control_arg_account(args, account, &why) ||
        (json_has(args, "instance_id") && control_arg_name(args, "instance_id", instance, &why)))
        return control_bad(call, &why);
    if (!ledger_account_exists(control_self->ledger, *account))
        return control_refuse(call, LEDGER_NOT_FOUND, *account);
    rc = *instance ? ledger_instance_owner(control_self->ledger, *instance, *account) : LEDGER_OK;
    return rc == LEDGER_OK ? 0 : control_refuse(call, rc, *instance);
}

static int suspension_preview(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account, *instance;
    struct json_why why;

    if (json_arg_only(args, "account_id instance_id", &why))
        return control_bad(call, &why);
    if (arg_subject(call, args, &account, &instance))
        return -1;
    *result = cap_bar_preview(control_self, account, instance);
    return 0;
}

static int suspend(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account, *instance, *reason, *operator_id;
    struct cap_bar bar = { .at_ms = clock_unix_ms() };
    struct json_why why;
    enum ledger_result rc;

    if (json_arg_only(args, "account_id instance_id reason operator", &why) ||
        json_arg_string(args, "reason", CAP_REASON_BYTES - 1, &reason, &why) ||
        control_arg_name(args, "operator", &operator_id, &why))
        return control_bad(call, &why);
    if (arg_subject(call, args, &account, &instance))
        return -1;
    snprintf(bar.subject, sizeof(bar.subject), "%s", instance ? instance : account);
    snprintf(bar.account, sizeof(bar.account), "%s", account);
    snprintf(bar.operator_id, sizeof(bar.operator_id), "%s", operator_id);
    snprintf(bar.reason, sizeof(bar.reason), "%s", reason);
    rc = cap_bar_put(control_self, &bar);
    if (!control_done(rc))
        return control_refuse(call, rc, bar.subject);
    cap_watch(control_self);
    *result = json_pack("{s:o}", "suspension",
                        cap_bar_json(control_self, cap_bar_find(&control_self->cap, bar.subject, bar.subject)));
    return 0;
}

static int resume(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account, *instance;
    struct json_why why;
    enum ledger_result rc;

    if (json_arg_only(args, "account_id instance_id", &why))
        return control_bad(call, &why);
    if (arg_subject(call, args, &account, &instance))
        return -1;
    rc = cap_bar_drop(control_self, instance ? instance : account);
    if (rc == LEDGER_NOT_FOUND)
        return rpc_fail(call, "conflict", "%s: no operator has suspended it", instance ? instance : account);
    if (rc != LEDGER_OK)
        return control_failed(call);
    cap_watch(control_self);
    *result = json_object();
    return 0;
}

const struct rpc_verb control_customer_verbs[] = {
    { "account_standing", account_standing, RPC_API },
    { "suspension_preview", suspension_preview, RPC_API },
    { "suspend", suspend, RPC_API },
    { "resume", resume, RPC_API },
    { NULL, NULL, 0 },
};
