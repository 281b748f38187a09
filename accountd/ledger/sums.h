/* What is charged and not invoiced yet, and what each month has come to: sums
 * kept in ledger.db by the transactions that charge, so that an invoice costs
 * its lines and not its records. All of it follows from the log: xs-verify and
 * the reconciliation compute it again from the records.
 *
 * Everything is of one log (origin): a log that was lost cannot prove what it
 * held, so nothing of it goes into an invoice of the next.
 */
#ifndef ACCOUNTD_LEDGER_SUMS_H
#define ACCOUNTD_LEDGER_SUMS_H

#include "accountd/ledger/ledger.h"
#include "accountd/statement.h"

/* An account's use since its last invoice. */
struct sums_open {
    int64_t from_idx;                   /* of its first record */
    char period[STATEMENT_PERIOD_BYTES];        /* the earliest */
    int64_t records, t0_ms, t1_ms;
    int64_t net_nano, tax_nano;         /* drawn so far */
    int64_t carried_nano;               /* of both, what the host paid */
    struct tax tax;                     /* decided with the first record */
};
/* OK, or NOT_FOUND: nothing was used since the last invoice. */
enum ledger_result sums_open(struct ledger *ledger, const char *account, const char *origin, struct sums_open *open);
int sums_open_put_locked(struct ledger *ledger, const char *account, const char *origin, const struct sums_open *open);

/* The quantity that was used of a meter since the period began; 0 if none. -1 on failure. */
int sums_quantity(struct ledger *ledger, const char *account, const char *origin, const char *period, int64_t version,
                  enum meter_quantity meter, unsigned __int128 *quantity);
/* Adds what one record had of one meter. */
int sums_add_locked(struct ledger *ledger, const char *origin, const struct record *record, const char *period,
                    enum meter_quantity meter, unsigned __int128 quantity, int64_t charged_nano);
/* That the record at idx was charged: its place in its chain, and where its period begins in the log. */
int sums_record_locked(struct ledger *ledger, const char *origin, const struct record *record, const char *period,
                       uint64_t idx);

/* Fills the statement (its books are set) with what is not invoiced. -1: a sum does not fit or the database failed. */
int sums_statement(struct ledger *ledger, const char *account, const char *origin, struct statement *statement);
/* [{incarnation, instance_id, first_number, last_number}] in the order of the log. NULL on failure. */
json_t *sums_chains(struct ledger *ledger, const char *account, const char *origin);
/* The account's first leaf in this period. -1 on failure. */
int64_t sums_period_start(struct ledger *ledger, const char *account, const char *origin, const char *period);
/* What is open now is invoiced. */
int sums_close_locked(struct ledger *ledger, const char *account, const char *origin);

/* One with use of another log than this, and whose: 1, 0 none, -1. */
int sums_any_lost(struct ledger *ledger, const char *origin, char account[static RECORD_NAME_BYTES],
                  char lost_origin[static 128]);

/* Accounts with use that is not invoiced, of a period before `period` (NULL: of any), at most limit, in order of id.
 * The callback must not write. */
typedef int (*sums_account_fn)(void *arg, const char *account);
int sums_each_open(struct ledger *ledger, const char *origin, const char *before_period, int limit, sums_account_fn fn,
                   void *arg);

#endif
