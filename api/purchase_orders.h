/* A purchase order of the caller's, for what is paid from it. */
#ifndef API_PURCHASE_ORDERS_H
#define API_PURCHASE_ORDERS_H

#include "api/request.h"

/* ANSWER_OK and *order (new reference) as accountd has it, or not_found; NULL otherwise. */
enum answer purchase_order_own(struct request *rq, struct reply *rp, const char *id, json_t **order);

#endif
