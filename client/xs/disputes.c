/* Disputes, of customers and as operators answer them. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
    {"ID", "id"},           {"INVOICE", "invoice_id"}, {"LINE", "line"},     {"STATE", "state"},
    {"OUTCOME", "outcome"}, {">PROPOSED", "proposed"}, {"OPENED", "opened_at"}, {"REASON", "reason"},
    {"CUSTOMER", "customer_id"},
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

/* "INCARNATION:COUNTER=VALUE" */
static json_t *claim_take(const char *text)
{
    const char *colon = strchr(text, ':'), *equals = colon ? strchr(colon, '=') : NULL;
    json_t *claim = equals ? json_pack("{s:s%, s:s%, s:s}", "incarnation", text, (int)(colon - text), "counter",
                                       colon + 1, (int)(equals - colon - 1), "value", equals + 1) : NULL;

    if (!claim)
        fail(EXIT_USAGE, "--claim %s: must be INCARNATION:COUNTER=VALUE, such as 0f1e...:guest_ns=1234", text);
    return claim;
}

int dispute_open_command(struct host *host, char **argv)
{
    const char *alone[2], *line = NULL, *claim = NULL;
    const struct flag flags[] = {{"--line", &line, NULL}, {"--claim", &claim, NULL}, {NULL, NULL, NULL}};
    json_t *body;

    args_take(argv, flags, alone, 2, 2,
              "dispute open INVOICE REASON [--line NUMBER] [--claim INCARNATION:COUNTER=VALUE]");
    body = json_pack("{s:s, s:s}", "invoice_id", id_check(alone[0], "an invoice"), "reason", alone[1]);
    if (!body)
        fail(EXIT_USAGE, "the reason is not UTF-8 text");
    if (line)
        json_object_set_new(body, "line", json_integer(args_number("--line", line, 1, 1000000)));
    if (claim)
        json_object_set_new(body, "claim", claim_take(claim));
    return dispute_print(host, ask_post(host, "/v1/disputes", body));
}

static int disputes_show(struct host *host, char **argv, const char *list, unsigned count, const char *none,
                         const char *usage)
{
    const char *after = NULL;
    const struct flag flags[] = {{"--after", &after, NULL}, {NULL, NULL, NULL}};
    char path[128];

    args_take(argv, flags, NULL, 0, 0, usage);
    snprintf(path, sizeof(path), "%s", list);
    query_add(path, sizeof(path), "--after", after);
    return page_show(host, path, columns, count, none);
}

int dispute_list_command(struct host *host, char **argv)
{
    return disputes_show(host, argv, "/v1/disputes", OWN_COLUMNS,
                         "There are no disputes. Open one: xs dispute open INVOICE REASON",
                         "dispute list [--after CURSOR]");
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
    return disputes_show(host, argv, "/v1/admin/disputes", COUNT(columns), "There are no disputes.",
                         "admin disputes [--after CURSOR]");
}

int admin_dispute_show_command(struct host *host, char **argv)
{
    return dispute_show(host, argv, "/v1/admin/disputes", "admin dispute show ID");
}

int admin_dispute_resolve_command(struct host *host, char **argv)
{
    const char *alone[3], *lines[ARGS_TIMES + 1] = {NULL};
    const struct flag flags[] = {{"--line...", lines, NULL}, {NULL, NULL, NULL}};
    char path[256];
    json_t *body;

    args_take(argv, flags, alone, 3, 3, "admin dispute resolve ID accepted|rejected REASON [--line NUMBER=AMOUNT]...");
    snprintf(path, sizeof(path), "/v1/admin/disputes/%s/resolve", id_check(alone[0], "a dispute"));
    body = json_pack("{s:s, s:s}", "outcome", alone[1], "reason", alone[2]);
    if (!body)
        fail(EXIT_USAGE, "the reason is not UTF-8 text");
    credit_lines_take(body, lines);
    return dispute_print(host, ask_post(host, path, body));
}
