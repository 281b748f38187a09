#include "api/store_audit.h"
#include "api/store_inside.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS "seq, at_ms, actor_type, actor_id, account_id, peer, request_id, action, object, status, reason, hash"

static void audit_take(sqlite3_stmt *stmt, void *out)
{
    struct audit_row *row = out;

    memset(row, 0, sizeof(*row));
    row->seq = sqlite3_column_int64(stmt, 0);
    row->at_ms = sqlite3_column_int64(stmt, 1);
    text_take(stmt, 2, row->actor_type, sizeof(row->actor_type));
    text_take(stmt, 3, row->actor_id, sizeof(row->actor_id));
    text_take(stmt, 4, row->account_id, sizeof(row->account_id));
    text_take(stmt, 5, row->peer, sizeof(row->peer));
    text_take(stmt, 6, row->request_id, sizeof(row->request_id));
    text_take(stmt, 7, row->action, sizeof(row->action));
    text_take(stmt, 8, row->object, sizeof(row->object));
    row->status = sqlite3_column_int(stmt, 9);
    text_take(stmt, 10, row->reason, sizeof(row->reason));
    if (sqlite3_column_bytes(stmt, 11) == AUDIT_HASH_BYTES)
        memcpy(row->hash, sqlite3_column_blob(stmt, 11), AUDIT_HASH_BYTES);
}

/* The newest row; all zero if there is none. */
static int head_locked(struct store *store, struct audit_row *head)
{
    sqlite3_stmt *stmt = db_query(store->db, "SELECT " COLUMNS " FROM audit ORDER BY seq DESC LIMIT 1", "");
    int rc = db_next(stmt);

    memset(head, 0, sizeof(*head));
    if (rc == 1)
        audit_take(stmt, head);
    db_end(stmt);
    return rc;
}

static int append_locked(struct store *store, struct audit_row *row)
{
    struct audit_row head;

    if (head_locked(store, &head) < 0)
        return -1;
    row->seq = head.seq + 1;
    if (audit_hash(row, head.hash, row->hash) != 0)
        return -1;
    return db_run(store->db, "INSERT INTO audit (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  "iitttttttitb", row->seq, row->at_ms, row->actor_type, row->actor_id, row->account_id, row->peer,
                  row->request_id, row->action, row->object, (int64_t)row->status, row->reason, row->hash,
                  (size_t)AUDIT_HASH_BYTES);
}

int store_audit_append(struct store *store, struct audit_row *row)
{
    if (!part_begin(store))
        return -1;
    return part_end(store, append_locked(store, row));
}

/* What is not asked for is left out of the statement, so that an index serves the rest. */
static void filter_add(char *sql, size_t size, const char *column, const char *value)
{
    size_t used = strlen(sql);

    snprintf(sql + used, size - used, value ? " AND %s = ?" : " AND ? IS NULL", column);
}

int store_audit(struct store *store, const struct audit_range *range, struct audit_row **rows, size_t *count)
{
    char sql[512];
    size_t used;

    snprintf(sql, sizeof(sql), "SELECT " COLUMNS " FROM audit WHERE seq %s ?", range->newest ? "<" : ">");
    filter_add(sql, sizeof(sql), "account_id", range->account_id);
    filter_add(sql, sizeof(sql), "actor_id", range->actor_id);
    filter_add(sql, sizeof(sql), "object", range->object);
    used = strlen(sql);
    snprintf(sql + used, sizeof(sql) - used, " ORDER BY seq %s LIMIT ?", range->newest ? "DESC" : "");
    pthread_mutex_lock(&store->lock);
    return many(store,
                db_query(store->db, sql, "ittti", range->newest && range->after == 0 ? INT64_MAX : range->after,
                         range->account_id, range->actor_id, range->object, range->limit),
                audit_take, sizeof(**rows), (void **)rows, count);
}
