/* People and what they log in with. */
#include "api/people/store_people.h"
#include "api/people/store_members.h"
#include "api/store_inside.h"

#include <string.h>

#define CREDENTIALS "c.password, c.totp_secret, c.totp_offered"
#define USERS                                                                                                          \
    "SELECT u.user_id, u.account_id, u.email, u.name, '', u.created_ms, 0, " CREDENTIALS ", u.email_verified_ms"       \
    " FROM users u JOIN credentials c ON c.owner = u.user_id"                                                          \
    " JOIN customers a ON a.account_id = u.account_id AND a.confirmed"
#define OPERATORS                                                                                                      \
    "SELECT o.operator_id, '', o.name, o.name, o.role, o.created_ms, o.disabled_ms, " CREDENTIALS ", 0"                \
    " FROM operators o JOIN credentials c ON c.owner = o.operator_id"

static bool secret_take(sqlite3_stmt *stmt, int column, uint8_t secret[static TOTP_SECRET_BYTES])
{
    if (sqlite3_column_bytes(stmt, column) != TOTP_SECRET_BYTES)
        return false;
    memcpy(secret, sqlite3_column_blob(stmt, column), TOTP_SECRET_BYTES);
    return true;
}

static void person_take(sqlite3_stmt *stmt, void *out)
{
    struct person_row *row = out;
    char role[16];

    memset(row, 0, sizeof(*row));
    text_take(stmt, 0, row->person_id, sizeof(row->person_id));
    text_take(stmt, 1, row->account_id, sizeof(row->account_id));
    text_take(stmt, 2, row->login, sizeof(row->login));
    text_take(stmt, 3, row->name, sizeof(row->name));
    text_take(stmt, 4, role, sizeof(role));
    row->rank = rank_parse(role);
    row->created_ms = sqlite3_column_int64(stmt, 5);
    row->disabled_ms = sqlite3_column_int64(stmt, 6);
    text_take(stmt, 7, row->password, sizeof(row->password));
    row->totp = secret_take(stmt, 8, row->totp_secret);
    row->totp_is_offered = secret_take(stmt, 9, row->totp_offered);
    row->email_verified = sqlite3_column_int64(stmt, 10) != 0;
}

int store_person_by_login(struct store *store, bool is_operator, const char *login, struct person_row *row)
{
    pthread_mutex_lock(&store->lock);
    return one(
        store,
        db_query(store->db, is_operator ? OPERATORS " WHERE o.name = ?" : USERS " WHERE u.email = ?", "t", login),
        person_take, row);
}

int store_person_get(struct store *store, const char *person_id, struct person_row *row)
{
    const char *sql = id_valid("opr_", person_id) ? OPERATORS " WHERE o.operator_id = ?" : USERS " WHERE u.user_id = ?";

    pthread_mutex_lock(&store->lock);
    return one(store, db_query(store->db, sql, "t", person_id), person_take, row);
}

int store_account_user(struct store *store, const char *account_id, struct person_row *row)
{
    pthread_mutex_lock(&store->lock);
    return one(
        store,
        db_query(store->db, USERS " WHERE u.account_id = ? ORDER BY u.created_ms, u.user_id LIMIT 1", "t", account_id),
        person_take, row);
}

int store_users(struct store *store, const char *account_id, struct person_row **rows, size_t *count)
{
    pthread_mutex_lock(&store->lock);
    return many(store,
                db_query(store->db, USERS " WHERE u.account_id = ? ORDER BY u.created_ms, u.user_id", "t", account_id),
                person_take, sizeof(**rows), (void **)rows, count);
}

int user_insert_locked(struct store *store, const struct person_row *row)
{
    int rc =
        db_run(store->db, "INSERT INTO users (user_id, account_id, email, name, created_ms) VALUES (?, ?, ?, ?, ?)",
               "tttti", row->person_id, row->account_id, row->login, row->name, row->created_ms);

    return rc ? rc
              : db_run(store->db, "INSERT INTO credentials (owner, password) VALUES (?, ?)", "tt", row->person_id,
                       row->password);
}

static int owner_insert_locked(struct store *store, const struct person_row *row)
{
    struct member_row member = { .role = MEMBER_OWNER, .created_ms = row->created_ms };

    id_make("mem_", member.member_id);
    memcpy(member.user_id, row->person_id, ID_BYTES);
    return user_insert_locked(store, row) != 0 || store_member_insert(store, &member) != 0 ? -1 : 0;
}

int store_owner_insert(struct store *store, const struct person_row *row)
{
    if (!part_begin(store))
        return -1;
    return part_end(store, owner_insert_locked(store, row));
}

struct email_owner {
    char *account_id;
    int64_t *created_ms;
    bool *confirmed;
};

static void email_owner_take(sqlite3_stmt *stmt, void *out)
{
    struct email_owner *owner = out;

    text_take(stmt, 0, owner->account_id, ID_BYTES);
    *owner->created_ms = sqlite3_column_int64(stmt, 1);
    *owner->confirmed = sqlite3_column_int(stmt, 2) != 0;
}

int store_email_owner(struct store *store, const char *email, char account_id[static ID_BYTES], int64_t *created_ms,
                      bool *confirmed)
{
    struct email_owner owner = {.account_id = account_id, .created_ms = created_ms, .confirmed = confirmed};

    pthread_mutex_lock(&store->lock);
    return one(store,
               db_query(store->db,
                        "SELECT account_id, u.created_ms, confirmed FROM users u JOIN customers USING (account_id)"
                        " WHERE email = ?",
                        "t", email),
               email_owner_take, &owner);
}

int store_customer_forget(struct store *store, const char *account_id)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store,
                    db_run(store->db, "DELETE FROM customers WHERE account_id = ? AND NOT confirmed", "t", account_id));
}

static void user_id_take(sqlite3_stmt *stmt, void *user_id)
{
    text_take(stmt, 0, user_id, ID_BYTES);
}

int store_email_link_insert(struct store *store, const char *user_id, const uint8_t hash[static KEY_HASH_BYTES],
                            int64_t expires_ms)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db,
                                  "INSERT INTO email_links (hash, user_id, expires_ms) VALUES (?, ?, ?) ON CONFLICT (user_id)"
                                  " DO UPDATE SET hash = excluded.hash, expires_ms = excluded.expires_ms",
                                  "bti", hash, (size_t)KEY_HASH_BYTES, user_id, expires_ms));
}

static int link_use_locked(struct store *store, const uint8_t hash[static KEY_HASH_BYTES], int64_t now_ms, char *user_id)
{
    int rc;

    pthread_mutex_lock(&store->lock);
    rc = one(store,
             db_query(store->db, "SELECT user_id FROM email_links WHERE hash = ? AND expires_ms > ?", "bi", hash,
                      (size_t)KEY_HASH_BYTES, now_ms),
             user_id_take, user_id);
    if (rc != 1)
        return rc;
    return db_run(store->db, "DELETE FROM email_links WHERE user_id = ?", "t", user_id) ||
                   store_email_verified(store, user_id, now_ms)
               ? -1
               : 1;
}

int store_email_link_use(struct store *store, const uint8_t hash[static KEY_HASH_BYTES], int64_t now_ms,
                         char user_id[static ID_BYTES])
{
    if (!part_begin(store))
        return -1;
    return part_end(store, link_use_locked(store, hash, now_ms, user_id));
}

int store_email_verified(struct store *store, const char *user_id, int64_t now_ms)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db, "UPDATE users SET email_verified_ms = ? WHERE user_id = ?", "it", now_ms,
                                  user_id));
}
