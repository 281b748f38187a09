/* common/db and the stores' files: migrations, damage, what cannot be opened;
 * and the log's own refusals. */
#include "common/db.h"
#include "schema/host.h"
#include "schema/ledger.h"
#include "schema/usage.h"
#include "schema/witness.h"
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/xs-store-XXXXXX";

static char *path_in(const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", dir, name);
    return path;
}

/* The schema as SQLite itself tells it, white space and comments apart. */
static char *schema_of(sqlite3 *db)
{
    sqlite3_stmt *stmt = db_query(db, "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY 1, 2", "");
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    while (db_next(stmt) == 1) {
        const char *sql = (const char *)sqlite3_column_text(stmt, 2);

        for (const char *at = sql; *at; at++) {
            if (at[0] == '-' && at[1] == '-')
                at += strcspn(at, "\n");
            if (*at != ' ' && *at != '\n')
                fputc(*at, out);
        }
        fputc('\n', out);
    }
    db_end(stmt);
    fclose(out);
    return text;
}

static void test_migrations_give_schema(const char *name, const struct db_migration *migrations, unsigned count)
{
    const char *source = getenv("srcdir");
    char file[512], path[128], *wanted, *got, *sql = calloc(1, 1 << 20);
    sqlite3 *db = db_open(path_in(name, path), migrations, count), *plain;
    FILE *in;

    snprintf(file, sizeof(file), "%s/schema/%s/schema.sql", source ? source : "..", name);
    in = fopen(file, "re");
    if (!in || fread(sql, 1, (1 << 20) - 1, in) == 0 || sqlite3_open(":memory:", &plain) != SQLITE_OK)
        exit(99);
    fclose(in);
    check(sqlite3_exec(plain, sql, NULL, NULL, NULL) == SQLITE_OK, "schema/%s/schema.sql is right SQL", name);
    wanted = schema_of(plain);
    got = schema_of(db);
    check(strlen(wanted) > 100 && strcmp(wanted, got) == 0, "the migrations of %s.db from empty give schema.sql", name);
    db_close(db);
    db_close(plain);
    free(wanted);
    free(got);
    free(sql);
}

static const struct db_migration two[] = {
    { "0001-first", "CREATE TABLE t (a INTEGER) STRICT; INSERT INTO t VALUES (1);" },
    { "0002-second", "ALTER TABLE t ADD COLUMN b TEXT; INSERT INTO t VALUES (2, 'x');" },
};
static const struct db_migration broken[] = {
    { "0001-first", "CREATE TABLE t (a INTEGER) STRICT; INSERT INTO t VALUES (1);" },
    { "0002-second", "INSERT INTO t VALUES (9); CREATE TABLE u (; " },
};

static int64_t count_rows(sqlite3 *db)
{
    int64_t n = -1;

    db_int(db, &n, "SELECT count(*) FROM t", "");
    return n;
}

static void test_migrate(void)
{
    char path[128];
    sqlite3 *db = db_open(path_in("m.db", path), two, 1);
    int64_t n;

    check(db && count_rows(db) == 1, "an empty file gets the first migration");
    db_close(db);
    check(!db_open(path, broken, 2), "a migration that fails is refused");
    db = db_open(path, two, 1);
    check(db && count_rows(db) == 1, "and has left nothing behind");
    db_close(db);
    db = db_open(path, two, 2);
    check(db && count_rows(db) == 2, "an old file gets the next one only");
    check(db_int(db, &n, "PRAGMA synchronous", "") == 1 && n == 2, "each commit is synced");
    db_close(db);
    check(!db_open(path, two, 1), "a file of a newer program is refused");
}

static void test_cannot_open(void)
{
    char path[128], deep[160];
    int fd = open(path_in("text.db", path), O_WRONLY | O_CREAT, 0644);
    uint8_t byte = 0xff;
    sqlite3 *db;

    if (fd < 0 || write(fd, "this is a letter, not a database, and longer than a header of one hundred bytes would be,"
                        " so that nobody mistakes it for an empty file", 130) != 130)
        exit(99);
    close(fd);
    check(!db_open(path, two, 2), "a file that is no database is refused");
    snprintf(deep, sizeof(deep), "%s/none/x.db", dir);
    check(!db_open(deep, two, 2), "a directory that is not there is refused");
    if (symlink(path_in("m.db", path), path_in("link.db", deep)) != 0)
        exit(99);
    check(!db_open(deep, two, 2), "a symbolic link is not followed");
    db = db_open(path_in("damaged.db", path), two, 2);
    for (int i = 0; i < 2000; i++)
        db_run(db, "INSERT INTO t VALUES (?1, 'some text that fills pages')", "i", (int64_t)i);
    db_close(db);
    fd = open(path, O_RDWR);
    for (off_t at = 4096; at < 4096 + 64; at++)
        if (pwrite(fd, &byte, 1, at) != 1)
            exit(99);
    close(fd);
    check(!db_open(path, two, 2), "a damaged file is refused");
}

