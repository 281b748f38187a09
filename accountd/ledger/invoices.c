/* Invoices as they were issued. */
#include "accountd/ledger/invoices.h"
#include "accountd/ledger/db.h"

#include <stdlib.h>
#include <string.h>

int64_t ledger_invoice_next_number(struct ledger *ledger)
{
    int64_t number;

    return db_int(ledger->db, &number, "SELECT coalesce(max(number), 0) + 1 FROM invoice", "") == 1 ? number : -1;
}

enum ledger_result ledger_invoice_put_locked(struct ledger *ledger, const struct ledger_invoice *i)
{
    return db_run(ledger->db, "INSERT INTO invoice VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)", "itttiiitttti",
                  i->number, i->invoice_id, i->account, i->origin, (int64_t)i->from_idx, (int64_t)i->to_idx,
                  i->carried_nano, i->body, i->head_note, i->kind, i->refers_id, i->ledger_seq) ? LEDGER_FAILED : LEDGER_OK;
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
            .kind = (const char *)sqlite3_column_text(stmt, 9),
            .refers_id = (const char *)sqlite3_column_text(stmt, 10),
            .ledger_seq = sqlite3_column_int64(stmt, 11),
        };

        rc = fn(arg, &invoice);
        if (rc)
            break;
    }
    db_end(stmt);
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

int ledger_each_invoice(struct ledger *ledger, const char *account, int64_t after, int64_t limit,
                        ledger_invoice_fn fn, void *arg)
{
    static const char all[] = "SELECT * FROM invoice WHERE number > ?2 AND ?1 IS NULL ORDER BY number LIMIT ?3";
    static const char own[] = "SELECT * FROM invoice WHERE account_id = ?1 AND number > ?2 ORDER BY number LIMIT ?3";
    int count;

    return walk_invoices(db_query(ledger->db, account ? own : all, "tii", account, after, limit), fn, arg, &count);
}

int ledger_each_credit_note(struct ledger *ledger, const char *invoice_id, ledger_invoice_fn fn, void *arg)
{
    int count;

    return walk_invoices(db_query(ledger->db, "SELECT * FROM invoice WHERE refers_id = ?1 ORDER BY number", "t",
                                  invoice_id), fn, arg, &count);
}

int ledger_cades(struct ledger *ledger, const char *invoice_id, const char *file, uint8_t **der, size_t *len)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT der FROM invoice_cades WHERE invoice_id = ?1 AND file = ?2", "tt",
                                  invoice_id, file);
    int rc = db_next(stmt);

    if (rc == 1) {
        *len = (size_t)sqlite3_column_bytes(stmt, 0);
        *der = malloc(*len);
        if (*der)
            memcpy(*der, sqlite3_column_blob(stmt, 0), *len);
        else
            rc = -1;
    }
    db_end(stmt);
    return rc;
}

int ledger_cades_put(struct ledger *ledger, const char *invoice_id, const char *file, const uint8_t *der, size_t len)
{
    return db_run(ledger->db, "INSERT INTO invoice_cades VALUES (?1, ?2, ?3)", "ttb", invoice_id, file, der, len);
}
