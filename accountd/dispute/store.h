/* Disputes in ledger.db: all of their SQL. */
#ifndef ACCOUNTD_DISPUTE_STORE_H
#define ACCOUNTD_DISPUTE_STORE_H

#include "accountd/ledger/ledger.h"

struct dispute_row {
    int64_t number;
    const char *dispute_id, *account, *invoice_id;
    int64_t line;                       /* 0: all of the invoice */
    const char *request;                /* canonical JSON of what was asked */
    int64_t opened_ms;
    const char *document, *minisig;
    const char *outcome, *end_reason, *operator_id, *credit_note_id;    /* NULL while it is open */
    int64_t ended_ms;
};
typedef int (*dispute_row_fn)(void *arg, const struct dispute_row *row);

/* OK with the callback's 0, NOT_FOUND, FAILED. account NULL: whoever's. */
enum ledger_result dispute_get(struct ledger *ledger, const char *account, const char *dispute_id, dispute_row_fn fn,
                               void *arg);
/* Numbers after `after`, oldest first, at most limit. */
int dispute_each(struct ledger *ledger, const char *account, int64_t after, int64_t limit, dispute_row_fn fn,
                 void *arg);
/* Whether an open dispute has this line, or all of the invoice, or this is all and it has a line. 1, 0, -1. */
int dispute_stands(struct ledger *ledger, const char *invoice_id, int64_t line);
int dispute_put_locked(struct ledger *ledger, const struct dispute_row *row);
int dispute_end_put_locked(struct ledger *ledger, const struct dispute_row *row);

#endif
