/* host.db's volumes and snapshots. A row is there before its file and goes
 * (becomes "deleted") after it, so that what the disk holds is always known. */
#include "provisioner/store_rows.h"

#include <stdio.h>
#include <string.h>

const char *const file_state_names[4] = { "creating", "ready", "deleting", "deleted" };

#define VOLUME_COLUMNS \
    "volume_id, account_id, name, size_mib, image, snapshot_id, coalesce(instance_id, ''), device, read_only, root, " \
    "state, created_ms"
#define SNAPSHOT_COLUMNS "snapshot_id, account_id, volume_id, name, size_mib, state, created_ms"
#define LIVES "state IN ('creating', 'ready')"

static void volume_take(sqlite3_stmt *row, struct volume *v)
{
    row_text(row, 0, v->volume_id, sizeof(v->volume_id));
    row_text(row, 1, v->account_id, sizeof(v->account_id));
    row_text(row, 2, v->name, sizeof(v->name));
    v->size_mib = sqlite3_column_int64(row, 3);
    row_text(row, 4, v->image, sizeof(v->image));
    row_text(row, 5, v->snapshot_id, sizeof(v->snapshot_id));
    row_text(row, 6, v->instance_id, sizeof(v->instance_id));
    v->device = sqlite3_column_int64(row, 7);
    v->read_only = sqlite3_column_int(row, 8);
    v->root = sqlite3_column_int(row, 9);
    v->state = (enum file_state)row_name(row, 10, file_state_names, 4);
    v->created_ms = sqlite3_column_int64(row, 11);
}

static void snapshot_take(sqlite3_stmt *row, struct snapshot *s)
{
    row_text(row, 0, s->snapshot_id, sizeof(s->snapshot_id));
    row_text(row, 1, s->account_id, sizeof(s->account_id));
    row_text(row, 2, s->volume_id, sizeof(s->volume_id));
    row_text(row, 3, s->name, sizeof(s->name));
    s->size_mib = sqlite3_column_int64(row, 4);
    s->state = (enum file_state)row_name(row, 5, file_state_names, 4);
    s->created_ms = sqlite3_column_int64(row, 6);
}

static int volume_one(sqlite3_stmt *query, struct volume *v)
{
    int rc = db_next(query);

    if (rc == 1)
        volume_take(query, v);
    db_end(query);
    return rc;
}

int store_volume_find(struct store *store, const char *volume_id, struct volume *v)
{
    return volume_one(db_query(store->db, "SELECT " VOLUME_COLUMNS " FROM volume WHERE volume_id = ?", "t", volume_id), v);
}

int store_volume_waiting(struct store *store, const char *after, struct volume *v)
{
    return volume_one(db_query(store->db, "SELECT " VOLUME_COLUMNS " FROM volume WHERE state = 'creating' "
                               "AND image <> '' AND instance_id IS NULL AND volume_id > ? ORDER BY volume_id LIMIT 1",
                               "t", after), v);
}

/* All that was promised is taken to be written in full some day. */
static int promise_check(struct store *store, int64_t more_mib, const struct limits *limits, struct refusal *refusal)
{
    int64_t promised;

    if (db_int(store->db, &promised, "SELECT (SELECT coalesce(sum(size_mib), 0) FROM volume WHERE state <> 'deleted') + "
               "(SELECT coalesce(sum(size_mib), 0) FROM snapshot WHERE state <> 'deleted')", "") != 1)
        return -1;
    if (promised <= limits->promise_mib_max && more_mib <= limits->promise_mib_max - promised)
        return 0;
    return refuse(refusal, "capacity_unavailable", "the host's disk can promise %jd MiB more, %jd are asked for",
                  (intmax_t)(limits->promise_mib_max > promised ? limits->promise_mib_max - promised : 0),
                  (intmax_t)more_mib);
}

