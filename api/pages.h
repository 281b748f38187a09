/* Pages of what is numbered, as events, the audit log and deliveries are: which one is asked for, and what it looks like.
 * The cursor is the number of the last one seen. */
#ifndef API_PAGES_H
#define API_PAGES_H

#include "api/request.h"

#define PAGE_MAX 200

/* `after` and `limit`: ANSWER_OK, or which of them is wrong. 0: from the beginning. */
enum answer page_query(const struct request *rq, struct reply *rp, int64_t *after, int64_t *limit);
/* `order`: whether the newest come first. */
enum answer page_query_order(const struct request *rq, struct reply *rp, bool *newest);
/* `customer_id`, NULL if it is not there: for operators. */
enum answer page_query_customer(const struct request *rq, struct reply *rp, const char **account_id);

/* Steals the list. `last` is the number of its last one; a page that is not full is the last. */
json_t *page_view(json_t *list, int64_t limit, int64_t last);

#endif
