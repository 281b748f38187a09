/* Operator credit. */
#include "accountd/ledger/fund.h"

#include <stdio.h>

enum ledger_result ledger_fund(struct ledger *ledger, const char *id, const char *account, int64_t amount_nano,
                               const char *operator_id, const char *reason, int64_t at_ms)
{
    char refers[LEDGER_ACCOUNT_BYTES + 10] = "";

    if (operator_id)
        snprintf(refers, sizeof(refers), "operator %s", operator_id);
    return ledger_apply(ledger, &(struct ledger_transfer){ .id = id, .kind = "posted", .debit = LEDGER_DEPOSITS_CREDIT,
                                                           .credit = account, .amount_nano = amount_nano,
                                                           .code = "fund", .reason = reason, .refers = refers,
                                                           .at_ms = at_ms });
}
