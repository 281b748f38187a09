#include "api/people/store_members.h"
#include "api/store_inside.h"

#include <string.h>

#define MEMBERS                                                                                                        \
    "SELECT m.member_id, m.user_id, m.project_id, m.role, m.created_ms, u.account_id, u.email, u.name,"                \
    " c.totp_secret IS NOT NULL FROM members m JOIN users u USING (user_id) JOIN credentials c ON c.owner = u.user_id"
#define INVITATIONS                                                                                                    \
    "SELECT invitation_id, account_id, project_id, email, role, hash, mailed, created_ms, expires_ms FROM invitations"

static enum member_role role_take(sqlite3_stmt *stmt, int column)
{
    char role[16];

    text_take(stmt, column, role, sizeof(role));
    return member_role_parse(role);
}

static const char *role_name(enum member_role role)
{
    return member_role_names[role - 1];
}

static void member_take(sqlite3_stmt *stmt, void *out)
{
    struct member_row *row = out;

    memset(row, 0, sizeof(*row));
    text_take(stmt, 0, row->member_id, sizeof(row->member_id));
    text_take(stmt, 1, row->user_id, sizeof(row->user_id));
    text_take(stmt, 2, row->project_id, sizeof(row->project_id));
    row->role = role_take(stmt, 3);
    row->created_ms = sqlite3_column_int64(stmt, 4);
    text_take(stmt, 5, row->account_id, sizeof(row->account_id));
    text_take(stmt, 6, row->email, sizeof(row->email));
    text_take(stmt, 7, row->name, sizeof(row->name));
    row->totp = sqlite3_column_int(stmt, 8) != 0;
}

int store_memberships(struct store *store, const char *user_id, struct member_row **rows, size_t *count)
{
    pthread_mutex_lock(&store->lock);
    return many(store,
                db_query(store->db, MEMBERS " WHERE m.user_id = ? ORDER BY m.project_id <> '', m.created_ms, m.member_id",
                         "t", user_id),
                member_take, sizeof(**rows), (void **)rows, count);
}

int store_members(struct store *store, const char *account_id, struct member_row **rows, size_t *count)
{
    pthread_mutex_lock(&store->lock);
    return many(store,
                db_query(store->db, MEMBERS " WHERE u.account_id = ? ORDER BY m.created_ms, m.member_id", "t",
                         account_id),
                member_take, sizeof(**rows), (void **)rows, count);
}

int store_member_get(struct store *store, const char *account_id, const char *member_id, struct member_row *row)
{
    pthread_mutex_lock(&store->lock);
    return one(store,
               db_query(store->db, MEMBERS " WHERE m.member_id = ? AND u.account_id = ?", "tt", member_id, account_id),
               member_take, row);
}

int store_member_insert(struct store *store, const struct member_row *row)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store,
                    db_run(store->db,
                           "INSERT INTO members (member_id, user_id, project_id, role, created_ms) VALUES (?, ?, ?, ?, ?)"
                           " ON CONFLICT (user_id, project_id) DO UPDATE SET role = excluded.role WHERE role <> 'owner'",
                           "tttti", row->member_id, row->user_id, row->project_id, role_name(row->role),
                           row->created_ms));
}

int store_owner_count(struct store *store, const char *account_id, int64_t *count)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_int(store->db, count,
                                  "SELECT count(*) FROM members JOIN users USING (user_id)"
                                  " WHERE account_id = ? AND role = 'owner'",
                                  "t", account_id));
}

int store_member_count(struct store *store, const char *account_id, int64_t *count)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_int(store->db, count,
                                  "SELECT count(*) FROM members JOIN users USING (user_id) WHERE account_id = ?", "t",
                                  account_id));
}

/* `role` 0: none. */
static int change_locked(struct store *store, const struct member_row *row, enum member_role role)
{
    int64_t owners;

    if (store_owner_count(store, row->account_id, &owners) != 1)
        return -1;
    if (row->role == MEMBER_OWNER && role != MEMBER_OWNER && owners == 1)
        return 0;
    if (role ? db_run(store->db, "UPDATE members SET role = ? WHERE member_id = ?", "tt", role_name(role),
                      row->member_id)
             : db_run(store->db, "DELETE FROM members WHERE member_id = ?", "t", row->member_id))
        return -1;
    return db_run(store->db, "DELETE FROM sessions WHERE owner = ?", "t", row->user_id) ||
                   db_run(store->db,
                          "DELETE FROM users WHERE user_id = ?"
                          " AND NOT EXISTS (SELECT 1 FROM members WHERE members.user_id = users.user_id)",
                          "t", row->user_id)
               ? -1
               : 1;
}

