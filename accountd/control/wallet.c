/* Verbs of money: accounts, funding, the wallet. */
#include "accountd/control/args.h"
#include "accountd/funding/reference.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 128
#define ENTRIES_SHOWN  200

static int account_open(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account, *name, *currency;
    const struct rate_book *book = price_book_at(control_self->ledger, clock_unix_ms());
    struct json_why why;
    enum ledger_result rc;

    if (control_arg_account(args, &account, &why) || json_arg_string(args, "name", NAME_MAX_BYTES, &name, &why) ||
        json_arg_string(args, "currency", 3, &currency, &why))
        return control_bad(call, &why);
    if (!book)
        return control_failed(call);
    if (strcmp(currency, book->currency) != 0)
        return rpc_fail(call, "bad_request", "currency: this host bills in %s", book->currency);
    rc = ledger_account_open(control_self->ledger, account, name, currency, clock_unix_ms());
    if (!control_done(rc))
        return control_refuse(call, rc, account);
    *result = json_pack("{s:s}", "account_id", account);
    return 0;
}

json_t *control_balance_json(const struct ledger_balance *b)
{
    return json_pack("{s:o, s:o, s:o}", "posted_nano", json_decimal(b->posted_nano), "held_nano",
                     json_decimal(b->held_nano), "available_nano", json_decimal(b->posted_nano - b->held_nano));
}

static int fund(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *id, *account, *reason, *operator_id;
    struct ledger_balance balance;
    char name[129], currency[4];
    struct json_why why;
    enum ledger_result rc;
    int64_t amount_nano;

    if (control_arg_name(args, "transfer_id", &id, &why) || control_arg_account(args, &account, &why) ||
        json_arg_decimal(args, "amount_nano", 1, LEDGER_AMOUNT_MAX, &amount_nano, &why) ||
        json_arg_string(args, "reason", 256, &reason, &why) ||
        control_arg_name(args, "operator", &operator_id, &why))
        return control_bad(call, &why);
    rc = ledger_account(control_self->ledger, account, &balance, name, currency);
    if (rc != LEDGER_OK)
        return control_refuse(call, rc, account);
    rc = ledger_fund(control_self->ledger, id, account, amount_nano, operator_id, reason, clock_unix_ms());
    if (!control_done(rc))
        return control_refuse(call, rc, id);
    if (ledger_account(control_self->ledger, account, &balance, name, currency) != LEDGER_OK)
        return control_failed(call);
    *result = control_balance_json(&balance);
    return 0;
}

struct page {
    const char *account;
    json_t *entries;
    int room;                           /* for so many entries more */
    int64_t last, next;                 /* the last one's seq; 0, or `last` if there are more */
};

static int add_entry(void *arg, const struct ledger_transfer *t)
{
    struct page *page = arg;
    int64_t amount_nano = strcmp(t->credit, page->account) == 0 ? t->amount_nano : -t->amount_nano;

    if (page->room-- == 0) {
        page->next = page->last;
        return 0;
    }
    page->last = t->seq;
    return json_array_append_new(page->entries,
                                 json_pack("{s:s, s:I, s:o, s:s, s:s, s:s}", "transfer_id", t->id, "at_ms",
                                           (json_int_t)t->at_ms, "amount_nano", json_decimal(amount_nano), "code",
                                           t->code, "reason", t->reason, "refers", t->refers));
}

/* {entries, next}: the newest first. NULL on failure. */
static json_t *entries_json(const char *account, int64_t after, int64_t limit)
{
    struct ledger_walk walk = { .account = account, .moves = true, .newest_first = true, .after = after,
                                .limit = (int)limit + 1 };
    struct page page = { .account = account, .entries = json_array(), .room = (int)limit };

    if (ledger_each_transfer(control_self->ledger, &walk, add_entry, &page) == 0)
        return json_pack("{s:o, s:o}", "entries", page.entries, "next",
                         page.next ? json_integer((json_int_t)page.next) : json_null());
    json_decref(page.entries);
    return NULL;
}

static int wallet(struct rpc_call *call, json_t *args, json_t **result)
{
    char reference[REFERENCE_BYTES];
    struct ledger_account account;
    int64_t after, limit;
    const char *id;
    struct json_why why;
    enum ledger_result rc;
    json_t *entries;

    if (control_arg_account(args, &id, &why) || control_arg_page(args, ENTRIES_SHOWN, &after, &limit, &why))
        return control_bad(call, &why);
    rc = ledger_account_get(control_self->ledger, id, &account);
    if (rc != LEDGER_OK)
        return control_refuse(call, rc, id);
    entries = entries_json(id, after, limit);
    if (!entries)
        return control_failed(call);
    *result = control_balance_json(&account.balance);
    json_object_update(*result, entries);
    json_decref(entries);
    json_object_set_new(*result, "account_id", json_string(id));
    json_object_set_new(*result, "currency", json_string(account.currency));
    json_object_set_new(*result, "payment_reference", json_string(reference_of_account(id, reference)));
    cap_show(control_self, id, *result);
    return 0;
}

static int add_hold(void *arg, const struct ledger_hold *hold)
{
    bool purse = strncmp(hold->payer, LEDGER_PURSE, strlen(LEDGER_PURSE)) == 0;

    return json_array_append_new(arg, json_pack("{s:s, s:s, s:s?, s:o, s:I}", "hold_id", hold->id, "instance_id",
                                                hold->instance, "purchase_order_id",
                                                purse ? hold->payer + strlen(LEDGER_PURSE) : NULL, "amount_nano",
                                                json_decimal(hold->nano), "at_ms", (json_int_t)hold->at_ms));
}

static int holds(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account;
    struct json_why why;
    json_t *list;

    if (control_arg_account(args, &account, &why))
        return control_bad(call, &why);
    if (!ledger_account_exists(control_self->ledger, account))
        return control_refuse(call, LEDGER_NOT_FOUND, account);
    list = json_array();
    if (ledger_each_hold(control_self->ledger, account, add_hold, list)) {
        json_decref(list);
        return control_failed(call);
    }
    *result = json_pack("{s:o}", "holds", list);
    return 0;
}

const struct rpc_verb control_wallet_verbs[] = {
    { "account_open", account_open, RPC_API },
    { "fund", fund, RPC_API },
    { "wallet", wallet, RPC_API },
    { "holds", holds, RPC_API },
    { NULL, NULL, 0 },
};
