#include "accountd/ledger/sums.h"
#include "accountd/ledger/db.h"

enum ledger_result sums_open(struct ledger *ledger, const char *account, const char *origin, struct sums_open *open)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT from_idx, period, records, t0_ms, t1_ms, net_nano, tax_nano,"
                                  " carried_nano, tax_category, tax_country, tax_permyriad, tax_reason FROM open_use"
                                  " WHERE account_id = ?1 AND origin = ?2", "tt", account, origin);
    int rc = db_next(stmt);

    if (rc == 1) {
        *open = (struct sums_open){ .from_idx = sqlite3_column_int64(stmt, 0), .records = sqlite3_column_int64(stmt, 2),
                                    .t0_ms = sqlite3_column_int64(stmt, 3), .t1_ms = sqlite3_column_int64(stmt, 4),
                                    .net_nano = sqlite3_column_int64(stmt, 5), .tax_nano = sqlite3_column_int64(stmt, 6),
                                    .carried_nano = sqlite3_column_int64(stmt, 7),
                                    .tax.rate_permyriad = sqlite3_column_int(stmt, 10) };
        db_copy_text(open->period, sizeof(open->period), stmt, 1);
        db_copy_text(open->tax.category, sizeof(open->tax.category), stmt, 8);
        db_copy_text(open->tax.country, sizeof(open->tax.country), stmt, 9);
        db_copy_text(open->tax.reason, sizeof(open->tax.reason), stmt, 11);
    }
    db_end(stmt);
    return rc == 1 ? LEDGER_OK : rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;
}

int sums_open_put_locked(struct ledger *ledger, const char *account, const char *origin, const struct sums_open *o)
{
    return db_run(ledger->db, "INSERT INTO open_use VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
                  " ON CONFLICT DO UPDATE SET period = ?4, records = ?5, t0_ms = ?6, t1_ms = ?7, net_nano = ?8,"
                  " tax_nano = ?9, carried_nano = ?10", "ttitiiiiiittit", account, origin, o->from_idx, o->period,
                  o->records, o->t0_ms, o->t1_ms, o->net_nano, o->tax_nano, o->carried_nano, o->tax.category,
                  o->tax.country, (int64_t)o->tax.rate_permyriad, o->tax.reason);
}

int sums_quantity(struct ledger *ledger, const char *account, const char *origin, const char *period, int64_t version,
                  enum meter_quantity meter, unsigned __int128 *quantity)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT quantity FROM meter_sum WHERE account_id = ?1 AND origin = ?2"
                                  " AND period = ?3 AND price_book = ?4 AND meter = ?5", "tttit", account, origin, period,
                                  version, meter_quantities[meter].name);
    int rc = db_next(stmt);

    *quantity = 0;
    if (rc == 1 && !db_column_u128(stmt, 0, quantity))
        rc = -1;
    db_end(stmt);
    return rc < 0 ? -1 : 0;
}

static int detail_quantity(struct ledger *ledger, const char *origin, const struct record *r, const char *period,
                           enum meter_quantity meter, unsigned __int128 *quantity)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT quantity FROM detail_sum WHERE account_id = ?1 AND origin = ?2"
                                  " AND period = ?3 AND price_book = ?4 AND instance_id = ?5 AND meter = ?6", "tttitt",
                                  r->account, origin, period, r->price_book, r->instance, meter_quantities[meter].name);
    int rc = db_next(stmt);

    *quantity = 0;
    if (rc == 1 && !db_column_u128(stmt, 0, quantity))
        rc = -1;
    db_end(stmt);
    return rc < 0 ? -1 : 0;
}

int sums_add_locked(struct ledger *ledger, const char *origin, const struct record *r, const char *period,
                    enum meter_quantity meter, unsigned __int128 quantity, int64_t charged_nano)
{
    const char *name = meter_quantities[meter].name;
    unsigned __int128 all, own;
    json_t *all_text, *own_text;
    int rc;

    if (sums_quantity(ledger, r->account, origin, period, r->price_book, meter, &all) ||
        detail_quantity(ledger, origin, r, period, meter, &own))
        return -1;
    if (__builtin_add_overflow(all, quantity, &all) || __builtin_add_overflow(own, quantity, &own))
        return -1;
    all_text = json_decimal_u128(all);
    own_text = json_decimal_u128(own);
    rc = db_run(ledger->db, "INSERT INTO meter_sum (account_id, origin, period, price_book, meter, quantity)"
                " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET quantity = ?6", "tttitt", r->account, origin,
                period, r->price_book, name, json_string_value(all_text));
    if (rc == 0)
        rc = db_run(ledger->db, "INSERT INTO detail_sum VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE"
                    " SET quantity = ?7, charged_nano = charged_nano + ?8", "tttittti", r->account, origin, period,
                    r->price_book, r->instance, name, json_string_value(own_text), charged_nano);
    json_decref(all_text);
    json_decref(own_text);
    return rc;
}

int sums_record_locked(struct ledger *ledger, const char *origin, const struct record *r, const char *period,
                       uint64_t idx)
{
    if (db_run(ledger->db, "INSERT INTO open_chain VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT DO UPDATE"
               " SET last_number = ?6", "ttttii", r->account, origin, r->incarnation, r->instance, (int64_t)idx,
               r->number))
        return -1;
    return db_run(ledger->db, "INSERT INTO period_start VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING", "ttti",
                  r->account, origin, period, (int64_t)idx);
}