static int volumes_check(struct store *store, const char *account_id, int64_t volumes, int64_t more_mib,
                         const struct limits *limits, struct refusal *refusal)
{
    int64_t count, sum_mib;
    int rc;

    if (db_int(store->db, &count, "SELECT count(*) FROM volume WHERE account_id = ? AND " LIVES, "t", account_id) != 1 ||
        db_int(store->db, &sum_mib, "SELECT coalesce(sum(size_mib), 0) FROM volume WHERE account_id = ? AND " LIVES, "t",
               account_id) != 1)
        return -1;
    rc = quota_check("volumes_max", limits->volumes_max, count, volumes, refusal);
    if (!rc)
        rc = quota_check("volume_mib_max", limits->volume_mib_max, sum_mib, more_mib, refusal);
    return rc ? rc : promise_check(store, more_mib, limits, refusal);
}

static int volume_insert(struct store *store, const struct volume *v, const char *request)
{
    return db_run(store->db, "INSERT INTO volume (volume_id, account_id, name, size_mib, image, snapshot_id, instance_id, "
                             "device, read_only, root, state, request, created_ms) "
                             "VALUES (?, ?, ?, ?, ?, ?, nullif(?, ''), ?, ?, ?, ?, ?, ?)", "tttitttiiitti",
                  v->volume_id, v->account_id, v->name, v->size_mib, v->image, v->snapshot_id, v->instance_id,
                  v->device, (int64_t)v->read_only, (int64_t)v->root, file_state_names[FILE_CREATING], request,
                  v->created_ms);
}

/* 1 known with this request, 0 unknown, -1, -2. `table` and its key are ours, not a caller's. */
static int id_known(struct store *store, const char *table, const char *id, const char *request,
                    struct refusal *refusal)
{
    int64_t same;
    char sql[128];
    int rc;

    snprintf(sql, sizeof(sql), "SELECT request = ? AND state <> 'deleted' FROM %s WHERE %s_id = ?", table, table);
    rc = db_int(store->db, &same, sql, "tt", request, id);
    if (rc != 1 || same)
        return rc;
    return refuse(refusal, "conflict", "this %s_id was used for another request, or is deleted", table);
}

/* Ends the transaction as rc says: 0 commits. 1 done, or rc. */
static int settle(struct store *store, int rc)
{
    if (!rc)
        return db_commit(store->db) ? -1 : 1;
    db_rollback(store->db);
    return rc;
}

int store_volume_add(struct store *store, struct volume *v, const char *request, const struct limits *limits,
                     struct refusal *refusal)
{
    int rc;

    if (db_begin(store->db))
        return -1;
    rc = id_known(store, "volume", v->volume_id, request, refusal);
    if (rc) {
        db_rollback(store->db);
        return rc != 1 ? rc : store_volume_find(store, v->volume_id, v) == 1 ? 0 : -1;
    }
    rc = volumes_check(store, v->account_id, 1, v->size_mib, limits, refusal);
    return settle(store, rc ? rc : volume_insert(store, v, request));
}

int store_volume_mark(struct store *store, const char *volume_id, enum file_state state)
{
    return db_run(store->db, "UPDATE volume SET state = ? WHERE volume_id = ?", "tt", file_state_names[state], volume_id);
}

int store_volume_ready(struct store *store, const char *volume_id)
{
    if (db_run(store->db, "UPDATE volume SET state = 'ready' WHERE volume_id = ? AND state = 'creating'", "t", volume_id))
        return -1;
    return sqlite3_changes(store->db);
}

int store_volume_drop(struct store *store, const char *volume_id)
{
    return db_run(store->db, "DELETE FROM volume WHERE volume_id = ?", "t", volume_id);
}

int store_volume_may_grow(struct store *store, const char *volume_id, int64_t size_mib, const struct limits *limits,
                          struct refusal *refusal)
{
    struct volume v;

    if (store_volume_find(store, volume_id, &v) != 1)
        return -1;
    if (v.state != FILE_READY)
        return refuse(refusal, "conflict", "the volume is %s", file_state_names[v.state]);
    if (size_mib < v.size_mib)
        return refuse(refusal, "conflict", "size_mib: the volume has %jd MiB and cannot shrink", (intmax_t)v.size_mib);
    return volumes_check(store, v.account_id, 0, size_mib - v.size_mib, limits, refusal);
}

