/* SQLite, as every database of ours is opened: WAL, synchronous=FULL, foreign
 * keys on, recursive triggers on (or REPLACE would pass by those on DELETE),
 * migrated to today's shape. A daemon's SQL lives in its store.c.
 *
 * Errors are logged here, once, with the file's name and what to do; callers
 * see -1 and roll back. Values are bound by a string of letters, one for each
 * argument:  t const char * (NULL binds NULL)   i int64_t
 *            b const void *, size_t             n nothing (binds NULL)
 */
#ifndef COMMON_DB_H
#define COMMON_DB_H

#include <sqlite3.h>
#include <stdint.h>

struct db_migration {
    const char *name;                   /* the file's, "0001-what-it-does" */
    const char *sql;
};

/* Opens or creates the file and applies the migrations it has not seen, each
 * in its own transaction with PRAGMA user_version. NULL after logging: not
 * writable, not a database, damaged, disk full, or made by a newer program. */
sqlite3 *db_open(const char *path, const struct db_migration *migrations, unsigned count);
void db_close(sqlite3 *db);

/* Transactions. begin takes the write lock at once. */
int db_begin(sqlite3 *db);
int db_commit(sqlite3 *db);             /* on -1 the transaction has been rolled back */
void db_rollback(sqlite3 *db);

/* Runs one statement to its end. 0, or -1. */
int db_run(sqlite3 *db, const char *sql, const char *types, ...);

/* A query: db_query, then db_next until it is not 1, then db_end, which keeps the prepared
 * statement for the next query of the same text: what its columns gave is gone by then.
 * db_query is NULL after logging; db_next gives 1 for a row, 0 at the end, -1. NULL is
 * accepted and gives -1. */
sqlite3_stmt *db_query(sqlite3 *db, const char *sql, const char *types, ...);
int db_next(sqlite3_stmt *stmt);
void db_end(sqlite3_stmt *stmt);

/* The first column of the first row: 1 and *out set, 0 no row, -1. */
int db_int(sqlite3 *db, int64_t *out, const char *sql, const char *types, ...);

#endif
