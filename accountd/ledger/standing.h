/* Where a customer stands: what came, what it was spent on, and what an operator should know before trusting more.
 * Of the wallet and all purses of the account together, exact: funded = spent + posted. */
#ifndef ACCOUNTD_LEDGER_STANDING_H
#define ACCOUNTD_LEDGER_STANDING_H

#include "accountd/ledger/ledger.h"

struct standing {
    int64_t funded_nano;                /* from outside and from the host's credit, less what went back there */
    int64_t spent_nano;                 /* use and tax, less credit notes and less what the host carried */
    int64_t posted_nano, held_nano;
    int64_t uninvoiced_nano;            /* charged, tax included, and on no invoice yet */
    int64_t carried_nano;               /* what the host paid for its use */
    int64_t payments_taken_back;        /* card payments that were refunded or disputed, in part at least */
    int64_t taken_back_nano;            /* of them; */
    int64_t taken_unpaid_nano;          /* of that, what was spent by then: the host's loss */
    int64_t disputes, disputes_open;
    int64_t stops, last_stop_ms;        /* times that the cap stopped it; 0: never */
};

/* OK, NOT_FOUND or FAILED. */
enum ledger_result standing_read(struct ledger *ledger, const char *account, struct standing *standing);

#endif
