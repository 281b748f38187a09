#include "api/store_projects.h"
#include "api/store_inside.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS "project_id, account_id, name, created_ms"

char *project_default_id(const char *account_id, char project_id[static ID_BYTES])
{
    snprintf(project_id, ID_BYTES, "prj_%s", account_id + strlen("acc_"));
    return project_id;
}

static void project_take(sqlite3_stmt *stmt, void *out)
{
    struct project_row *row = out;

    text_take(stmt, 0, row->project_id, sizeof(row->project_id));
    text_take(stmt, 1, row->account_id, sizeof(row->account_id));
    text_take(stmt, 2, row->name, sizeof(row->name));
    row->created_ms = sqlite3_column_int64(stmt, 3);
}

int store_project_insert(struct store *store, const struct project_row *row)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db, "INSERT INTO projects (" COLUMNS ") VALUES (?, ?, ?, ?)", "ttti",
                                  row->project_id, row->account_id, row->name, row->created_ms));
}

int store_project_get(struct store *store, const char *account_id, const char *project_id, struct project_row *row)
{
    return one_by(store, "SELECT " COLUMNS " FROM projects WHERE project_id = ? AND account_id = ? AND deleted_ms = 0",
                  project_id, account_id, project_take, row);
}

int store_project_named(struct store *store, const char *account_id, const char *name, struct project_row *row)
{
    return one_by(store, "SELECT " COLUMNS " FROM projects WHERE name = ? AND account_id = ? AND deleted_ms = 0", name,
                  account_id, project_take, row);
}

int store_projects(struct store *store, const char *account_id, struct project_row **rows, size_t *count)
{
    return account_rows(store,
                        "SELECT " COLUMNS " FROM projects WHERE account_id = ? AND deleted_ms = 0"
                        " ORDER BY created_ms, project_id",
                        account_id, project_take, sizeof(**rows), (void **)rows, count);
}

int store_project_count(struct store *store, const char *account_id, int64_t *count)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_int(store->db, count,
                                  "SELECT count(*) FROM projects WHERE account_id = ? AND deleted_ms = 0", "t",
                                  account_id));
}

int store_project_rename(struct store *store, const struct project_row *row)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db, "UPDATE projects SET name = ? WHERE project_id = ?", "tt", row->name,
                                  row->project_id));
}

int store_project_delete(struct store *store, const char *project_id, int64_t now_ms)
{
    int rc = -1;

    if (!part_begin(store))
        return -1;
    if (db_run(store->db, "UPDATE projects SET deleted_ms = ? WHERE project_id = ?", "it", now_ms, project_id) == 0 &&
        db_run(store->db, "DELETE FROM invitations WHERE project_id = ?", "t", project_id) == 0 &&
        db_run(store->db, "DELETE FROM ssh_keys WHERE project_id = ?", "t", project_id) == 0 &&
        db_run(store->db,
               "DELETE FROM users WHERE user_id IN (SELECT user_id FROM members WHERE project_id = ?)"
               " AND NOT EXISTS (SELECT 1 FROM members WHERE members.user_id = users.user_id AND project_id <> ?)",
               "tt", project_id, project_id) == 0 &&
        db_run(store->db, "DELETE FROM members WHERE project_id = ?", "t", project_id) == 0)
        rc = 0;
    return part_end(store, rc);
}

int store_project_keys(struct store *store, const char *project_id, int64_t *count)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_int(store->db, count, "SELECT count(*) FROM keys WHERE project_id = ? AND revoked_ms = 0",
                                  "t", project_id));
}

static void placement_take(sqlite3_stmt *stmt, void *project_id)
{
    text_take(stmt, 0, project_id, ID_BYTES);
}

int store_placement(struct store *store, const char *account_id, const char *id, char project_id[static ID_BYTES])
{
    int rc;

    pthread_mutex_lock(&store->lock);
    rc = one(store, db_query(store->db, "SELECT project_id FROM placements WHERE id = ?", "t", id), placement_take,
             project_id);
    if (rc == 0)
        project_default_id(account_id, project_id);
    return rc < 0 ? -1 : 1;
}

int store_place(struct store *store, const char *id, const char *project_id)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db, "INSERT INTO placements (id, project_id) VALUES (?, ?)", "tt", id,
                                  project_id));
}

int store_unplace(struct store *store, const char *id)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db, "DELETE FROM placements WHERE id = ?", "t", id));
}
