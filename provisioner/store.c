#include "provisioner/store_rows.h"
#include "common/log.h"
#include "schema/host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const state_names[STATES] = { "pending", "building", "running", "stopping", "stopped", "suspending",
                                          "suspended", "failed", "deleted" };
const char *const job_status_names[4] = { "queued", "running", "succeeded", "failed" };

#define INSTANCE_COLUMNS \
    "instance_id, account_id, name, image, flavor, cmdline, vcpus, memory_mib, weight, cap_percent, domain_uuid, " \
    "state, desired_state, state_reason, domid, incarnation, boot_id, console_start, quick_reboots, created_ms, " \
    "started_ms, disk_limit, net_limit, purchase_order_id, unpaid, barred"
#define JOB_COLUMNS                                                                                                    \
    "job_id, instance_id, number, type, status, step, undoing, failed_step, error_code, error_detail, created_ms, "    \
    "started_ms, "                                                                                                     \
    "finished_ms, volume_id, incarnation"
#define UNFINISHED "status IN ('queued', 'running')"

struct store *store_open(const char *path)
{
    struct store *store = calloc(1, sizeof(*store));

    if (!store)
        fatalx("out of memory");
    store->db = db_open(path, host_migrations, sizeof(host_migrations) / sizeof(host_migrations[0]));
    if (!store->db)
        fatalx("%s: not usable (see above)", path);
    return store;
}

void store_close(struct store *store)
{
    db_close(store->db);
    free(store);
}

void row_text(sqlite3_stmt *row, int column, char *to, size_t bytes)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    size_t len = text ? strlen(text) : 0;

    if (len >= bytes)
        len = bytes - 1;
    memcpy(to, text ? text : "", len);
    to[len] = 0;
}

unsigned row_name(sqlite3_stmt *row, int column, const char *const *names, unsigned count)
{
    const char *text = (const char *)sqlite3_column_text(row, column);

    for (unsigned i = 0; i < count; i++)
        if (text && !strcmp(text, names[i]))
            return i;
    fatalx("host.db: column %s has the unknown value %s", sqlite3_column_name(row, column), text ? text : "NULL");
}

static void instance_take(sqlite3_stmt *row, struct instance *i)
{
    row_text(row, 0, i->instance_id, sizeof(i->instance_id));
    row_text(row, 1, i->account_id, sizeof(i->account_id));
    row_text(row, 2, i->name, sizeof(i->name));
    row_text(row, 3, i->image, sizeof(i->image));
    row_text(row, 4, i->flavor, sizeof(i->flavor));
    row_text(row, 5, i->cmdline, sizeof(i->cmdline));
    i->vcpus = sqlite3_column_int64(row, 6);
    i->memory_mib = sqlite3_column_int64(row, 7);
    i->weight = sqlite3_column_int64(row, 8);
    i->cap_percent = sqlite3_column_int64(row, 9);
    memcpy(i->domain_uuid, sqlite3_column_blob(row, 10), sizeof(i->domain_uuid));   /* 16 bytes by the schema */
    i->state = (enum state)row_name(row, 11, state_names, STATES);
    i->desired_state = (enum state)row_name(row, 12, state_names, STATES);
    row_text(row, 13, i->state_reason, sizeof(i->state_reason));
    i->domid = sqlite3_column_int64(row, 14);
    row_text(row, 15, i->incarnation, sizeof(i->incarnation));
    row_text(row, 16, i->boot_id, sizeof(i->boot_id));
    i->console_start = sqlite3_column_int64(row, 17);
    i->quick_reboots = sqlite3_column_int64(row, 18);
    i->created_ms = sqlite3_column_int64(row, 19);
    i->started_ms = sqlite3_column_int64(row, 20);
    row_text(row, 21, i->disk_limit, sizeof(i->disk_limit));
    row_text(row, 22, i->net_limit, sizeof(i->net_limit));
    row_text(row, 23, i->purchase_order_id, sizeof(i->purchase_order_id));
    i->unpaid = sqlite3_column_int(row, 24);
    i->barred = sqlite3_column_int(row, 25);
}

