/* What lives in accountd and is only passed on: lists, single things, and making one under an Idempotency-Key.
 *
 * Arguments begin as relay_args(): a customer's with account_id, so that accountd looks nothing up that is another's;
 * an operator's with nothing. Views: `id_name` of a thing becomes `id`; account_id goes for customers and is
 * customer_id for operators; which operator did something is for operators alone; money and times as in present.h. */
#ifndef API_RELAY_H
#define API_RELAY_H

#include "api/idem.h"
#include "api/request.h"

json_t *relay_args(const struct request *rq);
/* For what is written down as an operator's deed: {operator: the person, or the key that is nobody's}. */
json_t *relay_operator_args(const struct request *rq);
json_t *relay_view(const struct request *rq, const json_t *thing, const char *id_name);

/* Asks `verb` and answers with all of `list` in its result, or, where the route knows after and limit, with a page:
 * the daemon's `next` is the cursor. `args` is stolen. */
enum answer relay_list(struct request *rq, struct reply *rp, const char *verb, json_t *args, const char *list,
                       const char *id_name);

/* Asks `verb` and answers with its result, or with what it has there under `name`, if it has. `args` is stolen. */
enum answer relay_show(struct request *rq, struct reply *rp, const char *verb, json_t *args, const char *name,
                       const char *id_name);

/* The id in the path as argument `id_name`: ANSWER_OK, or not_found where it has not this prefix (NULL: none is known).
 */
enum answer relay_param(const struct request *rq, struct reply *rp, const char *prefix, const char *id_name,
                        json_t *args);

/* The query's customer_id, where it has one, as account_id. */
enum answer relay_customer(const struct request *rq, struct reply *rp, json_t *args);

/* A POST that makes or moves something: its id, from the Idempotency-Key, goes to accountd as `id_arg`, and a
 * repetition is the same there too. */
struct relay_making {
    const char *prefix; /* of the new id */
    const char *verb;
    const char *id_arg;  /* NULL: what is made has its id from elsewhere */
    const char *name;    /* of the thing in the result; NULL: the result itself */
    const char *id_name; /* in the thing; NULL: the new id is shown as its `id` */
    const char *place;   /* "/v1/disputes": Location is below it; NULL none */
    bool echo;           /* the verb answers nothing: what was asked for is shown */
};
/* ANSWER_CREATED, or what was refused. `args` is stolen. */
enum answer relay_make(struct request *rq, struct reply *rp, const struct relay_making *making, json_t *args);

#endif
