/* Sessions, and logins that failed. */
#include "api/people/store_people.h"
#include "api/store_inside.h"

#include <string.h>

#define DAY_MS (INT64_C(24) * 3600 * 1000)
/* Failures in a row that are free; then a minute's rest, twice as long after each one more, at most an hour. */
#define FAILURES_FREE 10
#define REST_MS 60000
#define REST_DOUBLINGS_MAX 6

#define SESSION                                                                                                        \
    "s.session_id, s.owner, s.created_ms, s.seen_ms, s.idle_until_ms, s.expires_ms, s.peer, s.agent, s.hash,"          \
    " c.totp_secret IS NOT NULL"

static void session_take_row(sqlite3_stmt *stmt, void *out)
{
    struct session_row *row = out;
    char role[16];

    memset(row, 0, sizeof(*row));
    text_take(stmt, 0, row->session_id, sizeof(row->session_id));
    text_take(stmt, 1, row->person_id, sizeof(row->person_id));
    row->created_ms = sqlite3_column_int64(stmt, 2);
    row->seen_ms = sqlite3_column_int64(stmt, 3);
    row->idle_until_ms = sqlite3_column_int64(stmt, 4);
    row->expires_ms = sqlite3_column_int64(stmt, 5);
    text_take(stmt, 6, row->peer, sizeof(row->peer));
    text_take(stmt, 7, row->agent, sizeof(row->agent));
    if (sqlite3_column_bytes(stmt, 8) == KEY_HASH_BYTES)
        memcpy(row->hash, sqlite3_column_blob(stmt, 8), KEY_HASH_BYTES);
    row->totp = sqlite3_column_int(stmt, 9) != 0;
    text_take(stmt, 10, row->account_id, sizeof(row->account_id));
    text_take(stmt, 11, role, sizeof(role));
    row->rank = rank_parse(role);
}

static int session_insert_locked(struct store *store, const struct session_row *row)
{
    int rc =
        db_run(store->db,
               "INSERT INTO sessions (hash, session_id, owner, created_ms, seen_ms, idle_until_ms, expires_ms, peer,"
               " agent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
               "bttiiiitt", row->hash, (size_t)KEY_HASH_BYTES, row->session_id, row->person_id, row->created_ms,
               row->seen_ms, row->idle_until_ms, row->expires_ms, row->peer, row->agent);

    if (rc == 0)
        rc = db_run(store->db,
                    "DELETE FROM sessions WHERE owner = ? AND session_id NOT IN"
                    " (SELECT session_id FROM sessions WHERE owner = ? ORDER BY created_ms DESC LIMIT ?)",
                    "tti", row->person_id, row->person_id, (int64_t)SESSIONS_PER_PERSON);
    return rc;
}

int store_session_insert(struct store *store, const struct session_row *row)
{
    if (!part_begin(store))
        return -1;
    return part_end(store, session_insert_locked(store, row));
}

int store_session_find(struct store *store, bool is_operator, const uint8_t hash[static KEY_HASH_BYTES],
                       struct session_row *row)
{
    const char *sql = is_operator ? "SELECT " SESSION ", '', o.role FROM sessions s"
                                    " JOIN operators o ON o.operator_id = s.owner AND o.disabled_ms = 0"
                                    " JOIN credentials c ON c.owner = s.owner WHERE s.hash = ?"
                                  : "SELECT " SESSION ", u.account_id, '' FROM sessions s"
                                    " JOIN users u ON u.user_id = s.owner"
                                    " JOIN credentials c ON c.owner = s.owner WHERE s.hash = ?";

    pthread_mutex_lock(&store->lock);
    return one(store, db_query(store->db, sql, "b", hash, (size_t)KEY_HASH_BYTES), session_take_row, row);
}

int store_session_touch(struct store *store, const struct session_row *row)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db,
                                  "UPDATE sessions SET seen_ms = ?, idle_until_ms = ?, peer = ? WHERE session_id = ?",
                                  "iitt", row->seen_ms, row->idle_until_ms, row->peer, row->session_id));
}

int store_sessions(struct store *store, const char *person_id, int64_t now_ms, struct session_row **rows, size_t *count)
{
    pthread_mutex_lock(&store->lock);
    return many(store,
                db_query(store->db,
                         "SELECT " SESSION ", '', '' FROM sessions s JOIN credentials c ON c.owner = s.owner"
                         " WHERE s.owner = ? AND s.idle_until_ms > ? AND s.expires_ms > ?"
                         " ORDER BY s.created_ms DESC, s.session_id",
                         "tii", person_id, now_ms, now_ms),
                session_take_row, sizeof(**rows), (void **)rows, count);
}

int store_session_end(struct store *store, const char *person_id, const char *session_id)
{
    int rc;

    pthread_mutex_lock(&store->lock);
    rc = db_run(store->db, "DELETE FROM sessions WHERE owner = ? AND session_id = ?", "tt", person_id, session_id);
    return unlocked(store, rc ? -1 : sqlite3_changes(store->db) > 0);
}

int store_login_rest(struct store *store, const uint8_t name[static KEY_HASH_BYTES], int64_t *locked_until_ms)
{
    pthread_mutex_lock(&store->lock);
    *locked_until_ms = 0;
    return unlocked(store,
                    db_int(store->db, locked_until_ms, "SELECT locked_until_ms FROM login_failures WHERE name = ?", "b",
                           name, (size_t)KEY_HASH_BYTES));
}

int store_login_failed(struct store *store, const uint8_t name[static KEY_HASH_BYTES], int64_t now_ms)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(
        store,
        db_run(store->db,
               "INSERT INTO login_failures (name, failures, at_ms) VALUES (?, 1, ?) ON CONFLICT (name) DO UPDATE SET"
               " failures = failures + 1, at_ms = excluded.at_ms, locked_until_ms = CASE WHEN failures + 1 < ? THEN 0"
               " ELSE excluded.at_ms + (? << min(failures + 1 - ?, ?)) END",
               "biiiii", name, (size_t)KEY_HASH_BYTES, now_ms, (int64_t)FAILURES_FREE, (int64_t)REST_MS,
               (int64_t)FAILURES_FREE, (int64_t)REST_DOUBLINGS_MAX));
}

int store_login_worked(struct store *store, const uint8_t name[static KEY_HASH_BYTES])
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store,
                    db_run(store->db, "DELETE FROM login_failures WHERE name = ?", "b", name, (size_t)KEY_HASH_BYTES));
}

int store_people_expire(struct store *store, int64_t now_ms)
{
    static const char *const sql[] = {
        "DELETE FROM sessions WHERE min(idle_until_ms, expires_ms) < ?",
        "DELETE FROM one_time_links WHERE expires_ms < ?",
        "DELETE FROM email_links WHERE expires_ms < ?",
        "DELETE FROM invitations WHERE expires_ms < ?",
        "DELETE FROM login_failures WHERE at_ms < ?",
        NULL,
    };

    return expire(store, sql, now_ms - DAY_MS);
}
