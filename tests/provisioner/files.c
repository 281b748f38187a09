/* What the provisioner reads from files: the catalogue (each mistake is named
 * by its key), console logs (cut, dirty, too long), and that the migrations
 * give the schema that schema.sql shows. */
#include "common/log.h"
#include "provisioner/catalog.h"
#include "provisioner/console.h"
#include "provisioner/store.h"
#include "sample.h"
#include "tap.h"

#include <err.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char *dir;

static json_t *catalog_sample(void)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/catalog.json", dir);
    return json_load_file(path, 0, NULL);
}

/* Loads a catalogue; its complaint, or NULL. */
static const char *complaint(json_t *catalog_json)
{
    static struct catalog_fault fault;
    struct catalog catalog;
    char path[128];

    snprintf(path, sizeof(path), "%s/changed.json", dir);
    if (json_dump_file(catalog_json, path, 0))
        errx(1, "%s", path);
    json_decref(catalog_json);
    if (catalog_load(&catalog, path, &fault))
        return fault.text;
    catalog_free(&catalog);
    return NULL;
}

static void catalog_change(const char *list, unsigned index, const char *key, json_t *value, const char *expected)
{
    json_t *c = catalog_sample();
    json_t *row = json_array_get(json_object_get(c, list), index);
    char name[160], place[64];
    const char *text;

    if (value)
        json_object_set_new(row, key, value);
    else
        json_object_del(row, key);
    text = complaint(c);
    snprintf(name, sizeof(name), "catalogue: %s[%u].%s: %s", list, index, key, expected);
    snprintf(place, sizeof(place), "%s[%u].%s", list, index, key);
    if (!check(text && strstr(text, place) && strstr(text, expected) && strstr(text, "changed.json"), name))
        printf("# %s\n", text ? text : "accepted");
}

static json_t *limit_sample(int ops_per_s, int burst_ms)
{
    return json_pack("{s:i, s:i, s:i}", "ops_per_s", ops_per_s, "bytes_per_s", 0, "burst_ms", burst_ms);
}

static void catalogue(void)
{
    struct catalog_fault fault;
    struct catalog catalog;
    char path[128];

    check(!complaint(catalog_sample()), "catalogue: the sample is accepted");
    catalog_change("images", 0, "id", NULL, "missing");
    catalog_change("images", 0, "id", json_string("Big One"), "only a-z");
    catalog_change("images", 0, "kernel", NULL, "missing");
    catalog_change("images", 0, "kernel", json_string("/nonexistent/vmlinux"), "No such file");
    catalog_change("images", 0, "kernel", json_string(dir), "not a regular file");
    snprintf(path, sizeof(path), "%s/catalog.json", dir);
    catalog_change("images", 0, "kernel", json_string(path), "not an ELF file");
    catalog_change("images", 0, "initrd", json_string("/nonexistent/initrd"), "No such file");
    catalog_change("images", 0, "cmdline", json_integer(1), "string");
    catalog_change("images", 0, "memory_mib_min", json_integer(0), "integer");
    catalog_change("images", 0, "memory_mib_min", json_integer(16), "needs 18 MiB");
    catalog_change("images", 0, "colour", json_string("red"), "unknown");
    catalog_change("flavors", 1, "vcpus", json_integer(0), "1 to 32");
    catalog_change("flavors", 1, "vcpus", json_integer(33), "1 to 32");
    catalog_change("flavors", 1, "memory_mib", json_string("256"), "integer");
    catalog_change("flavors", 1, "memory_mib", json_integer(129), "even");
    catalog_change("flavors", 1, "weight", json_integer(-1), "integer");
    catalog_change("flavors", 1, "cap_percent", json_integer(201), "0 to 200");
    catalog_change("flavors", 1, "id", json_string("xs1"), "twice");
    catalog_change("flavors", 1, "disk_limit", json_integer(100), "must be an object");
    catalog_change("flavors", 1, "disk_limit", json_pack("{s:i, s:i}", "ops_per_s", 1, "burst_ms", 1), "bytes_per_s: missing");
    catalog_change("flavors", 1, "net_limit", limit_sample(100, 0), "burst_ms: must be an integer from 1 to 60000");
    catalog_change("flavors", 1, "net_limit", limit_sample(100, 60001), "burst_ms: must be an integer from 1 to 60000");
    catalog_change("flavors", 1, "net_limit", limit_sample(-1, 100), "ops_per_s: must be an integer");
    json_t *c = catalog_sample();
    json_object_set_new(c, "images", json_array());
    const char *text = complaint(c);
    check(text && strstr(text, "images: must be a list"), "catalogue: no images at all");
    sample_write(dir, "broken.json", "{\"images\": [\n\n  {]", 18);
    snprintf(path, sizeof(path), "%s/broken.json", dir);
    check(catalog_load(&catalog, path, &fault) && strstr(fault.text, "broken.json: line 3"),
          "catalogue: broken JSON is named with its line");
}