static void job_take(sqlite3_stmt *row, struct job *j)
{
    row_text(row, 0, j->job_id, sizeof(j->job_id));
    row_text(row, 1, j->instance_id, sizeof(j->instance_id));
    j->number = sqlite3_column_int64(row, 2);
    row_text(row, 3, j->type, sizeof(j->type));
    j->status = (enum job_status)row_name(row, 4, job_status_names, 4);
    j->step = sqlite3_column_int64(row, 5);
    j->undoing = sqlite3_column_int(row, 6);
    j->failed_step = sqlite3_column_int64(row, 7);
    row_text(row, 8, j->error_code, sizeof(j->error_code));
    row_text(row, 9, j->error_detail, sizeof(j->error_detail));
    j->created_ms = sqlite3_column_int64(row, 10);
    j->started_ms = sqlite3_column_int64(row, 11);
    j->finished_ms = sqlite3_column_int64(row, 12);
    row_text(row, 13, j->volume_id, sizeof(j->volume_id));
    row_text(row, 14, j->incarnation, sizeof(j->incarnation));
}

/* Ends the query: 1 and the row taken, 0, -1. */
static int job_one(sqlite3_stmt *query, struct job *job)
{
    int rc = db_next(query);

    if (rc == 1)
        job_take(query, job);
    db_end(query);
    return rc;
}

static int instance_one(sqlite3_stmt *query, struct instance *instance)
{
    int rc = db_next(query);

    if (rc == 1)
        instance_take(query, instance);
    db_end(query);
    return rc;
}

static int instance_insert(sqlite3 *db, const struct instance *i)
{
    return db_run(db,
                  "INSERT INTO instance (" INSTANCE_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                  "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  "ttttttiiiibtttittiiiitttii", i->instance_id, i->account_id, i->name, i->image, i->flavor, i->cmdline,
                  i->vcpus, i->memory_mib, i->weight, i->cap_percent, i->domain_uuid, sizeof(i->domain_uuid),
                  state_names[i->state], state_names[i->desired_state], i->state_reason, i->domid, i->incarnation,
                  i->boot_id, i->console_start, i->quick_reboots, i->created_ms, i->started_ms, i->disk_limit,
                  i->net_limit, i->purchase_order_id, (int64_t)i->unpaid, (int64_t)i->barred);
}

static int job_insert(sqlite3 *db, struct job *j, const char *request)
{
    if (db_int(db, &j->number, "SELECT coalesce(max(number), 0) + 1 FROM job", "") != 1)
        return -1;
    return db_run(db,
                  "INSERT INTO job (" JOB_COLUMNS ", request) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                  "?, ?)",
                  "ttittiiittiiittt", j->job_id, j->instance_id, j->number, j->type, job_status_names[j->status],
                  j->step, (int64_t)j->undoing, j->failed_step, j->error_code, j->error_detail, j->created_ms,
                  j->started_ms, j->finished_ms, j->volume_id, j->incarnation, request);
}

/* 1 known with this request, 0 unknown, -1, -2 known with another. */
static int job_known(struct store *store, struct job *job, const char *request)
{
    int64_t same;
    int rc = db_int(store->db, &same, "SELECT request = ? FROM job WHERE job_id = ?", "tt", request, job->job_id);

    if (rc != 1)
        return rc;
    return same ? store_job_find(store, job->job_id, job) : -2;
}

int refuse(struct refusal *refusal, const char *code, const char *fmt, ...)
{
    va_list args;

    *refusal = (struct refusal){ .code = code };
    va_start(args, fmt);
    vsnprintf(refusal->detail, sizeof(refusal->detail), fmt, args);
    va_end(args);
    return -2;
}

int quota_check(const char *quota, int64_t limit, int64_t used, int64_t more, struct refusal *refusal)
{
    if (used <= limit && more <= limit - used)
        return 0;
    refuse(refusal, "quota_exceeded", "%s: %jd of %jd are used, %jd more do not fit", quota, (intmax_t)used,
           (intmax_t)limit, (intmax_t)more);
    refusal->quota = quota;
    refusal->limit = limit;
    refusal->used = used;
    return -2;
}

