/* Customers: making one, by an operator or by signing up, and finding one. */
#ifndef API_ADMIN_H
#define API_ADMIN_H

#include "api/request.h"
#include "api/store.h"

extern const char *const currencies[]; /* a customer's can be; NULL at the end */

json_t *customer_view(const struct customer_row *row);
/* The customer that {id} names: ANSWER_OK, or not_found. */
enum answer customer_find(struct request *rq, struct reply *rp, struct customer_row *customer);
/* accountd opens the account; asking again is the same. */
enum answer customer_open(struct request *rq, struct reply *rp, const struct customer_row *row);

#endif