/* A value of an object of the catalogue (or, with object "", of itself). */
static void catalog_value(const char *object, const char *key, json_t *value, const char *expected)
{
    json_t *c = catalog_sample(), *at = *object ? json_object_get(c, object) : c;
    char name[160];
    const char *text;

    if (value)
        json_object_set_new(at, key, value);
    else
        json_object_del(at, key);
    text = complaint(c);
    snprintf(name, sizeof(name), "catalogue: %s %s: %s", object, key, expected);
    if (!check(text && strstr(text, object) && strstr(text, key) && strstr(text, expected), name))
        printf("# %s\n", text ? text : "accepted");
}

static void catalogue_of_disks(void)
{
    struct catalog_fault fault;
    struct catalog c;
    char path[128];

    catalog_change("images", 1, "disk_mib_min", json_integer(35), "is larger");
    catalog_change("images", 1, "disk_mib_min", NULL, "missing");
    catalog_change("images", 1, "cmdline", json_string("x"), "unknown");
    catalog_value("quotas", "volumes_max", NULL, "missing");
    catalog_value("quotas", "volumes_max", json_integer(-1), "integer");
    catalog_value("quotas", "cats_max", json_integer(1), "unknown");
    catalog_value("", "quotas", NULL, "must be an object");
    catalog_value("disk", "overcommit_percent", json_integer(0), "integer");
    catalog_value("disk", "reserve_mib", json_string("1"), "integer");
    catalog_value("", "public_host", NULL, "missing");
    catalog_value("", "forward_ports", json_pack("[i, i]", 22001, 22000), "[FIRST, LAST]");
    catalog_value("", "forward_ports", json_pack("[i]", 22001), "[FIRST, LAST]");
    catalog_value("", "forward_ports", json_pack("[i, i]", 1, 65535), "at most 1024");
    snprintf(path, sizeof(path), "%s/catalog.json", dir);
    check(!catalog_load(&c, path, &fault) && catalog_image(&c, "disk")->available && !catalog_image(&c, "gone")->available,
          "catalogue: an image whose disk is not here is not available, and stops nothing");
    check(!catalog_ports(&c, "quiet xs.forwards=1-2 noxs.forward=3-4\n") && c.port_first == 22000 && c.port_last == 22003,
          "ports: a command line without the word changes nothing");
    check(!catalog_ports(&c, "quiet xs.forward=23000-23015 panic=1\n") && c.port_first == 23000 && c.port_last == 23015,
          "ports: the machine's word counts");
    check(catalog_ports(&c, "xs.forward=23000") && catalog_ports(&c, "xs.forward=9-x") && catalog_ports(&c, "xs.forward=9-8") &&
          catalog_ports(&c, "xs.forward=0-8") && catalog_ports(&c, "xs.forward=65000-65536") && c.port_first == 23000,
          "ports: what is no range is refused");
    catalog_free(&c);
}

static unsigned logs_changed;

static void log_changed(void *arg, const char *instance_id, bool gone)
{
    (void)arg;
    logs_changed += !gone && instance_id && !strcmp(instance_id, "ins_1");
}

static void console(void)
{
    size_t long_bytes = 5 * CONSOLE_KEEP_BYTES;
    char *text = malloc(long_bytes), console_dir[128], path[160];
    struct stat st;

    snprintf(console_dir, sizeof(console_dir), "%s/console", dir);
    snprintf(path, sizeof(path), "%s/guest-ins_1.log", console_dir);
    json_t *part = console_read(console_dir, "ins_1", -1, 100);
    check(part && !json_string_length(json_object_get(part, "text")) && !console_size(console_dir, "ins_1"),
          "console: no log yet is an empty log");
    json_decref(part);
    for (size_t i = 0; i < long_bytes; i++)
        text[i] = (char)('a' + i % 26);
    sample_write(dir, "console/guest-ins_1.log", text, long_bytes);
    int watch = console_watch_open(console_dir);
    sample_write(dir, "console/guest-ins_1.log", text, long_bytes);
    console_watch_run(watch, console_dir, log_changed, NULL);
    check(!stat(path, &st) && st.st_size == (off_t)long_bytes && st.st_blocks * 512 <= CONSOLE_KEEP_BYTES + 65536,
          "console: a long log gives its old part's space back and keeps its length");
    part = console_read(console_dir, "ins_1", 0, 26);
    int64_t offset = json_integer_value(json_object_get(part, "offset"));
    const char *got = json_string_value(json_object_get(part, "text"));
    check(offset >= (int64_t)long_bytes - CONSOLE_KEEP_BYTES - 65536 && offset <= (int64_t)long_bytes - CONSOLE_KEEP_BYTES &&
          got && got[0] == (char)('a' + offset % 26) && strlen(got) == 26,
          "console: reading from the lost part begins at the first byte that is left");
    json_decref(part);
    part = console_read(console_dir, "ins_1", -1, 26);
    check(json_integer_value(json_object_get(part, "next")) == (json_int_t)long_bytes, "console: by default the last bytes");
    json_decref(part);
    part = console_read(console_dir, "ins_1", (int64_t)long_bytes + 1000, 26);
    check(part && !json_string_length(json_object_get(part, "text")), "console: behind the end there is nothing");
    json_decref(part);
    free(text);
}

