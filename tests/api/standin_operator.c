/* accountd's verbs for operators: price books by two, vouchers, the bank, the ledger, what is watched. */
#include "common/log.h"
#include "tests/api/standin_inside.h"

#include <stdio.h>
#include <string.h>

static json_t *proposals; /* by version */

static json_t *proposal_new(json_int_t version, const char *operator, json_t * book)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:I, s:s, s:I, s:o}", "version", version, "currency", "EUR", "state",
                     "proposed", "operator", operator, "at_ms", (json_int_t)NOW_MS, "decided_by", "", "decided_ms",
                     (json_int_t)0, "book", book);
}

void operator_start(void)
{
    proposals = json_object();
    for (int version = 8; version <= 9; version++) {
        char key[8];

        snprintf(key, sizeof(key), "%d", version);
        json_object_set_new(
            proposals, key,
            proposal_new(version, "config",
                         json_pack("{s:i, s:s, s:[]}", "version", version, "currency", "EUR", "meters")));
    }
}

static json_t *proposal_of(const json_t *args)
{
    char key[24];

    snprintf(key, sizeof(key), "%lld", (long long)json_integer_value(json_object_get(args, "version")));
    return json_object_get(proposals, key);
}

int stand_propose(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *book = json_object_get(args, "body"), *there;
    json_int_t version = json_integer_value(json_object_get(book, "version"));
    char key[24];

    if (changing(&accountd, call))
        return -1;
    if (!json_is_integer(json_object_get(book, "version")) || version < 2)
        return rpc_fail(call, "bad_request", "version: must be a whole number above 1");
    there = proposal_of(book);
    if (there &&
        (!json_equal(json_object_get(there, "book"), book) || strcmp(text(there, "operator"), text(args, "operator"))))
        return rpc_fail(call, "conflict", "version %lld was proposed before", (long long)version);
    snprintf(key, sizeof(key), "%lld", (long long)version);
    if (!there)
        json_object_set_new(proposals, key, proposal_new(version, text(args, "operator"), json_incref(book)));
    return done(&accountd, call, "price_book_propose", !there, json_incref(proposal_of(book)), result);
}

static int decide(struct rpc_call *call, const json_t *args, const char *state, json_t **result)
{
    json_t *proposal = proposal_of(args);

    if (!proposal)
        return rpc_fail(call, "not_found", "no such proposal");
    json_object_set_new(proposal, "state", json_string(state));
    json_object_set(proposal, "decided_by", json_object_get(args, "operator"));
    json_object_set_new(proposal, "decided_ms", json_integer(NOW_MS));
    *result = json_incref(proposal);
    return 0;
}

int stand_approve(struct rpc_call *call, json_t *args, json_t **result)
{
    if (strcmp(text(proposal_of(args), "operator"), text(args, "operator")) == 0)
        return rpc_fail(call, "forbidden", "it was proposed by %s: another operator must publish it",
                        text(args, "operator"));
    return decide(call, args, "published", result);
}

int stand_withdraw(struct rpc_call *call, json_t *args, json_t **result)
{
    return decide(call, args, "withdrawn", result);
}

int stand_proposals(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *list = json_array(), *proposal;
    const char *key;

    (void)call, (void)args;
    json_object_foreach(proposals, key, proposal) json_array_append(list, proposal);
    *result = json_pack("{s:o}", "price_proposals", list);
    return 0;
}

int stand_diff(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call;
    *result = json_pack("{s:O, s:O, s:[{s:s, s:s, s:s, s:s}]}", "from", json_object_get(args, "from"), "to",
                        json_object_get(args, "to"), "meters", "meter", "vcpu_reserved", "unit", "vCPU s", "was",
                        "7000/3 nano", "is", "8000/3 nano");
    return 0;
}

int stand_replay(struct rpc_call *call, json_t *args, json_t **result)
{
    if (!json_object_get(accounts, text(args, "account_id")))
        return rpc_fail(call, "not_found", "no account");
    *result = json_pack("{s:[], s:s, s:s}", "lines", "total_nano", "2000000000", "billed_nano", "1000000000");
    return 0;
}

