/* Published price books. */
#include "accountd/ledger/price_books.h"
#include "accountd/ledger/db.h"
#include "common/log.h"

#include <stdlib.h>
#include <string.h>

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

/* The books that were read, the newest first: a book is published only above all others. */
struct price_shelf {
    struct price_shelf *next;
    struct rate_book book;
};

void price_shelf_free(struct price_shelf *shelf)
{
    while (shelf) {
        struct price_shelf *next = shelf->next;

        free(shelf);
        shelf = next;
    }
}

static int put_on_shelf(void *arg, const struct rate_book *book, const char *body)
{
    struct ledger *ledger = arg;
    struct price_shelf *shelf;

    (void)body;
    if (ledger->prices && ledger->prices->book.version >= book->version)
        return 0;
    shelf = malloc(sizeof(*shelf));
    if (!shelf)
        return -1;
    *shelf = (struct price_shelf){ ledger->prices, *book };
    ledger->prices = shelf;
    return 0;
}

/* All published books; on failure those that are known. */
static const struct price_shelf *shelf_of(struct ledger *ledger)
{
    if (!ledger->prices_read)
        ledger->prices_read = ledger_each_price_book(ledger, put_on_shelf, ledger) == 0;
    return ledger->prices;
}

const struct rate_book *price_book_get(struct ledger *ledger, int64_t version)
{
    for (const struct price_shelf *at = shelf_of(ledger); at; at = at->next)
        if (at->book.version == version)
            return &at->book;
    return NULL;
}

const struct rate_book *price_book_at(struct ledger *ledger, int64_t at_ms)
{
    for (const struct price_shelf *at = shelf_of(ledger); at; at = at->next)
        if (at->book.valid_from_ms <= at_ms)
            return &at->book;
    return NULL;
}

int64_t price_book_for_running(struct ledger *ledger, int64_t version, int64_t at_ms)
{
    for (const struct price_shelf *at = shelf_of(ledger); at; at = at->next)
        if (rate_book_moves(&at->book, version, at_ms))
            return at->book.version;
    return version;
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
    db_end(stmt);
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
    db_end(stmt);
    return rc;
}

enum ledger_result price_book_put_locked(struct ledger *ledger, int64_t version, const char *body, int64_t at_ms)
{
    ledger->prices_read = false;
    return db_run(ledger->db, "INSERT INTO price_book VALUES (?1, ?2, ?3)", "iti", version, body, at_ms) ? LEDGER_FAILED
                                                                                                         : LEDGER_OK;
}

enum ledger_result price_book_first(struct ledger *ledger, int64_t version, const char *body, int64_t at_ms)
{
    struct rate_book book;
    char *there;
    enum ledger_result result = ledger_price_book(ledger, version, &book, &there);
    bool same = result == LEDGER_OK && strcmp(there, body) == 0;

    if (result == LEDGER_OK) {
        free(there);
        return same ? LEDGER_EXISTS : LEDGER_EXISTS_DIFFERENT;
    }
    if (result != LEDGER_NOT_FOUND)
        return result;
    return shelf_of(ledger) ? LEDGER_CONFLICT : price_book_put_locked(ledger, version, body, at_ms);
}

enum ledger_result price_book_signature(struct ledger *ledger, int64_t version, char **minisig)
{
    sqlite3_stmt *stmt = db_query(ledger->db, "SELECT minisig FROM price_signature WHERE version = ?1", "i", version);
    int rc = db_next(stmt);

    *minisig = rc == 1 ? strdup((const char *)sqlite3_column_text(stmt, 0)) : NULL;
    db_end(stmt);
    return rc == 0 ? LEDGER_NOT_FOUND : *minisig ? LEDGER_OK : LEDGER_FAILED;
}

enum ledger_result price_book_sign(struct ledger *ledger, int64_t version, const char *minisig)
{
    return db_run(ledger->db, "INSERT INTO price_signature VALUES (?1, ?2)", "it", version, minisig) ? LEDGER_FAILED
                                                                                                      : LEDGER_OK;
}
