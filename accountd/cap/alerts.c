/* The table of alerts. */
#include "accountd/cap/alerts.h"
#include "accountd/ledger/db.h"

int alert_raise(struct ledger *ledger, const char *key, const char *kind, const char *account, const char *subject,
                const char *detail, int64_t at_ms)
{
    return db_run(ledger->db, "INSERT INTO alert (key, kind, account_id, subject, detail, raised_ms)"
                  " SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS"
                  " (SELECT 1 FROM alert WHERE key = ?1 AND cleared_ms IS NULL)", "ttttti", key, kind, account,
                  subject, detail, at_ms);
}

int alert_clear(struct ledger *ledger, const char *key, int64_t at_ms)
{
    return db_run(ledger->db, "UPDATE alert SET cleared_ms = ?2 WHERE key = ?1 AND cleared_ms IS NULL", "ti", key,
                  at_ms);
}

int alert_clear_all(struct ledger *ledger, const char *prefix, int64_t at_ms)
{
    return db_run(ledger->db, "UPDATE alert SET cleared_ms = ?2 WHERE cleared_ms IS NULL"
                  " AND substr(key, 1, length(?1)) = ?1", "ti", prefix, at_ms);
}

static json_t *text_or_null(sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);

    return text ? json_string(text) : json_null();
}

static json_t *row_json(sqlite3_stmt *stmt)
{
    json_t *cleared = sqlite3_column_type(stmt, 7) == SQLITE_NULL ? json_null()
                                                                  : json_integer(sqlite3_column_int64(stmt, 7));

    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:o}", "number", (json_int_t)sqlite3_column_int64(stmt, 0),
                     "key", text_or_null(stmt, 1), "kind", text_or_null(stmt, 2), "account_id", text_or_null(stmt, 3),
                     "subject", text_or_null(stmt, 4), "detail", text_or_null(stmt, 5), "raised_ms",
                     (json_int_t)sqlite3_column_int64(stmt, 6), "cleared_ms", cleared);
}

json_t *alert_list(struct ledger *ledger, const char *account, bool standing, int64_t after, int64_t limit)
{
    /* Each filter is a statement of its own: so each finds its index. */
#define LIST(filter)                                                                                                   \
    "SELECT number, key, kind, account_id, subject, detail, raised_ms, cleared_ms FROM alert WHERE number > ?2"        \
    " AND " filter " ORDER BY number LIMIT ?3"
    static const char *const sql[2][2] = {
        { LIST("?1 IS NULL"), LIST("?1 IS NULL AND cleared_ms IS NULL") },
        { LIST("account_id = ?1"), LIST("account_id = ?1 AND cleared_ms IS NULL") },
    };
#undef LIST
    sqlite3_stmt *stmt = db_query(ledger->db, sql[account != NULL][standing], "tii", account, after, limit);
    json_t *list = json_array();
    int rc;

    while ((rc = db_next(stmt)) == 1)
        json_array_append_new(list, row_json(stmt));
    db_end(stmt);
    if (rc == 0)
        return list;
    json_decref(list);
    return NULL;
}

int alert_newest(struct ledger *ledger, int64_t *number)
{
    return db_int(ledger->db, number, "SELECT coalesce(max(number), 0) FROM alert", "") == 1 ? 0 : -1;
}
