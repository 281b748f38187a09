/* From a received request to its reply: route, key, limits, syntax, handler.
 * Knows nothing of connections. */
#ifndef API_DISPATCH_H
#define API_DISPATCH_H

#include "api/request.h"

/* True if this request may block for a long poll and belongs on a thread for that. */
bool dispatch_waits(const struct request *rq);

/* How many bytes the body may have; a large one only where the key or the session looks like an operator's. */
size_t dispatch_body_max(const struct request *rq);

/* Fills `rp` completely. rq->api, rq->route with rq->param and rp->allow (route_find), rq->up and rq->may_wait are set by the
 * caller. */
void dispatch(struct request *rq, struct reply *rp);

/* Likewise, on a thread that must not wait (rq->up is NULL): false if that cannot be, and then it is dispatch's. */
bool dispatch_at_once(struct request *rq, struct reply *rp);

#endif