static int instance_take_on(struct store *store, const struct order *order, struct refusal *refusal)
{
    const struct instance *i = order->instance;
    int64_t taken, used;
    int rc = db_int(store->db, &taken, "SELECT 1 FROM instance WHERE instance_id = ?", "t", i->instance_id);

    if (rc)
        return rc < 0 ? -1 : refuse(refusal, "conflict", "this instance_id was used for another request");
    if (db_int(store->db, &used, "SELECT count(*) FROM instance WHERE account_id = ? AND state <> 'deleted'", "t",
               i->account_id) != 1)
        return -1;
    rc = quota_check("instances_max", order->limits->instances_max, used, 1, refusal);
    if (!rc)
        rc = instance_insert(store->db, i);
    if (!rc)
        rc = volumes_take_on(store, order, refusal);
    return rc ? rc : network_take_on(store, order, refusal);
}

/* 1 added, or as the verb returns. */
static int order_take(struct store *store, struct job *job, const char *request, const struct order *order,
                      struct refusal *refusal)
{
    int rc = 0;

    if (order && order->instance)
        rc = instance_take_on(store, order, refusal);
    else if (order && order->attach)
        rc = volume_claim(store, job->volume_id, job->instance_id, order->read_only, refusal);
    if (rc)
        return rc;
    return job_insert(store->db, job, request) ? -1 : 1;
}

int store_job_add(struct store *store, struct job *job, const char *request, const struct order *order,
                  struct refusal *refusal)
{
    int rc;

    if (db_begin(store->db))
        return -1;
    rc = job_known(store, job, request);
    if (rc) {
        db_rollback(store->db);
        return rc == 1 ? 0 : rc == -2 ? refuse(refusal, "conflict", "this job_id was used for another request") : -1;
    }
    rc = order_take(store, job, request, order, refusal);
    if (rc != 1) {
        db_rollback(store->db);
        return rc;
    }
    return db_commit(store->db) ? -1 : 1;
}

int store_job_save(struct store *store, const struct job *j)
{
    return db_run(store->db, "UPDATE job SET status = ?, step = ?, undoing = ?, failed_step = ?, error_code = ?, "
                             "error_detail = ?, started_ms = ?, finished_ms = ?, incarnation = ? WHERE job_id = ?", "tiiittiitt",
                  job_status_names[j->status], j->step, (int64_t)j->undoing, j->failed_step, j->error_code,
                  j->error_detail, j->started_ms, j->finished_ms, j->incarnation, j->job_id);
}

int store_instance_save(struct store *store, const struct instance *i)
{
    return db_run(store->db, "UPDATE instance SET state = ?, desired_state = ?, state_reason = ?, domid = ?, "
                             "incarnation = ?, boot_id = ?, console_start = ?, quick_reboots = ?, started_ms = ? "
                             "WHERE instance_id = ?", "tttittiiit",
                  state_names[i->state], state_names[i->desired_state], i->state_reason, i->domid, i->incarnation,
                  i->boot_id, i->console_start, i->quick_reboots, i->started_ms, i->instance_id);
}

int store_instance_fit(struct store *store, const struct instance *i)
{
    return db_run(store->db, "UPDATE instance SET flavor = ?, vcpus = ?, memory_mib = ?, weight = ?, cap_percent = ?, "
                             "disk_limit = ?, net_limit = ? WHERE instance_id = ?", "tiiiittt",
                  i->flavor, i->vcpus, i->memory_mib, i->weight, i->cap_percent, i->disk_limit, i->net_limit,
                  i->instance_id);
}

int store_instance_renew(struct store *store, const struct instance *i, const char *root_id)
{
    if (db_begin(store->db))
        return -1;
    if (db_run(store->db, "UPDATE instance SET image = ? WHERE instance_id = ?", "tt", i->image, i->instance_id) ||
        db_run(store->db, "UPDATE volume SET image = ?, snapshot_id = '', state = 'creating' WHERE volume_id = ?", "tt",
               i->image, root_id)) {
        db_rollback(store->db);
        return -1;
    }
    return db_commit(store->db);
}

int store_save(struct store *store, const struct job *job, const struct instance *instance)
{
    if (db_begin(store->db))
        return -1;
    if (store_job_save(store, job) || store_instance_save(store, instance)) {
        db_rollback(store->db);
        return -1;
    }
    return db_commit(store->db);
}

int store_job_find(struct store *store, const char *job_id, struct job *job)
{
    return job_one(db_query(store->db, "SELECT " JOB_COLUMNS " FROM job WHERE job_id = ?", "t", job_id), job);
}

