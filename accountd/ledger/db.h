/* What the files of ledger.db share: the open database, and its columns read. */
#ifndef ACCOUNTD_LEDGER_DB_H
#define ACCOUNTD_LEDGER_DB_H

#include "accountd/ledger/ledger.h"
#include "common/db.h"

struct ledger {
    sqlite3 *db;
    const struct rate_book **prices;    /* price_books.c; the oldest first */
    size_t prices_count;
    bool prices_read;                   /* since the newest was published */
};

/* "" for NULL; what does not fit is cut off. */
void db_copy_text(char *to, size_t bytes, sqlite3_stmt *stmt, int column);
/* Whether the column is this text; NULL is NULL alone. */
bool db_column_is(sqlite3_stmt *stmt, int column, const char *text);
/* A quantity as it is kept, in decimal: SQLite's integers have 64 bits. False: NULL, or not one. */
bool db_column_u128(sqlite3_stmt *stmt, int column, unsigned __int128 *value);

#endif
