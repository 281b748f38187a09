/* The hold of an instance: money set aside before it runs, drawn on when its
 * payer has no other. */
#ifndef ACCOUNTD_LEDGER_HOLDS_H
#define ACCOUNTD_LEDGER_HOLDS_H

#include "accountd/ledger/ledger.h"
#include "accountd/record.h"

struct hold {
    char account[RECORD_NAME_BYTES], payer[LEDGER_ACCOUNT_BYTES];
    char id[LEDGER_ID_BYTES];           /* "" if none is in force */
    int64_t seq, nano;
    bool closed;
};

/* OK or NOT_FOUND: no such instance. */
enum ledger_result hold_read(struct ledger *ledger, const char *instance, struct hold *hold);
enum ledger_result hold_void_locked(struct ledger *ledger, const char *instance, struct hold *hold, int64_t at_ms);
/* nano 0: none is taken. */
enum ledger_result hold_take_locked(struct ledger *ledger, const char *instance, struct hold *hold, int64_t nano,
                                    int64_t at_ms);
struct ledger_hold {
    char id[LEDGER_ID_BYTES], instance[RECORD_NAME_BYTES], payer[LEDGER_ACCOUNT_BYTES];
    int64_t nano, at_ms;                /* at_ms: when it was taken */
};
/* The account's holds in force, by instance. 0, what fn gave, or -1. */
int ledger_each_hold(struct ledger *ledger, const char *account, int (*fn)(void *arg, const struct ledger_hold *hold),
                     void *arg);
enum ledger_result ledger_release_hold(struct ledger *ledger, const char *instance, int64_t at_ms);

/* Applies a transfer out of a customer's account. Where its free money does not
 * suffice, the hold of the instance is drawn on, then those of its payer's others (NULL: none
 * are), then the host carries the rest: *carried_nano is added to. */
enum ledger_result ledger_draw_locked(struct ledger *ledger, const char *instance, const struct ledger_transfer *t,
                                      int64_t *carried_nano);

#endif
