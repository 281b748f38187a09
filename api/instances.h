/* The customer's instance, for the files whose paths begin with one. */
#ifndef API_INSTANCES_H
#define API_INSTANCES_H

#include "api/request.h"
#include "api/store.h"

/* The instance with this id, or that {id} names, if it is the caller's. ANSWER_OK and *row, or
 * ANSWER_NOT_FOUND in the same words whether it is another's or nobody's. */
enum answer instance_find(struct request *rq, struct reply *rp, const char *instance_id, struct instance_row *row);
enum answer instance_own(struct request *rq, struct reply *rp, struct instance_row *row);

/* As the customer sees it; new reference. `live` may be NULL; `meters` is NULL when accountd does not answer, shown as
 * null. */
json_t *instance_view(struct request *rq, const struct instance_row *row, const json_t *live, json_t *meters);

/* The provisioner's present view of an instance, new reference in *live; NULL
 * when it has none yet (or none any more). */
enum answer instance_live(struct request *rq, struct reply *rp, const char *instance_id, json_t **live);

#endif
