/* Published price books. A version never changes, so each is read once and kept:
 * pointers to books live as long as the ledger is open.
 *
 * The newest is the one with the highest version. A registration takes the newest that is
 * valid by then; a running guest keeps its book until its segment ends by the customer's
 * act, or until a newer book's moves_running_at.
 */
#ifndef ACCOUNTD_LEDGER_PRICE_BOOKS_H
#define ACCOUNTD_LEDGER_PRICE_BOOKS_H

#include "accountd/ledger/ledger.h"
#include "accountd/rate.h"

/* All, the oldest first; the array lives until the next is published. -1: the database failed, those that are known. */
int price_books_all(struct ledger *ledger, const struct rate_book *const **books, size_t *count);
/* NULL: no such version, or the database failed, which has been logged. */
const struct rate_book *price_book_get(struct ledger *ledger, int64_t version);
/* What a new registration takes at at_ms; NULL as above. */
const struct rate_book *price_book_at(struct ledger *ledger, int64_t at_ms);
/* The book of a guest at at_ms that has run under `version`: that one, unless it was moved. */
int64_t price_book_for_running(struct ledger *ledger, int64_t version, int64_t at_ms);

/* The body as it was published. version 0: the newest. *body malloc'd. */
enum ledger_result ledger_price_book(struct ledger *ledger, int64_t version, struct rate_book *book, char **body);
int ledger_each_price_book(struct ledger *ledger, int (*fn)(void *arg, const struct rate_book *book, const char *body),
                           void *arg);

/* Publishes into a ledger that has no book, which takes no second operator; every other comes from a proposal
 * (price_proposals.h). EXISTS; EXISTS_DIFFERENT if this version says something else, CONFLICT if others are there. */
enum ledger_result price_book_first(struct ledger *ledger, int64_t version, const char *body, int64_t at_ms);

/* The invoice key's minisig over the body: the one that was made first is kept, whatever keys come later.
 * NOT_FOUND: not signed yet. *minisig malloc'd. */
enum ledger_result price_book_signature(struct ledger *ledger, int64_t version, char **minisig);
enum ledger_result price_book_sign(struct ledger *ledger, int64_t version, const char *minisig);

/* For price_proposals.c and ledger_close. */
enum ledger_result price_book_put_locked(struct ledger *ledger, int64_t version, const char *body, int64_t at_ms);
void price_books_free(struct ledger *ledger);

#endif
