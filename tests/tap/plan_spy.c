#include "tests/tap/plan_spy.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The linker gives us the calls of the program and the library's own functions (ld's --wrap). */
int __real_sqlite3_prepare_v3(sqlite3 *db, const char *sql, int size, unsigned flags, sqlite3_stmt **stmt,
                              const char **tail);
int __wrap_sqlite3_prepare_v3(sqlite3 *db, const char *sql, int size, unsigned flags, sqlite3_stmt **stmt,
                              const char **tail);
int __real_sqlite3_reset(sqlite3_stmt *stmt);
int __wrap_sqlite3_reset(sqlite3_stmt *stmt);

static FILE *out;
static pthread_once_t opened = PTHREAD_ONCE_INIT;

void plan_spy_begin(const char *path)
{
    out = fopen(path, "ae");
    if (!out)
        abort();
    setlinebuf(out);
}

/* Before the program locks itself in. */
static void out_open(void)
{
    const char *path = getenv("XS_PLAN_SPY");

    if (path)
        plan_spy_begin(path);
}

static void explain(sqlite3 *db, const char *sql)
{
    char *text = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *stmt = NULL;

    if (__real_sqlite3_prepare_v3(db, text, -1, 0, &stmt, NULL) == SQLITE_OK)
        while (sqlite3_step(stmt) == SQLITE_ROW)
            fprintf(out, "plan\t%s\t%s\n", (const char *)sqlite3_column_text(stmt, 3), sql);
    sqlite3_finalize(stmt);
    sqlite3_free(text);
}

int __wrap_sqlite3_prepare_v3(sqlite3 *db, const char *sql, int size, unsigned flags, sqlite3_stmt **stmt,
                              const char **tail)
{
    int rc = __real_sqlite3_prepare_v3(db, sql, size, flags, stmt, tail);

    pthread_once(&opened, out_open);
    if (out && rc == SQLITE_OK)
        explain(db, sql);
    return rc;
}

int __wrap_sqlite3_reset(sqlite3_stmt *stmt)
{
    if (out)
        fprintf(out, "steps\t%d\t%s\n", sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 1), sqlite3_sql(stmt));
    return __real_sqlite3_reset(stmt);
}

/* reading */

static FILE *lines_open(const char *path)
{
    FILE *file = fopen(path, "re");

    if (!file)
        abort();
    return file;
}

long plan_spy_steps(const char *path, long *from)
{
    FILE *file = lines_open(path);
    char *line = NULL;
    size_t size = 0;
    long most = -1;

    fseek(file, *from, SEEK_SET);
    while (getline(&line, &size, file) > 0) {
        long steps = strncmp(line, "steps\t", 6) == 0 ? strtol(line + 6, NULL, 10) : -1;

        most = steps > most ? steps : most;
    }
    *from = ftell(file);
    free(line);
    fclose(file);
    return most;
}

static bool is_bounded(const char *name, const char *const *bounded)
{
    size_t len = strcspn(name, " \t");

    for (; *bounded; bounded++)
        if (strlen(*bounded) == len && strncmp(name, *bounded, len) == 0)
            return true;
    return false;
}

/* "SCAN json_each VIRTUAL TABLE INDEX 0:" is no table of ours, nor is "SCAN 2-ROW VALUES CLAUSE" or "SCAN CONSTANT ROW". */
static bool walks(const char *detail, const char *const *bounded)
{
    const char *name = detail + strlen("SCAN ");
    size_t len = strcspn(detail, "\t");

    return strncmp(detail, "SCAN ", 5) == 0 && !memmem(detail, len, "VIRTUAL TABLE", 13) &&
           !memmem(detail, len, "CLAUSE", 6) && !memmem(detail, len, "CONSTANT ROW", 12) && !is_bounded(name, bounded);
}

/* Of all rows the last one: that walk ends where it begins. */
static bool takes_newest(const char *sql)
{
    return strstr(sql, " DESC LIMIT 1\n") && !strstr(sql, " WHERE ");
}

/* Among what a statement reads: a table that is not bounded. */
static bool sorts(const char *detail, const char *sql, const char *const *bounded)
{
    bool any = false;

    if (!strstr(detail, "TEMP B-TREE FOR ORDER BY") || strstr(detail, "TEMP B-TREE FOR ORDER BY") > sql)
        return false;
    for (const char *at = strstr(sql, " FROM "); at; at = strstr(at + 1, " FROM "))
        any |= at[6] != '(' && !is_bounded(at + 6, bounded);
    return any;
}

int plan_spy_bad(const char *path, const char *const *bounded)
{
    FILE *file = lines_open(path);
    char *line = NULL;
    size_t size = 0;
    int bad = 0;

    while (getline(&line, &size, file) > 0) {
        char *detail = line + strlen("plan\t"), *sql = strncmp(line, "plan\t", 5) == 0 ? strchr(detail, '\t') : NULL;

        if (!sql || strncmp(sql, "\tSELECT ", 8) != 0 || !((walks(detail, bounded) && !takes_newest(sql)) || sorts(detail, sql, bounded)))
            continue;
        printf("# %s", detail);
        bad++;
    }
    free(line);
    fclose(file);
    return bad;
}
