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

void price_books_free(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->prices_count; i++)
        free((void *)ledger->prices[i]);
    free(ledger->prices);
}

/* A book is published only above all others, so what is new comes last. */
static int keep_book(void *arg, const struct rate_book *book, const char *body)
{
    struct ledger *ledger = arg;
    const struct rate_book **prices;
    struct rate_book *kept;

    (void)body;
    if (ledger->prices_count && ledger->prices[ledger->prices_count - 1]->version >= book->version)
        return 0;
    prices = reallocarray(ledger->prices, ledger->prices_count + 1, sizeof(*prices));
    if (!prices)
        return -1;
    ledger->prices = prices;
    kept = malloc(sizeof(*kept));
    if (!kept)
        return -1;
    *kept = *book;
    prices[ledger->prices_count++] = kept;
    return 0;
}

int price_books_all(struct ledger *ledger, const struct rate_book *const **books, size_t *count)
{
    if (!ledger->prices_read)
        ledger->prices_read = ledger_each_price_book(ledger, keep_book, ledger) == 0;
    *books = ledger->prices;
    *count = ledger->prices_count;
    return ledger->prices_read ? 0 : -1;
}

const struct rate_book *price_book_get(struct ledger *ledger, int64_t version)
{
    const struct rate_book *const *books;
    size_t left;

    for (price_books_all(ledger, &books, &left); left; left--)
        if (books[left - 1]->version == version)
            return books[left - 1];
    return NULL;
}

const struct rate_book *price_book_at(struct ledger *ledger, int64_t at_ms)
{
    const struct rate_book *const *books;
    size_t left;

    for (price_books_all(ledger, &books, &left); left; left--)
        if (books[left - 1]->valid_from_ms <= at_ms)
            return books[left - 1];
    return NULL;
}

int64_t price_book_for_running(struct ledger *ledger, int64_t version, int64_t at_ms)
{
    const struct rate_book *const *books;
    size_t left;

    for (price_books_all(ledger, &books, &left); left; left--)
        if (rate_book_moves(books[left - 1], version, at_ms))
            return books[left - 1]->version;
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
    const struct rate_book *const *books;
    struct rate_book book;
    size_t count;
    char *there;
    enum ledger_result result = ledger_price_book(ledger, version, &book, &there);
    bool same = result == LEDGER_OK && strcmp(there, body) == 0;

    if (result == LEDGER_OK) {
        free(there);
        return same ? LEDGER_EXISTS : LEDGER_EXISTS_DIFFERENT;
    }
    if (result != LEDGER_NOT_FOUND)
        return result;
    if (price_books_all(ledger, &books, &count))
        return LEDGER_FAILED;
    return count ? LEDGER_CONFLICT : price_book_put_locked(ledger, version, body, at_ms);
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
