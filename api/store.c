/* One connection behind one lock: SQLite has one writer anyway, and every
 * transaction here is a handful of rows. The lock is recursive because an
 * effect runs inside its claim's transaction with the same functions. */
#include "api/store_inside.h"
#include "schema/api.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct store *store_open(const char *path)
{
    struct store *store = calloc(1, sizeof(*store));
    pthread_mutexattr_t attr;

    if (!store)
        return NULL;
    store->db = db_open(path, api_migrations, sizeof(api_migrations) / sizeof(api_migrations[0]));
    if (!store->db) {
        free(store);
        return NULL;
    }
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&store->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    id_make("run_", store->run_id);
    return store;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    db_close(store->db);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

bool store_try(struct store *store)
{
    return pthread_mutex_trylock(&store->lock) == 0;
}

void store_leave(struct store *store)
{
    pthread_mutex_unlock(&store->lock);
}

int64_t store_changes(struct store *store)
{
    return sqlite3_total_changes64(store->db);
}

void text_take(sqlite3_stmt *stmt, int column, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);

    snprintf(out, size, "%s", text ? text : "");
}

int one(struct store *store, sqlite3_stmt *stmt, row_take *take, void *row)
{
    int rc = db_next(stmt);

    if (rc == 1)
        take(stmt, row);
    db_end(stmt);
    pthread_mutex_unlock(&store->lock);
    return rc;
}

int one_by(struct store *store, const char *sql, const char *first, const char *second, row_take *take, void *row)
{
    pthread_mutex_lock(&store->lock);
    return one(store, db_query(store->db, sql, "tt", first, second), take, row);
}

int many(struct store *store, sqlite3_stmt *stmt, row_take *take, size_t size, void **rows, size_t *count)
{
    char *array = NULL;
    size_t used = 0, room = 0;
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        if (used == room) {
            char *more = realloc(array, (room = room ? 2 * room : 8) * size);

            if (!more) {
                rc = -1;
                break;
            }
            array = more;
        }
        take(stmt, array + used++ * size);
    }
    db_end(stmt);
    pthread_mutex_unlock(&store->lock);
    if (rc != 0) {
        free(array);
        return -1;
    }
    *rows = array;
    *count = used;
    return 0;
}

int account_rows(struct store *store, const char *sql, const char *account_id, row_take *take, size_t size, void **rows,
                 size_t *count)
{
    pthread_mutex_lock(&store->lock);
    return many(store, db_query(store->db, sql, "t", account_id), take, size, rows, count);
}

int unlocked(struct store *store, int rc)
{
    pthread_mutex_unlock(&store->lock);
    return rc;
}

bool part_begin(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    store->part_is_whole = sqlite3_get_autocommit(store->db) != 0;
    if ((store->part_is_whole ? db_begin(store->db) : db_run(store->db, "SAVEPOINT part", "")) == 0)
        return true;
    pthread_mutex_unlock(&store->lock);
    return false;
}

static int whole_end(struct store *store, int rc)
{
    if (rc >= 0)
        return db_commit(store->db) == 0 ? rc : -1;
    db_rollback(store->db);
    return -1;
}

static int savepoint_end(struct store *store, int rc)
{
    if (rc < 0)
        db_run(store->db, "ROLLBACK TO part", "");
    return db_run(store->db, "RELEASE part", "") == 0 ? rc : -1;
}

int part_end(struct store *store, int rc)
{
    return unlocked(store, store->part_is_whole ? whole_end(store, rc) : savepoint_end(store, rc));
}

int expire(struct store *store, const char *const *sql, int64_t before_ms)
{
    int rc = 0;

    if (!part_begin(store))
        return -1;
    for (; *sql && rc == 0; sql++)
        rc = db_run(store->db, *sql, "i", before_ms);
    return part_end(store, rc);
}

/* SSH keys */

#define SSH_KEY_COLUMNS "ssh_key_id, account_id, name, type, bits, line, fingerprint, created_ms, project_id"

