/* Operator credit. */
#include "accountd/ledger/fund.h"

#include <stddef.h>

enum ledger_result ledger_fund(struct ledger *ledger, const char *id, const char *account, int64_t amount_nano,
                               const char *reason, int64_t at_ms)
{
    return ledger_apply(ledger, &(struct ledger_transfer){ .id = id, .kind = "posted", .debit = LEDGER_DEPOSITS_CREDIT,
                                                           .credit = account, .amount_nano = amount_nano,
                                                           .code = "fund", .reason = reason, .refers = "",
                                                           .at_ms = at_ms });
}
