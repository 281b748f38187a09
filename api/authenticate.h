/* Who asks: by the key in the Authorization header, or else by the session's cookie. */
#ifndef API_AUTHENTICATE_H
#define API_AUTHENTICATE_H

#include "api/request.h"
#include "api/store.h"

/* Fills rq->who and counts the request against whoever it is; without a key, or with a wrong one, the address pays.
 * ANSWER_OK also for nobody in particular: whether that is enough is authorise's. */
enum answer authenticate(struct request *rq, struct reply *rp);

/* Whether that one may ask for this route. */
enum answer authorise(const struct request *rq, struct reply *rp);

/* What somebody authenticated by: enough to ask later whether it still holds, and nothing to authenticate with. */
struct credential {
    bool session;
    bool is_operator;
    uint8_t hash[KEY_HASH_BYTES];
};
void credential_of(const struct principal *who, struct credential *credential);
/* False: the key was revoked or has expired, the session has ended. True also when the database cannot be asked. */
bool credential_holds(struct store *store, const struct credential *credential, int64_t now_ms);

#endif
