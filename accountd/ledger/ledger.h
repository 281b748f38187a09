/* The verbs of the ledger: accounts and transfers. What else lives in ledger.db
 * (registrations, holds of instances, purchase orders, price books, invoices,
 * ...) has headers of its own beside this one and moves money by these verbs
 * alone. The driver is linked behind them: ledger_sqlite.c;
 * tests/accountd/ledger-conformance.c holds a driver to this header.
 *
 * After TigerBeetle's model: a transfer has an id made from what it is for,
 * and applying it again answers EXISTS and does nothing; the same id with
 * other content is EXISTS_DIFFERENT. What an account has available (posted
 * less held) never goes below zero unless it is marked as allowed to. Entries
 * are only ever added: a correction is a new entry.
 *
 * Amounts are 10^-9 of the currency, of which a ledger has one, and balances
 * stay within int64. Times are Unix milliseconds, given by the caller. Every
 * function that changes something is one transaction, durable when it
 * returns, except those with `_locked`, which run between ledger_begin and
 * ledger_commit: key and effect together. One thread, one open ledger a file.
 */
#ifndef ACCOUNTD_LEDGER_H
#define ACCOUNTD_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_AMOUNT_MAX    1000000000000000000ll  /* one transfer: a billion of the currency */
#define LEDGER_ID_BYTES      33                     /* of a derived transfer id; callers' own may be longer */
#define LEDGER_ACCOUNT_BYTES 80                     /* of any id: an account's, a transfer's */
#define LEDGER_NAME_BYTES    129
#define LEDGER_CURRENCY      "EUR"

/* The host's own accounts; chart.h says what they are in its books. */
#define LEDGER_DEPOSITS_BANK   "host:deposits:bank"
#define LEDGER_DEPOSITS_CARD   "host:deposits:card"
#define LEDGER_DEPOSITS_CREDIT "host:deposits:credit"   /* vouchers, an operator's credit */
#define LEDGER_SUSPENSE        "host:suspense"      /* received, and not known for whom */
#define LEDGER_CARRIED         "host:carried"       /* what the host paid for customers */
#define LEDGER_HOLDS           "host:holds"
#define LEDGER_ROUNDING        "host:rounding"
#define LEDGER_REFUNDS         "host:refunds"
#define LEDGER_REVENUE         "revenue:"           /* and the meter's name */
#define LEDGER_TAX             "tax:"               /* and the country, ISO 3166-1 alpha-2 */
#define LEDGER_PURSE           "po:"                /* and the purchase order's id */

enum ledger_result {
    LEDGER_OK,
    LEDGER_EXISTS,                      /* the same was done before: nothing changed */
    LEDGER_EXISTS_DIFFERENT,            /* the id was used for something else */
    LEDGER_INSUFFICIENT,
    LEDGER_CONFLICT,                    /* not in this state, or it can never be */
    LEDGER_NOT_FOUND,
    LEDGER_FAILED,                      /* unknown, it may be durable or not: logged; retry with the same id */
};

struct ledger;
/* Opens or creates the file and opens the host's own accounts. NULL after
 * logging: not writable, damaged, or its balances are not the sums of its entries. */
struct ledger *ledger_open(const char *path);
/* NULL is accepted. */
void ledger_close(struct ledger *ledger);

/* 0 or -1. After a commit that failed the batch is rolled back. */
int ledger_begin(struct ledger *ledger);
int ledger_commit(struct ledger *ledger);
void ledger_rollback(struct ledger *ledger);
/* Commits an OK, rolls back anything else; the result. */
enum ledger_result ledger_finish(struct ledger *ledger, enum ledger_result result);

struct ledger_balance {
    int64_t posted_nano, held_nano;     /* credits less debits; pending debits that have not ended */
};

struct ledger_account {
    char id[LEDGER_ACCOUNT_BYTES];      /* a customer's has no colon */
    char owner[LEDGER_ACCOUNT_BYTES];   /* the customer whose purse it is, or "" */
    char name[LEDGER_NAME_BYTES], currency[4];
    bool overdraft;                     /* may run below zero: the host's own */
    struct ledger_balance balance;      /* read, never written */
};
/* CONFLICT: another currency. EXISTS_DIFFERENT: the id is there and anything
 * but its balance differs. NOT_FOUND: there is no such owner. */
enum ledger_result ledger_account_put_locked(struct ledger *ledger, const struct ledger_account *account,
                                             int64_t at_ms);
