/* Sums of days. Days are numbered from 1970-01-01, as UTC has them. */
#include "accountd/ledger/day_sums.h"
#include "accountd/ledger/db.h"
#include "common/utc.h"

static int sum_so_far(struct ledger *ledger, const struct record *r, const char *meter, unsigned __int128 *quantity)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT quantity FROM day_sum WHERE account_id = ?1 AND day = ?2"
                                  " AND instance_id = ?3 AND meter = ?4", "titt", r->account, r->t0_ms / UTC_DAY_MS,
                                  r->instance, meter);
    int rc = db_next(stmt);

    *quantity = 0;
    if (rc == 1 && !db_column_u128(stmt, 0, quantity))
        rc = -1;
    db_end(stmt);
    return rc < 0 ? -1 : 0;
}

int day_sums_add_locked(struct ledger *ledger, const struct record *r, enum meter_quantity meter,
                        unsigned __int128 quantity, int64_t charged_nano)
{
    const char *name = meter_quantities[meter].name;
    unsigned __int128 sum;
    json_t *text;
    int rc;

    if (sum_so_far(ledger, r, name, &sum) || __builtin_add_overflow(sum, quantity, &sum))
        return -1;
    text = json_decimal_u128(sum);
    rc = db_run(ledger->db, "INSERT INTO day_sum VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE"
                " SET quantity = ?5, charged_nano = charged_nano + ?6", "tittti", r->account, r->t0_ms / UTC_DAY_MS,
                r->instance, name, json_string_value(text), charged_nano);
    json_decref(text);
    return rc;
}

int day_sums_charged(struct ledger *ledger, const char *account, const char *instance, int64_t *charged_nano)
{
    return db_int(ledger->db, charged_nano, "SELECT coalesce(sum(charged_nano), 0) FROM day_sum WHERE account_id = ?1"
                  " AND instance_id = ?2", "tt", account, instance) == 1 ? 0 : -1;
}

int day_sums_each(struct ledger *ledger, const char *account, int64_t from_ms, int64_t to_ms, day_sum_fn fn, void *arg)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT day, instance_id, meter, quantity, charged_nano FROM day_sum"
                                  " WHERE account_id = ?1 AND day >= ?2 AND day < ?3 ORDER BY day", "tii", account,
                                  from_ms / UTC_DAY_MS, to_ms / UTC_DAY_MS);
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        struct day_sum sum = { .day_ms = sqlite3_column_int64(stmt, 0) * UTC_DAY_MS,
                               .instance = (const char *)sqlite3_column_text(stmt, 1),
                               .meter = meter_quantity_find((const char *)sqlite3_column_text(stmt, 2)),
                               .charged_nano = sqlite3_column_int64(stmt, 4) };

        if (sum.meter == METER_QUANTITIES || !db_column_u128(stmt, 3, &sum.quantity)) {
            rc = -1;
            break;
        }
        rc = fn(arg, &sum);
        if (rc)
            break;
    }
    db_end(stmt);
    return rc;
}