static enum meter_quantity column_meter(sqlite3_stmt *stmt, int column)
{
    return meter_quantity_find((const char *)sqlite3_column_text(stmt, column));
}

static int read_line(sqlite3_stmt *stmt, struct statement *s)
{
    enum meter_quantity meter = column_meter(stmt, 2);
    struct statement_line *line;
    unsigned __int128 after;

    if (meter == METER_QUANTITIES)
        return -1;
    line = statement_line(s, (const char *)sqlite3_column_text(stmt, 0), sqlite3_column_int64(stmt, 1), meter);
    if (!line || !db_column_u128(stmt, 3, &line->before) || !db_column_u128(stmt, 4, &after) || after < line->before)
        return -1;
    line->quantity = after - line->before;
    return 0;
}

static int read_detail(sqlite3_stmt *stmt, struct statement *s)
{
    enum meter_quantity meter = column_meter(stmt, 3);
    struct statement_detail *detail;

    if (meter == METER_QUANTITIES)
        return -1;
    detail = statement_detail(s, (const char *)sqlite3_column_text(stmt, 0), sqlite3_column_int64(stmt, 1),
                              (const char *)sqlite3_column_text(stmt, 2), meter);
    if (!detail || !db_column_u128(stmt, 4, &detail->quantity))
        return -1;
    detail->charged_nano = sqlite3_column_int64(stmt, 5);
    return 0;
}

static int read_rows(sqlite3_stmt *stmt, int (*row)(sqlite3_stmt *stmt, struct statement *s), struct statement *s)
{
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        rc = row(stmt, s);
        if (rc)
            break;
    }
    db_end(stmt);
    return rc;
}

int sums_statement(struct ledger *ledger, const char *account, const char *origin, struct statement *s)
{
    struct sums_open open;
    enum ledger_result result = sums_open(ledger, account, origin, &open);

    if (result != LEDGER_OK)
        return result == LEDGER_NOT_FOUND ? 0 : -1;
    s->tax = open.tax;
    s->t0_ms = open.t0_ms;
    s->t1_ms = open.t1_ms;
    return read_rows(db_query(ledger->db, "SELECT period, price_book, meter, invoiced, quantity FROM meter_sum"
                              " WHERE account_id = ?1 AND origin = ?2 AND quantity <> invoiced", "tt", account, origin),
                     read_line, s) ||
           read_rows(db_query(ledger->db, "SELECT period, price_book, instance_id, meter, quantity, charged_nano"
                              " FROM detail_sum WHERE account_id = ?1 AND origin = ?2", "tt", account, origin),
                     read_detail, s) ? -1 : 0;
}

json_t *sums_chains(struct ledger *ledger, const char *account, const char *origin)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT incarnation, instance_id, first_number, last_number FROM open_chain"
                                  " WHERE account_id = ?1 AND origin = ?2 ORDER BY first_idx", "tt", account, origin);
    json_t *chains = json_array();
    int rc;

    while ((rc = db_next(stmt)) == 1)
        json_array_append_new(chains, json_pack("{s:s, s:s, s:I, s:I}", "incarnation", sqlite3_column_text(stmt, 0),
                                                "instance_id", sqlite3_column_text(stmt, 1), "first_number",
                                                (json_int_t)sqlite3_column_int64(stmt, 2), "last_number",
                                                (json_int_t)sqlite3_column_int64(stmt, 3)));
    db_end(stmt);
    if (rc == 0)
        return chains;
    json_decref(chains);
    return NULL;
}

int64_t sums_period_start(struct ledger *ledger, const char *account, const char *origin, const char *period)
{
    int64_t idx;

    return db_int(ledger->db, &idx, "SELECT first_idx FROM period_start WHERE account_id = ?1 AND origin = ?2"
                  " AND period = ?3", "ttt", account, origin, period) == 1 ? idx : -1;
}

int sums_close_locked(struct ledger *ledger, const char *account, const char *origin)
{
    static const char *const statements[] = {
        "UPDATE meter_sum SET invoiced = quantity WHERE account_id = ?1 AND origin = ?2 AND quantity <> invoiced",
        "DELETE FROM detail_sum WHERE account_id = ?1 AND origin = ?2",
        "DELETE FROM open_chain WHERE account_id = ?1 AND origin = ?2",
        "DELETE FROM open_use WHERE account_id = ?1 AND origin = ?2",
    };

    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
        if (db_run(ledger->db, statements[i], "tt", account, origin))
            return -1;
    return 0;
}

int sums_any_lost(struct ledger *ledger, const char *origin, char account[static RECORD_NAME_BYTES],
                  char lost_origin[static 128])
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT account_id, origin FROM open_use WHERE origin <> ?1"
                                  " ORDER BY account_id, origin LIMIT 1", "t", origin);
    int rc = db_next(stmt);

    if (rc == 1) {
        db_copy_text(account, RECORD_NAME_BYTES, stmt, 0);
        db_copy_text(lost_origin, 128, stmt, 1);
    }
    db_end(stmt);
    return rc;
}

int sums_each_open(struct ledger *ledger, const char *origin, const char *before_period, int limit, sums_account_fn fn,
                   void *arg)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT account_id FROM open_use WHERE origin = ?1"
                                  " AND (?2 IS NULL OR period < ?2) ORDER BY account_id LIMIT ?3", "tti", origin,
                                  before_period, (int64_t)limit);
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        rc = fn(arg, (const char *)sqlite3_column_text(stmt, 0));
        if (rc)
            break;
    }
    db_end(stmt);
    return rc;
}
