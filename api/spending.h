/* What a key with a spend limit may have held in a month (UTC): counted when it makes an instance, by what the host
 * then sets aside, before the instance costs anything. */
#ifndef API_SPENDING_H
#define API_SPENDING_H

#include "api/request.h"
#include "api/store.h"

/* How much an instance like this has held when it starts; 0 without asking where the key has no limit. */
enum answer spending_ask(struct request *rq, struct reply *rp, const struct instance_row *row, int64_t *hold_nano);
/* In the effect that makes it: 0, -1, or ANSWER_SPEND_LIMIT. */
int spending_add(struct store *store, const struct request *rq, struct reply *rp, int64_t hold_nano);
/* It was refused after all. */
void spending_return(const struct request *rq, int64_t hold_nano);

#endif
