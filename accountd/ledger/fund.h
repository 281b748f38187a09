/* Money from outside into a wallet. */
#ifndef ACCOUNTD_LEDGER_FUND_H
#define ACCOUNTD_LEDGER_FUND_H

#include "accountd/ledger/ledger.h"

/* Credit that an operator gives; who it was is kept with the transfer. The results of ledger_apply. */
enum ledger_result ledger_fund(struct ledger *ledger, const char *id, const char *account, int64_t amount_nano,
                               const char *operator_id /* or NULL */, const char *reason, int64_t at_ms);

#endif
