/* ledger.db: accounts, transfers, holds, registrations, price books, invoices.
 *
 * After TigerBeetle's model: a transfer has an id made from what it is for,
 * and applying it again answers EXISTS and does nothing; the same id with
 * other content is EXISTS_DIFFERENT. A customer's available money (posted less
 * held) never goes below zero; the database itself refuses it.
 *
 * Every function that changes something is one transaction, durable when it
 * returns, except those with `_locked`, which run between ledger_begin and
 * ledger_commit. Errors of the disk are LEDGER_FAILED and have been logged.
 */
#ifndef ACCOUNTD_LEDGER_H
#define ACCOUNTD_LEDGER_H

#include "accountd/rate.h"
#include "accountd/record.h"

#define LEDGER_AMOUNT_MAX 1000000000000000000ll     /* one transfer: a billion of the currency */
#define LEDGER_ID_BYTES   33

enum ledger_result {
    LEDGER_OK,
    LEDGER_EXISTS,                      /* the same was done before: nothing changed */
    LEDGER_EXISTS_DIFFERENT,
    LEDGER_INSUFFICIENT,
    LEDGER_CONFLICT,                    /* not in this state */
    LEDGER_NOT_FOUND,
    LEDGER_FAILED,
};

struct ledger;
struct ledger *ledger_open(const char *path);
void ledger_close(struct ledger *ledger);

int ledger_begin(struct ledger *ledger);
int ledger_commit(struct ledger *ledger);
void ledger_rollback(struct ledger *ledger);

struct ledger_balance {
    int64_t posted_nano, held_nano;
};

enum ledger_result ledger_account_open(struct ledger *ledger, const char *account, const char *name,
                                       const char *currency, int64_t at_ms);
/* Any of name and currency may be NULL. */
enum ledger_result ledger_account(struct ledger *ledger, const char *account, struct ledger_balance *balance,
                                  char name[static 129], char currency[static 4]);

/* kind: posted, pending, post, void. `id` etc. live with the caller. */
struct ledger_transfer {
    const char *id, *kind, *debit, *credit;
    int64_t amount_nano;
    const char *pending_id;             /* NULL unless post or void */
    const char *code, *reason, *refers;
    int64_t at_ms;                      /* not compared: a repetition comes later */
};
enum ledger_result ledger_apply_locked(struct ledger *ledger, const struct ledger_transfer *transfer);

/* Money from outside into a wallet. */
enum ledger_result ledger_fund(struct ledger *ledger, const char *id, const char *account, int64_t amount_nano,
                               const char *reason, int64_t at_ms);

/* Registers an incarnation, taking or topping up the instance's hold to
 * hold_nano. INSUFFICIENT sets *available_nano to what the hold could be. */
struct ledger_registration {
    char account[RECORD_NAME_BYTES], instance[RECORD_NAME_BYTES];
    char incarnation[RECORD_HEX_BYTES], domain_uuid[RECORD_HEX_BYTES];
    struct meter_reserved reserved;
    int64_t price_book;
};
enum ledger_result ledger_register(struct ledger *ledger, const struct ledger_registration *registration,
                                   int64_t hold_nano, int64_t at_ms, int64_t *held_nano, int64_t *available_nano);
/* OK or NOT_FOUND. */
enum ledger_result ledger_registration(struct ledger *ledger, const char *incarnation,
                                       struct ledger_registration *registration);
/* No incarnation may be registered any more. EXISTS if it was closed. */
enum ledger_result ledger_instance_close(struct ledger *ledger, const char *instance);
/* Calls fn with each closed instance that still has a hold. */
typedef int (*ledger_instance_fn)(void *arg, const char *instance, const char *account, bool closed);
int ledger_each_closed_with_hold(struct ledger *ledger, ledger_instance_fn fn, void *arg);
int ledger_each_instance(struct ledger *ledger, const char *account, const char *instance /* NULL: all */,
                         ledger_instance_fn fn, void *arg);
enum ledger_result ledger_release_hold(struct ledger *ledger, const char *instance, int64_t at_ms);
/* Incarnations registered for the instance. */
int ledger_each_registration(struct ledger *ledger, const char *instance,
                             int (*fn)(void *arg, const struct ledger_registration *registration), void *arg);

/* The newest charged leaf of a registered incarnation, malloc'd; 1, 0 none, -1. */
int ledger_last_leaf(struct ledger *ledger, const char *incarnation, char **leaf);
int ledger_last_leaf_put_locked(struct ledger *ledger, const char *incarnation, const char *leaf);

/* What was used, from the wallet to the host's revenue. Where the wallet's
 * free money does not suffice the instance's hold is drawn on, then the host
 * carries the rest: *carried_nano is added to. `key` makes the ids. */
enum ledger_result ledger_charge_locked(struct ledger *ledger, const struct record *record, enum meter_quantity meter,
                                        int64_t amount_nano, const char *key, const char *code, const char *refers,
                                        int64_t at_ms, int64_t *carried_nano);

/* The log's cursor and the copy of its head; 1, 0 none, -1. head_note is malloc'd. */
int ledger_log(struct ledger *ledger, const char *origin, uint64_t *charged_to, uint64_t *head_size, char **head_note);
int ledger_log_put_locked(struct ledger *ledger, const char *origin, uint64_t charged_to, uint64_t head_size,
                          const char *head_note);
/* The newest origin of this host, "HOST/usage/eN" with the largest N; 0 if none, -1. */
int ledger_log_epoch(struct ledger *ledger, const char *host);

/* Publishes the book; EXISTS_DIFFERENT if this version says something else. */
enum ledger_result ledger_price_book_publish(struct ledger *ledger, int64_t version, const char *body, int64_t at_ms);
/* version 0: the newest. *body malloc'd. */
enum ledger_result ledger_price_book(struct ledger *ledger, int64_t version, struct rate_book *book, char **body);
int ledger_each_price_book(struct ledger *ledger, int (*fn)(void *arg, const struct rate_book *book, const char *body),
                           void *arg);

struct ledger_invoice {
    int64_t number;
    const char *invoice_id, *account, *origin;
    uint64_t from_idx, to_idx;
    int64_t carried_nano;
    const char *body, *head_note;
};
int64_t ledger_invoice_next_number(struct ledger *ledger);
/* Where the account's next invoice in this log begins. -1 on failure. */
int64_t ledger_invoice_from(struct ledger *ledger, const char *account, const char *origin);
enum ledger_result ledger_invoice_put_locked(struct ledger *ledger, const struct ledger_invoice *invoice);
/* OK with the callback's 0, NOT_FOUND. account NULL: whoever's. */
typedef int (*ledger_invoice_fn)(void *arg, const struct ledger_invoice *invoice);
enum ledger_result ledger_invoice_get(struct ledger *ledger, const char *account, const char *invoice_id,
                                      ledger_invoice_fn fn, void *arg);
int ledger_each_invoice(struct ledger *ledger, const char *account /* NULL: all */, ledger_invoice_fn fn, void *arg);
/* What the host carried for the account and no invoice has shown yet. -1 on failure. */
int64_t ledger_carried(struct ledger *ledger, const char *account);

/* The newest entries of a wallet: [{transfer_id, at_ms, amount_nano, code, reason}]. NULL on failure. */
json_t *ledger_entries(struct ledger *ledger, const char *account, int limit);

#endif
