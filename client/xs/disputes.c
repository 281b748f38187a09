/* Disputes, of customers and as operators answer them. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"

#include <stdio.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
    {"ID", "id"},           {"INVOICE", "invoice_id"}, {"LINE", "line"},     {"STATE", "state"},
    {"OUTCOME", "outcome"}, {"OPENED", "opened_at"},   {"REASON", "reason"}, {"CUSTOMER", "customer_id"},
};
#define OWN_COLUMNS (COUNT(columns) - 1)

static int dispute_print(struct host *host, json_t *dispute)
{
    if (!json_print(host, dispute)) {
        card_print(columns, OWN_COLUMNS, dispute);
        if (json_object_get(dispute, "evidence"))
            puts("evidence: --json shows it");
    }
    json_decref(dispute);
    return EXIT_DONE;
}

int dispute_open_command(struct host *host, char **argv)
{
    const char *alone[2], *line = NULL;
    const struct flag flags[] = {{"--line", &line, NULL}, {NULL, NULL, NULL}};
    json_t *body;

    args_take(argv, flags, alone, 2, 2, "dispute open INVOICE REASON [--line NUMBER]");
    body = json_pack("{s:s, s:s}", "invoice_id", id_check(alone[0], "an invoice"), "reason", alone[1]);
    if (!body)
        fail(EXIT_USAGE, "the reason is not UTF-8 text");
    if (line)
        json_object_set_new(body, "line", json_integer(args_number("--line", line, 1, 1000000)));
    return dispute_print(host, ask_post(host, "/v1/disputes", body));
}

int dispute_list_command(struct host *host, char **argv)
{
    return list_show(host, argv, "/v1/disputes", columns, OWN_COLUMNS,
                     "There are no disputes. Open one: xs dispute open INVOICE REASON", "dispute list");
}

static int dispute_show(struct host *host, char **argv, const char *list, const char *usage)
{
    const char *id;
    char path[256];

    args_take(argv, NULL, &id, 1, 1, usage);
    snprintf(path, sizeof(path), "%s/%s", list, id_check(id, "a dispute"));
    return dispute_print(host, ask_get(host, path));
}

int dispute_show_command(struct host *host, char **argv)
{
    return dispute_show(host, argv, "/v1/disputes", "dispute show ID");
}

int admin_disputes_command(struct host *host, char **argv)
{
    return list_show(host, argv, "/v1/admin/disputes", columns, COUNT(columns), "There are no disputes.",
                     "admin disputes");
}

int admin_dispute_show_command(struct host *host, char **argv)
{
    return dispute_show(host, argv, "/v1/admin/disputes", "admin dispute show ID");
}

int admin_dispute_resolve_command(struct host *host, char **argv)
{
    const char *alone[3];
    char path[256];
    json_t *body;

    args_take(argv, NULL, alone, 3, 3, "admin dispute resolve ID accepted|rejected REASON");
    snprintf(path, sizeof(path), "/v1/admin/disputes/%s/resolve", id_check(alone[0], "a dispute"));
    body = json_pack("{s:s, s:s}", "outcome", alone[1], "reason", alone[2]);
    if (!body)
        fail(EXIT_USAGE, "the reason is not UTF-8 text");
    return dispute_print(host, ask_post(host, path, body));
}
