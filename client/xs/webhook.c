/* Webhooks: addresses that events are brought to, and what became of each. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"

#include <stdio.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
    {"ID", "id"}, {"ADDRESS", "url"}, {"EVENTS", "types"}, {"ON", "enabled"}, {"CREATED", "created_at"},
};
static const struct column delivery_columns[] = {
    {"ID", "id"},           {"EVENT", "type"},     {">SEQ", "event_seq"}, {"STATE", "state"},
    {">TRIES", "attempts"}, {">ANSWER", "status"}, {"TRIED", "tried_at"}, {"ERROR", "error"},
};

static void path_make(const char *id, const char *rest, char *path, size_t size)
{
    snprintf(path, size, "/v1/webhooks/%s%s", id_check(id, "a webhook"), rest);
}

/* The secret goes to standard output alone, so that it can be put where it belongs. */
int webhook_create_command(struct host *host, char **argv)
{
    const char *url, *types[ARGS_TIMES + 1] = {NULL};
    const struct flag flags[] = {{"--event...", types, NULL}, {NULL, NULL, NULL}};
    json_t *body, *hook, *list = json_array();

    args_take(argv, flags, &url, 1, 1, "webhook create URL [--event TYPE]...");
    body = json_pack("{s:s}", "url", url);
    if (!body)
        fail(EXIT_USAGE, "the address is not UTF-8 text");
    for (const char **type = types; *type; type++)
        json_array_append_new(list, json_string(*type));
    if (json_array_size(list))
        json_object_set(body, "types", list);
    json_decref(list);
    hook = ask_post(host, "/v1/webhooks", body);
    if (!json_print(host, hook)) {
        puts(json_text(hook, "secret"));
        fprintf(stderr, "%s: requests are signed with this secret: keep it now, it is not shown again\n",
                json_text(hook, "id"));
    }
    json_decref(hook);
    return EXIT_DONE;
}

int webhook_list_command(struct host *host, char **argv)
{
    return list_show(host, argv, "/v1/webhooks", columns, COUNT(columns),
                     "There are no webhooks. Make one: xs webhook create URL", "webhook list");
}

static int enable(struct host *host, char **argv, bool on, const char *usage)
{
    const char *id;
    char path[256];

    args_take(argv, NULL, &id, 1, 1, usage);
    path_make(id, "", path, sizeof(path));
    return card_show(host, ask_patch(host, path, json_pack("{s:b}", "enabled", (int)on)), columns, COUNT(columns));
}

int webhook_on_command(struct host *host, char **argv)
{
    return enable(host, argv, true, "webhook on ID");
}

int webhook_off_command(struct host *host, char **argv)
{
    return enable(host, argv, false, "webhook off ID");
}

int webhook_delete_command(struct host *host, char **argv)
{
    return id_delete(host, argv, "/v1/webhooks", "a webhook", "is deleted", "webhook delete ID");
}

int webhook_ping_command(struct host *host, char **argv)
{
    const char *id;
    char path[256];

    args_take(argv, NULL, &id, 1, 1, "webhook ping ID");
    path_make(id, "/ping", path, sizeof(path));
    return card_show(host, ask_post(host, path, NULL), delivery_columns, COUNT(delivery_columns));
}

int webhook_deliveries_command(struct host *host, char **argv)
{
    const char *id, *after = NULL;
    const struct flag flags[] = {{"--after", &after, NULL}, {NULL, NULL, NULL}};
    char path[256];

    args_take(argv, flags, &id, 1, 1, "webhook deliveries ID [--after CURSOR]");
    path_make(id, "/deliveries", path, sizeof(path));
    query_add(path, sizeof(path), "--after", after);
    return page_show(host, path, delivery_columns, COUNT(delivery_columns), "Nothing was sent yet.");
}

int webhook_redeliver_command(struct host *host, char **argv)
{
    const char *number;
    char path[256];

    args_take(argv, NULL, &number, 1, 1, "webhook redeliver DELIVERY");
    snprintf(path, sizeof(path), "/v1/deliveries/%s/redeliver", id_check(number, "a delivery"));
    return card_show(host, ask_post(host, path, NULL), delivery_columns, COUNT(delivery_columns));
}