static void ssh_key_take(sqlite3_stmt *stmt, void *out)
{
    struct ssh_key_row *row = out;

    text_take(stmt, 0, row->ssh_key_id, sizeof(row->ssh_key_id));
    text_take(stmt, 1, row->account_id, sizeof(row->account_id));
    text_take(stmt, 2, row->name, sizeof(row->name));
    text_take(stmt, 3, row->key.type, sizeof(row->key.type));
    row->key.bits = (unsigned)sqlite3_column_int64(stmt, 4);
    text_take(stmt, 5, row->key.line, sizeof(row->key.line));
    text_take(stmt, 6, row->key.fingerprint, sizeof(row->key.fingerprint));
    row->created_ms = sqlite3_column_int64(stmt, 7);
    text_take(stmt, 8, row->project_id, sizeof(row->project_id));
}

int store_ssh_key_insert(struct store *store, const struct ssh_key_row *row)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db,
                                "INSERT INTO ssh_keys (" SSH_KEY_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", "ttttittit",
                                row->ssh_key_id, row->account_id, row->name, row->key.type, (int64_t)row->key.bits,
                                row->key.line, row->key.fingerprint, row->created_ms, row->project_id));
}

int store_ssh_key_get(struct store *store, const char *account_id, const char *id_or_name, struct ssh_key_row *row)
{
    return one_by(store, "SELECT " SSH_KEY_COLUMNS " FROM ssh_keys WHERE account_id = ? AND ? IN (ssh_key_id, name)",
                  account_id, id_or_name, ssh_key_take, row);
}

int store_ssh_keys(struct store *store, const char *account_id, struct ssh_key_row **rows, size_t *count)
{
    return account_rows(store,
                        "SELECT " SSH_KEY_COLUMNS " FROM ssh_keys WHERE account_id = ? ORDER BY created_ms DESC, ssh_key_id",
                        account_id, ssh_key_take, sizeof(**rows), (void **)rows, count);
}

int store_ssh_key_delete(struct store *store, const char *account_id, const char *ssh_key_id)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db, "DELETE FROM ssh_keys WHERE ssh_key_id = ? AND account_id = ?", "tt",
                                ssh_key_id, account_id));
}

int store_ssh_key_count(struct store *store, const char *account_id, int64_t *count)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store,
                    db_int(store->db, count, "SELECT count(*) FROM ssh_keys WHERE account_id = ?", "t", account_id));
}

/* customers */

#define CUSTOMER_COLUMNS "account_id, name, currency, created_ms, confirmed, number"

static void customer_take(sqlite3_stmt *stmt, void *out)
{
    struct customer_row *row = out;

    text_take(stmt, 0, row->account_id, sizeof(row->account_id));
    text_take(stmt, 1, row->name, sizeof(row->name));
    text_take(stmt, 2, row->currency, sizeof(row->currency));
    row->created_ms = sqlite3_column_int64(stmt, 3);
    row->confirmed = sqlite3_column_int(stmt, 4) != 0;
    row->number = sqlite3_column_int64(stmt, 5);
}

int store_customer_insert(struct store *store, const struct customer_row *row)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db,
                                "INSERT INTO customers (account_id, name, currency, created_ms) VALUES (?, ?, ?, ?)",
                                "ttti", row->account_id, row->name, row->currency, row->created_ms));
}

int store_customer_get(struct store *store, const char *account_id, struct customer_row *row)
{
    pthread_mutex_lock(&store->lock);
    return one(store,
               db_query(store->db, "SELECT " CUSTOMER_COLUMNS " FROM customers WHERE account_id = ?", "t", account_id),
               customer_take, row);
}

int store_customers(struct store *store, int64_t after, int64_t limit, struct customer_row **rows, size_t *count)
{
    pthread_mutex_lock(&store->lock);
    return many(store,
                db_query(store->db,
                         "SELECT " CUSTOMER_COLUMNS " FROM customers WHERE confirmed AND number > ? ORDER BY number LIMIT ?", "ii",
                         after, limit),
                customer_take, sizeof(**rows), (void **)rows, count);
}

/* instances and actions */

#define INSTANCE_COLUMNS                                                                                               \
    "instance_id, account_id, name, image, flavor, vcpus, memory_mib, created_ms, gone_ms, confirmed, labels, revision,"\
    " project_id"

