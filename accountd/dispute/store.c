#include "accountd/dispute/store.h"
#include "accountd/ledger/db.h"

#define COLUMNS                                                                                                        \
    "SELECT number, d.dispute_id, account_id, invoice_id, line, request, opened_ms, document, minisig, outcome,"       \
    " reason, operator, credit_note_id, at_ms FROM dispute d LEFT JOIN dispute_end e USING (dispute_id)"

static const char *text(sqlite3_stmt *stmt, int column)
{
    return (const char *)sqlite3_column_text(stmt, column);
}

static int walk(sqlite3_stmt *stmt, dispute_row_fn fn, void *arg, int *count)
{
    int rc;

    for (*count = 0; (rc = db_next(stmt)) == 1; (*count)++) {
        struct dispute_row row = {
            .number = sqlite3_column_int64(stmt, 0), .dispute_id = text(stmt, 1), .account = text(stmt, 2),
            .invoice_id = text(stmt, 3), .line = sqlite3_column_int64(stmt, 4), .request = text(stmt, 5),
            .opened_ms = sqlite3_column_int64(stmt, 6), .document = text(stmt, 7), .minisig = text(stmt, 8),
            .outcome = text(stmt, 9), .end_reason = text(stmt, 10), .operator_id = text(stmt, 11),
            .credit_note_id = text(stmt, 12), .ended_ms = sqlite3_column_int64(stmt, 13),
        };

        rc = fn(arg, &row);
        if (rc)
            break;
    }
    db_end(stmt);
    return rc;
}

enum ledger_result dispute_get(struct ledger *ledger, const char *account, const char *dispute_id, dispute_row_fn fn,
                               void *arg)
{
    int count;

    if (walk(db_query(ledger->db, COLUMNS " WHERE d.dispute_id = ?1 AND (?2 IS NULL OR account_id = ?2)", "tt",
                      dispute_id, account),
             fn, arg, &count))
        return LEDGER_FAILED;
    return count ? LEDGER_OK : LEDGER_NOT_FOUND;
}

int dispute_each(struct ledger *ledger, const char *account, int64_t after, int64_t limit, dispute_row_fn fn, void *arg)
{
    static const char all[] = COLUMNS " WHERE ?1 IS NULL AND number > ?2 ORDER BY number LIMIT ?3";
    static const char own[] = COLUMNS " WHERE account_id = ?1 AND number > ?2 ORDER BY number LIMIT ?3";
    int count;

    return walk(db_query(ledger->db, account ? own : all, "tii", account, after, limit), fn, arg, &count);
}

int dispute_stands(struct ledger *ledger, const char *invoice_id, int64_t line)
{
    int64_t number;

    return db_int(ledger->db, &number, "SELECT number FROM dispute d WHERE invoice_id = ?1"
                  " AND (line = ?2 OR line = 0 OR ?2 = 0)"
                  " AND NOT EXISTS (SELECT 1 FROM dispute_end e WHERE e.dispute_id = d.dispute_id) LIMIT 1", "ti",
                  invoice_id, line);
}

int dispute_put_locked(struct ledger *ledger, const struct dispute_row *row)
{
    return db_run(ledger->db,
                  "INSERT INTO dispute (dispute_id, account_id, invoice_id, line, request, opened_ms, document,"
                  " minisig) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                  "tttititt", row->dispute_id, row->account, row->invoice_id, row->line, row->request, row->opened_ms,
                  row->document, row->minisig);
}

int dispute_end_put_locked(struct ledger *ledger, const struct dispute_row *row)
{
    return db_run(ledger->db, "INSERT INTO dispute_end VALUES (?1, ?2, ?3, ?4, ?5, ?6)", "ttttti", row->dispute_id,
                  row->outcome, row->end_reason, row->operator_id, row->credit_note_id, row->ended_ms);
}
