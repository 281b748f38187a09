/* Verbs of the cap: alerts, budgets, suspensions. */
#include "accountd/cap/alerts.h"
#include "accountd/cap/store.h"
#include "accountd/control/args.h"

#include <stdio.h>

#define ALERTS_MAX 1000
#define STEPS_MAX  (sizeof(((struct budget *)0)->steps) / sizeof(int64_t))
#define STEP_MAX   1000

static int alerts(struct rpc_call *call, json_t *args, json_t **result)
{
    int64_t after = 0, limit = ALERTS_MAX;
    const char *account = NULL;
    bool standing = false;
    struct json_why why;
    json_t *list, *next;

    if (json_arg_only(args, "account_id standing after limit", &why) ||
        (json_has(args, "account_id") && control_arg_account(args, &account, &why)) ||
        (json_has(args, "standing") && json_arg_bool(args, "standing", &standing, &why)) ||
        (json_has(args, "after") && json_arg_int(args, "after", 0, INT64_MAX, &after, &why)) ||
        (json_has(args, "limit") && json_arg_int(args, "limit", 1, ALERTS_MAX, &limit, &why)))
        return control_bad(call, &why);
    list = alert_list(control_self->ledger, account, standing, after, limit);
    if (!list)
        return control_failed(call);
    next = json_array_size(list) == (size_t)limit
        ? json_object_get(json_array_get(list, (size_t)limit - 1), "number") : json_null();
    *result = json_pack("{s:o, s:O}", "alerts", list, "next", next);
    return 0;
}

static int arg_steps(const json_t *args, struct budget *b, struct json_why *why)
{
    const json_t *list = json_object_get(args, "steps"), *step;
    int64_t before = 0;
    size_t n;

    snprintf(why->text, sizeof(why->text), "steps: 1 to %zu percents from 1 to %d, rising", STEPS_MAX, STEP_MAX);
    if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > STEPS_MAX)
        return -1;
    json_array_foreach(list, n, step) {
        int64_t percent = json_integer_value(step);

        if (!json_is_integer(step) || percent <= before || percent > STEP_MAX)
            return -1;
        b->steps[b->steps_count++] = before = percent;
    }
    return 0;
}

static int budget_set(struct rpc_call *call, json_t *args, json_t **result)
{
    struct budget b = { .steps_count = 0 };
    struct ledger_balance balance;
    char name[LEDGER_NAME_BYTES], currency[4];
    const char *id, *account;
    struct json_why why;
    enum ledger_result rc;

    if (json_arg_only(args, "budget_id account_id amount_nano steps", &why) ||
        control_arg_name(args, "budget_id", &id, &why) || control_arg_account(args, &account, &why) ||
        json_arg_decimal(args, "amount_nano", 0, LEDGER_AMOUNT_MAX, &b.amount_nano, &why) || arg_steps(args, &b, &why))
        return control_bad(call, &why);
    rc = ledger_account(control_self->ledger, account, &balance, name, currency);
    if (rc != LEDGER_OK)
        return control_refuse(call, rc, account);
    snprintf(b.id, sizeof(b.id), "%s", id);
    snprintf(b.account, sizeof(b.account), "%s", account);
    rc = budget_put(control_self->ledger, &b);
    if (rc == LEDGER_CONFLICT)
        return rpc_fail(call, "conflict", "budget_id: %s is another account's", id);
    if (rc == LEDGER_INSUFFICIENT)
        return rpc_fail_context(call, "quota_exceeded",
                                json_pack("{s:s, s:i, s:i}", "quota", "budgets_max", "limit", BUDGETS_MAX, "used",
                                          BUDGETS_MAX),
                                "budgets_max: the account has %d budgets already: delete one first", BUDGETS_MAX);
    if (rc != LEDGER_OK)
        return control_failed(call);
    budgets_forget(&control_self->cap);
    *result = json_object();
    return 0;
}

static int arg_account_or_all(const json_t *args, const char **account, struct json_why *why)
{
    *account = NULL;
    return json_arg_only(args, "account_id", why) ||
           (json_has(args, "account_id") && control_arg_account(args, account, why)) ? -1 : 0;
}

static int budgets(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account;
    struct json_why why;
    json_t *list;

    if (arg_account_or_all(args, &account, &why))
        return control_bad(call, &why);
    list = budgets_json(control_self, account);
    if (!list)
        return control_failed(call);
    *result = json_pack("{s:o}", "budgets", list);
    return 0;
}

static int suspensions(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account;
    struct json_why why;

    if (arg_account_or_all(args, &account, &why))
        return control_bad(call, &why);
    *result = json_pack("{s:o}", "suspensions", cap_suspensions(control_self, account));
    return 0;
}

static int cap(struct rpc_call *call, json_t *args, json_t **result)
{
    struct json_why why;

    if (json_arg_only(args, "", &why))
        return control_bad(call, &why);
    *result = cap_report(control_self);
    return *result ? 0 : control_failed(call);
}

const struct rpc_verb control_cap_verbs[] = {
    { "alerts", alerts, RPC_API | RPC_ROOT },
    { "budget_set", budget_set, RPC_API },
    { "budgets", budgets, RPC_API | RPC_ROOT },
    { "cap", cap, RPC_API | RPC_ROOT },
    { "suspensions", suspensions, RPC_API | RPC_ROOT },
    { NULL, NULL, 0 },
};
