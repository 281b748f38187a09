/* The ledger as a journal that hledger reads (hledger.org, journal format):
 * `hledger check --strict accounts commodities ordereddates` passes, and
 * hledger's balances are ours.
 *
 * A customer's journal is the customer's side: the wallet and the purchase
 * orders are assets, what was used is expenses, and what a hold keeps is in
 * the sub-account `held`. The host's journal is the other side, where the
 * same money is a liability and its signs are turned round.
 *
 * What records drew (codes usage and tax) is one transaction a day for each pair of
 * accounts, after the day's others: a guest has hundreds of thousands of charges a month, which
 * the records themselves prove one by one. Every other entry is a transaction of its own.
 *
 * Dates are booking dates: they never run backwards, as the entries do where a clock was
 * set or a record came late; the entry's own day follows as the second date. */
#ifndef ACCOUNTD_LEDGER_HLEDGER_H
#define ACCOUNTD_LEDGER_HLEDGER_H

#include "accountd/ledger/ledger.h"

#include <stdio.h>

/* Entries up to to_seq (0: all) of the customer with its purchase orders, or,
 * with NULL, of everyone. The same arguments give the same bytes at any time, 0 apart. 0, or -1
 * after a failure of the ledger or of `out`. */
int hledger_write(struct ledger *ledger, const char *account, int64_t to_seq, FILE *out);
/* malloc'd; NULL on failure. */
char *hledger_journal(struct ledger *ledger, const char *account, int64_t to_seq);

#endif
