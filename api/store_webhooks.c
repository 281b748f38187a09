#include "api/store_webhooks.h"
#include "api/store_inside.h"

#include <stdio.h>
#include <string.h>

#define WEBHOOK_COLUMNS "webhook_id, account_id, url, types, scopes, secret, created_ms, enabled"

static void webhook_take(sqlite3_stmt *stmt, void *out)
{
    struct webhook_row *row = out;

    text_take(stmt, 0, row->webhook_id, sizeof(row->webhook_id));
    text_take(stmt, 1, row->account_id, sizeof(row->account_id));
    text_take(stmt, 2, row->url, sizeof(row->url));
    text_take(stmt, 3, row->types, sizeof(row->types));
    row->scopes = (unsigned)sqlite3_column_int64(stmt, 4);
    text_take(stmt, 5, row->secret, sizeof(row->secret));
    row->created_ms = sqlite3_column_int64(stmt, 6);
    row->enabled = sqlite3_column_int(stmt, 7);
}

int store_webhook_insert(struct store *store, const struct webhook_row *row)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db,
                                  "INSERT INTO webhooks (" WEBHOOK_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                                  "ttttitii", row->webhook_id, row->account_id, row->url, row->types,
                                  (int64_t)row->scopes, row->secret, row->created_ms, (int64_t)row->enabled));
}

int store_webhook_get(struct store *store, const char *account_id, const char *webhook_id, struct webhook_row *row)
{
    return one_by(store, "SELECT " WEBHOOK_COLUMNS " FROM webhooks WHERE webhook_id = ? AND account_id = ?", webhook_id,
                  account_id, webhook_take, row);
}

int store_webhooks(struct store *store, const char *account_id, struct webhook_row **rows, size_t *count)
{
    return account_rows(store,
                        "SELECT " WEBHOOK_COLUMNS " FROM webhooks WHERE account_id = ?"
                        " ORDER BY created_ms DESC, webhook_id",
                        account_id, webhook_take, sizeof(**rows), (void **)rows, count);
}

int store_webhook_count(struct store *store, const char *account_id, int64_t *count)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store,
                    db_int(store->db, count, "SELECT count(*) FROM webhooks WHERE account_id = ?", "t", account_id));
}

int store_webhook_update(struct store *store, const struct webhook_row *row)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db,
                                  "UPDATE webhooks SET url = ?, types = ?, enabled = ?"
                                  " WHERE webhook_id = ? AND account_id = ?",
                                  "ttitt", row->url, row->types, (int64_t)row->enabled, row->webhook_id,
                                  row->account_id));
}

int store_webhook_delete(struct store *store, const char *account_id, const char *webhook_id)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db, "DELETE FROM webhooks WHERE webhook_id = ? AND account_id = ?", "tt",
                                  webhook_id, account_id));
}

/* deliveries */

#define DELIVERY_COLUMNS                                                                                               \
    "d.number, d.webhook_id, d.event_seq, coalesce(e.type, ''), d.state, d.due_ms, d.attempts, d.created_ms,"           \
    " d.tried_ms, d.took_ms, d.status, d.error"
#define DELIVERY_FROM " FROM deliveries AS d LEFT JOIN events AS e ON e.seq = d.event_seq"

static void delivery_take(sqlite3_stmt *stmt, void *out)
{
    struct delivery_row *row = out;

    row->number = sqlite3_column_int64(stmt, 0);
    text_take(stmt, 1, row->webhook_id, sizeof(row->webhook_id));
    row->event_seq = sqlite3_column_int64(stmt, 2);
    text_take(stmt, 3, row->type, sizeof(row->type));
    text_take(stmt, 4, row->state, sizeof(row->state));
    row->due_ms = sqlite3_column_int64(stmt, 5);
    row->attempts = sqlite3_column_int64(stmt, 6);
    row->created_ms = sqlite3_column_int64(stmt, 7);
    row->tried_ms = sqlite3_column_int64(stmt, 8);
    row->took_ms = sqlite3_column_int64(stmt, 9);
    row->status = sqlite3_column_int64(stmt, 10);
    text_take(stmt, 11, row->error, sizeof(row->error));
}

