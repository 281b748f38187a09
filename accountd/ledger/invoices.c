/* Invoices as they were issued. */
#include "accountd/ledger/invoices.h"
#include "accountd/ledger/db.h"

int64_t ledger_invoice_next_number(struct ledger *ledger)
{
    int64_t number;

    return db_int(ledger->db, &number, "SELECT coalesce(max(number), 0) + 1 FROM invoice", "") == 1 ? number : -1;
}

int64_t ledger_invoice_from(struct ledger *ledger, const char *account, const char *origin)
{
    int64_t from;

    return db_int(ledger->db, &from, "SELECT coalesce(max(to_idx), 0) FROM invoice WHERE account_id = ?1 AND origin = ?2",
                  "tt", account, origin) == 1 ? from : -1;
}

enum ledger_result ledger_invoice_put_locked(struct ledger *ledger, const struct ledger_invoice *i)
{
    return db_run(ledger->db, "INSERT INTO invoice VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", "itttiiitt", i->number,
                  i->invoice_id, i->account, i->origin, (int64_t)i->from_idx, (int64_t)i->to_idx, i->carried_nano,
                  i->body, i->head_note) ? LEDGER_FAILED : LEDGER_OK;
}

static int walk_invoices(sqlite3_stmt *stmt, ledger_invoice_fn fn, void *arg, int *count)
{
    int rc;

    for (*count = 0; (rc = db_next(stmt)) == 1; (*count)++) {
        struct ledger_invoice invoice = {
            .number = sqlite3_column_int64(stmt, 0),
            .invoice_id = (const char *)sqlite3_column_text(stmt, 1),
            .account = (const char *)sqlite3_column_text(stmt, 2),
            .origin = (const char *)sqlite3_column_text(stmt, 3),
            .from_idx = (uint64_t)sqlite3_column_int64(stmt, 4),
            .to_idx = (uint64_t)sqlite3_column_int64(stmt, 5),
            .carried_nano = sqlite3_column_int64(stmt, 6),
            .body = (const char *)sqlite3_column_text(stmt, 7),
            .head_note = (const char *)sqlite3_column_text(stmt, 8),
        };

        rc = fn(arg, &invoice);
        if (rc)
            break;
    }
    sqlite3_finalize(stmt);
    return rc;
}

enum ledger_result ledger_invoice_get(struct ledger *ledger, const char *account, const char *invoice_id,
                                      ledger_invoice_fn fn, void *arg)
{
    int count;
    int rc = walk_invoices(db_query(ledger->db, "SELECT * FROM invoice WHERE invoice_id = ?1"
                                    " AND (?2 IS NULL OR account_id = ?2)", "tt", invoice_id, account), fn, arg, &count);

    if (rc)
        return LEDGER_FAILED;
    return count ? LEDGER_OK : LEDGER_NOT_FOUND;
}

int ledger_each_invoice(struct ledger *ledger, const char *account, ledger_invoice_fn fn, void *arg)
{
    int count;

    return walk_invoices(db_query(ledger->db, "SELECT * FROM invoice WHERE ?1 IS NULL OR account_id = ?1"
                                  " ORDER BY number", "t", account), fn, arg, &count);
}

int64_t ledger_carried(struct ledger *ledger, const char *account)
{
    int64_t nano;

    return db_int(ledger->db, &nano, "SELECT (SELECT coalesce(sum(amount_nano), 0) FROM transfer WHERE code = 'carried'"
                  " AND credit IN (SELECT account_id FROM account WHERE account_id = ?1 OR owner = ?1))"
                  " - (SELECT coalesce(sum(carried_nano), 0) FROM invoice WHERE account_id = ?1)", "t", account) == 1 ? nano : -1;
}
