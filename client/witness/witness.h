/* A witness (C2SP tlog-witness): cosigns a log's head when it is shown that
 * the log only grew since the last one it cosigned. Whoever asks us and
 * whoever asks another witness then see the same log.
 *
 * It trusts nothing but its own row of that log, keeps one size and root a log,
 * and never signs two heads of one size, across restarts too. */
#ifndef CLIENT_WITNESS_WITNESS_H
#define CLIENT_WITNESS_WITNESS_H

#include "accountd/note.h"

#include <sqlite3.h>

#define WITNESS_LOGS_MAX    64
#define WITNESS_BODY_MAX    65536
#define WITNESS_PROOF_LINES 63          /* tlog-witness: at most so many */

struct witness {
    char name[128];
    struct note_key key;
    sqlite3 *db;
    struct {
        char origin[128];
        struct note_key key;
    } logs[WITNESS_LOGS_MAX];           /* one origin may have several keys: any of them will do */
    unsigned logs_count;
};

/* Takes a log's verifier key, named by its origin. False and why. */
bool witness_add_log(struct witness *witness, const char *vkey, struct json_why *why);

struct witness_reply {
    int status;                         /* HTTP's */
    const char *type;                   /* Content-Type */
    char *body;                         /* malloc'd */
};
/* add-checkpoint. `body` is terminated. 200: our cosignature line, and the row is durable. 400 not readable; 403 no
 * trusted key signed it; 404 not a log of ours; 409 with the size we have cosigned (or two heads of one size); 422
 * the proof does not verify; 500 our database. */
void witness_add_checkpoint(struct witness *witness, const char *body, size_t len, int64_t now_s,
                            struct witness_reply *reply);

#endif
