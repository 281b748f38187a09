/* What the store's own files share; nobody else includes it. */
#ifndef API_STORE_INSIDE_H
#define API_STORE_INSIDE_H

#include "api/store.h"
#include "common/db.h"

#include <pthread.h>

#define STORE_WATCHES 2
#define KEYS_KEPT     64

struct store {
    pthread_mutex_t lock;               /* of everything below */
    sqlite3 *db;
    char run_id[ID_BYTES];
    struct kept_key {                   /* asked for lately: by the first byte of its hash */
        struct key_row row;
        int64_t changes;                /* of the database, when it was read */
        int64_t until_ms;               /* monotonic */
    } kept[KEYS_KEPT];
    bool part_is_whole;                 /* the part begun last is no part of an effect */
    struct store_watching {
        const char *table;              /* NULL: free */
        bool changed;                   /* in this transaction */
        void (*notify)(void *arg);
        void *arg;
    } watches[STORE_WATCHES];
};

/* Reads one row by `take` into `row`, ends the statement, gives the lock back. */
typedef void row_take(sqlite3_stmt *stmt, void *row);
int one(struct store *store, sqlite3_stmt *stmt, row_take *take, void *row);
/* As one(), for all rows: a malloc'd array of `size` bytes each. */
int many(struct store *store, sqlite3_stmt *stmt, row_take *take, size_t size, void **rows, size_t *count);
/* The row that two texts name, and all of an account's: in the order of the statement's parameters, which are no others.
 * They take the lock themselves. */
int one_by(struct store *store, const char *sql, const char *first, const char *second, row_take *take, void *row);
int account_rows(struct store *store, const char *sql, const char *account_id, row_take *take, size_t size, void **rows,
                 size_t *count);
/* Ends what began with taking the lock. */
int unlocked(struct store *store, int rc);
/* Several statements that hold together: a transaction, or a part of the effect's that they run in. part_begin takes
 * the lock, false: it has given it back. part_end undoes them if rc is -1 and keeps them otherwise, and gives the lock
 * back; it returns rc, or -1. No parts within parts. */
bool part_begin(struct store *store);
int part_end(struct store *store, int rc);
/* Runs each of the statements, NULL at the end, that have one parameter: this time. */
int expire(struct store *store, const char *const *sql, int64_t before_ms);
void text_take(sqlite3_stmt *stmt, int column, char *out, size_t size);
/* The columns of a key, of customers and operators alike. */
row_take key_take;
/* The key that the statement's one parameter, this hash, finds; the last ones are kept in memory. 1, 0 or -1. */
int key_find(struct store *store, const char *sql, row_take *take, const uint8_t hash[static KEY_HASH_BYTES],
             struct key_row *row);

#endif
