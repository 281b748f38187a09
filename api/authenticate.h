/* Who asks: by the key in the Authorization header, or else by the session's cookie. */
#ifndef API_AUTHENTICATE_H
#define API_AUTHENTICATE_H

#include "api/request.h"

/* Fills rq->who and counts the request against whoever it is; without a key, or with a wrong one, the address pays.
 * ANSWER_OK also for nobody in particular: whether that is enough is authorise's. */
enum answer authenticate(struct request *rq, struct reply *rp);

/* Whether that one may ask for this route. */
enum answer authorise(const struct request *rq, struct reply *rp);

#endif
