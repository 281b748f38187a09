/* Proposed price books: published by a second operator, or withdrawn.
 *
 * A proposal never changes and its version is spent, whatever becomes of it: who
 * approves version N approves the bytes that anyone has read as N. The
 * database itself refuses a publication that its proposer decided.
 */
#ifndef ACCOUNTD_LEDGER_PRICE_PROPOSALS_H
#define ACCOUNTD_LEDGER_PRICE_PROPOSALS_H

#include "accountd/ledger/price_books.h"

#define PRICE_CONFIG_OPERATOR "config"  /* proposes what the configured file says */

struct price_proposal {
    int64_t version, at_ms, decided_ms;
    const char *body, *operator;
    const char *outcome;                /* "proposed", "published", "withdrawn" */
    const char *decided_by;             /* "" while proposed */
};

/* OK; EXISTS: this operator proposed the same; EXISTS_DIFFERENT: the version is another's or says something
 * else; CONFLICT: it is not above the newest published version. */
enum ledger_result price_propose(struct ledger *ledger, int64_t version, const char *body, const char *operator,
                                 int64_t at_ms);
/* OK; EXISTS: this operator decided the same before; CONFLICT: proposed by this operator (publishing only),
 * decided otherwise, or no longer above the newest published version; NOT_FOUND. */
enum ledger_result price_publish(struct ledger *ledger, int64_t version, const char *operator, int64_t at_ms);
enum ledger_result price_withdraw(struct ledger *ledger, int64_t version, const char *operator, int64_t at_ms);

/* Pointers live during the call. Walks stop at the first result that is not 0 and give it back. */
typedef int (*price_proposal_fn)(void *arg, const struct price_proposal *proposal);
/* version 0: all, oldest version first. */
int price_each_proposal(struct ledger *ledger, int64_t version, price_proposal_fn fn, void *arg);

#endif
