/* Passwords, second factors and one-time links. */
#include "api/people/store_people.h"
#include "api/store_inside.h"

#include <string.h>

/* 1 if the statement changed a row. */
static int changed(struct store *store, int rc)
{
    return unlocked(store, rc ? -1 : sqlite3_changes(store->db) > 0);
}

int store_totp_step_use(struct store *store, const char *person_id, int64_t step)
{
    pthread_mutex_lock(&store->lock);
    return changed(store,
                   db_run(store->db, "UPDATE credentials SET totp_last_step = ? WHERE owner = ? AND totp_last_step < ?",
                          "iti", step, person_id, step));
}

int store_recovery_code_use(struct store *store, const char *person_id, const uint8_t hash[static KEY_HASH_BYTES],
                            int64_t now_ms)
{
    pthread_mutex_lock(&store->lock);
    return changed(store, db_run(store->db,
                                 "UPDATE recovery_codes SET used_ms = ? WHERE owner = ? AND hash = ? AND used_ms = 0",
                                 "itb", now_ms, person_id, hash, (size_t)KEY_HASH_BYTES));
}

static int password_set_locked(struct store *store, const char *person_id, const char *password, const char *session_id)
{
    return db_run(store->db, "UPDATE credentials SET password = ? WHERE owner = ?", "tt", password, person_id) ||
                   db_run(store->db, "DELETE FROM sessions WHERE owner = ? AND session_id <> ?", "tt", person_id,
                          session_id) ||
                   db_run(store->db, "DELETE FROM one_time_links WHERE owner = ? AND used_ms = 0", "t", person_id)
               ? -1
               : 1;
}

int store_password_set(struct store *store, const char *person_id, const char *password, const char *session_id)
{
    if (!part_begin(store))
        return -1;
    return part_end(store, password_set_locked(store, person_id, password, session_id));
}

int store_totp_offer(struct store *store, const char *person_id, const uint8_t secret[static TOTP_SECRET_BYTES])
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db, "UPDATE credentials SET totp_offered = ? WHERE owner = ?", "bt", secret,
                                  (size_t)TOTP_SECRET_BYTES, person_id));
}

static int totp_confirm_locked(struct store *store, const struct person_row *person, int64_t step,
                               const uint8_t (*codes)[KEY_HASH_BYTES], unsigned count)
{
    int rc = db_run(store->db,
                    "UPDATE credentials SET totp_secret = totp_offered, totp_offered = NULL, totp_last_step = ?"
                    " WHERE owner = ? AND totp_offered = ? AND totp_secret IS NULL",
                    "itb", step, person->person_id, person->totp_offered, (size_t)TOTP_SECRET_BYTES);

    if (rc == 0 && sqlite3_changes(store->db) == 0)
        return 0;
    if (rc == 0)
        rc = db_run(store->db, "DELETE FROM recovery_codes WHERE owner = ?", "t", person->person_id);
    for (unsigned i = 0; i < count && rc == 0; i++)
        rc = db_run(store->db, "INSERT INTO recovery_codes (hash, owner) VALUES (?, ?)", "bt", codes[i],
                    (size_t)KEY_HASH_BYTES, person->person_id);
    return rc ? -1 : 1;
}

int store_totp_confirm(struct store *store, const struct person_row *person, int64_t step,
                       const uint8_t (*codes)[KEY_HASH_BYTES], unsigned count)
{
    if (!part_begin(store))
        return -1;
    return part_end(store, totp_confirm_locked(store, person, step, codes, count));
}

static int totp_remove_locked(struct store *store, const char *person_id)
{
    return db_run(store->db, "UPDATE credentials SET totp_secret = NULL, totp_offered = NULL WHERE owner = ?", "t",
                  person_id) ||
                   db_run(store->db, "DELETE FROM recovery_codes WHERE owner = ?", "t", person_id)
               ? -1
               : 1;
}

int store_totp_remove(struct store *store, const char *person_id)
{
    if (!part_begin(store))
        return -1;
    return part_end(store, totp_remove_locked(store, person_id));
}

/* links */

static int link_insert_locked(struct store *store, const struct link_row *row)
{
    return db_run(store->db, "DELETE FROM one_time_links WHERE owner = ?", "t", row->person_id) ||
                   db_run(store->db,
                          "INSERT INTO one_time_links (hash, owner, remove_totp, expires_ms) VALUES (?, ?, ?, ?)",
                          "btii", row->hash, (size_t)KEY_HASH_BYTES, row->person_id, (int64_t)row->remove_totp,
                          row->expires_ms)
               ? -1
               : 1;
}

int store_link_insert(struct store *store, const struct link_row *row)
{
    if (!part_begin(store))
        return -1;
    return part_end(store, link_insert_locked(store, row));
}

static void link_take(sqlite3_stmt *stmt, void *out)
{
    struct link_row *row = out;

    text_take(stmt, 0, row->person_id, sizeof(row->person_id));
    row->remove_totp = sqlite3_column_int(stmt, 1) != 0;
    row->expires_ms = sqlite3_column_int64(stmt, 2);
}

int store_link_find(struct store *store, const uint8_t hash[static KEY_HASH_BYTES], int64_t now_ms,
                    struct link_row *row)
{
    memset(row, 0, sizeof(*row));
    memcpy(row->hash, hash, KEY_HASH_BYTES);
    pthread_mutex_lock(&store->lock);
    return one(store,
               db_query(store->db,
                        "SELECT owner, remove_totp, expires_ms FROM one_time_links"
                        " WHERE hash = ? AND used_ms = 0 AND expires_ms > ?",
                        "bi", hash, (size_t)KEY_HASH_BYTES, now_ms),
               link_take, row);
}

static int link_use_locked(struct store *store, const struct link_row *row, const char *password, int64_t now_ms)
{
    int rc = db_run(store->db, "UPDATE one_time_links SET used_ms = ? WHERE hash = ? AND used_ms = 0", "ib", now_ms,
                    row->hash, (size_t)KEY_HASH_BYTES);

    if (rc)
        return -1;
    if (sqlite3_changes(store->db) == 0)
        return 0;
    rc = password_set_locked(store, row->person_id, password, "");
    return rc == 1 && row->remove_totp ? totp_remove_locked(store, row->person_id) : rc;
}

int store_link_use(struct store *store, const struct link_row *row, const char *password, int64_t now_ms)
{
    if (!part_begin(store))
        return -1;
    return part_end(store, link_use_locked(store, row, password, now_ms));
}

int store_links_count(struct store *store, const char *person_id, int64_t after_ms, int64_t *count)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store,
                    db_int(store->db, count,
                           "SELECT count(*) FROM one_time_links WHERE owner = ? AND expires_ms > ? AND used_ms = 0",
                           "ti", person_id, after_ms));
}
