/* The cap's and the budgets' rows in ledger.db. Each call is one statement, durable when it
 * returns or with the transaction that the caller has open. 0, or -1 after logging. */
#ifndef ACCOUNTD_CAP_STORE_H
#define ACCOUNTD_CAP_STORE_H

#include "accountd/cap/cap.h"

int cap_payer_put(struct ledger *ledger, const struct cap_payer *payer);
int cap_payer_drop(struct ledger *ledger, const char *payer);
int cap_instance_put(struct ledger *ledger, const struct cap_instance *instance);
int cap_instance_drop(struct ledger *ledger, const char *instance);
int cap_each_payer(struct ledger *ledger, int (*fn)(void *arg, const struct cap_payer *payer), void *arg);
int cap_each_instance(struct ledger *ledger, int (*fn)(void *arg, const struct cap_instance *instance), void *arg);

int bar_put_locked(struct ledger *ledger, const struct cap_bar *bar);
int bar_drop_locked(struct ledger *ledger, const char *subject);
int bar_each(struct ledger *ledger, void (*fn)(struct cap *cap, const struct cap_bar *bar), struct cap *cap);

/* Rows changed through this connection, the only one that writes. */
int64_t cap_changes(struct ledger *ledger);
/* Reads money_nano and top_up_nano, and adds to charged_nano what was charged after seq. */
int cap_payer_read(struct ledger *ledger, struct cap_payer *payer);

/* One suspension, measured, with what each of its instances took to stop. */
int cap_event_put_locked(struct ledger *ledger, const struct cap_payer *payer, unsigned instances, int64_t stop_ms,
                         int64_t overshoot_nano);
int cap_stop_put_locked(struct ledger *ledger, const struct cap_instance *instance);
json_t *cap_events(struct ledger *ledger);

struct budget {
    char id[RECORD_NAME_BYTES], account[RECORD_NAME_BYTES];
    int64_t amount_nano;
    int64_t steps[8];                   /* percent, rising */
    unsigned steps_count;
};
#define BUDGETS_MAX 32                  /* of an account */
/* CONFLICT: another account's. INSUFFICIENT: the account has as many others. amount_nano 0 removes it. */
enum ledger_result budget_put(struct ledger *ledger, const struct budget *budget);
int budget_each(struct ledger *ledger, int (*fn)(void *arg, const struct budget *budget), void *arg);
/* What the account has spent from from_ms to to_ms in transfers after *seq, which moves on: added to *nano. */
int budget_spent(struct ledger *ledger, const char *account, int64_t from_ms, int64_t to_ms, int64_t *seq,
                 int64_t *nano);

#endif
