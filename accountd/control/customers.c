/* Verbs about a customer, for operators. */
#include "accountd/control/args.h"
#include "accountd/ledger/standing.h"

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

const struct rpc_verb control_customer_verbs[] = {
    { "account_standing", account_standing, RPC_API },
    { NULL, NULL, 0 },
};
