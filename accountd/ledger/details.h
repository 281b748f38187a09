/* What customers say of themselves for their invoices. Each change is a new
 * row; the newest holds. */
#ifndef ACCOUNTD_LEDGER_DETAILS_H
#define ACCOUNTD_LEDGER_DETAILS_H

#include "accountd/ledger/ledger.h"
#include "common/json.h"

/* The party (party.h) of the account, a new reference: its name alone if it has said nothing. NULL on failure. */
json_t *ledger_details(struct ledger *ledger, const char *account);
/* EXISTS if it says so already. */
enum ledger_result ledger_details_put(struct ledger *ledger, const char *account, const json_t *party, int64_t at_ms);

#endif
