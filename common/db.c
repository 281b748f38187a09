/* SQLite access. synchronous=FULL in WAL mode syncs the log at each commit: a
 * commit that returned is on the disk. */
#include "common/db.h"
#include "common/db_pool.h"
#include "common/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BUSY_TIMEOUT_MS 5000

static const char *advice(int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return "; the disk is full: free space, nothing was lost";
    case SQLITE_IOERR:
        return "; the disk failed or a size limit was reached: check it, nothing committed was lost";
    case SQLITE_CORRUPT:
        return "; the file is damaged: restore it from a backup";
    case SQLITE_NOTADB:
        return "; the file is not a database: move it away or correct the path";
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return "; check the path and its permissions";
    case SQLITE_BUSY:
        return "; another process holds it: stop that one";
    default:
        return "";
    }
}

static int complain(sqlite3 *db, const char *what)
{
    const char *path = sqlite3_db_filename(db, "main");
    int code = sqlite3_extended_errcode(db);

    log_warnx("%s: %.200s: %s (%d)%s", path ? path : "database", what, sqlite3_errmsg(db), code, advice(code));
    return -1;
}

static int run_script(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : complain(db, sql);
}

int db_begin(sqlite3 *db)
{
    return db_run(db, "BEGIN IMMEDIATE", "");
}

int db_commit(sqlite3 *db)
{
    if (db_run(db, "COMMIT", "") == 0)
        return 0;
    db_rollback(db);
    return -1;
}

void db_rollback(sqlite3 *db)
{
    /* After some errors SQLite has rolled back by itself. */
    if (!sqlite3_get_autocommit(db))
        db_run(db, "ROLLBACK", "");
}

static int migrate_one(sqlite3 *db, const struct db_migration *migration, unsigned version)
{
    char pragma[64];

    snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %u", version);
    if (db_begin(db))
        return -1;
    if (run_script(db, migration->sql) || run_script(db, pragma)) {
        db_rollback(db);
        log_warnx("%s: migration %s failed, the database stays as it was", sqlite3_db_filename(db, "main"),
                  migration->name);
        return -1;
    }
    return db_commit(db);
}

static int migrate(sqlite3 *db, const struct db_migration *migrations, unsigned count)
{
    int64_t version;

    if (db_int(db, &version, "PRAGMA user_version", "") != 1)
        return -1;
    if (version > (int64_t)count) {
        log_warnx("%s: made by a newer program (version %jd, this one knows %u): start the newer one",
                  sqlite3_db_filename(db, "main"), (intmax_t)version, count);
        return -1;
    }
    for (unsigned i = (unsigned)version; i < count; i++)
        if (migrate_one(db, &migrations[i], i + 1))
            return -1;
    return 0;
}

/* Reads every page's structure: cheap at the sizes we keep, and damage is
 * better found before the first write than after. */
static int check_whole(sqlite3 *db)
{
    sqlite3_stmt *stmt = db_query(db, "PRAGMA quick_check(1)", "");
    int rc = -1;

    if (db_next(stmt) == 1) {
        const char *verdict = (const char *)sqlite3_column_text(stmt, 0);

        rc = verdict && strcmp(verdict, "ok") == 0 ? 0 : -1;
        if (rc)
            log_warnx("%s: damaged (%s): restore it from a backup", sqlite3_db_filename(db, "main"), verdict);
    }
    db_end(stmt);
    return rc;
}

sqlite3 *db_open(const char *path, const struct db_migration *migrations, unsigned count)
{
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(path, &db, flags, NULL);

    if (rc != SQLITE_OK) {
        int err = sqlite3_system_errno(db);

        log_warnx("%s: cannot open: %s%s", path, err ? strerror(err) : sqlite3_errstr(rc), advice(rc));
        sqlite3_close(db);
        return NULL;
    }
    sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
    /* KiB: what an interval of 1,000 guests changes does not go to the disk twice. */
    if (run_script(db, "PRAGMA cache_size = -16384") || run_script(db, "PRAGMA journal_mode = WAL") ||
        run_script(db, "PRAGMA synchronous = FULL") || run_script(db, "PRAGMA foreign_keys = ON") ||
        /* REPLACE asks the triggers that refuse DELETE. */
        run_script(db, "PRAGMA recursive_triggers = ON") || check_whole(db) || migrate(db, migrations, count)) {
        db_close(db);
        return NULL;
    }
    return db;
}

void db_close(sqlite3 *db)
{
    if (!db)
        return;
    db_pool_empty(db);
    if (sqlite3_close(db) != SQLITE_OK)
        complain(db, "close");
}

static int bind_all(sqlite3_stmt *stmt, const char *types, va_list args)
{
    int rc = SQLITE_OK;

    for (int i = 1; types[i - 1] && rc == SQLITE_OK; i++) {
        const void *bytes;

        switch (types[i - 1]) {
        case 't':
            rc = sqlite3_bind_text(stmt, i, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
            break;
        case 'i':
            rc = sqlite3_bind_int64(stmt, i, va_arg(args, int64_t));
            break;
        case 'b':
            bytes = va_arg(args, const void *);
            rc = sqlite3_bind_blob64(stmt, i, bytes, va_arg(args, size_t), SQLITE_TRANSIENT);
            break;
        case 'n':
            rc = sqlite3_bind_null(stmt, i);
            break;
        default:
            fatalx("db: unknown type letter '%c'", types[i - 1]);
        }
    }
    return rc;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql, const char *types, va_list args)
{
    sqlite3_stmt *stmt = db_pool_take(db, sql);

    if ((!stmt && sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK) ||
        bind_all(stmt, types, args) != SQLITE_OK) {
        complain(db, sql);
        sqlite3_finalize(stmt);
        return NULL;
    }
    return stmt;
}

sqlite3_stmt *db_query(sqlite3 *db, const char *sql, const char *types, ...)
{
    sqlite3_stmt *stmt;
    va_list args;

    va_start(args, types);
    stmt = prepare(db, sql, types, args);
    va_end(args);
    return stmt;
}

int db_next(sqlite3_stmt *stmt)
{
    int rc;

    if (!stmt)
        return -1;
    rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        return 1;
    return rc == SQLITE_DONE ? 0 : complain(sqlite3_db_handle(stmt), sqlite3_sql(stmt));
}

void db_end(sqlite3_stmt *stmt)
{
    db_pool_put(stmt);
}

int db_run(sqlite3 *db, const char *sql, const char *types, ...)
{
    sqlite3_stmt *stmt;
    va_list args;
    int rc;

    va_start(args, types);
    stmt = prepare(db, sql, types, args);
    va_end(args);
    do {
        rc = db_next(stmt);
    } while (rc == 1);
    db_end(stmt);
    return rc;
}

int db_int(sqlite3 *db, int64_t *out, const char *sql, const char *types, ...)
{
    sqlite3_stmt *stmt;
    va_list args;
    int rc;

    va_start(args, types);
    stmt = prepare(db, sql, types, args);
    va_end(args);
    rc = db_next(stmt);
    if (rc == 1)
        *out = sqlite3_column_int64(stmt, 0);
    db_end(stmt);
    return rc;
}
