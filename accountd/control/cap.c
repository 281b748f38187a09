/* Verbs of the cap: alerts, budgets, suspensions. */
#include "accountd/cap/alerts.h"
#include "accountd/control/args.h"

#define ALERTS_MAX 1000

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

const struct rpc_verb control_cap_verbs[] = {
    { "alerts", alerts, RPC_API | RPC_ROOT },
    { NULL, NULL, 0 },
};
