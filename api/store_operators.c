/* Operators: the people, and their keys. */
#include "api/people/store_people.h"
#include "api/store_inside.h"

#include <string.h>

#define KEYS                                                                                                           \
    "SELECT k.key_id, '', k.name, 0, k.created_ms, k.expires_ms,"                                                      \
    " iif(k.revoked_ms, k.revoked_ms, coalesce(o.disabled_ms, 0)), k.hash, '', 0, '', coalesce(k.operator_id, ''),"     \
    " k.role,"                                                                                                         \
    " coalesce(o.role, k.role)"                                                                                        \
    " FROM operator_keys k LEFT JOIN operators o USING (operator_id)"

static void operator_key_take(sqlite3_stmt *stmt, void *out)
{
    struct key_row *row = out;
    enum rank own, persons;
    char role[16];

    key_take(stmt, row);
    text_take(stmt, 11, row->operator_id, sizeof(row->operator_id));
    text_take(stmt, 12, role, sizeof(role));
    own = rank_parse(role);
    text_take(stmt, 13, role, sizeof(role));
    persons = rank_parse(role);
    row->rank = own < persons ? own : persons;
}

int store_operator_find(struct store *store, const uint8_t hash[static KEY_HASH_BYTES], struct key_row *row)
{
    return key_find(store, KEYS " WHERE k.hash = ?", operator_key_take, hash, row);
}

int store_operator_get(struct store *store, const char *key_id, struct key_row *row)
{
    pthread_mutex_lock(&store->lock);
    return one(store, db_query(store->db, KEYS " WHERE k.key_id = ?", "t", key_id), operator_key_take, row);
}

int store_operator_insert(struct store *store, const struct key_row *row)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store,
                    db_run(store->db,
                           "INSERT INTO operator_keys (key_id, name, hash, created_ms, expires_ms, operator_id, role)"
                           " VALUES (?, ?, ?, ?, ?, ?, ?)",
                           "ttbiitt", row->key_id, row->name, row->hash, (size_t)KEY_HASH_BYTES, row->created_ms,
                           row->expires_ms, row->operator_id[0] ? row->operator_id : NULL, rank_names[row->rank - 1]));
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

/* people */

static int person_insert_locked(struct store *store, const struct person_row *row)
{
    return db_run(store->db, "INSERT INTO operators (operator_id, name, role, created_ms) VALUES (?, ?, ?, ?)", "ttti",
                  row->person_id, row->name, rank_names[row->rank - 1], row->created_ms) ||
                   db_run(store->db, "INSERT INTO credentials (owner) VALUES (?)", "t", row->person_id)
               ? -1
               : 0;
}

int store_operator_person_insert(struct store *store, const struct person_row *row)
{
    if (!part_begin(store))
        return -1;
    return part_end(store, person_insert_locked(store, row));
}

int store_operator_role_set(struct store *store, const char *operator_id, enum rank rank)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db, "UPDATE operators SET role = ? WHERE operator_id = ?", "tt",
                                  rank_names[rank - 1], operator_id));
}

static int disable_locked(struct store *store, const char *operator_id, int64_t now_ms)
{
    return db_run(store->db, "UPDATE operators SET disabled_ms = ? WHERE operator_id = ? AND disabled_ms = 0", "it",
                  now_ms, operator_id) ||
                   db_run(store->db, "UPDATE operator_keys SET revoked_ms = ? WHERE operator_id = ? AND revoked_ms = 0",
                          "it", now_ms, operator_id) ||
                   db_run(store->db, "DELETE FROM sessions WHERE owner = ?", "t", operator_id) ||
                   db_run(store->db, "DELETE FROM one_time_links WHERE owner = ?", "t", operator_id)
               ? -1
               : 0;
}

int store_operator_disable(struct store *store, const char *operator_id, int64_t now_ms)
{
    if (!part_begin(store))
        return -1;
    return part_end(store, disable_locked(store, operator_id, now_ms));
}

static void operator_take(sqlite3_stmt *stmt, void *out)
{
    struct operator_row *row = out;
    char role[16];

    memset(row, 0, sizeof(*row));
    text_take(stmt, 0, row->id, sizeof(row->id));
    text_take(stmt, 1, row->name, sizeof(row->name));
    text_take(stmt, 2, role, sizeof(role));
    row->rank = rank_parse(role);
    text_take(stmt, 3, row->operator_id, sizeof(row->operator_id));
    row->totp = sqlite3_column_int(stmt, 4) != 0;
    row->created_ms = sqlite3_column_int64(stmt, 5);
    row->revoked_ms = sqlite3_column_int64(stmt, 6);
}

int store_operators(struct store *store, struct operator_row **rows, size_t *count)
{
    pthread_mutex_lock(&store->lock);
    return many(
        store,
        db_query(store->db,
                 "SELECT operator_id AS id, name, role, '', totp_secret IS NOT NULL, created_ms AS at, disabled_ms"
                 " FROM operators JOIN credentials ON owner = operator_id UNION ALL"
                 " SELECT key_id, name, role, coalesce(operator_id, ''), 0, created_ms, revoked_ms FROM operator_keys"
                 " ORDER BY at, id",
                 ""),
        operator_take, sizeof(**rows), (void **)rows, count);
}
