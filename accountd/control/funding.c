/* Verbs of money from outside: bank statements, the provider's events, vouchers. */
#include "accountd/control/args.h"
#include "accountd/funding/bank.h"
#include "accountd/funding/payment.h"
#include "accountd/funding/receipt.h"
#include "accountd/funding/store.h"
#include "common/clock.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define ENTRIES_MAX   500
#define BODY_MAX      (256 * 1024)
#define REASON_MAX    200
#define SIGNATURE_MAX 2048

/* A text that may hold line breaks, as files and bodies do. */
static int arg_text(const json_t *args, const char *key, size_t len_max, const char **out, size_t *len,
                    struct json_why *why)
{
    const json_t *value = json_object_get(args, key);

    *out = json_string_value(value);
    *len = *out ? json_string_length(value) : 0;
    if (*len > 0 && *len <= len_max)
        return 0;
    snprintf(why->text, sizeof(why->text), "%s: must be a text of 1 to %zu bytes", key, len_max);
    return -1;
}

static int import_parsed(struct rpc_call *call, const struct bank_order *order, const struct camt_file *file,
                         json_t **result)
{
    enum ledger_result rc = bank_import(control_self->ledger, order, file, result);

    return control_done(rc) ? 0 : control_refuse(call, rc, order->import_id);
}

static int bank_import_file(struct rpc_call *call, json_t *args, json_t **result)
{
    struct bank_order order = {
        .iban = json_text(control_self->seller.party, "iban"), .currency = LEDGER_CURRENCY, .at_ms = clock_unix_ms() };
    uint8_t hash[crypto_hash_sha256_BYTES];
    char sha256[2 * sizeof(hash) + 1];
    struct camt_file file;
    struct json_why why;
    const char *text;
    size_t len;
    int rc;

    if (json_arg_only(args, "import_id camt053 operator", &why) ||
        control_arg_name(args, "import_id", &order.import_id, &why) ||
        control_arg_name(args, "operator", &order.operator_id, &why) ||
        arg_text(args, "camt053", CAMT_BYTES_MAX, &text, &len, &why))
        return control_bad(call, &why);
    if (!order.iban[0])
        return rpc_fail(call, "conflict", "this host has no bank account: set \"iban\" in seller.json");
    if (camt_parse(text, len, &file, &why))
        return rpc_fail(call, "bad_request", "camt053: %s. Nothing of the file was booked", why.text);
    crypto_hash_sha256(hash, (const uint8_t *)text, len);
    order.sha256 = sodium_bin2hex(sha256, sizeof(sha256), hash, sizeof(hash));
    rc = import_parsed(call, &order, &file, result);
    camt_free(&file);
    return rc;
}

static int arg_state(const json_t *args, const char **state, struct json_why *why)
{
    static const char *const states[] = { "credited", "suspense", "ignored", "assigned", "returned" };

    if (json_arg_string(args, "state", 16, state, why))
        return -1;
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (strcmp(*state, states[i]) == 0)
            return 0;
    snprintf(why->text, sizeof(why->text), "state: credited, suspense, ignored, assigned or returned");
    return -1;
}

static int bank_entries(struct rpc_call *call, json_t *args, json_t **result)
{
    int64_t after, limit;
    const char *state = NULL;
    struct json_why why;
    json_t *list, *next;

    if (json_arg_only(args, "state after limit", &why) || (json_has(args, "state") && arg_state(args, &state, &why)) ||
        control_arg_page(args, ENTRIES_MAX, &after, &limit, &why))
        return control_bad(call, &why);
    list = store_receipts(control_self->ledger, state, after, limit);
    if (!list)
        return control_failed(call);
    next = json_array_size(list) == (size_t)limit
        ? json_object_get(json_array_get(list, (size_t)limit - 1), "number") : json_null();
    *result = json_pack("{s:o, s:O}", "entries", list, "next", next);
    return 0;
}

static int end_receipt(struct rpc_call *call, const struct receipt_order *order, json_t **result)
{
    enum ledger_result rc = receipt_end(control_self->ledger, order);

    if (rc == LEDGER_CONFLICT)
        return rpc_fail(call, "conflict", "%s: not in suspense (any more)", order->receipt_id);
    if (!control_done(rc))
        return control_refuse(call, rc, rc == LEDGER_NOT_FOUND ? order->receipt_id : order->transfer_id);
    *result = json_pack("{s:s, s:s}", "entry_id", order->receipt_id, "state", order->account ? "assigned" : "returned");
    return 0;
}

static int bank_assign(struct rpc_call *call, json_t *args, json_t **result)
{
    struct receipt_order order = { .reason = "matched by the operator", .at_ms = clock_unix_ms() };
    struct json_why why;

    if (json_arg_only(args, "transfer_id entry_id account_id operator", &why) ||
        control_arg_name(args, "transfer_id", &order.transfer_id, &why) ||
        control_arg_name(args, "entry_id", &order.receipt_id, &why) ||
        control_arg_account(args, &order.account, &why) || control_arg_name(args, "operator", &order.operator_id, &why))
        return control_bad(call, &why);
    if (!ledger_account_exists(control_self->ledger, order.account))
        return control_refuse(call, LEDGER_NOT_FOUND, order.account);
    return end_receipt(call, &order, result);
}

static int bank_return(struct rpc_call *call, json_t *args, json_t **result)
{
    struct receipt_order order = { .at_ms = clock_unix_ms() };
    struct json_why why;

    if (json_arg_only(args, "transfer_id entry_id operator reason", &why) ||
        control_arg_name(args, "transfer_id", &order.transfer_id, &why) ||
        control_arg_name(args, "entry_id", &order.receipt_id, &why) ||
        control_arg_name(args, "operator", &order.operator_id, &why) ||
        json_arg_string(args, "reason", REASON_MAX, &order.reason, &why))
        return control_bad(call, &why);
    return end_receipt(call, &order, result);
}

