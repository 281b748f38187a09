/* Instances that customers pay for, and which incarnation of which domain is whose. */
#ifndef ACCOUNTD_LEDGER_REGISTRY_H
#define ACCOUNTD_LEDGER_REGISTRY_H

#include "accountd/ledger/ledger.h"
#include "accountd/record.h"

/* Registers an incarnation, taking or topping up the instance's hold to
 * hold_nano. INSUFFICIENT sets *available_nano to what the hold could be.
 * NOT_FOUND: the account or purchase order. CONFLICT: the instance is closed,
 * another account's or has another payer; or its purchase order takes no launches. */
struct ledger_registration {
    char account[RECORD_NAME_BYTES], instance[RECORD_NAME_BYTES];
    char incarnation[RECORD_HEX_BYTES], domain_uuid[RECORD_HEX_BYTES];
    struct meter_reserved reserved;
    int64_t price_book;
    char payer[LEDGER_ACCOUNT_BYTES];   /* the wallet or a purse. "" on registering: as before, at first the wallet */
    int64_t charged_nano;               /* read: so far, before tax; -1 not known. Never written */
};
enum ledger_result ledger_register(struct ledger *ledger, const struct ledger_registration *registration,
                                   int64_t hold_nano, int64_t at_ms, int64_t *held_nano, int64_t *available_nano);
/* OK or NOT_FOUND. */
enum ledger_result ledger_registration(struct ledger *ledger, const char *incarnation,
                                       struct ledger_registration *registration);
/* The account that pays for the instance: its hold and its charges go there. 1, 0 no such instance, -1. */
int ledger_payer(struct ledger *ledger, const char *instance, char payer[static LEDGER_ACCOUNT_BYTES]);
/* OK: it is this account's, or nobody has registered it yet; NOT_FOUND: it is another's; FAILED. */
enum ledger_result ledger_instance_owner(struct ledger *ledger, const char *instance, const char *account);
/* No incarnation may be registered any more. EXISTS if it was closed. */
enum ledger_result ledger_instance_close(struct ledger *ledger, const char *instance);
struct ledger_instance {
    char id[RECORD_NAME_BYTES], account[RECORD_NAME_BYTES];
    bool closed;
    int64_t number;                     /* among its account's: 1 for the oldest */
};
/* OK, NOT_FOUND: this account has none of that id, or FAILED. */
enum ledger_result ledger_instance_get(struct ledger *ledger, const char *account, const char *id,
                                       struct ledger_instance *instance);
/* Calls fn with each closed instance that still has a hold. */
typedef int (*ledger_instance_fn)(void *arg, const struct ledger_instance *instance);
int ledger_each_closed_with_hold(struct ledger *ledger, ledger_instance_fn fn, void *arg);
/* The newest first: those with a smaller number than `before`, 0 all. */
int ledger_each_instance(struct ledger *ledger, const char *account, int64_t before, int64_t limit,
                         ledger_instance_fn fn, void *arg);
int ledger_each_open_instance(struct ledger *ledger, const char *account, ledger_instance_fn fn, void *arg);
/* Incarnations registered for the instance. */
int ledger_each_registration(struct ledger *ledger, const char *instance,
                             int (*fn)(void *arg, const struct ledger_registration *registration), void *arg);

/* The newest charged leaf of a registered incarnation, malloc'd; 1, 0 none, -1. */
int ledger_last_leaf(struct ledger *ledger, const char *incarnation, char **leaf);
/* This leaf is, and was charged with so much before tax. */
int ledger_charged_locked(struct ledger *ledger, const char *incarnation, const char *leaf, int64_t nano);

#endif