int store_volume_resize(struct store *store, const char *volume_id, int64_t size_mib)
{
    return db_run(store->db, "UPDATE volume SET size_mib = ? WHERE volume_id = ?", "it", size_mib, volume_id);
}

static int retire(struct store *store, const char *volume_id, struct refusal *refusal)
{
    struct volume v;

    if (store_volume_find(store, volume_id, &v) != 1)
        return -1;
    if (*v.instance_id)
        return refuse(refusal, "conflict", "the volume is attached to instance %s: detach it first", v.instance_id);
    return v.state == FILE_DELETED ? 0 : store_volume_mark(store, volume_id, FILE_DELETING);
}

int store_volume_retire(struct store *store, const char *volume_id, struct refusal *refusal)
{
    if (db_begin(store->db))
        return -1;
    return settle(store, retire(store, volume_id, refusal));
}

int store_volume_release(struct store *store, const char *volume_id, const char *instance_id)
{
    return db_run(store->db, "UPDATE volume SET instance_id = NULL, device = 0, read_only = 0 "
                             "WHERE volume_id = ? AND instance_id = ?", "tt", volume_id, instance_id);
}

int store_volumes_release(struct store *store, const char *instance_id)
{
    return db_run(store->db, "UPDATE volume SET instance_id = NULL, device = 0, read_only = 0 WHERE instance_id = ?", "t",
                  instance_id);
}

int store_volumes_of(struct store *store, const char *instance_id, struct volume v[STORE_DISKS_MAX])
{
    sqlite3_stmt *query = db_query(store->db, "SELECT " VOLUME_COLUMNS " FROM volume WHERE instance_id = ? "
                                   "ORDER BY device", "t", instance_id);
    int count = 0, rc;

    while ((rc = db_next(query)) == 1 && count < (int)STORE_DISKS_MAX)
        volume_take(query, &v[count++]);
    db_end(query);
    return rc < 0 ? -1 : count;
}

int store_volumes(struct store *store, const char *account_id,
                  int (*each)(void *context, const struct volume *volume), void *context)
{
    sqlite3_stmt *query = db_query(store->db, "SELECT " VOLUME_COLUMNS " FROM volume WHERE state <> 'deleted' "
                                   "AND (?1 IS NULL OR account_id = ?1) ORDER BY created_ms, volume_id", "t", account_id);
    int rc;

    while ((rc = db_next(query)) == 1) {
        struct volume v;

        volume_take(query, &v);
        rc = each(context, &v);
        if (rc)
            break;
    }
    db_end(query);
    return rc;
}

static int claimable(struct store *store, const char *volume_id, const char *instance_id, struct refusal *refusal)
{
    struct instance i;
    struct volume v;
    int rc = store_volume_find(store, volume_id, &v);

    if (rc < 0 || store_instance_find(store, instance_id, &i) != 1)
        return -1;
    /* Another account's volume is not there for this one. */
    if (!rc || v.state >= FILE_DELETING || strcmp(v.account_id, i.account_id))
        return refuse(refusal, "not_found", "volume_id: no volume %s", volume_id);
    if (*v.instance_id)
        return refuse(refusal, "conflict", "volume %s is attached to instance %s", volume_id, v.instance_id);
    return 0;
}

int volume_claim(struct store *store, const char *volume_id, const char *instance_id, bool read_only,
                 struct refusal *refusal)
{
    int64_t device;
    int rc = claimable(store, volume_id, instance_id, refusal);

    if (rc)
        return rc;
    rc = db_int(store->db, &device, "WITH RECURSIVE d (n) AS (VALUES (?1) UNION ALL SELECT n + ?2 FROM d "
                "WHERE n < ?3) SELECT n FROM d WHERE n < ?3 AND n NOT IN (SELECT device FROM volume "
                "WHERE instance_id = ?4) LIMIT 1", "iiit", (int64_t)STORE_DEVICE_FIRST, (int64_t)STORE_DEVICE_STEP,
                (int64_t)STORE_DEVICE_SEED, instance_id);
    if (!rc)
        return refuse(refusal, "conflict", "an instance has %u disks at most", STORE_DISKS_MAX);
    if (rc < 0)
        return -1;
    return db_run(store->db, "UPDATE volume SET instance_id = ?, device = ?, read_only = ? WHERE volume_id = ?", "tiit",
                  instance_id, device, (int64_t)read_only, volume_id);
}