static const char *const forbidden[] = {
    "UPDATE leaf SET bytes = 'x'", "DELETE FROM leaf", "UPDATE head SET note = 'x'", "DELETE FROM head",
    "INSERT INTO head SELECT size, 'another', 1 FROM head",
};

static bool shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static bool shell(const char *fmt, ...)
{
    char *command;
    va_list args;
    bool good;

    va_start(args, fmt);
    if (vasprintf(&command, fmt, args) < 0)
        exit(99);
    va_end(args);
    good = system(command) == 0;
    free(command);
    return good;
}

/* Changes a database as whoever has the file can: without asking its triggers. */
static bool tamper(const char *path, const char *sql)
{
    sqlite3 *db;
    bool good = sqlite3_open(path, &db) == SQLITE_OK && sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;

    sqlite3_close(db);
    return good;
}

static void test_log_refuses(void)
{
    struct life life;
    char path[160];

    life_begin(&life);
    life_account(&life, "acc", 100000000);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    life_step(&life, 1000000000);
    accountd_close(&life.a);
    snprintf(path, sizeof(path), "%s/usage.db", life.dir);
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
        check(!tamper(path, forbidden[i]), "the log refuses: %s", forbidden[i]);
    check(shell("cp %s %s.good", path, path) &&
          tamper(path, "DROP TRIGGER leaf_no_update; UPDATE leaf SET bytes = replace(bytes, '1', '2')"
                 " WHERE type = 'start'") && !life_reopen(&life), "a leaf that was changed behind its back stops the start");
    accountd_close(&life.a);
    check(shell("cp %s.good %s", path, path) &&
          tamper(path, "DROP TRIGGER leaf_no_delete; DROP TRIGGER head_no_delete; DELETE FROM incarnation;"
                 " DELETE FROM head WHERE size = (SELECT max(size) FROM head);"
                 " DELETE FROM leaf WHERE idx = (SELECT max(idx) FROM leaf)") && !life_reopen(&life),
          "so does a log cut short, its newest head included");
    life_end(&life);
}

static void test_wrong_key(void)
{
    struct life life;

    life_begin(&life);
    accountd_close(&life.a);
    check(shell("cd %s && mv keys keys.old", life.dir) && !life_reopen(&life), "a log is not signed on with another key");
    accountd_close(&life.a);
    check(shell("cd %s && rm -r keys && mv keys.old keys && chmod 644 keys/log.key", life.dir) && !life_reopen(&life),
          "a key that others may read is refused");
    accountd_close(&life.a);
    check(shell("cd %s && chmod 600 keys/log.key && cp keys/log.key k && head -c 40 k >keys/log.key", life.dir) &&
          !life_reopen(&life), "half a key is refused");
    accountd_close(&life.a);
    check(shell("cd %s && cp k keys/log.key", life.dir) && life_reopen(&life), "put back, it goes on");
    life_end(&life);
}

int main(void)
{
    if (!mkdtemp(dir))
        return 99;
    test_migrations_give_schema("usage", usage_migrations, sizeof(usage_migrations) / sizeof(usage_migrations[0]));
    test_migrations_give_schema("ledger", ledger_migrations, sizeof(ledger_migrations) / sizeof(ledger_migrations[0]));
    test_migrations_give_schema("host", host_migrations, sizeof(host_migrations) / sizeof(host_migrations[0]));
    test_migrations_give_schema("witness", witness_migrations, sizeof(witness_migrations) / sizeof(witness_migrations[0]));
    test_migrate();
    test_cannot_open();
    test_log_refuses();
    test_wrong_key();
    return shell("rm -rf %s", dir) ? tap_end() : 99;
}
