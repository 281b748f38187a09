/* Customers' keys, and finding any key by its hash: what each request begins with. */
#include "api/store_inside.h"
#include "common/clock.h"

#include <string.h>

#define KEPT_MS 1000

#define KEY_COLUMNS                                                                                                    \
    "key_id, account_id, name, scopes, created_ms, expires_ms, revoked_ms, hash, addresses, spend_limit_nano,"         \
    " project_id, number"

void key_take(sqlite3_stmt *stmt, void *out)
{
    struct key_row *row = out;

    memset(row, 0, sizeof(*row));
    text_take(stmt, 0, row->key_id, sizeof(row->key_id));
    text_take(stmt, 1, row->account_id, sizeof(row->account_id));
    text_take(stmt, 2, row->name, sizeof(row->name));
    row->scopes = (unsigned)sqlite3_column_int64(stmt, 3);
    row->created_ms = sqlite3_column_int64(stmt, 4);
    row->expires_ms = sqlite3_column_int64(stmt, 5);
    row->revoked_ms = sqlite3_column_int64(stmt, 6);
    if (sqlite3_column_bytes(stmt, 7) == KEY_HASH_BYTES)
        memcpy(row->hash, sqlite3_column_blob(stmt, 7), KEY_HASH_BYTES);
    text_take(stmt, 8, row->addresses, sizeof(row->addresses));
    row->spend_limit_nano = sqlite3_column_int64(stmt, 9);
    text_take(stmt, 10, row->project_id, sizeof(row->project_id));
    row->number = sqlite3_column_int64(stmt, 11);
}

/* A kept row is what the database says as long as this connection, the only one that changes keys while the api runs,
 * has changed nothing at all. What is done to the file from outside counts after KEPT_MS. */
static bool still_so(struct store *store, const struct kept_key *kept, const uint8_t hash[static KEY_HASH_BYTES])
{
    return memcmp(kept->row.hash, hash, KEY_HASH_BYTES) == 0 && kept->changes == sqlite3_total_changes64(store->db) &&
           clock_monotonic_ms() < kept->until_ms && sqlite3_get_autocommit(store->db);
}

int key_find(struct store *store, const char *sql, row_take *take, const uint8_t hash[static KEY_HASH_BYTES],
             struct key_row *row)
{
    struct kept_key *kept = &store->kept[hash[0] % KEYS_KEPT];
    int rc;

    pthread_mutex_lock(&store->lock);
    if (still_so(store, kept, hash)) {
        *row = kept->row;
        return unlocked(store, 1);
    }
    pthread_mutex_lock(&store->lock);
    rc = one(store, db_query(store->db, sql, "b", hash, (size_t)KEY_HASH_BYTES), take, row);
    if (rc == 1 && sqlite3_get_autocommit(store->db))
        *kept = (struct kept_key){ *row, sqlite3_total_changes64(store->db), clock_monotonic_ms() + KEPT_MS };
    return unlocked(store, rc);
}

int store_key_find(struct store *store, const uint8_t hash[static KEY_HASH_BYTES], struct key_row *row)
{
    return key_find(store, "SELECT " KEY_COLUMNS " FROM keys WHERE hash = ?", key_take, hash, row);
}

int store_key_get(struct store *store, const char *account_id, const char *key_id, struct key_row *row)
{
    return one_by(store, "SELECT " KEY_COLUMNS " FROM keys WHERE key_id = ? AND account_id = coalesce(?, account_id)",
                  key_id, account_id, key_take, row);
}

int store_key_insert(struct store *store, const struct key_row *row)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db,
                         "INSERT INTO keys (key_id, account_id, name, hash, scopes, created_ms, expires_ms, addresses,"
                         " spend_limit_nano, project_id, number) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                         " (SELECT coalesce(max(number), 0) + 1 FROM keys WHERE account_id = ?))",
                         "tttbiiititt", row->key_id, row->account_id, row->name, row->hash, (size_t)KEY_HASH_BYTES,
                         (int64_t)row->scopes, row->created_ms, row->expires_ms, row->addresses,
                         row->spend_limit_nano, row->project_id, row->account_id));
}

int store_key_revoke(struct store *store, const char *account_id, const char *key_id, int64_t now_ms)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db,
                                "UPDATE keys SET revoked_ms = ? WHERE key_id = ? AND account_id = ? AND revoked_ms = 0",
                                "itt", now_ms, key_id, account_id));
}

int store_key_spend(struct store *store, const char *key_id, const char *month, int64_t more_nano, int64_t limit_nano,
                    int64_t *held_nano)
{
    int rc;

    pthread_mutex_lock(&store->lock);
    *held_nano = 0;
    rc = db_int(store->db, held_nano, "SELECT held_nano FROM key_spending WHERE key_id = ? AND month = ?", "tt", key_id,
                month);
    if (rc < 0 || more_nano > limit_nano - *held_nano)
        return unlocked(store, rc < 0 ? -1 : 0);
    rc = db_run(store->db,
                "INSERT INTO key_spending (key_id, month, held_nano) VALUES (?, ?, ?)"
                " ON CONFLICT (key_id, month) DO UPDATE SET held_nano = held_nano + excluded.held_nano",
                "tti", key_id, month, more_nano);
    return unlocked(store, rc ? -1 : 1);
}

int store_keys(struct store *store, const char *account_id, const char *project_id, int64_t before, int64_t limit,
               struct key_row **rows, size_t *count)
{
    int64_t below = before ? before : INT64_MAX;

    pthread_mutex_lock(&store->lock);
    return many(store,
                project_id[0] ? db_query(store->db, "SELECT " KEY_COLUMNS " FROM keys WHERE project_id = ? AND account_id = ?"
                                         " AND project_id <> '' AND number < ? ORDER BY number DESC LIMIT ?", "ttii",
                                         project_id, account_id, below, limit)
                              : db_query(store->db, "SELECT " KEY_COLUMNS " FROM keys WHERE account_id = ? AND number < ?"
                                         " ORDER BY number DESC LIMIT ?", "tii", account_id, below, limit),
                key_take, sizeof(**rows), (void **)rows, count);
}
