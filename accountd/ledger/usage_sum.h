/* What the ledger was given as usage of one log, for the host's books. */
#ifndef ACCOUNTD_LEDGER_USAGE_SUM_H
#define ACCOUNTD_LEDGER_USAGE_SUM_H

#include "accountd/ledger/ledger.h"

/* Of the transfers with after < seq <= upto; how many and their sum. -1 on failure. */
int usage_sum(struct ledger *ledger, const char *origin, int64_t after, int64_t upto, int64_t *count, int64_t *nano);

#endif
