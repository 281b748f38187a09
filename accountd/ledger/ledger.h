/* The verbs of the ledger: accounts and transfers. What else lives in ledger.db
 * (registrations, holds of instances, price books, invoices, ...) has headers
 * of its own beside this one and moves money by these verbs alone.
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

#include "common/json.h"

#include <stdbool.h>
#include <stdint.h>

#define LEDGER_AMOUNT_MAX 1000000000000000000ll     /* one transfer: a billion of the currency */
#define LEDGER_ID_BYTES   33

#define LEDGER_DEPOSITS "host:deposits"
#define LEDGER_DEPOSITS_BANK   "host:deposits:bank"
#define LEDGER_DEPOSITS_CARD   "host:deposits:card"
#define LEDGER_DEPOSITS_CREDIT "host:deposits:credit"   /* vouchers, an operator's credit */
#define LEDGER_SUSPENSE "host:suspense"             /* received, and not known for whom */
#define LEDGER_CARRIED  "host:carried"
#define LEDGER_HOLDS    "host:holds"
#define LEDGER_REVENUE  "revenue:"                  /* and the meter's name */

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

bool ledger_account_exists(struct ledger *ledger, const char *account);
/* Posted less held; INT64_MAX for an account that may run below zero, -1 on failure. */
int64_t ledger_available(struct ledger *ledger, const char *account);

/* kind: posted, pending, post, void. `id` etc. live with the caller. */
struct ledger_transfer {
    const char *id, *kind, *debit, *credit;
    int64_t amount_nano;
    const char *pending_id;             /* NULL unless post or void */
    const char *code, *reason, *refers;
    int64_t at_ms;                      /* not compared: a repetition comes later */
};
/* NOT_FOUND, EXISTS or EXISTS_DIFFERENT: is the transfer of this id this one? */
enum ledger_result ledger_compare(struct ledger *ledger, const struct ledger_transfer *transfer);
/* An id from what the transfer is for: 128 bits of a hash, so that two
 * purposes never share one. */
char *ledger_derive_id(char id[static LEDGER_ID_BYTES], const char *fmt, ...) __attribute__((format(printf, 2, 3)));
enum ledger_result ledger_apply_locked(struct ledger *ledger, const struct ledger_transfer *transfer);

/* Money from outside into a wallet. */
enum ledger_result ledger_fund(struct ledger *ledger, const char *id, const char *account, int64_t amount_nano,
                               const char *reason, int64_t at_ms);

/* The newest entries of a wallet: [{transfer_id, at_ms, amount_nano, code, reason}]. NULL on failure. */
json_t *ledger_entries(struct ledger *ledger, const char *account, int limit);

#endif
