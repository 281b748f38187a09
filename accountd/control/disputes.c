/* Verbs of disputes. */
#include "accountd/control/args.h"
#include "accountd/dispute/dispute.h"
#include "accountd/dispute/store.h"

#include <string.h>

#define LIST_MAX   200
#define REASON_MAX 2000
#define LINES_MAX  1000

static int fault(struct rpc_call *call, enum ledger_result rc, const char *id, const struct json_why *why)
{
    if (rc == LEDGER_CONFLICT || rc == LEDGER_EXISTS_DIFFERENT)
        return rpc_fail(call, "conflict", "%s", why->text);
    if (rc == LEDGER_NOT_FOUND)
        return control_refuse(call, rc, id);
    return rpc_fail(call, "internal", "%s: %s", id, why->text[0] ? why->text : "the database failed");
}

static int take_all(void *arg, const struct dispute_row *row)
{
    json_t **dispute = arg;

    *dispute = dispute_json(row, true);
    return *dispute ? 0 : -1;
}

static int show(struct rpc_call *call, const char *account, const char *dispute_id, json_t **result)
{
    json_t *dispute = NULL;
    enum ledger_result rc = dispute_get(control_self->ledger, account, dispute_id, take_all, &dispute);

    if (rc != LEDGER_OK)
        return control_refuse(call, rc, dispute_id);
    *result = json_pack("{s:o}", "dispute", dispute);
    return 0;
}

static int check_claim(const json_t *claim, struct json_why *why)
{
    const char *text;

    return json_arg_only(claim, "incarnation counter value", why) ||
                   json_arg_string(claim, "incarnation", RECORD_HEX_BYTES - 1, &text, why) ||
                   json_arg_string(claim, "counter", 32, &text, why) || json_arg_string(claim, "value", 40, &text, why)
               ? -1
               : 0;
}

static int open_dispute(struct rpc_call *call, json_t *args, json_t **result)
{
    struct evidence_request request = { .claim = json_object_get(args, "claim"), .opened_ms = clock_unix_ms() };
    struct json_why why = { "" };
    enum ledger_result rc;

    if (control_arg_name(args, "dispute_id", &request.dispute_id, &why) ||
        control_arg_account(args, &request.account, &why) ||
        control_arg_name(args, "invoice_id", &request.invoice_id, &why) ||
        (json_has(args, "line") && json_arg_int(args, "line", 1, 1000000, &request.line, &why)) ||
        json_arg_string(args, "reason", REASON_MAX, &request.reason, &why) ||
        (request.claim && check_claim(request.claim, &why)))
        return control_bad(call, &why);
    rc = dispute_open(control_self, &request, &why);
    if (!control_done(rc))
        return fault(call, rc, request.invoice_id, &why);
    return show(call, request.account, request.dispute_id, result);
}

static int list_dispute(void *arg, const struct dispute_row *row)
{
    struct control_list *l = arg;

    l->last = row->number;
    return json_array_append_new(l->list, dispute_json(row, false));
}

static int disputes(struct rpc_call *call, json_t *args, json_t **result)
{
    struct control_list l = { .last = 0 };
    const char *account = NULL;
    int64_t after, limit;
    struct json_why why;

    if ((json_has(args, "account_id") && control_arg_account(args, &account, &why)) ||
        control_arg_page(args, LIST_MAX, &after, &limit, &why))
        return control_bad(call, &why);
    l.list = json_array();
    return control_answer_list(call, dispute_each(control_self->ledger, account, after, limit, list_dispute, &l), &l,
                               "disputes", limit, result);
}

static int dispute(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account = NULL, *dispute_id;
    struct json_why why;

    if ((json_has(args, "account_id") && control_arg_account(args, &account, &why)) ||
        control_arg_name(args, "dispute_id", &dispute_id, &why))
        return control_bad(call, &why);
    return show(call, account, dispute_id, result);
}

static int resolve(struct rpc_call *call, json_t *args, json_t **result)
{
    struct dispute_resolution r = { .lines = json_object_get(args, "lines") };
    struct json_why why = { "" };
    enum ledger_result rc;

    if (control_arg_name(args, "dispute_id", &r.dispute_id, &why) ||
        control_arg_name(args, "operator", &r.operator_id, &why) ||
        json_arg_string(args, "outcome", 16, &r.outcome, &why) ||
        json_arg_string(args, "reason", REASON_MAX, &r.reason, &why))
        return control_bad(call, &why);
    if (strcmp(r.outcome, "accepted") != 0 && strcmp(r.outcome, "rejected") != 0)
        return rpc_fail(call, "bad_request", "outcome: must be accepted or rejected");
    if (r.lines && (!json_is_array(r.lines) || json_array_size(r.lines) > LINES_MAX))
        return rpc_fail(call, "bad_request", "lines: must be an array of at most %d", LINES_MAX);
    rc = dispute_resolve(control_self, &r, &why);
    if (!control_done(rc))
        return fault(call, rc, r.dispute_id, &why);
    return show(call, NULL, r.dispute_id, result);
}

const struct rpc_verb control_dispute_verbs[] = {
    { "dispute_open", open_dispute, RPC_API },
    { "disputes", disputes, RPC_API },
    { "dispute", dispute, RPC_API },
    { "dispute_resolve", resolve, RPC_API },
    { NULL, NULL, 0 },
};
