/* What an event changes. A payment's state follows from all its events, not
 * from their order: a refund that comes before its payment waits for it. */
#include "accountd/funding/payment.h"
#include "accountd/cap/alerts.h"
#include "accountd/funding/receipt.h"
#include "accountd/funding/store.h"
#include "accountd/ledger/db.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PROVIDER      "stripe"
#define NANO_PER_CENT 10000000
#define ALL_NANO      100000000000000000ll      /* more than any payment */

struct coming {
    struct ledger *ledger;
    const char *currency;
    const struct webhook_event *event;
    int64_t at_ms;
    char receipt_id[LEDGER_ID_BYTES];   /* the payment's */
    const char *outcome;
};

static bool account_is_ours(const struct coming *c)
{
    return c->event->account[0] && strcmp(c->event->account, RECORD_HOST_ACCOUNT) != 0 &&
           ledger_account_exists(c->ledger, c->event->account);
}

static int warn_of_currency(const struct coming *c)
{
    char key[300], detail[600];

    snprintf(key, sizeof(key), "card-currency %s", c->event->payment);
    snprintf(detail, sizeof(detail),
             "Payment %.255s is of %" PRIi64 ".%02d %s, and this host bills in %s. Nothing was credited:"
             " refund it at the provider.",
             c->event->payment, c->event->amount_minor / 100, (int)(c->event->amount_minor % 100), c->event->currency,
             c->currency);
    return alert_raise(c->ledger, key, "card_currency", NULL, "a card payment in a foreign currency", detail, c->at_ms);
}

/* The payment's first event. */
static enum ledger_result receive(struct coming *c)
{
    const struct webhook_event *e = c->event;
    bool foreign = strcmp(e->currency, c->currency) != 0, ours = !foreign && account_is_ours(c);
    struct receipt_move move = { c->receipt_id, "card", ours ? e->account : NULL, e->amount_minor * NANO_PER_CENT,
                                c->at_ms };
    char transfer[LEDGER_ID_BYTES];
    struct receipt_row row = { .id = c->receipt_id,
                              .source = "card",
                              .origin = e->payment,
                              .statement = "",
                              .servicer_ref = e->payment,
                              .twin = "",
                              .booked_on = "",
                              .nano = move.nano,
                              .currency = e->currency,
                              .payer = "",
                              .payer_iban = "",
                              .text = e->account,
                              .state = foreign ? "ignored"
                                       : ours  ? "credited"
                                               : "suspense",
                              .account = move.account,
                              .why = foreign ? "paid in a foreign currency"
                                     : ours  ? ""
                                             : "names no account of this host",
                              .at_ms = c->at_ms };

    c->outcome = row.state;
    if (foreign)
        return warn_of_currency(c) ? LEDGER_FAILED : store_receipt_put(c->ledger, &row);
    if (receipt_book_locked(c->ledger, &move, transfer) != LEDGER_OK)
        return LEDGER_FAILED;
    row.transfer_id = transfer;
    return store_receipt_put(c->ledger, &row);
}

/* Another event of the same payment may know what the first did not: whose it is. */
static enum ledger_result receive_again(struct coming *c, const struct receipt *receipt)
{
    char transfer[LEDGER_ID_BYTES];
    struct receipt_order order = { .transfer_id = ledger_derive_id(transfer, "receipt %s assigned", c->receipt_id),
                                   .receipt_id = c->receipt_id, .operator_id = PROVIDER, .reason = "card payment",
                                   .account = c->event->account, .at_ms = c->at_ms };

    c->outcome = "seen";
    if (strcmp(receipt->state, "suspense") != 0 || receipt->nano == receipt->taken_nano ||
        strcmp(c->event->currency, c->currency) != 0 || !account_is_ours(c))
        return LEDGER_OK;
    c->outcome = "credited";
    return receipt_end_locked(c->ledger, &order);
}

static enum ledger_result take(const struct coming *c, const char *from, const char *what, int64_t nano)
{
    char id[LEDGER_ID_BYTES], refers[64];
    struct ledger_transfer t = { .id = ledger_derive_id(id, "receipt %s taken %s %s", c->receipt_id, c->event->id, what),
                                .kind = "posted",
                                .debit = from,
                                .credit = LEDGER_DEPOSITS_CARD,
                                .amount_nano = nano,
                                .code = what,
                                .reason = "card payment taken back",
                                .refers = refers,
                                .at_ms = c->at_ms };

    snprintf(refers, sizeof(refers), "receipt %s", c->receipt_id);
    if (nano == 0)
        return LEDGER_OK;
    return ledger_apply_locked(c->ledger, &t) == LEDGER_OK ? LEDGER_OK : LEDGER_FAILED;
}

