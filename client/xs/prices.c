/* Price books: what is published, and how operators change it, two of them. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BOOK_BYTES_MAX 65536

static const struct column book_columns[] = {
    {"VERSION", "version"},
    {"STATE", "state"},
    {"CURRENCY", "currency"},
    {"VALID FROM", "valid_from"},
    {"MOVES RUNNING", "moves_running_at"},
    {"PROPOSED BY", "operator"},
    {"DECIDED BY", "decided_by"},
};
/* What customers see. */
#define OWN_COLUMNS 5

int prices_command(struct host *host, char **argv)
{
    return list_show(host, argv, "/v1/prices", book_columns, OWN_COLUMNS, "No prices are published.", "prices");
}

/* A book is shown as it was signed. */
static int book_print(json_t *book)
{
    json_dumpf(book, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(book);
    return EXIT_DONE;
}

/* The path of a version and what follows it. */
static void version_path(const char *list, const char *version, const char *rest, char *path, size_t size)
{
    snprintf(path, size, "%s/%jd%s", list, (intmax_t)args_number("VERSION", version, 1, 999999999), rest);
}

int price_show_command(struct host *host, char **argv)
{
    const char *version;
    char path[128];

    args_take(argv, NULL, &version, 1, 1, "prices show VERSION");
    version_path("/v1/prices", version, "", path, sizeof(path));
    return book_print(ask_get(host, path));
}

int admin_prices_command(struct host *host, char **argv)
{
    return list_show(host, argv, "/v1/admin/price_books", book_columns, COUNT(book_columns),
                     "There are no price books.", "admin prices");
}

int admin_price_show_command(struct host *host, char **argv)
{
    const char *version;
    char path[128];

    args_take(argv, NULL, &version, 1, 1, "admin prices show VERSION");
    version_path("/v1/admin/price_books", version, "", path, sizeof(path));
    return book_print(ask_get(host, path));
}

int admin_price_propose_command(struct host *host, char **argv)
{
    const char *file;
    json_error_t error;
    json_t *book;
    char *text;

    args_take(argv, NULL, &file, 1, 1, "admin prices propose FILE");
    text = file_text(file, BOOK_BYTES_MAX);
    book = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!book)
        fail(EXIT_USAGE, "%s: line %d, column %d: %s", file, error.line, error.column, error.text);
    free(text);
    return card_show(host, ask_post(host, "/v1/admin/price_books", book), book_columns, COUNT(book_columns));
}

static int decide(struct host *host, char **argv, const char *rest, const char *usage)
{
    const char *version;
    char path[128];

    args_take(argv, NULL, &version, 1, 1, usage);
    version_path("/v1/admin/price_books", version, rest, path, sizeof(path));
    return card_show(host, ask_post(host, path, NULL), book_columns, COUNT(book_columns));
}

int admin_price_approve_command(struct host *host, char **argv)
{
    return decide(host, argv, "/approve", "admin prices approve VERSION");
}

int admin_price_withdraw_command(struct host *host, char **argv)
{
    return decide(host, argv, "/withdraw", "admin prices withdraw VERSION");
}

int admin_price_diff_command(struct host *host, char **argv)
{
    static const struct column columns[] = {{"METER", "meter"}, {"UNIT", "unit"}, {"WAS", "was"}, {"IS", "is"}};
    const char *version, *against = NULL;
    const struct flag flags[] = {{"--against", &against, NULL}, {NULL, NULL, NULL}};
    char path[160];
    json_t *diff;

    args_take(argv, flags, &version, 1, 1, "admin prices diff VERSION [--against VERSION]");
    version_path("/v1/admin/price_books", version, "/diff", path, sizeof(path));
    query_add(path, sizeof(path), "--against", against);
    diff = ask_get(host, path);
    if (!json_print(host, diff))
        table_print(columns, COUNT(columns), json_object_get(diff, "meters"), "All prices are the same.");
    json_decref(diff);
    return EXIT_DONE;
}

int admin_price_replay_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        {"METER", "meter"},
        {">QUANTITY", "units"},
        {"UNIT", "unit"},
        {">AMOUNT", "amount"},
    };
    const char *alone[3];
    char path[200];
    json_t *replay;

    args_take(argv, NULL, alone, 3, 3, "admin prices replay VERSION CUSTOMER MONTH");
    version_path("/v1/admin/price_books", alone[0], "/replay", path, sizeof(path));
    query_add(path, sizeof(path), "--customer-id", alone[1]);
    query_add(path, sizeof(path), "--period", alone[2]);
    replay = ask_get(host, path);
    if (!json_print(host, replay)) {
        lines_in_units(json_object_get(replay, "lines"));
        table_print(columns, COUNT(columns), json_object_get(replay, "lines"), "Nothing was used in this month.");
        printf("\n%s under version %s, %s as it was billed\n", json_text(replay, "total"), alone[0],
               json_text(replay, "billed"));
    }
    json_decref(replay);
    return EXIT_DONE;
}