static void console_bytes(void)
{
    static const struct {
        const char *bytes;
        size_t count;
        const char *text;
        const char *name;
    } cases[] = {
        { "a\xC0\x80z", 4, "a\uFFFD\uFFFDz", "an overlong NUL" },
        { "\xED\xA0\x80", 3, "\uFFFD\uFFFD\uFFFD", "a surrogate" },
        { "\xF4\x90\x80\x80", 4, "\uFFFD\uFFFD\uFFFD\uFFFD", "beyond U+10FFFF" },
        { "\xF0\x9F\x98\x80!", 5, "\U0001F600!", "four bytes" },
        { "x\xE2\x82", 3, "x\uFFFD\uFFFD", "a character cut by the end of the log" },
        { "\x80\xFF", 2, "\uFFFD\uFFFD", "stray bytes" },
        { "a\0b", 3, "a\uFFFD" "b", "a NUL" },
    };
    char console_dir[128], name[96];

    snprintf(console_dir, sizeof(console_dir), "%s/console", dir);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sample_write(dir, "console/guest-ins_2.log", cases[i].bytes, cases[i].count);
        json_t *part = console_read(console_dir, "ins_2", 0, 100);
        const char *text = json_string_value(json_object_get(part, "text"));
        snprintf(name, sizeof(name), "console: %s", cases[i].name);
        check(text && !strcmp(text, cases[i].text), name);
        json_decref(part);
    }
}

/* Name, type, constraints of every column, as SQLite understood them. */
static char *shape_of(sqlite3 *db)
{
    static const char *sql = "SELECT group_concat(line, char(10)) FROM (SELECT m.name || ' ' || p.name || ' ' || p.type || "
                             "' ' || p.\"notnull\" || ' ' || p.pk || ' ' || coalesce(p.dflt_value, '') AS line "
                             "FROM sqlite_schema AS m, pragma_table_info(m.name) AS p WHERE m.type = 'table' "
                             "UNION ALL SELECT 'index ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema "
                             "WHERE type = 'index' ORDER BY 1)";
    sqlite3_stmt *s;
    char *shape = NULL;

    if (!sqlite3_prepare_v2(db, sql, -1, &s, NULL) && sqlite3_step(s) == SQLITE_ROW)
        shape = strdup((const char *)sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
    return shape;
}

static void schema(const char *schema_path)
{
    static char sql[65536];
    char path[128], *migrated, *shown;
    FILE *f = fopen(schema_path, "r");
    sqlite3 *db;

    if (!f)
        err(1, "%s", schema_path);
    sql[fread(sql, 1, sizeof(sql) - 1, f)] = 0;
    fclose(f);
    snprintf(path, sizeof(path), "%s/shape.db", dir);
    store_close(store_open(path));
    sqlite3_open(path, &db);
    migrated = shape_of(db);
    sqlite3_close(db);
    sqlite3_open(":memory:", &db);
    check(!sqlite3_exec(db, sql, NULL, NULL, NULL), "schema.sql is accepted by SQLite");
    shown = shape_of(db);
    sqlite3_close(db);
    check(migrated && shown && strlen(shown) > 200 && !strcmp(migrated, shown), "the migrations give what schema.sql shows");
    free(migrated);
    free(shown);
}

int main(int argc, char **argv)
{
    const char *top = getenv("srcdir");
    char path[4096];

    (void)argc;
    (void)argv;
    log_init("files");
    dir = sample_dir();
    sample_files(dir);
    catalogue();
    catalogue_of_disks();
    console();
    console_bytes();
    snprintf(path, sizeof(path), "%s/schema/host/schema.sql", top ? top : SRCDIR);
    schema(path);
    return tap_end();
}
