/* Purchase orders: money of a customer set aside for a project. Each has a
 * purse, the account "po:" and its id, from which instances launched on it are paid; it
 * never runs below zero. What is left goes back to the wallet. */
#ifndef ACCOUNTD_LEDGER_PURCHASE_ORDERS_H
#define ACCOUNTD_LEDGER_PURCHASE_ORDERS_H

#include "accountd/ledger/ledger.h"
#include "accountd/record.h"

struct purchase_order {
    char id[RECORD_NAME_BYTES], account[RECORD_NAME_BYTES], name[LEDGER_NAME_BYTES];
    int64_t amount_nano;                /* as created */
    int64_t end_ms;                     /* 0: none */
    /* Read, never written: */
    int64_t created_ms, closed_ms;      /* closed_ms 0: open */
    int64_t number;                     /* among its account's: 1 for the oldest */
    int64_t funded_nano;                /* put in, less what went back: spent + held + free */
    int64_t held_nano, spent_nano, free_nano;
};

/* OK and EXISTS leave the money in the purse. INSUFFICIENT: *available_nano is what the wallet has. NOT_FOUND: the
 * account. CONFLICT: end_ms is not after at_ms. */
enum ledger_result purchase_order_create(struct ledger *ledger, const struct purchase_order *order, int64_t at_ms,
                                         int64_t *available_nano);
/* More money into it. NOT_FOUND: no such order of this account. CONFLICT: closed or ended. */
enum ledger_result purchase_order_add(struct ledger *ledger, const char *transfer_id, const char *id,
                                      const char *account, int64_t amount_nano, int64_t at_ms, int64_t *available_nano);
/* EXISTS: closed before. CONFLICT: instances are still paid from it. */
enum ledger_result purchase_order_close(struct ledger *ledger, const char *id, const char *account, int64_t at_ms);
/* Of the orders past their end: what is free goes back, and those that nothing is paid from are closed. To be called
 * again and again: holds become free later. 0 or -1. */
int purchase_order_expire(struct ledger *ledger, int64_t now_ms);

/* OK or NOT_FOUND. */
enum ledger_result purchase_order_get(struct ledger *ledger, const char *id, struct purchase_order *order);
/* NOT_FOUND if it is another account's, too: whose it is, is nobody else's to know. */
enum ledger_result purchase_order_own(struct ledger *ledger, const char *id, const char *account,
                                      struct purchase_order *order);
bool purchase_order_takes_launches(const struct purchase_order *order, int64_t now_ms);
/* The newest first: those with a smaller number than `before`, 0 all. 0, what fn gave, or -1. */
int purchase_order_each(struct ledger *ledger, const char *account, int64_t before, int64_t limit,
                        int (*fn)(void *arg, const struct purchase_order *order), void *arg);

#endif
