/* What accountd knows about money from outside beside its ledger. */
#ifndef ACCOUNTD_FUNDING_FUNDING_H
#define ACCOUNTD_FUNDING_FUNDING_H

#include "accountd/funding/voucher.h"
#include "accountd/funding/webhook.h"

struct funding {
    struct webhook_secrets secrets;     /* the payment provider's; none: no event is taken */
    uint8_t voucher_key[VOUCHER_KEY_BYTES];
    struct voucher_guard guesses;
};

#endif
