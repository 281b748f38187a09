/* Alerts: what a customer or the operator must know, in ledger.db.
 *
 * An alert has a key made from what it is about. While one of that key stands,
 * raising it again does nothing; clearing it ends it, and it may be raised anew.
 * What is to be said once and for all (a budget's step of one month) has a key
 * that says so, and is not cleared.
 *
 * Each call is one statement: durable when it returns, or with the
 * transaction that the caller has open. 0, or -1 after logging.
 */
#ifndef ACCOUNTD_CAP_ALERTS_H
#define ACCOUNTD_CAP_ALERTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct ledger;

/* account NULL: for the operator only. subject: one line; detail: what happened, what follows, what to do. */
int alert_raise(struct ledger *ledger, const char *key, const char *kind, const char *account, const char *subject,
                const char *detail, int64_t at_ms);
int alert_clear(struct ledger *ledger, const char *key, int64_t at_ms);
/* All that stand and whose key begins with `prefix`. */
int alert_clear_all(struct ledger *ledger, const char *prefix, int64_t at_ms);

/* Those of an account (NULL: everybody's and the operator's) after that number, oldest first, at most limit:
 * [{number, key, kind, account_id or null, subject, detail, raised_ms, cleared_ms or null}]. NULL on failure. */
json_t *alert_list(struct ledger *ledger, const char *account, bool standing, int64_t after, int64_t limit);

/* The newest number, 0 if there is none. 0 or -1. */
int alert_newest(struct ledger *ledger, int64_t *number);

#endif
