/* The Idempotency-Key around a handler's effect.
 *
 *     answer = idem_open(rq, rp, PREFIX, effect, arg, &idem);
 *     if (answer != ANSWER_OK)
 *         return answer;                  stored answer, conflict, refusal
 *     ... ask the other daemon, with idem.subject_id and idem.job_id ...
 *     return idem_close(rq, rp, &idem, answer);
 *
 * A success or a final refusal is stored and replayed; an answer that may
 * change (unavailable, no room) is not, and the next try goes on with the same ids. */
#ifndef API_IDEM_H
#define API_IDEM_H

#include "api/request.h"
#include "api/store.h"

/* `effect` inserts the rows that commit with the key. It may refuse by
 * returning what reply_fail() on its own reply gave: that is answered. */
enum answer idem_open(struct request *rq, struct reply *rp, const char *subject_prefix, const char *job_prefix,
                      store_effect *effect, void *arg, struct idem *idem);
/* For handlers that check a request against what may have changed since: a
 * stored answer is replayed first (ANSWER_REPLAYED), else ANSWER_OK. */
enum answer idem_replay(struct request *rq, struct reply *rp);
enum answer idem_close(struct request *rq, struct reply *rp, struct idem *idem, enum answer answer);
/* True for an answer after which nothing was done, nor will be by trying again: what the effect took is to be given back. */
bool idem_refused(enum answer answer);

#endif
