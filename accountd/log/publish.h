/* The log as static files, for anyone: STATE/public/checkpoint, tile/...,
 * keys.txt (C2SP tlog-tiles). What was missed, or lost, is made again at the
 * next start.
 *
 * A thread with a connection of its own does it: sampling never waits for
 * these writes. It only publishes what is durable in usage.db already, tiles
 * before the checkpoint that needs them. */
#ifndef ACCOUNTD_LOG_PUBLISH_H
#define ACCOUNTD_LOG_PUBLISH_H

#include "accountd/store.h"

/* Once, in the caller's thread: from the stored head, all files of the tree
 * that are not there. `from`: tiles of that many leaves are known to be there;
 * *from becomes the size published. Nothing is stored yet: 0. -1 after logging. */
int publish_files(struct store *store, const char *dir, uint64_t *from);

struct publish;
/* Makes the folder and starts the thread, which begins with what is missing: after years that may take it a while,
 * and bills do not wait for it. NULL after logging. */
struct publish *publish_new(const char *usage_db, const char *dir);
/* There is a new head, or a cosignature of it. NULL is accepted. */
void publish_wake(struct publish *publish);
/* keys.txt's text from now on, and its signature by the root key or NULL. NULL is accepted. */
void publish_keys(struct publish *publish, const char *text, const char *signature);
/* Finishes what it is at. */
void publish_free(struct publish *publish);

#endif
