/* What happened, and what happens. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"
#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void event_print(void *arg, const char *text)
{
    struct host *host = arg;
    json_t *event = json_loads(text, 0, NULL);
    char *data = json_dumps(json_object_get(event, "data"), JSON_COMPACT);

    if (host_settings(host)->json)
        puts(text);
    else
        printf("%s  %-20s %s  %s%s%s\n", json_text(event, "at"), json_text(event, "type"), json_text(event, "object"),
               json_text(event, "customer_id"), *json_text(event, "customer_id") ? "  " : "", data ? data : "");
    /* Whoever reads us waits for it. */
    if (fflush(stdout) != 0)
        fail(EXIT_REFUSED, "the output could not be written");
    free(data);
    json_decref(event);
}

static int events_show(struct host *host, char **argv, const char *list, unsigned columns_count, const char *usage)
{
    static const struct column columns[] = {
        {"AT", "at"}, {"WHAT", "type"}, {"OF", "object"}, {"SEQ", "seq"}, {"CUSTOMER", "customer_id"},
    };
    const char *after = NULL, *customer_id = NULL;
    bool following = false, for_operator = columns_count == COUNT(columns);
    const struct flag flags[] = {{"--follow", NULL, &following},
                                 {"--after", &after, NULL},
                                 {for_operator ? "--customer-id" : NULL, &customer_id, NULL},
                                 {NULL, NULL, NULL}};
    char path[192];

    args_take(argv, flags, NULL, 0, 0, usage);
    snprintf(path, sizeof(path), "%s", list);
    query_add(path, sizeof(path), "--after", after);
    query_add(path, sizeof(path), "--customer-id", customer_id);
    if (following)
        ask_follow(host, path, event_print, host);
    query_add(path, sizeof(path), "--order", "newest");
    return page_show(host, path, columns, columns_count, "Nothing has happened yet.");
}

int events_command(struct host *host, char **argv)
{
    return events_show(host, argv, "/v1/events", 4, "events [--follow] [--after SEQ]");
}

int admin_events_command(struct host *host, char **argv)
{
    return events_show(host, argv, "/v1/admin/events", 5, "admin events [--customer-id C] [--follow] [--after SEQ]");
}
