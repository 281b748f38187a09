/* The log's head: which log this is, and its newest signed checkpoint.
 *
 * There are never two heads for one size, and none for leaves that are not
 * durable. A log that lost its file goes on as a new one, with the next epoch
 * in its origin, whose first leaf names the last head known.
 */
#ifndef ACCOUNTD_HEAD_H
#define ACCOUNTD_HEAD_H

#include "accountd/ledger/cursor.h"
#include "accountd/record.h"
#include "accountd/note.h"
#include "accountd/store.h"

struct head {
    struct store *store;
    struct ledger *ledger;
    const struct note_key *key;
    char host[RECORD_NAME_BYTES];
    char origin[128];                   /* HOST/usage/eN */
    uint64_t size;
    char *note;                         /* the checkpoint of `size` leaves; NULL before the first */
};

/* Opens the log of this host, or begins one. Checks what is stored against
 * its own head and the ledger's copy of it. -1 after logging what is wrong. */
int head_open(struct head *head, struct store *store, struct ledger *ledger, const struct note_key *key,
              const char *host, int64_t now_ms);
/* Signs the head of all durable leaves, if it is not signed yet. */
int head_sign(struct head *head, int64_t now_ms);
/* A leaf about the host, in a transaction of its own. Steals fields. */
int head_append(struct head *head, const char *type, json_t *fields);
void head_close(struct head *head);

#endif
