/* The log's head: which log this is, and its newest signed checkpoint.
 *
 * There are never two heads for one size, and none for leaves that are not
 * durable. A log that lost its file goes on as a new one, with the next epoch
 * in its origin, whose first leaf names the last head known.
 */
#ifndef ACCOUNTD_HEAD_H
#define ACCOUNTD_HEAD_H

#include "accountd/keys.h"
#include "accountd/ledger/cursor.h"
#include "accountd/record.h"
#include "accountd/store.h"

struct head {
    struct store *store;
    struct ledger *ledger;
    struct keys *keys;
    char host[RECORD_NAME_BYTES];
    char origin[128];                   /* HOST/usage/eN */
    uint64_t size;
    char *note;                         /* the checkpoint of `size` leaves; NULL before the first */
};

/* Opens the log of this host, or begins one. Checks what is stored against its
 * own head, the ledger's copy of it, the ledger against the entries that it had
 * when that was signed, and both against the head in the file `copy_path` (NULL:
 * none), a checkpoint that somebody keeps elsewhere: without it, a backup of
 * both databases that is put back would go unnoticed. The keys learn from the
 * log from when each is valid. -1 after logging what is wrong and what to do. */
int head_open(struct head *head, struct store *store, struct ledger *ledger, struct keys *keys, const char *host,
              const char *copy_path, int64_t now_ms);
/* Signs the head of all durable leaves, if it is not signed yet. */
int head_sign(struct head *head, int64_t now_ms);
/* A leaf about the host, in a transaction of its own. Steals fields. */
int head_append(struct head *head, const char *type, json_t *fields);
/* The same between store_begin and store_commit. */
int head_append_locked(struct head *head, const char *type, json_t *fields);
void head_close(struct head *head);

/* log/copy.c: a head that is kept elsewhere. */
struct head_copy {
    char *note;                         /* NULL: there is none */
    struct note_checkpoint at;
    int epoch;
};
/* -1 after logging: not readable, of another host, or not signed by a key of ours. */
int head_copy_read(const char *path, const char *host, const struct keys *keys, struct head_copy *copy);
/* That our log goes on from it. -1 after logging. */
int head_copy_check(const struct head *head, const char *path, const struct head_copy *copy);
/* N of HOST/usage/eN; -1: not a log of this host. */
int head_epoch(const char *origin, const char *host);

#endif
