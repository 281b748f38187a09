/* What becomes of money in suspense, from the bank or by card. */
#ifndef ACCOUNTD_FUNDING_RECEIPT_H
#define ACCOUNTD_FUNDING_RECEIPT_H

#include "accountd/ledger/ledger.h"

/* Raises the alert that money waits in suspense, or clears it when none does. 0 or -1. */
int receipt_tell_suspense(struct ledger *ledger, int64_t at_ms);

/* The transfer that books a receipt: ours has come, theirs is credited. */
struct receipt_move {
    const char *receipt_id, *source;    /* "bank" or "card" */
    const char *account;                /* NULL: to suspense */
    int64_t nano, at_ms;
};
/* `transfer_id` follows from the receipt. OK or FAILED. */
enum ledger_result receipt_book_locked(struct ledger *ledger, const struct receipt_move *move,
                                       char transfer_id[static LEDGER_ID_BYTES]);

struct receipt_order {
    const char *transfer_id, *receipt_id, *operator_id, *reason;
    const char *account;                /* NULL: returned to whom it came from */
    int64_t at_ms;
};
/* Out of suspense, once: what no refund has taken back meanwhile.
 * OK, EXISTS, EXISTS_DIFFERENT (the transfer's id), CONFLICT (not in suspense), NOT_FOUND (receipt or account), FAILED.
 */
enum ledger_result receipt_end_locked(struct ledger *ledger, const struct receipt_order *order);
/* The same as a transaction of its own. */
enum ledger_result receipt_end(struct ledger *ledger, const struct receipt_order *order);

#endif
