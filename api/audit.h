/* Who did what: a row for each request that may change something and came past authentication, and for each login,
 * tried or done. Written after the effect, in a chain: a row's hash is SHA-256 of the hash before it (32 zero bytes
 * before the first) and of the row as canonical JSON, so that nothing is taken out or changed unseen. */
#ifndef API_AUDIT_H
#define API_AUDIT_H

#include "api/request.h"

#define AUDIT_HASH_BYTES 32
#define AUDIT_REASON_BYTES 201

struct audit_row {
    int64_t seq; /* 1, 2, 3, ... */
    int64_t at_ms;
    char actor_type[12];       /* anonymous, user, key, operator */
    char actor_id[ID_BYTES];   /* "" anonymous */
    char account_id[ID_BYTES]; /* whose things it was about; "" nobody's */
    char peer[64];
    char request_id[ID_BYTES];
    char action[96];          /* "POST /v1/instances/{id}/actions" */
    char object[PARAM_BYTES]; /* what it was about or made; "" nothing of its own */
    int status;
    char reason[AUDIT_REASON_BYTES]; /* X-Reason, or the body's reason */
    uint8_t hash[AUDIT_HASH_BYTES];
};

/* After reply_finish. A row that cannot be written is logged: the deed is done. */
void audit_note(const struct request *rq, const struct reply *rp);

/* The canonical JSON of a row without its hash; malloc'd, NULL when out of memory. */
char *audit_record(const struct audit_row *row);
/* Its hash, from the one before; -1 when out of memory. */
int audit_hash(const struct audit_row *row, const uint8_t before[static AUDIT_HASH_BYTES],
               uint8_t hash[static AUDIT_HASH_BYTES]);

#endif