int volumes_take_on(struct store *store, const struct order *order, struct refusal *refusal)
{
    int64_t taken;
    int rc = 0;

    if (order->root) {
        rc = db_int(store->db, &taken, "SELECT 1 FROM volume WHERE volume_id = ?", "t", order->root->volume_id);
        if (rc)
            return rc < 0 ? -1 : refuse(refusal, "conflict", "this volume_id was used for another request");
        rc = volumes_check(store, order->root->account_id, 1, order->root->size_mib, order->limits, refusal);
        if (!rc)
            rc = volume_insert(store, order->root, "");
    }
    for (size_t i = 0; !rc && i < order->nr_volumes; i++)
        rc = volume_claim(store, order->volume_ids[i], order->instance->instance_id, false, refusal);
    return rc;
}

static int snapshot_check(struct store *store, const struct snapshot *s, const struct limits *limits,
                          struct refusal *refusal)
{
    int64_t count;
    int rc;

    if (db_int(store->db, &count, "SELECT count(*) FROM snapshot WHERE account_id = ? AND " LIVES, "t",
               s->account_id) != 1)
        return -1;
    rc = quota_check("snapshots_max", limits->snapshots_max, count, 1, refusal);
    return rc ? rc : promise_check(store, s->size_mib, limits, refusal);
}

int store_snapshot_add(struct store *store, struct snapshot *s, const char *request, const struct limits *limits,
                       struct refusal *refusal)
{
    int rc;

    if (db_begin(store->db))
        return -1;
    rc = id_known(store, "snapshot", s->snapshot_id, request, refusal);
    if (rc) {
        db_rollback(store->db);
        return rc != 1 ? rc : store_snapshot_find(store, s->snapshot_id, s) == 1 ? 0 : -1;
    }
    rc = snapshot_check(store, s, limits, refusal);
    if (!rc)
        rc = db_run(store->db, "INSERT INTO snapshot (" SNAPSHOT_COLUMNS ", request) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    "ttttitit", s->snapshot_id, s->account_id, s->volume_id, s->name, s->size_mib,
                    file_state_names[FILE_CREATING], s->created_ms, request);
    return settle(store, rc);
}

int store_snapshot_find(struct store *store, const char *snapshot_id, struct snapshot *s)
{
    sqlite3_stmt *query = db_query(store->db, "SELECT " SNAPSHOT_COLUMNS " FROM snapshot WHERE snapshot_id = ?", "t",
                                   snapshot_id);
    int rc = db_next(query);

    if (rc == 1)
        snapshot_take(query, s);
    db_end(query);
    return rc;
}

int store_snapshot_mark(struct store *store, const char *snapshot_id, enum file_state state)
{
    return db_run(store->db, "UPDATE snapshot SET state = ? WHERE snapshot_id = ?", "tt", file_state_names[state],
                  snapshot_id);
}

int store_snapshot_drop(struct store *store, const char *snapshot_id)
{
    return db_run(store->db, "DELETE FROM snapshot WHERE snapshot_id = ?", "t", snapshot_id);
}

int store_snapshots(struct store *store, const char *account_id,
                    int (*each)(void *context, const struct snapshot *snapshot), void *context)
{
    sqlite3_stmt *query = db_query(store->db, "SELECT " SNAPSHOT_COLUMNS " FROM snapshot WHERE state <> 'deleted' "
                                   "AND (?1 IS NULL OR account_id = ?1) ORDER BY created_ms, snapshot_id", "t",
                                   account_id);
    int rc;

    while ((rc = db_next(query)) == 1) {
        struct snapshot s;

        snapshot_take(query, &s);
        rc = each(context, &s);
        if (rc)
            break;
    }
    db_end(query);
    return rc;
}
