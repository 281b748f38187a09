/* Published price books. */
#ifndef ACCOUNTD_LEDGER_PRICE_BOOKS_H
#define ACCOUNTD_LEDGER_PRICE_BOOKS_H

#include "accountd/ledger/ledger.h"
#include "accountd/rate.h"

/* Publishes the book; EXISTS_DIFFERENT if this version says something else. */
enum ledger_result ledger_price_book_publish(struct ledger *ledger, int64_t version, const char *body, int64_t at_ms);
/* version 0: the newest. *body malloc'd. */
enum ledger_result ledger_price_book(struct ledger *ledger, int64_t version, struct rate_book *book, char **body);
int ledger_each_price_book(struct ledger *ledger, int (*fn)(void *arg, const struct rate_book *book, const char *body),
                           void *arg);

#endif
