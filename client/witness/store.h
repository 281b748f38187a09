/* witness.db: all of its SQL. One row a log, changed only inside a transaction
 * that has read it: what is compared is what is replaced. Errors have been
 * logged by common/db. */
#ifndef CLIENT_WITNESS_STORE_H
#define CLIENT_WITNESS_STORE_H

#include "accountd/chain.h"

#include <sqlite3.h>

struct witness_log {
    uint64_t size;
    struct chain_hash root;
    char *note;                         /* malloc'd */
};

sqlite3 *witness_store_open(const char *path);
/* 1 and *log, 0 nothing of this log was cosigned, -1. */
int witness_store_get(sqlite3 *db, const char *origin, struct witness_log *log);
int witness_store_put(sqlite3 *db, const char *origin, uint64_t size, const struct chain_hash *root, const char *note);
/* Keeps a head that contradicts `cosigned`. */
int witness_store_fork(sqlite3 *db, const char *origin, const char *note, const char *cosigned, int64_t at_s);

#endif
