/* Money that arrived: by bank or card, a voucher, an operator's credit; what went to suspense, too, and again when it is
 * assigned. */
#ifndef ACCOUNTD_LEDGER_DEPOSITS_H
#define ACCOUNTD_LEDGER_DEPOSITS_H

#include "accountd/ledger/ledger.h"

#include <jansson.h>

/* Those with a larger number than `after`, at most `limit`, by number:
 * [{number, transfer_id, account_id, currency, amount_nano, code, at_ms}]; account_id null: in suspense. NULL: failed. */
json_t *deposits_list(struct ledger *ledger, int64_t after, int64_t limit);
/* The newest one's, 0 if there is none, -1. Numbers have gaps. */
int64_t deposits_newest(struct ledger *ledger);

#endif
