/* Idempotency-Keys: claims, and the answers kept for them. */
#include "api/store_inside.h"
#include "api/store_projects.h"

#include <stdlib.h>
#include <string.h>

#define IDEM_KEPT_MS (INT64_C(30) * 24 * 3600 * 1000)

struct claim_row {
    uint8_t request_hash[32];
    char run_id[ID_BYTES];
    struct idem *idem;
    bool answered;
};

static void claim_take(sqlite3_stmt *stmt, void *out)
{
    struct claim_row *row = out;
    const char *body = (const char *)sqlite3_column_text(stmt, 5);

    if (sqlite3_column_bytes(stmt, 0) == (int)sizeof(row->request_hash))
        memcpy(row->request_hash, sqlite3_column_blob(stmt, 0), sizeof(row->request_hash));
    text_take(stmt, 1, row->idem->subject_id, sizeof(row->idem->subject_id));
    text_take(stmt, 2, row->idem->job_id, sizeof(row->idem->job_id));
    text_take(stmt, 3, row->run_id, sizeof(row->run_id));
    row->idem->status = sqlite3_column_int(stmt, 4);
    row->idem->body = body ? strdup(body) : NULL;
    text_take(stmt, 6, row->idem->location, sizeof(row->idem->location));
    row->idem->created_ms = sqlite3_column_int64(stmt, 7);
    row->answered = row->idem->status != 0;
}

static int claim_find(struct store *store, struct claim_row *row)
{
    pthread_mutex_lock(&store->lock);
    return one(store,
               db_query(store->db,
                        "SELECT request_hash, subject_id, job_id, run_id, status, body, location, created_ms"
                        " FROM idempotency WHERE owner = ? AND key = ?",
                        "tt", row->idem->owner, row->idem->key),
               claim_take, row);
}

static enum idem_state claim_fresh_locked(struct store *store, struct idem *idem, store_effect *effect, void *arg)
{
    int rc = db_run(store->db,
                    "INSERT INTO idempotency (owner, key, request_hash, subject_id, job_id, run_id, created_ms)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    "ttbttti", idem->owner, idem->key, idem->request_hash, sizeof(idem->request_hash), idem->subject_id,
                    idem->job_id, store->run_id, idem->created_ms);

    if (rc)
        return IDEM_FAILED;
    rc = effect ? effect(store, idem, arg) : 0;
    if (rc < 0)
        return IDEM_FAILED;
    idem->refusal = rc;
    return rc ? IDEM_REFUSED : IDEM_FRESH;
}

static enum idem_state claim_again_locked(struct store *store, const struct claim_row *row, const uint8_t hash[32])
{
    if (memcmp(row->request_hash, hash, sizeof(row->request_hash)) != 0)
        return IDEM_OTHER;
    if (row->answered)
        return IDEM_STORED;
    if (strcmp(row->run_id, store->run_id) == 0)
        return IDEM_IN_FLIGHT;
    /* Another process's claim: that process is gone, we hold the only lock. */
    if (db_run(store->db, "UPDATE idempotency SET run_id = ? WHERE owner = ? AND key = ?", "ttt", store->run_id,
               row->idem->owner, row->idem->key))
        return IDEM_FAILED;
    return IDEM_RESUMED;
}

static enum idem_state claim_locked(struct store *store, struct idem *idem, store_effect *effect, void *arg)
{
    struct idem found = *idem;
    struct claim_row row = { .idem = &found };
    enum idem_state state;

    switch (claim_find(store, &row)) {
    case 0:
        return claim_fresh_locked(store, idem, effect, arg);
    case 1:
        state = claim_again_locked(store, &row, idem->request_hash);
        if (state == IDEM_STORED || state == IDEM_RESUMED)
            *idem = found;
        else
            free(found.body);
        return state;
    default:
        return IDEM_FAILED;
    }
}

enum idem_state store_idem_claim(struct store *store, struct idem *idem, store_effect *effect, void *arg)
{
    enum idem_state state = IDEM_FAILED;

    pthread_mutex_lock(&store->lock);
    if (db_begin(store->db) == 0) {
        state = claim_locked(store, idem, effect, arg);
        if (state == IDEM_REFUSED || state == IDEM_FAILED)
            db_rollback(store->db);
        else if (db_commit(store->db) != 0)
            state = IDEM_FAILED;
    }
    pthread_mutex_unlock(&store->lock);
    return state;
}

enum idem_state store_idem_look(struct store *store, struct idem *idem)
{
    struct idem found = *idem;
    struct claim_row row = { .idem = &found };

    if (claim_find(store, &row) != 1)
        return IDEM_FRESH;
    if (row.answered && memcmp(row.request_hash, idem->request_hash, sizeof(row.request_hash)) == 0) {
        *idem = found;
        return IDEM_STORED;
    }
    free(found.body);
    return IDEM_FRESH;
}

/* The effect's rows become visible, or go. Order: actions refer to instances. */
static int settle_locked(struct store *store, const struct idem *idem, bool keep)
{
    static const char *const kept[] = {
        "UPDATE actions SET confirmed = 1 WHERE action_id = ?",
        "UPDATE instances SET confirmed = 1 WHERE instance_id = ?",
        "UPDATE customers SET confirmed = 1, number = (SELECT coalesce(max(number), 0) + 1 FROM customers WHERE confirmed)"
        " WHERE account_id = ? AND NOT confirmed",
    };
    static const char *const gone[] = {
        "DELETE FROM actions WHERE action_id = ? AND NOT confirmed",
        "DELETE FROM instances WHERE instance_id = ? AND NOT confirmed",
        "DELETE FROM customers WHERE account_id = ? AND NOT confirmed",
    };
    const char *const *sql = keep ? kept : gone;

    return db_run(store->db, sql[0], "t", idem->job_id) || db_run(store->db, sql[1], "t", idem->subject_id) ||
                   db_run(store->db, sql[2], "t", idem->subject_id) ||
                   (!keep && store_unplace(store, idem->subject_id) != 0)
               ? -1
               : 0;
}

int store_idem_finish(struct store *store, const struct idem *idem, bool keep)
{
    int rc;

    if (!part_begin(store))
        return -1;
    rc = settle_locked(store, idem, keep);
    if (rc == 0)
        rc = db_run(store->db,
                    "UPDATE idempotency SET run_id = '', status = ?, body = ?, location = ?"
                    " WHERE owner = ? AND key = ?",
                    "itttt", (int64_t)idem->status, idem->body, idem->location, idem->owner, idem->key);
    return part_end(store, rc);
}

void store_idem_release(struct store *store, const struct idem *idem)
{
    /* If even this fails, the claim stays ours until we restart: the customer
     * sees "in flight" and nothing is done twice. */
    pthread_mutex_lock(&store->lock);
    unlocked(store, db_run(store->db, "UPDATE idempotency SET run_id = '' WHERE owner = ? AND key = ? AND status = 0",
                         "tt", idem->owner, idem->key));
}

int store_idem_expire(struct store *store, int64_t now_ms)
{
    static const char *const sql[] = {
        "DELETE FROM idempotency WHERE created_ms < ?",
        "DELETE FROM actions WHERE NOT confirmed AND created_ms < ?",
        "DELETE FROM instances WHERE NOT confirmed AND created_ms < ?"
        " AND NOT EXISTS (SELECT 1 FROM actions WHERE actions.instance_id = instances.instance_id)",
        NULL,
    };

    return expire(store, sql, now_ms - IDEM_KEPT_MS);
}
