/* Answers made from the api's own database, kept for who asks the same again: they hold as long as nothing in the
 * database has changed, and a second for what is changed from outside. For one thread, which holds the store
 * (store_try). Whoever asks has been authenticated and authorised anew: what is kept is the body and its ETag. */
#ifndef API_KEPT_H
#define API_KEPT_H

#include "api/request.h"

struct kept;
/* NULL without memory. */
struct kept *kept_new(void);
void kept_free(struct kept *kept);

/* True: `rp` has what this caller was answered. `changes` is store_changes() now. */
bool kept_find(struct kept *kept, const struct request *rq, int64_t changes, struct reply *rp);
/* Keeps a JSON answer, if it is small; `rp` then has it as text. */
void kept_put(struct kept *kept, const struct request *rq, int64_t changes, struct reply *rp);

#endif