int stand_voucher_create(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *id = text(args, "voucher_id");
    int known;

    if (changing(&accountd, call) || (known = seen(call, id, args)) < 0)
        return -1;
    return done(&accountd, call, "voucher_create", !known,
                json_pack("{s:s, s:s, s:s}", "voucher_id", id, "code", "XSV-SECR-ETCO-DEOF-TEST", "amount_nano",
                          text(args, "amount_nano")),
                result);
}

/* the bank */

int stand_bank_import(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *id = text(args, "import_id");
    int known;

    if (changing(&accountd, call))
        return -1;
    if (!strstr(text(args, "camt053"), "<Document"))
        return rpc_fail(call, "bad_request", "camt053: line 1: no Document. Nothing of the file was booked");
    known = seen(call, id, args);
    if (known < 0)
        return -1;
    return done(&accountd, call, "bank_import", !known,
                json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:s, s:s, s:[{s:i, s:s, s:s, s:s}]}", "import_id", id,
                          "entries", 2, "credited", 1, "suspense", 1, "ignored", 0, "duplicates", 0, "credited_nano",
                          "5000000000", "suspense_nano", "7000000000", "listed", "line", 7, "entry_id", "e1", "state",
                          "credited", "amount_nano", "5000000000"),
                result);
}

int stand_bank_entries(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *state = *text(args, "state") ? text(args, "state") : "suspense";

    (void)call;
    *result =
        json_pack("{s:[{s:i, s:s, s:s, s:I, s:s, s:s}], s:n}", "entries", "number", 1, "entry_id", "e2", "amount_nano",
                  "7000000000", "at_ms", (json_int_t)NOW_MS, "state", state, "payer", "Somebody", "next");
    return 0;
}

static int entry_end(struct rpc_call *call, json_t *args, const char *verb, const char *state, json_t **result)
{
    int known;

    if (changing(&accountd, call))
        return -1;
    if (strcmp(text(args, "entry_id"), "e2") != 0)
        return rpc_fail(call, "not_found", "no entry %s", text(args, "entry_id"));
    known = seen(call, text(args, "transfer_id"), args);
    if (known < 0)
        return -1;
    return done(&accountd, call, verb, !known, json_pack("{s:s, s:s}", "entry_id", "e2", "state", state), result);
}

int stand_bank_assign(struct rpc_call *call, json_t *args, json_t **result)
{
    return entry_end(call, args, "bank_assign", "assigned", result);
}

int stand_bank_return(struct rpc_call *call, json_t *args, json_t **result)
{
    return entry_end(call, args, "bank_return", "returned", result);
}

int stand_payment_event(struct rpc_call *call, json_t *args, json_t **result)
{
    if (strcmp(text(args, "signature"), "t=1,v1=good") != 0)
        return rpc_fail(call, "forbidden", "no signature fits");
    *result = json_pack("{s:s, s:b, s:s}", "event_id", "evt_1", "new", 1, "outcome", "credited");
    return 0;
}

/* the ledger */

int stand_trial_balance(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call, (void)args;
    *result = json_pack("{s:[{s:s, s:s, s:s, s:s}], s:s, s:s, s:i, s:b, s:n}", "accounts", "account", "customers",
                        "kind", "liability", "debit_nano", "1000000000", "credit_nano", "11000000000", "debit_nano",
                        "11000000000", "credit_nano", "11000000000", "last_seq", 4, "sound", 1, "differs");
    return 0;
}

int stand_transfers(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *list = json_array();

    (void)call;
    for (int i = 1; i <= 3; i++)
        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:s, s:O, s:s, s:s, s:n, s:I}", "seq", i, "transfer_id",
                                              "t", "kind", "posted", "debit", "host:deposits:credit", "credit",
                                              json_object_get(args, "account"), "amount_nano", "1000000000", "code",
                                              "credit", "reason", "at_ms", (json_int_t)NOW_MS));
    *result = page_of(list, args, "transfers");
    json_decref(list);
    return 0;
}

