/* Verbs of money: accounts, funding, the wallet. */
#include "accountd/control/args.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 128
#define ENTRIES_SHOWN  200

static int account_open(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account, *name, *currency;
    struct json_why why;
    struct rate_book book;
    enum ledger_result rc;
    char *body;

    if (control_arg_account(args, &account, &why) || json_arg_string(args, "name", NAME_MAX_BYTES, &name, &why) ||
        json_arg_string(args, "currency", 3, &currency, &why))
        return control_bad(call, &why);
    if (ledger_price_book(control_self->ledger, 0, &book, &body) != LEDGER_OK)
        return control_failed(call);
    free(body);
    if (strcmp(currency, book.currency) != 0)
        return rpc_fail(call, "bad_request", "currency: this host bills in %s", book.currency);
    rc = ledger_account_open(control_self->ledger, account, name, currency, clock_utc_ms());
    if (!control_done(rc))
        return control_refuse(call, rc, account);
    *result = json_pack("{s:s}", "account_id", account);
    return 0;
}

static json_t *balance_json(const struct ledger_balance *b)
{
    return json_pack("{s:o, s:o, s:o}", "posted_nano", json_decimal(b->posted_nano), "held_nano",
                     json_decimal(b->held_nano), "available_nano", json_decimal(b->posted_nano - b->held_nano));
}

static int fund(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *id, *account, *reason;
    struct ledger_balance balance;
    char name[129], currency[4];
    struct json_why why;
    enum ledger_result rc;
    int64_t amount_nano;

    if (control_arg_name(args, "transfer_id", &id, &why) || control_arg_account(args, &account, &why) ||
        json_arg_decimal(args, "amount_nano", 1, LEDGER_AMOUNT_MAX, &amount_nano, &why) ||
        json_arg_string(args, "reason", 256, &reason, &why))
        return control_bad(call, &why);
    rc = ledger_account(control_self->ledger, account, &balance, name, currency);
    if (rc != LEDGER_OK)
        return control_refuse(call, rc, account);
    rc = ledger_fund(control_self->ledger, id, account, amount_nano, reason, clock_utc_ms());
    if (!control_done(rc))
        return control_refuse(call, rc, id);
    if (ledger_account(control_self->ledger, account, &balance, name, currency) != LEDGER_OK)
        return control_failed(call);
    *result = balance_json(&balance);
    return 0;
}

static int wallet(struct rpc_call *call, json_t *args, json_t **result)
{
    struct ledger_balance balance;
    char name[129], currency[4];
    const char *account;
    struct json_why why;
    enum ledger_result rc;
    json_t *entries;

    if (control_arg_account(args, &account, &why))
        return control_bad(call, &why);
    rc = ledger_account(control_self->ledger, account, &balance, name, currency);
    if (rc != LEDGER_OK)
        return control_refuse(call, rc, account);
    entries = ledger_entries(control_self->ledger, account, ENTRIES_SHOWN);
    if (!entries)
        return control_failed(call);
    *result = balance_json(&balance);
    json_object_set_new(*result, "account_id", json_string(account));
    json_object_set_new(*result, "currency", json_string(currency));
    json_object_set_new(*result, "entries", entries);
    return 0;
}

const struct rpc_verb control_wallet_verbs[] = {
    { "account_open", account_open, RPC_API },
    { "fund", fund, RPC_API },
    { "wallet", wallet, RPC_API },
    { NULL, NULL, 0 },
};
