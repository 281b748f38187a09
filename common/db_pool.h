/* Prepared statements that wait to be used again. common/db alone calls this. */
#ifndef COMMON_DB_POOL_H
#define COMMON_DB_POOL_H

#include <sqlite3.h>

/* One of this text, reset and the caller's own from now on, or NULL: none waits. */
sqlite3_stmt *db_pool_take(sqlite3 *db, const char *sql);
/* Resets it and keeps it for the next; NULL is accepted. */
void db_pool_put(sqlite3_stmt *stmt);
/* Finalizes all of the connection's, before it is closed. */
void db_pool_empty(sqlite3 *db);

#endif
