/* The paper half of ledger.db: price books, log cursors, invoices. */
#include "accountd/ledger/ledger.h"
#include "accountd/ledger/db.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ledger_log(struct ledger *ledger, const char *origin, uint64_t *charged_to, uint64_t *head_size, char **head_note)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT charged_to, head_size, head_note FROM log WHERE origin = ?1", "t",
                                  origin);
    int rc = db_next(stmt);

    if (rc == 1) {
        *charged_to = (uint64_t)sqlite3_column_int64(stmt, 0);
        *head_size = (uint64_t)sqlite3_column_int64(stmt, 1);
        *head_note = strdup((const char *)sqlite3_column_text(stmt, 2));
    }
    sqlite3_finalize(stmt);
    return rc;
}

int ledger_log_put_locked(struct ledger *ledger, const char *origin, uint64_t charged_to, uint64_t head_size,
                          const char *head_note)
{
    return db_run(ledger->db, "INSERT INTO log VALUES (?1, ?2, ?3, ?4) ON CONFLICT (origin) DO UPDATE"
                  " SET charged_to = ?2, head_size = ?3, head_note = ?4", "tiit", origin, (int64_t)charged_to,
                  (int64_t)head_size, head_note);
}

int ledger_log_epoch(struct ledger *ledger, const char *host)
{
    char prefix[128];
    int64_t epoch;

    snprintf(prefix, sizeof(prefix), "%s/usage/e", host);
    if (db_int(ledger->db, &epoch, "SELECT coalesce(max(CAST(substr(origin, length(?1) + 1) AS INTEGER)), 0) FROM log"
               " WHERE substr(origin, 1, length(?1)) = ?1", "t", prefix) != 1)
        return -1;
    return (int)epoch;
}

enum ledger_result ledger_price_book_publish(struct ledger *ledger, int64_t version, const char *body, int64_t at_ms)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT body = ?2 FROM price_book WHERE version = ?1", "it", version, body);
    int rc = db_next(stmt);
    bool same = rc == 1 && sqlite3_column_int64(stmt, 0);

    sqlite3_finalize(stmt);
    if (rc == 1)
        return same ? LEDGER_EXISTS : LEDGER_EXISTS_DIFFERENT;
    if (rc < 0)
        return LEDGER_FAILED;
    return db_run(ledger->db, "INSERT INTO price_book VALUES (?1, ?2, ?3)", "iti", version, body, at_ms) ? LEDGER_FAILED
                                                                                                         : LEDGER_OK;
}

static int parse_book(const char *body, struct rate_book *book)
{
    json_t *object = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
    struct json_why why = { "not JSON" };
    int rc = object ? rate_book_parse(object, book, &why) : -1;

    if (rc)
        log_warnx("ledger.db: a stored price book cannot be read: %s", why.text);
    json_decref(object);
    return rc;
}

enum ledger_result ledger_price_book(struct ledger *ledger, int64_t version, struct rate_book *book, char **body)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT body FROM price_book WHERE version = ?1 OR ?1 = 0"
                                  " ORDER BY version DESC LIMIT 1", "i", version);
    int rc = db_next(stmt);
    enum ledger_result result = rc == 1 ? LEDGER_OK : rc == 0 ? LEDGER_NOT_FOUND : LEDGER_FAILED;

    if (rc == 1) {
        *body = strdup((const char *)sqlite3_column_text(stmt, 0));
        if (!*body || parse_book(*body, book)) {
            free(*body);
            result = LEDGER_FAILED;
        }
    }
    sqlite3_finalize(stmt);
    return result;
}

int ledger_each_price_book(struct ledger *ledger, int (*fn)(void *arg, const struct rate_book *book, const char *body),
                           void *arg)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT body FROM price_book ORDER BY version", "");
    struct rate_book book;
    int rc;

    while ((rc = db_next(stmt)) == 1) {
        const char *body = (const char *)sqlite3_column_text(stmt, 0);

        rc = parse_book(body, &book) ? -1 : fn(arg, &book, body);
        if (rc)
            break;
    }
    sqlite3_finalize(stmt);
    return rc;
}

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

    return db_int(ledger->db, &nano, "SELECT (SELECT coalesce(sum(amount_nano), 0) FROM transfer WHERE credit = ?1"
                  " AND code = 'carried') - (SELECT coalesce(sum(carried_nano), 0) FROM invoice WHERE account_id = ?1)",
                  "t", account) == 1 ? nano : -1;
}