int store_deliveries(struct store *store, const char *webhook_id, int64_t before, int64_t limit,
                     struct delivery_row **rows, size_t *count)
{
    pthread_mutex_lock(&store->lock);
    return many(store,
                db_query(store->db,
                         "SELECT " DELIVERY_COLUMNS DELIVERY_FROM " WHERE d.webhook_id = ? AND d.number < ?"
                         " ORDER BY d.number DESC LIMIT ?",
                         "tii", webhook_id, before ? before : INT64_MAX, limit),
                delivery_take, sizeof(**rows), (void **)rows, count);
}

int store_delivery_get(struct store *store, const char *account_id, int64_t number, struct delivery_row *row)
{
    pthread_mutex_lock(&store->lock);
    return one(store,
               db_query(store->db,
                        "SELECT " DELIVERY_COLUMNS DELIVERY_FROM " JOIN webhooks AS w USING (webhook_id)"
                        " WHERE d.number = ? AND w.account_id = ?",
                        "it", number, account_id),
               delivery_take, row);
}

static int delivery_add_locked(struct store *store, const char *webhook_id, int64_t event_seq, int64_t now_ms,
                               int64_t *number)
{
    if (db_run(store->db, "INSERT INTO deliveries (webhook_id, event_seq, due_ms, created_ms) VALUES (?, ?, ?, ?)",
               "tiii", webhook_id, event_seq, now_ms, now_ms) != 0)
        return -1;
    *number = sqlite3_last_insert_rowid(store->db);
    return 0;
}

int store_delivery_again(struct store *store, const struct delivery_row *row, int64_t now_ms, int64_t *number)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, delivery_add_locked(store, row->webhook_id, row->event_seq, now_ms, number));
}

static int ping_locked(struct store *store, const struct webhook_row *row, int64_t now_ms, int64_t *number)
{
    if (db_run(store->db,
               "INSERT INTO events (account_id, at_ms, type, object, scope, data) VALUES (?, ?, 'webhook.ping', ?, ?,"
               " json_object('url', ?))",
               "titit", row->account_id, now_ms, row->webhook_id, (int64_t)SCOPE_WEBHOOKS_READ, row->url) != 0)
        return -1;
    return delivery_add_locked(store, row->webhook_id, sqlite3_last_insert_rowid(store->db), now_ms, number);
}

int store_webhook_ping(struct store *store, const struct webhook_row *row, int64_t now_ms, int64_t *number)
{
    int64_t added = 0;
    int rc;

    if (!part_begin(store))
        return -1;
    rc = part_end(store, ping_locked(store, row, now_ms, &added));
    if (rc == 0)
        *number = added;
    return rc;
}

/* A lease that ran out: who had it died, or is late; it is tried again. */
static int leases_end_locked(struct store *store, int64_t now_ms)
{
    return db_run(store->db, "UPDATE deliveries SET state = 'pending' WHERE state = 'sending' AND due_ms <= ?", "i",
                  now_ms);
}

/* The first of each webhook by due_ms is one look into an index. */
static int next_locked(struct store *store, int64_t now_ms, int64_t per_account, int64_t *number)
{
    return db_int(store->db, number,
                  "SELECT n FROM (SELECT w.account_id, (SELECT number FROM deliveries AS d WHERE"
                  " d.webhook_id = w.webhook_id AND d.state = 'pending' AND d.due_ms <= ?1 ORDER BY d.due_ms LIMIT 1) AS n"
                  " FROM webhooks AS w WHERE NOT EXISTS (SELECT 1 FROM deliveries AS s"
                  " WHERE s.webhook_id = w.webhook_id AND s.state = 'sending')) AS c WHERE n IS NOT NULL AND"
                  " (SELECT count(*) FROM deliveries AS s JOIN webhooks AS o USING (webhook_id) WHERE s.state = 'sending'"
                  " AND o.account_id = c.account_id) < ?2 ORDER BY n LIMIT 1",
                  "ii", now_ms, per_account);
}