/* A customer's wallet, in a transaction of its own. */
enum ledger_result ledger_account_open(struct ledger *ledger, const char *account, const char *name,
                                       const char *currency, int64_t at_ms);
/* OK or NOT_FOUND. */
enum ledger_result ledger_account_get(struct ledger *ledger, const char *account, struct ledger_account *out);
enum ledger_result ledger_account(struct ledger *ledger, const char *account, struct ledger_balance *balance,
                                  char name[static LEDGER_NAME_BYTES], char currency[static 4]);
bool ledger_account_exists(struct ledger *ledger, const char *account);
/* Posted less held; INT64_MAX for an account that may run below zero; -1: not there, or a failure. */
int64_t ledger_available(struct ledger *ledger, const char *account);
/* By id, from the first after `after` ("": from the start), at most `limit`
 * (-1: all). `owner`: NULL for all, or a customer: the wallet and its purses.
 * 0, what fn gave, or -1. */
typedef int (*ledger_account_fn)(void *arg, const struct ledger_account *account);
int ledger_each_account(struct ledger *ledger, const char *owner, const char *after, int limit, ledger_account_fn fn,
                        void *arg);

/* kind: "posted" moves money at once. "pending" holds it: it is the debit
 * account's still, but not available. "post" ends a hold and moves all or part
 * of it, the rest is available again; "void" ends it and moves nothing, its
 * amount is the hold's. Both name the hold's own accounts. */
struct ledger_transfer {
    const char *id, *kind, *debit, *credit;
    int64_t amount_nano;                /* 1 to LEDGER_AMOUNT_MAX */
    const char *pending_id;             /* the hold that a post or void ends, else NULL */
    const char *code, *reason, *refers; /* what it is; for people; what it is about. May be "" */
    int64_t at_ms;                      /* not compared: a repetition comes later */
    int64_t expires_ms;                 /* of a pending: from then on it cannot be posted. 0: never */
    int64_t seq;                        /* order of application, from 1 upwards; read, never written */
};
/* In this order: EXISTS and EXISTS_DIFFERENT. CONFLICT: it could never be (amount,
 * kind, an id too long, debit = credit). NOT_FOUND: an account or the hold is
 * not there; accounts that the chart knows by their prefix (revenue:, tax:)
 * are opened by their first transfer. CONFLICT: the hold has ended, had
 * expired by at_ms, is less, or of other accounts. INSUFFICIENT: the debit
 * account has not that much available. CONFLICT: a balance would leave int64.
 * No transfer is written unless OK. */
enum ledger_result ledger_apply_locked(struct ledger *ledger, const struct ledger_transfer *transfer);
/* In a transaction of its own. */
enum ledger_result ledger_apply(struct ledger *ledger, const struct ledger_transfer *transfer);
/* NOT_FOUND, EXISTS or EXISTS_DIFFERENT: is the transfer of this id this one? */
enum ledger_result ledger_compare(struct ledger *ledger, const struct ledger_transfer *transfer);
/* Voids what is to expire by now_ms, each once and in its own name. How many, or -1. */
int ledger_expire(struct ledger *ledger, int64_t now_ms);
/* An id from what the transfer is for: 128 bits of a hash, so that two
 * purposes never share one. */
char *ledger_derive_id(char id[static LEDGER_ID_BYTES], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The callback's strings live until it returns. */
typedef int (*ledger_transfer_fn)(void *arg, const struct ledger_transfer *transfer);
/* OK with the callback's 0, NOT_FOUND, or FAILED. */
enum ledger_result ledger_transfer_get(struct ledger *ledger, const char *id, ledger_transfer_fn fn, void *arg);

struct ledger_walk {
    const char *account;                /* NULL: all */
    bool purses;                        /* and those it owns */
    bool moves;                         /* only what moved money: posted and post */
    bool newest_first;
    int64_t after;                      /* the seq where the last page ended; 0: from the beginning */
    int64_t upto;                       /* no seq above it; 0: all */
    int limit;                          /* -1: none */
};
/* 0, what fn gave, or -1. */
int ledger_each_transfer(struct ledger *ledger, const struct ledger_walk *walk, ledger_transfer_fn fn, void *arg);
/* Of the newest transfer, 0 if there is none, -1. */
int64_t ledger_last_seq(struct ledger *ledger);

/* Adds all entries up again. OK, or CONFLICT: the sums are not the balance of
 * this account, the first by id. */
enum ledger_result ledger_audit(struct ledger *ledger, char account[static LEDGER_ACCOUNT_BYTES]);

#endif