int store_jobs(struct store *store, const char *instance_id, int64_t before, int64_t limit,
               int (*each)(void *context, const struct job *job), void *context)
{
    sqlite3_stmt *query = db_query(store->db, "SELECT " JOB_COLUMNS " FROM job WHERE instance_id = ? AND number < ? "
                                   "ORDER BY number DESC LIMIT ?", "tii", instance_id, before, limit);
    int rc;

    while ((rc = db_next(query)) == 1) {
        struct job job;

        job_take(query, &job);
        rc = each(context, &job);
        if (rc)
            break;
    }
    db_end(query);
    return rc;
}

int store_job_request(struct store *store, const char *job_id, json_t **request)
{
    sqlite3_stmt *query = db_query(store->db, "SELECT request FROM job WHERE job_id = ?", "t", job_id);
    int rc = db_next(query);

    *request = rc == 1 ? json_loads((const char *)sqlite3_column_text(query, 0), 0, NULL) : NULL;
    db_end(query);
    return rc == 1 && !*request ? 0 : rc;
}

int store_job_next(struct store *store, int64_t after, struct job *job)
{
    return job_one(db_query(store->db, "SELECT " JOB_COLUMNS " FROM job AS j WHERE " UNFINISHED " AND number > ? "
                            "AND NOT EXISTS (SELECT 1 FROM job AS o WHERE o.instance_id = j.instance_id "
                            "AND o.number < j.number AND o." UNFINISHED ") ORDER BY number LIMIT 1", "i", after), job);
}

int store_job_last(struct store *store, const char *instance_id, int64_t before, struct job *job)
{
    return job_one(db_query(store->db, "SELECT " JOB_COLUMNS " FROM job WHERE instance_id = ? AND number < ? AND "
                            UNFINISHED " ORDER BY number DESC LIMIT 1", "ti", instance_id, before), job);
}

int store_jobs_unfinished(struct store *store, int64_t *count)
{
    return db_int(store->db, count, "SELECT count(*) FROM job WHERE " UNFINISHED, "") == 1 ? 0 : -1;
}

int store_instance_find(struct store *store, const char *instance_id, struct instance *instance)
{
    return instance_one(db_query(store->db, "SELECT " INSTANCE_COLUMNS " FROM instance WHERE instance_id = ?", "t",
                                 instance_id), instance);
}

int store_instance_by_uuid(struct store *store, const uint8_t uuid[16], struct instance *instance)
{
    return instance_one(db_query(store->db, "SELECT " INSTANCE_COLUMNS " FROM instance WHERE domain_uuid = ?", "b",
                                 uuid, (size_t)16), instance);
}

int store_instances(struct store *store, const char *account_id,
                    int (*each)(void *context, const struct instance *instance), void *context)
{
    sqlite3_stmt *query = db_query(store->db, "SELECT " INSTANCE_COLUMNS " FROM instance WHERE state <> 'deleted' "
                                   "AND (?1 IS NULL OR account_id = ?1) ORDER BY created_ms, instance_id", "t",
                                   account_id);
    int rc;

    while ((rc = db_next(query)) == 1) {
        struct instance instance;

        instance_take(query, &instance);
        rc = each(context, &instance);
        if (rc)
            break;
    }
    db_end(query);
    return rc;
}

int store_unpaid_put(struct store *store, const json_t *instance_ids, bool unpaid, bool barred)
{
    const json_t *id;
    size_t n;

    if (db_begin(store->db))
        return -1;
    json_array_foreach(instance_ids, n, id)
        if (db_run(store->db, "UPDATE instance SET unpaid = ?2, barred = ?3 WHERE instance_id = ?1"
                   " AND (unpaid <> ?2 OR barred <> ?3)", "tii", json_string_value(id), (int64_t)unpaid,
                   (int64_t)barred)) {
            db_rollback(store->db);
            return -1;
        }
    return db_commit(store->db);
}

int store_unpaid(struct store *store, const char *instance_id)
{
    int64_t unpaid;
    int rc = db_int(store->db, &unpaid, "SELECT unpaid FROM instance WHERE instance_id = ?", "t", instance_id);

    return rc == 1 ? (int)unpaid : rc;
}