int stand_journal(struct rpc_call *call, json_t *args, json_t **result)
{
    char path[4200];
    FILE *file;

    (void)call;
    snprintf(path, sizeof(path), "%s/ledger.journal", base);
    file = fopen(path, "we");
    if (!file || fprintf(file, "account %s\n", *text(args, "account_id") ? text(args, "account_id") : "host") < 0 ||
        fclose(file) != 0)
        fatal("%s", path);
    *result = json_pack("{s:s}", "path", path);
    return 0;
}

/* what is watched */

int stand_host_books(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call, (void)args;
    *result = json_pack("{s:[{s:I, s:I, s:I, s:s, s:s, s:s}], s:n}", "host_books", "index", (json_int_t)31, "from_ms",
                        (json_int_t)NOW_MS, "to_ms", (json_int_t)(NOW_MS + 3600000), "customers_ns", "633077000", "skew_ns",
                        "20682", "drift", "cpu 1", "next");
    return 0;
}

int stand_suspensions(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call, (void)args;
    *result = json_pack("{s:[{s:s, s:s, s:s, s:I, s:s, s:i, s:[]}]}", "suspensions", "payer", "po:po_1", "account_id",
                        "acc_1", "state", "suspended", "since_ms", (json_int_t)NOW_MS, "next", "stop", "next_in_ms",
                        5000, "instances");
    return 0;
}

int stand_preview(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call;
    *result = json_pack("{s:[{s:s, s:b}], s:s, s:s, s:s}", "instances", "instance_id", text(args, "instance_id"), "paused", 0,
                        "currency", "EUR", "burn_nano_per_hour", "4000000", "uncharged_nano", "1000");
    return 0;
}

int stand_suspend(struct rpc_call *call, json_t *args, json_t **result)
{
    if (changing(&accountd, call))
        return -1;
    return done(&accountd, call, "suspend", true,
                json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:I, s:n, s:n, s:[]}}", "suspension", "account_id",
                          text(args, "account_id"), "state", "suspended", "by", "operator", "operator",
                          text(args, "operator"), "reason", text(args, "reason"), "since_ms", (json_int_t)NOW_MS, "next",
                          "next_in_ms", "instances"),
                result);
}

int stand_resume(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)args;
    if (changing(&accountd, call))
        return -1;
    return done(&accountd, call, "resume", true, json_object(), result);
}

int stand_domains(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call, (void)args;
    *result = json_pack("{s:[{s:i, s:i, s:s, s:i, s:i, s:s, s:s, s:s, s:s}], s:s, s:I, s:i, s:s}", "domains", "slot", 2,
                        "domid", 1, "state", "live", "vcpus_running", 1, "pages", 32768, "guest_ns", "5", "hv_ns", "2",
                        "wait_ns", "1", "account_id", "acc_1", "sampled_ns", "9", "as_of_ms", (json_int_t)NOW_MS,
                        "clock_error_ms", 3, "checkpoint", "host.example/usage/e1\n3\nAAAA\n");
    return 0;
}

int stand_standing(struct rpc_call *call, json_t *args, json_t **result)
{
    if (!json_object_get(accounts, text(args, "account_id")))
        return rpc_fail(call, "not_found", "no account");
    *result = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:i, s:i, s:i, s:I}", "account_id",
                        text(args, "account_id"), "funded_nano", "9000000000", "spent_nano", "2000000000", "posted_nano",
                        "7000000000", "held_nano", "0", "uninvoiced_nano", "500000000", "carried_nano", "1500000",
                        "payments_taken_back", 1, "taken_back_nano", "3000000000", "taken_unpaid_nano", "0", "disputes",
                        2, "disputes_open", 1, "stops", 4, "last_stop_ms", (json_int_t)NOW_MS);
    return 0;
}

int stand_cap(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call, (void)args;
    *result = json_pack("{s:s, s:i, s:s, s:i, s:i}", "currency", "EUR", "loop_ms", 1000, "overshoot_max_nano", "1500000", "stops", 50, "p99_ms",
                        2100);
    return 0;
}