static int apply_event(struct rpc_call *call, const struct webhook_event *event, const char *body, json_t **result)
{
    char outcome[PAYMENT_OUTCOME_BYTES];
    enum ledger_result rc = payment_apply(control_self->ledger, LEDGER_CURRENCY, event, body, clock_unix_ms(), outcome);

    if (!control_done(rc))
        return control_failed(call);
    *result = json_pack("{s:s, s:b, s:s}", "event_id", event->id, "new", rc == LEDGER_OK, "outcome", outcome);
    return 0;
}

static int payment_event(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *provider, *signature, *body;
    struct webhook_event event;
    struct json_why why;
    size_t len;

    if (json_arg_only(args, "provider signature body", &why) ||
        json_arg_string(args, "provider", 16, &provider, &why) ||
        json_arg_string(args, "signature", SIGNATURE_MAX, &signature, &why) ||
        arg_text(args, "body", BODY_MAX, &body, &len, &why))
        return control_bad(call, &why);
    if (strcmp(provider, "stripe") != 0)
        return rpc_fail(call, "bad_request", "provider: must be \"stripe\"");
    if (control_self->funding.secrets.count == 0)
        return rpc_fail(call, "unavailable",
                        "no payment provider is set up: name its secrets by \"payments\" in accountd.conf");
    if (webhook_verify(signature, body, len, &control_self->funding.secrets, clock_unix_ms() / 1000, &why))
        return rpc_fail(call, "forbidden", "%s", why.text);
    if (webhook_parse(body, len, &event, &why))
        return rpc_fail(call, "bad_request", "body: %s", why.text);
    return apply_event(call, &event, body, result);
}

static int voucher_make(struct rpc_call *call, json_t *args, json_t **result)
{
    struct voucher_order order = { .at_ms = clock_unix_ms() };
    char code[VOUCHER_CODE_BYTES];
    struct json_why why;
    enum ledger_result rc;

    if (json_arg_only(args, "voucher_id amount_nano expires_ms operator", &why) ||
        control_arg_name(args, "voucher_id", &order.voucher_id, &why) ||
        json_arg_decimal(args, "amount_nano", 1, LEDGER_AMOUNT_MAX, &order.amount_nano, &why) ||
        (json_has(args, "expires_ms") && json_arg_int(args, "expires_ms", 1, INT64_MAX, &order.expires_ms, &why)) ||
        control_arg_name(args, "operator", &order.operator_id, &why))
        return control_bad(call, &why);
    rc = voucher_create(control_self->ledger, control_self->funding.voucher_key, &order, code);
    if (!control_done(rc))
        return control_refuse(call, rc, order.voucher_id);
    *result = json_pack("{s:s, s:s, s:o}", "voucher_id", order.voucher_id, "code", code, "amount_nano",
                        json_decimal(order.amount_nano));
    if (order.expires_ms)
        json_object_set_new(*result, "expires_ms", json_integer(order.expires_ms));
    return 0;
}

static int refuse_guess(struct rpc_call *call)
{
    return rpc_fail_context(call, "quota_exceeded", json_pack("{s:s, s:i, s:i}", "quota", "wrong_vouchers_per_minute",
                            "limit", VOUCHER_ATTEMPTS, "used", VOUCHER_ATTEMPTS),
                            "code: too many wrong ones, try again in a minute");
}

static int voucher_take(struct rpc_call *call, json_t *args, json_t **result)
{
    struct voucher_guard *guesses = &control_self->funding.guesses;
    const char *transfer, *account, *code;
    struct ledger_balance balance;
    char name[129], currency[4];
    struct json_why why;
    enum ledger_result rc;
    int64_t nano;

    if (json_arg_only(args, "transfer_id account_id code", &why) ||
        control_arg_name(args, "transfer_id", &transfer, &why) || control_arg_account(args, &account, &why) ||
        json_arg_string(args, "code", 64, &code, &why))
        return control_bad(call, &why);
    rc = ledger_account(control_self->ledger, account, &balance, name, currency);
    if (rc != LEDGER_OK)
        return control_refuse(call, rc, account);
    if (!voucher_may_try(guesses, account, clock_monotonic_ms()))
        return refuse_guess(call);
    rc = voucher_redeem(control_self->ledger, transfer, account, code, clock_unix_ms(), &nano);
    if (rc == LEDGER_NOT_FOUND) {
        voucher_was_wrong(guesses, account, clock_monotonic_ms());
        return rpc_fail(call, "not_found", "code: no voucher that can be redeemed");
    }
    if (rc == LEDGER_CONFLICT)
        return rpc_fail(call, "conflict", "code: this voucher was redeemed before");
    if (!control_done(rc))
        return control_refuse(call, rc, transfer);
    if (ledger_account(control_self->ledger, account, &balance, name, currency) != LEDGER_OK)
        return control_failed(call);
    *result = control_balance_json(&balance);
    json_object_set_new(*result, "amount_nano", json_decimal(nano));
    return 0;
}

const struct rpc_verb control_funding_verbs[] = {
    { "bank_import", bank_import_file, RPC_API | RPC_ROOT },
    { "bank_entries", bank_entries, RPC_API | RPC_ROOT },
    { "bank_assign", bank_assign, RPC_API | RPC_ROOT },
    { "bank_return", bank_return, RPC_API | RPC_ROOT },
    { "payment_event", payment_event, RPC_API },
    { "voucher_create", voucher_make, RPC_API },
    { "voucher_redeem", voucher_take, RPC_API },
    { NULL, NULL, 0 },
};
