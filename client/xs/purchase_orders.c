/* Purchase orders: purses of their own, for projects. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
    {"ID", "id"},      {"NAME", "name"},    {"STATE", "state"},     {">FUNDED", "funded"},
    {">HELD", "held"}, {">SPENT", "spent"}, {">FREE", "available"}, {"ENDS", "ends_at"},
};

char *purchase_order_resolve(struct host *host, const char *name_or_id)
{
    return thing_resolve(host, "po_", "/v1/purchase_orders", "purchase order", "xs po list", name_or_id);
}

/* The path of what was named. */
static void path_make(struct host *host, const char *which, const char *rest, char *path, size_t size)
{
    char *id = purchase_order_resolve(host, which);

    snprintf(path, size, "/v1/purchase_orders/%s%s", id, rest);
    free(id);
}

int po_create_command(struct host *host, char **argv)
{
    const char *alone[2], *ends = NULL;
    const struct flag flags[] = {{"--ends-at", &ends, NULL}, {NULL, NULL, NULL}};
    json_t *body;

    args_take(argv, flags, alone, 2, 2, "po create NAME AMOUNT [--ends-at 2026-12-31T23:59:59Z]");
    body = json_pack("{s:s, s:s}", "name", alone[0], "amount", alone[1]);
    if (!body)
        fail(EXIT_USAGE, "the name is not UTF-8 text");
    if (ends)
        json_object_set_new(body, "ends_at", json_string(ends));
    return card_show(host, ask_post(host, "/v1/purchase_orders", body), columns, COUNT(columns));
}

int po_list_command(struct host *host, char **argv)
{
    return list_show(host, argv, "/v1/purchase_orders", columns, COUNT(columns),
                     "There are no purchase orders. Make one: xs po create NAME AMOUNT", "po list");
}

int po_show_command(struct host *host, char **argv)
{
    const char *which;
    char path[256];

    args_take(argv, NULL, &which, 1, 1, "po show NAME|ID");
    path_make(host, which, "", path, sizeof(path));
    return card_show(host, ask_get(host, path), columns, COUNT(columns));
}

int po_add_command(struct host *host, char **argv)
{
    const char *alone[2];
    char path[256];

    args_take(argv, NULL, alone, 2, 2, "po add NAME|ID AMOUNT");
    path_make(host, alone[0], "/add", path, sizeof(path));
    return card_show(host, ask_post(host, path, json_pack("{s:s}", "amount", alone[1])), columns, COUNT(columns));
}

int po_close_command(struct host *host, char **argv)
{
    const char *which;
    char path[256];

    args_take(argv, NULL, &which, 1, 1, "po close NAME|ID");
    path_make(host, which, "", path, sizeof(path));
    return card_show(host, ask_delete(host, path), columns, COUNT(columns));
}