static void instance_take(sqlite3_stmt *stmt, void *out)
{
    struct instance_row *row = out;

    text_take(stmt, 0, row->instance_id, sizeof(row->instance_id));
    text_take(stmt, 1, row->account_id, sizeof(row->account_id));
    text_take(stmt, 2, row->name, sizeof(row->name));
    text_take(stmt, 3, row->image, sizeof(row->image));
    text_take(stmt, 4, row->flavor, sizeof(row->flavor));
    row->vcpus = sqlite3_column_int64(stmt, 5);
    row->memory_mib = sqlite3_column_int64(stmt, 6);
    row->created_ms = sqlite3_column_int64(stmt, 7);
    row->gone_ms = sqlite3_column_int64(stmt, 8);
    row->confirmed = sqlite3_column_int(stmt, 9) != 0;
    text_take(stmt, 10, row->labels, sizeof(row->labels));
    row->revision = sqlite3_column_int64(stmt, 11);
    text_take(stmt, 12, row->project_id, sizeof(row->project_id));
}

int store_instance_insert(struct store *store, const struct instance_row *row)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db,
                                "INSERT INTO instances (instance_id, account_id, name, image, flavor, vcpus,"
                                " memory_mib, created_ms, project_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                "tttttiiit", row->instance_id, row->account_id, row->name, row->image, row->flavor,
                                row->vcpus, row->memory_mib, row->created_ms, row->project_id));
}

int store_instance_get(struct store *store, const char *account_id, const char *instance_id, struct instance_row *row)
{
    return one_by(store, "SELECT " INSTANCE_COLUMNS " FROM instances WHERE instance_id = ? AND account_id = ?",
                  instance_id, account_id, instance_take, row);
}

int store_instance_change(struct store *store, const struct instance_row *row)
{
    int rc;

    pthread_mutex_lock(&store->lock);
    rc = db_run(store->db, "UPDATE instances SET name = ?, labels = ?, revision = revision + 1"
                           " WHERE instance_id = ? AND account_id = ? AND revision = ?",
                "tttti", row->name, row->labels, row->instance_id, row->account_id, row->revision);
    return unlocked(store, rc ? -1 : sqlite3_changes(store->db) == 1);
}

int store_instances(struct store *store, const char *account_id, struct instance_row **rows, size_t *count)
{
    return account_rows(store,
                        "SELECT " INSTANCE_COLUMNS " FROM instances WHERE account_id = ? AND gone_ms = 0"
                        " ORDER BY created_ms DESC, instance_id",
                        account_id, instance_take, sizeof(**rows), (void **)rows, count);
}

int store_instance_gone(struct store *store, const char *instance_id, int64_t now_ms)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db, "UPDATE instances SET gone_ms = ? WHERE instance_id = ? AND gone_ms = 0",
                                "it", now_ms, instance_id));
}

int store_instance_confirm(struct store *store, const char *instance_id)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db, "UPDATE instances SET confirmed = 1 WHERE instance_id = ?", "t", instance_id));
}

int store_instance_count(struct store *store, const char *account_id, int64_t *count)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_int(store->db, count,
                                "SELECT count(*) FROM instances WHERE account_id = ? AND gone_ms = 0 AND confirmed", "t",
                                account_id));
}

#define ACTION_COLUMNS "action_id, account_id, instance_id, type, created_ms, confirmed"

static void action_take(sqlite3_stmt *stmt, void *out)
{
    struct action_row *row = out;

    text_take(stmt, 0, row->action_id, sizeof(row->action_id));
    text_take(stmt, 1, row->account_id, sizeof(row->account_id));
    text_take(stmt, 2, row->instance_id, sizeof(row->instance_id));
    text_take(stmt, 3, row->type, sizeof(row->type));
    row->created_ms = sqlite3_column_int64(stmt, 4);
    row->confirmed = sqlite3_column_int(stmt, 5) != 0;
}

int store_action_insert(struct store *store, const struct action_row *row)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db,
                                "INSERT INTO actions (action_id, account_id, instance_id, type, created_ms)"
                                " VALUES (?, ?, ?, ?, ?)",
                                "tttti", row->action_id, row->account_id, row->instance_id, row->type, row->created_ms));
}

int store_action_get(struct store *store, const char *account_id, const char *action_id, struct action_row *row)
{
    return one_by(store, "SELECT " ACTION_COLUMNS " FROM actions WHERE action_id = ? AND account_id = ?",
                  action_id, account_id, action_take, row);
}

int store_action_last(struct store *store, const char *instance_id, const char *type, struct action_row *row)
{
    return one_by(store, "SELECT " ACTION_COLUMNS " FROM actions WHERE instance_id = ? AND type = ?"
                  " ORDER BY created_ms DESC, action_id LIMIT 1",
                  instance_id, type, action_take, row);
}
