/* Published price books. */
#include "accountd/ledger/price_books.h"
#include "accountd/ledger/db.h"
#include "common/log.h"

#include <stdlib.h>
#include <string.h>

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