static int warn_of_loss(const struct coming *c, const char *account, int64_t carried_nano)
{
    char key[300], subject[160], detail[800];

    snprintf(key, sizeof(key), "card-carried %s", c->event->id);
    snprintf(subject, sizeof(subject), "%" PRIi64 ".%02d %s of a card payment were taken back and had been spent",
             carried_nano / 1000000000, (int)(carried_nano % 1000000000 / NANO_PER_CENT), c->currency);
    snprintf(detail, sizeof(detail),
             "Event %.255s (%.60s) of payment %.255s: the wallet of %s had not enough left, the host carries"
             " the rest. Ask the customer for it.",
             c->event->id, c->event->type, c->event->payment, account);
    return alert_raise(c->ledger, key, "card_carried", NULL, subject, detail, c->at_ms);
}

/* Takes so much back from where the payment's money is now. */
static enum ledger_result take_back(const struct coming *c, const struct receipt *receipt, int64_t nano)
{
    bool in_wallet = receipt->account[0];
    int64_t available = in_wallet ? ledger_available(c->ledger, receipt->account) : INT64_MAX, carried;

    if (available < 0)
        return LEDGER_FAILED;
    carried = nano > available ? nano - available : 0;
    if (take(c, in_wallet ? receipt->account : LEDGER_SUSPENSE, in_wallet ? "card" : "suspense", nano - carried) !=
            LEDGER_OK ||
        take(c, LEDGER_CARRIED, "carried", carried) != LEDGER_OK || receipt_tell_suspense(c->ledger, c->at_ms) ||
        (carried && warn_of_loss(c, receipt->account, carried)))
        return LEDGER_FAILED;
    return store_taking_put(c->ledger, c->receipt_id, c->event->id, nano, carried, c->at_ms);
}

/* Takes what the events so far make due, less what was taken. */
static enum ledger_result settle(struct coming *c)
{
    struct receipt receipt;
    int64_t refunded, disputed, due;

    if (store_receipt(c->ledger, c->receipt_id, &receipt) != 1 ||
        store_due(c->ledger, c->receipt_id, &refunded, &disputed) != 1)
        return LEDGER_FAILED;
    if (strcmp(receipt.state, "ignored") == 0 || strcmp(receipt.state, "returned") == 0)
        return LEDGER_OK;
    if (__builtin_add_overflow(refunded, disputed, &due) || due > receipt.nano)
        due = receipt.nano;
    return due > receipt.taken_nano ? take_back(c, &receipt, due - receipt.taken_nano) : LEDGER_OK;
}

static enum ledger_result apply_kind(struct coming *c, bool known, const struct receipt *receipt)
{
    switch (c->event->kind) {
    case WEBHOOK_PAID:
        return known ? receive_again(c, receipt) : receive(c);
    case WEBHOOK_REFUNDED:
    case WEBHOOK_DISPUTED:
        c->outcome = known ? "taken" : "early";
        return LEDGER_OK;
    default:
        c->outcome = "stored";
        return LEDGER_OK;
    }
}

/* What a refund or dispute takes. One in another currency than ours takes the whole payment: how much of
 * it that would be is not known. */
static int64_t claimed_nano(const struct coming *c)
{
    return strcmp(c->event->currency, c->currency) == 0 ? c->event->amount_minor * NANO_PER_CENT : ALL_NANO;
}

static enum ledger_result apply(struct coming *c, const char *body)
{
    const struct webhook_event *e = c->event;
    int64_t nano = claimed_nano(c);
    struct event_row row = { .provider = PROVIDER, .event_id = e->id, .type = e->type,
                             .receipt_id = e->kind == WEBHOOK_OTHER ? NULL : c->receipt_id,
                             .refunded_nano = e->kind == WEBHOOK_REFUNDED ? nano : 0, .dispute = e->dispute,
                             .disputed_nano = e->kind == WEBHOOK_DISPUTED ? nano : 0, .body = body, .at_ms = c->at_ms };
    struct receipt receipt;
    int known = store_receipt(c->ledger, c->receipt_id, &receipt);
    enum ledger_result result = known < 0 ? LEDGER_FAILED : apply_kind(c, known == 1, &receipt);

    if (result != LEDGER_OK)
        return LEDGER_FAILED;
    row.outcome = c->outcome;
    result = store_event_put(c->ledger, &row);
    if (result != LEDGER_OK || e->kind == WEBHOOK_OTHER || strcmp(c->outcome, "early") == 0)
        return result;
    return settle(c);
}

enum ledger_result payment_apply(struct ledger *ledger, const char *currency, const struct webhook_event *event,
                                 const char *body, int64_t at_ms, char outcome[static PAYMENT_OUTCOME_BYTES])
{
    struct coming c = { .ledger = ledger, .currency = currency, .event = event, .at_ms = at_ms };
    enum ledger_result result;
    int rc;

    ledger_derive_id(c.receipt_id, PROVIDER " payment %s", event->payment);
    if (ledger_begin(ledger))
        return LEDGER_FAILED;
    rc = store_event_outcome(ledger, PROVIDER, event->id, outcome);
    result = rc < 0 ? LEDGER_FAILED : rc ? LEDGER_EXISTS : apply(&c, body);
    result = ledger_finish(ledger, result);
    if (result == LEDGER_OK)
        snprintf(outcome, PAYMENT_OUTCOME_BYTES, "%s", c.outcome);
    return result;
}