static void event_give(sqlite3_stmt *stmt, struct delivery_taken *taken, event_each *each, void *arg)
{
    struct event_row event = { .seq = sqlite3_column_int64(stmt, 2),
                               .at_ms = sqlite3_column_int64(stmt, 3),
                               .type = (const char *)sqlite3_column_text(stmt, 4),
                               .object = (const char *)sqlite3_column_text(stmt, 5),
                               .data = (const char *)sqlite3_column_text(stmt, 6) };

    text_take(stmt, 0, taken->url, sizeof(taken->url));
    text_take(stmt, 1, taken->secret, sizeof(taken->secret));
    each(arg, &event);
}

static int taken_read_locked(struct store *store, struct delivery_taken *taken, event_each *each, void *arg)
{
    sqlite3_stmt *stmt = db_query(store->db,
                                  "SELECT w.url, w.secret, e.seq, e.at_ms, e.type, e.object, e.data FROM deliveries AS d"
                                  " JOIN webhooks AS w USING (webhook_id) JOIN events AS e ON e.seq = d.event_seq"
                                  " WHERE d.number = ?",
                                  "i", taken->number);
    int rc = db_next(stmt);

    if (rc == 1)
        event_give(stmt, taken, each, arg);
    db_end(stmt);
    return rc;
}

int store_delivery_take(struct store *store, int64_t now_ms, int64_t until_ms, int64_t per_account,
                        struct delivery_taken *taken, event_each *each, void *arg)
{
    int rc = -1;

    taken->number = 0;
    pthread_mutex_lock(&store->lock);
    if (leases_end_locked(store, now_ms) == 0)
        rc = next_locked(store, now_ms, per_account, &taken->number);
    if (rc == 1 && db_run(store->db,
                          "UPDATE deliveries SET state = 'sending', attempts = attempts + 1, tried_ms = ?, due_ms = ?"
                          " WHERE number = ?",
                          "iii", now_ms, until_ms, taken->number) != 0)
        rc = -1;
    if (rc == 1)
        rc = taken_read_locked(store, taken, each, arg);
    if (rc == 0 && taken->number)       /* ordered again just before its event was forgotten */
        rc = db_run(store->db, "UPDATE deliveries SET state = 'failed', error = 'the event is forgotten' WHERE number = ?",
                    "i", taken->number);
    return unlocked(store, rc);
}

int store_delivery_due(struct store *store, int64_t now_ms, int64_t *due_ms)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_int(store->db, due_ms,
                                  "SELECT min(due_ms) FROM (SELECT min(due_ms) AS due_ms FROM deliveries"
                                  " WHERE state = 'pending' AND due_ms > ?1 UNION ALL"
                                  " SELECT min(due_ms) FROM deliveries WHERE state = 'sending') WHERE due_ms IS NOT NULL"
                                  " HAVING min(due_ms) IS NOT NULL",
                                  "i", now_ms));
}

int store_delivery_sending(struct store *store, int64_t number, int64_t *attempts, int64_t *created_ms)
{
    int rc;

    pthread_mutex_lock(&store->lock);
    rc = db_int(store->db, attempts, "SELECT attempts FROM deliveries WHERE number = ? AND state = 'sending'", "i",
                number);
    if (rc == 1)
        rc = db_int(store->db, created_ms, "SELECT created_ms FROM deliveries WHERE number = ?", "i", number);
    return unlocked(store, rc);
}

int store_delivery_end(struct store *store, const struct delivery_end *end, int64_t now_ms)
{
    const char *state = !*end->error ? "delivered" : end->due_ms ? "pending" : "failed";

    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_run(store->db,
                                  "UPDATE deliveries SET state = ?, due_ms = ?, status = ?, took_ms = ?, error = ?"
                                  " WHERE number = ? AND state = 'sending'",
                                  "tiiiti", state, end->due_ms ? end->due_ms : now_ms, end->status, end->took_ms,
                                  end->error, end->number));
}
