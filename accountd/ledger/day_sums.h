/* What each instance used of each meter on each day, and what that came to: kept by the transaction that charges, so
 * that a summary costs its rows and not its records. All of it follows from the log.
 */
#ifndef ACCOUNTD_LEDGER_DAY_SUMS_H
#define ACCOUNTD_LEDGER_DAY_SUMS_H

#include "accountd/ledger/ledger.h"
#include "accountd/record.h"

/* Adds what one record had of one meter; the day is the one in which it begins (UTC). -1 on failure. */
int day_sums_add_locked(struct ledger *ledger, const struct record *record, enum meter_quantity meter,
                        unsigned __int128 quantity, int64_t charged_nano);

/* What the instance was charged, all its days together; 0 if nothing. -1 on failure. */
int day_sums_charged(struct ledger *ledger, const char *account, const char *instance, int64_t *charged_nano);

struct day_sum {
    int64_t day_ms;                     /* its first millisecond */
    const char *instance;               /* lives during the call */
    enum meter_quantity meter;
    unsigned __int128 quantity;
    int64_t charged_nano;
};
/* The account's, of days that begin in from_ms <= day_ms < to_ms, by day. Stops at the first -1 of fn and gives it
 * back. */
typedef int (*day_sum_fn)(void *arg, const struct day_sum *sum);
int day_sums_each(struct ledger *ledger, const char *account, int64_t from_ms, int64_t to_ms, day_sum_fn fn, void *arg);

#endif
