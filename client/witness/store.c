#include "client/witness/store.h"
#include "common/db.h"
#include "schema/witness.h"

#include <string.h>

sqlite3 *witness_store_open(const char *path)
{
    return db_open(path, witness_migrations, sizeof(witness_migrations) / sizeof(witness_migrations[0]));
}

int witness_store_get(sqlite3 *db, const char *origin, struct witness_log *log)
{
    sqlite3_stmt *stmt = db_query(db, "SELECT size, root, note FROM log WHERE origin = ?1", "t", origin);
    int rc = db_next(stmt);

    if (rc == 1) {
        log->size = (uint64_t)sqlite3_column_int64(stmt, 0);
        memcpy(log->root.bytes, sqlite3_column_blob(stmt, 1), CHAIN_HASH_BYTES);
        log->note = strdup((const char *)sqlite3_column_text(stmt, 2));
        rc = log->note ? 1 : -1;
    }
    db_end(stmt);
    return rc;
}

int witness_store_put(sqlite3 *db, const char *origin, uint64_t size, const struct chain_hash *root, const char *note)
{
    return db_run(db, "INSERT INTO log VALUES (?1, ?2, ?3, ?4) ON CONFLICT (origin) DO UPDATE SET size = ?2, root = ?3,"
                  " note = ?4", "tibt", origin, (int64_t)size, root->bytes, (size_t)CHAIN_HASH_BYTES, note);
}

int witness_store_fork(sqlite3 *db, const char *origin, const char *note, const char *cosigned, int64_t at_s)
{
    return db_run(db, "INSERT INTO fork VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING", "ttti", origin, note, cosigned,
                  at_s);
}