int store_member_role_set(struct store *store, const struct member_row *row, enum member_role role)
{
    if (!part_begin(store))
        return -1;
    return part_end(store, change_locked(store, row, role));
}

int store_member_delete(struct store *store, const struct member_row *row)
{
    return store_member_role_set(store, row, 0);
}

/* invitations */

static void invitation_take(sqlite3_stmt *stmt, void *out)
{
    struct invitation_row *row = out;

    memset(row, 0, sizeof(*row));
    text_take(stmt, 0, row->invitation_id, sizeof(row->invitation_id));
    text_take(stmt, 1, row->account_id, sizeof(row->account_id));
    text_take(stmt, 2, row->project_id, sizeof(row->project_id));
    text_take(stmt, 3, row->email, sizeof(row->email));
    row->role = role_take(stmt, 4);
    if (sqlite3_column_bytes(stmt, 5) == KEY_HASH_BYTES)
        memcpy(row->hash, sqlite3_column_blob(stmt, 5), KEY_HASH_BYTES);
    row->mailed = sqlite3_column_int(stmt, 6) != 0;
    row->created_ms = sqlite3_column_int64(stmt, 7);
    row->expires_ms = sqlite3_column_int64(stmt, 8);
}

static int invitation_insert_locked(struct store *store, const struct invitation_row *row)
{
    return db_run(store->db, "DELETE FROM invitations WHERE account_id = ? AND project_id = ? AND email = ?", "ttt",
                  row->account_id, row->project_id, row->email) ||
                   db_run(store->db,
                          "INSERT INTO invitations (invitation_id, account_id, project_id, email, role, hash, mailed,"
                          " created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                          "tttttbiii", row->invitation_id, row->account_id, row->project_id, row->email,
                          role_name(row->role), row->hash, (size_t)KEY_HASH_BYTES, (int64_t)row->mailed,
                          row->created_ms, row->expires_ms)
               ? -1
               : 1;
}

int store_invitation_insert(struct store *store, const struct invitation_row *row)
{
    if (!part_begin(store))
        return -1;
    return part_end(store, invitation_insert_locked(store, row));
}

int store_invitation_get(struct store *store, const char *account_id, const char *invitation_id,
                         struct invitation_row *row)
{
    pthread_mutex_lock(&store->lock);
    return one(store,
               db_query(store->db, INVITATIONS " WHERE invitation_id = ? AND account_id = ?", "tt", invitation_id,
                        account_id),
               invitation_take, row);
}

int store_invitation_find(struct store *store, const uint8_t hash[static KEY_HASH_BYTES], int64_t now_ms,
                          struct invitation_row *row)
{
    pthread_mutex_lock(&store->lock);
    return one(store,
               db_query(store->db, INVITATIONS " WHERE hash = ? AND expires_ms > ?", "bi", hash, (size_t)KEY_HASH_BYTES,
                        now_ms),
               invitation_take, row);
}

int store_invitations(struct store *store, const char *account_id, int64_t now_ms, struct invitation_row **rows,
                      size_t *count)
{
    pthread_mutex_lock(&store->lock);
    return many(store,
                db_query(store->db,
                         INVITATIONS " WHERE account_id = ? AND expires_ms > ? ORDER BY created_ms, invitation_id",
                         "ti", account_id, now_ms),
                invitation_take, sizeof(**rows), (void **)rows, count);
}

int store_invitation_delete(struct store *store, const char *invitation_id)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db, "DELETE FROM invitations WHERE invitation_id = ?", "t", invitation_id));
}

static int use_locked(struct store *store, const struct invitation_row *row, const struct person_row *user, bool fresh)
{
    struct member_row member = { .role = row->role, .created_ms = user->created_ms };

    if (db_run(store->db, "DELETE FROM invitations WHERE invitation_id = ?", "t", row->invitation_id))
        return -1;
    if (sqlite3_changes(store->db) == 0)
        return 0;
    id_make("mem_", member.member_id);
    memcpy(member.user_id, user->person_id, ID_BYTES);
    memcpy(member.project_id, row->project_id, ID_BYTES);
    return (fresh && user_insert_locked(store, user) != 0) ||
                   db_run(store->db,
                          "DELETE FROM sessions WHERE owner = ? AND EXISTS"
                          " (SELECT 1 FROM members WHERE user_id = owner AND project_id = ? AND role <> 'owner')",
                          "tt", member.user_id, member.project_id) ||
                   store_member_insert(store, &member) != 0
               ? -1
               : 1;
}

int store_invitation_use(struct store *store, const struct invitation_row *row, const struct person_row *user,
                         bool fresh)
{
    if (!part_begin(store))
        return -1;
    return part_end(store, use_locked(store, row, user, fresh));
}
