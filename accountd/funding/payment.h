/* Card payments: the provider's events into the ledger. */
#ifndef ACCOUNTD_FUNDING_PAYMENT_H
#define ACCOUNTD_FUNDING_PAYMENT_H

#include "accountd/funding/webhook.h"
#include "accountd/ledger/ledger.h"

#define PAYMENT_OUTCOME_BYTES 32

/* Applies an event whose signature is right, in one transaction, in whatever
 * order the provider sends them.
 *
 * A payment (its intent) is credited once, by its first event: host:deposits:card -> wallet,
 * code card; to host:suspense if the event names no account of ours, and on from
 * there when a later event of the same payment does. In another currency it is kept as ignored, with an alert.
 * A refund or dispute takes back from where the money is now. A wallet gives what is free in it; the rest
 * is carried by the host (host:carried), with an alert. Never more is taken than was paid.
 *
 * OK; EXISTS: this event came before; FAILED. `outcome`, of the event's first coming: credited, suspense, ignored
 * (another currency), seen (the payment was known), taken, early (its payment has not come yet), stored (of no
 * consequence). */
enum ledger_result payment_apply(struct ledger *ledger, const char *currency, const struct webhook_event *event,
                                 const char *body, int64_t at_ms, char outcome[static PAYMENT_OUTCOME_BYTES]);

#endif
