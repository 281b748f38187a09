/* Receipts in and out of suspense. */
#include "accountd/funding/receipt.h"
#include "accountd/cap/alerts.h"
#include "accountd/funding/store.h"
#include "accountd/ledger/db.h"

#include <stdio.h>
#include <string.h>

static const char *deposits(const char *source)
{
    return strcmp(source, "bank") == 0 ? LEDGER_DEPOSITS_BANK : LEDGER_DEPOSITS_CARD;
}

int receipt_tell_suspense(struct ledger *ledger, int64_t at_ms)
{
    struct ledger_account suspense;

    if (ledger_account_get(ledger, LEDGER_SUSPENSE, &suspense) != LEDGER_OK)
        return -1;
    if (suspense.balance.posted_nano == 0)
        return alert_clear(ledger, "suspense", at_ms);
    return alert_raise(
        ledger, "suspense", "suspense", NULL, "money has come and nobody knows for whom",
        "Payments that name no account wait in suspense: list the bank's entries in that state, then assign or"
        " return each.",
        at_ms);
}

enum ledger_result receipt_book_locked(struct ledger *ledger, const struct receipt_move *move,
                                       char transfer_id[static LEDGER_ID_BYTES])
{
    char refers[64];
    struct ledger_transfer t = { .id = ledger_derive_id(transfer_id, "receipt %s", move->receipt_id),
                                .kind = "posted",
                                .debit = deposits(move->source),
                                .credit = move->account ? move->account : LEDGER_SUSPENSE,
                                .amount_nano = move->nano,
                                .code = move->account ? move->source : "suspense",
                                .reason = strcmp(move->source, "bank") == 0 ? "bank transfer" : "card payment",
                                .refers = refers,
                                .at_ms = move->at_ms };

    snprintf(refers, sizeof(refers), "receipt %s", move->receipt_id);
    return ledger_apply_locked(ledger, &t) == LEDGER_OK && receipt_tell_suspense(ledger, move->at_ms) == 0
               ? LEDGER_OK
               : LEDGER_FAILED;
}

/* The same order came before, or the receipt is not to be ended. NOT_FOUND: neither. */
static enum ledger_result seen_before(const struct receipt *receipt, const struct receipt_order *order)
{
    if (receipt->end_transfer[0] && strcmp(receipt->end_transfer, order->transfer_id) == 0)
        return strcmp(receipt->account, order->account ? order->account : "") == 0 ? LEDGER_EXISTS
                                                                                   : LEDGER_EXISTS_DIFFERENT;
    if (strcmp(receipt->state, "suspense") != 0 || receipt->nano <= receipt->taken_nano)
        return LEDGER_CONFLICT;
    return LEDGER_NOT_FOUND;
}

static enum ledger_result end_in_suspense(struct ledger *ledger, const struct receipt_order *order,
                                          const struct receipt *receipt)
{
    char refers[64];
    struct ledger_transfer t = { .id = order->transfer_id, .kind = "posted", .debit = LEDGER_SUSPENSE,
                                 .credit = order->account ? order->account : deposits(receipt->source),
                                 .amount_nano = receipt->nano - receipt->taken_nano,
                                 .code = order->account ? receipt->source : "suspense", .reason = order->reason,
                                 .refers = refers, .at_ms = order->at_ms };
    enum ledger_result result;

    snprintf(refers, sizeof(refers), "receipt %s", order->receipt_id);
    result = ledger_apply_locked(ledger, &t);
    /* That transfer was made for something else: the receipt is still in suspense. */
    if (result == LEDGER_EXISTS)
        return LEDGER_EXISTS_DIFFERENT;
    if (result != LEDGER_OK)
        return result;
    if (receipt_tell_suspense(ledger, order->at_ms))
        return LEDGER_FAILED;
    return store_receipt_end(ledger, order->receipt_id, order->account ? "assigned" : "returned", order->account,
                             order->transfer_id, order->operator_id, order->reason, order->at_ms);
}

enum ledger_result receipt_end_locked(struct ledger *ledger, const struct receipt_order *order)
{
    struct receipt receipt;
    int rc = store_receipt(ledger, order->receipt_id, &receipt);
    enum ledger_result result;

    if (rc != 1)
        return rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
    result = seen_before(&receipt, order);
    return result == LEDGER_NOT_FOUND ? end_in_suspense(ledger, order, &receipt) : result;
}

enum ledger_result receipt_end(struct ledger *ledger, const struct receipt_order *order)
{
    if (ledger_begin(ledger))
        return LEDGER_FAILED;
    return ledger_finish(ledger, receipt_end_locked(ledger, order));
}
