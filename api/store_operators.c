/* Operators' keys. */
#include "api/store_inside.h"

#define OPERATOR_COLUMNS "key_id, '', name, 0, created_ms, expires_ms, revoked_ms, hash"

int store_operator_find(struct store *store, const uint8_t hash[static KEY_HASH_BYTES], struct key_row *row)
{
    pthread_mutex_lock(&store->lock);
    return one(store,
               db_query(store->db, "SELECT " OPERATOR_COLUMNS " FROM operator_keys WHERE hash = ?", "b", hash,
                        (size_t)KEY_HASH_BYTES),
               key_take, row);
}

int store_operator_get(struct store *store, const char *key_id, struct key_row *row)
{
    pthread_mutex_lock(&store->lock);
    return one(store,
               db_query(store->db, "SELECT " OPERATOR_COLUMNS " FROM operator_keys WHERE key_id = ?", "t", key_id),
               key_take, row);
}

int store_operators(struct store *store, struct key_row **rows, size_t *count)
{
    pthread_mutex_lock(&store->lock);
    return many(store,
                db_query(store->db, "SELECT " OPERATOR_COLUMNS " FROM operator_keys ORDER BY created_ms, key_id", ""),
                key_take, sizeof(**rows), (void **)rows, count);
}

int store_operator_insert(struct store *store, const struct key_row *row)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(
        store,
        db_run(store->db,
               "INSERT INTO operator_keys (key_id, name, hash, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?)", "ttbii",
               row->key_id, row->name, row->hash, (size_t)KEY_HASH_BYTES, row->created_ms, row->expires_ms));
}

int store_operator_revoke(struct store *store, const char *key_id, int64_t now_ms)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store,
                    db_run(store->db, "UPDATE operator_keys SET revoked_ms = ? WHERE key_id = ? AND revoked_ms = 0",
                           "it", now_ms, key_id));
}

int store_operator_bootstrap(struct store *store, const uint8_t hash[static KEY_HASH_BYTES], int64_t now_ms)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store,
                    db_run(store->db,
                           "INSERT INTO operator_keys (key_id, name, hash, created_ms) VALUES (?, ?, ?, ?)"
                           " ON CONFLICT (key_id) DO UPDATE SET hash = excluded.hash WHERE hash <> excluded.hash",
                           "ttbi", OPERATOR_BOOTSTRAP_ID, "bootstrap", hash, (size_t)KEY_HASH_BYTES, now_ms));
}
