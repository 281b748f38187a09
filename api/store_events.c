#include "api/store_events.h"
#include "api/store_inside.h"

#include <string.h>

#define EVENTS_KEPT_MS (INT64_C(30) * 24 * 3600 * 1000)
/* Where what the event is about is; NULL where only the account is. */
#define PLACE                                                                                                          \
    "coalesce((SELECT project_id FROM instances WHERE instance_id = object),"                                          \
    " (SELECT project_id FROM keys WHERE key_id = object),"                                                            \
    " (SELECT project_id FROM ssh_keys WHERE ssh_key_id = object),"                                                    \
    " (SELECT project_id FROM placements WHERE id = object),"                                                          \
    " (SELECT project_id FROM instances WHERE instance_id = data ->> '$.instance_id'))"
#define COLUMNS "seq, account_id, at_ms, type, object, scope, data"
/* What is looked at for one page: whoever may see little of much gets short pages, and nobody waits for them. */
#define LOOKED_MAX 2000

/* The last column: whether it may be seen. */
static sqlite3_stmt *range_query(struct store *store, const struct event_range *range)
{
    int64_t scopes = range->scopes, after = range->newest && !range->after ? INT64_MAX : range->after;

    if (range->account_id)
        return db_query(store->db,
                        range->newest ? "SELECT " COLUMNS ", scope & ? = scope AND ? IN ('', " PLACE ") FROM events"
                                        " WHERE account_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?"
                                      : "SELECT " COLUMNS ", scope & ? = scope AND ? IN ('', " PLACE ") FROM events"
                                        " WHERE account_id = ? AND seq > ? ORDER BY seq LIMIT ?",
                        "ittii", scopes, range->project_id, range->account_id, after, (int64_t)LOOKED_MAX);
    return db_query(store->db,
                    range->newest ? "SELECT " COLUMNS ", 1 FROM events WHERE seq < ? ORDER BY seq DESC LIMIT ?"
                                  : "SELECT " COLUMNS ", 1 FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
                    "ii", after, range->limit);
}

static struct event_row event_take(sqlite3_stmt *stmt)
{
    return (struct event_row){ .seq = sqlite3_column_int64(stmt, 0),
                               .account_id = (const char *)sqlite3_column_text(stmt, 1),
                               .at_ms = sqlite3_column_int64(stmt, 2),
                               .type = (const char *)sqlite3_column_text(stmt, 3),
                               .object = (const char *)sqlite3_column_text(stmt, 4),
                               .scope = (unsigned)sqlite3_column_int64(stmt, 5),
                               .data = (const char *)sqlite3_column_text(stmt, 6) };
}

int store_events(struct store *store, struct event_range *range, event_each *each, void *arg)
{
    int64_t looked = 0, shown = 0;
    sqlite3_stmt *stmt;
    int rc = 1;

    pthread_mutex_lock(&store->lock);
    stmt = range_query(store, range);
    while (shown < range->limit && (rc = db_next(stmt)) == 1) {
        struct event_row row = event_take(stmt);

        looked++;
        range->after = row.seq;
        if (!sqlite3_column_int(stmt, 7))
            continue;
        shown++;
        each(arg, &row);
    }
    db_end(stmt);
    range->more = shown == range->limit || looked == LOOKED_MAX;
    return unlocked(store, rc < 0 ? -1 : 0);
}

int store_event_newest(struct store *store, int64_t *seq)
{
    pthread_mutex_lock(&store->lock);
    return unlocked(store, db_int(store->db, seq, "SELECT seq FROM sqlite_sequence WHERE name = 'events'", ""));
}

/* SQLite calls this for what triggers insert, too. */
static void row_changed(void *arg, int change, const char *database, const char *table, sqlite3_int64 row)
{
    struct store *store = arg;

    (void)database, (void)row;
    for (int i = 0; i < STORE_WATCHES; i++)
        if (change == SQLITE_INSERT && store->watches[i].table && strcmp(table, store->watches[i].table) == 0)
            store->watches[i].changed = true;
}

static int committing(void *arg)
{
    struct store *store = arg;

    for (int i = 0; i < STORE_WATCHES; i++) {
        if (store->watches[i].changed)
            store->watches[i].notify(store->watches[i].arg);
        store->watches[i].changed = false;
    }
    return 0;
}

void store_watch(struct store *store, const char *table, void (*notify)(void *arg), void *arg)
{
    struct store_watching *watch = store->watches;

    while (watch->table)
        watch++;
    *watch = (struct store_watching){ .table = table, .notify = notify, .arg = arg };
    sqlite3_update_hook(store->db, row_changed, store);
    sqlite3_commit_hook(store->db, committing, store);
}

int store_event_cursor(struct store *store, const char *source, int64_t *position)
{
    int rc;

    *position = 0;
    pthread_mutex_lock(&store->lock);
    rc = db_int(store->db, position, "SELECT position FROM event_cursors WHERE source = ?", "t", source);
    return unlocked(store, rc < 0 ? -1 : 1);
}

static int take_locked(struct store *store, const char *source, int64_t position, const struct event_row *rows,
                       size_t count, int64_t now_ms)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].at_ms >= now_ms - EVENTS_KEPT_MS &&
            db_run(store->db,
                   "INSERT INTO events (account_id, at_ms, type, object, scope, data) VALUES (?, ?, ?, ?, ?, ?)",
                   "tittit", rows[i].account_id, rows[i].at_ms, rows[i].type, rows[i].object, (int64_t)rows[i].scope,
                   rows[i].data) != 0)
            return -1;
    return db_run(store->db,
                  "INSERT INTO event_cursors (source, position) VALUES (?, ?)"
                  " ON CONFLICT (source) DO UPDATE SET position = excluded.position",
                  "ti", source, position);
}

int store_events_take(struct store *store, const char *source, int64_t position, const struct event_row *rows,
                      size_t count, int64_t now_ms)
{
    if (!part_begin(store))
        return -1;
    return part_end(store, take_locked(store, source, position, rows, count, now_ms));
}

int store_events_expire(struct store *store, int64_t now_ms)
{
    static const char *const sql[] = {
        "DELETE FROM deliveries WHERE created_ms < ?",
        "DELETE FROM events WHERE at_ms < ?",
        NULL,
    };

    return expire(store, sql, now_ms - EVENTS_KEPT_MS);
}
