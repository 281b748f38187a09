/* What may come to an instance and go from it. A change of one rule is the whole firewall read, changed and written, if
 * nobody else has written it meanwhile. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define FILE_BYTES_MAX 65536

static void path_make(struct host *host, const char *which, char *path, size_t size)
{
    char *id = instance_resolve(host, which);

    snprintf(path, size, "/v1/instances/%s/firewall", id);
    free(id);
}

static void rows_add(json_t *rows, const json_t *firewall, const char *way, const char *peer, const char *shown)
{
    const json_t *rule;
    size_t i;

    json_array_foreach(json_object_get(firewall, way), i, rule) {
        json_t *row = json_copy((json_t *)rule);
        const char *network = json_text(rule, peer), *ports = json_text(rule, "ports");

        json_object_set_new(row, "way", json_string(shown));
        json_object_set_new(row, "network", json_string(*network ? network : "everywhere"));
        if (!*ports && strcmp(json_text(rule, "protocol"), "icmp") != 0)
            json_object_set_new(row, "ports", json_string("all"));
        json_array_append_new(rows, row);
    }
}

/* Steals it. */
static int show(struct host *host, json_t *firewall)
{
    static const struct column columns[] = {
        { "WAY", "way" }, { "PROTOCOL", "protocol" }, { ">PORTS", "ports" }, { "NETWORK", "network" }, { "NOTE", "note" },
    };
    bool on = json_is_true(json_object_get(firewall, "enabled"));
    json_t *rows = json_array();

    if (!json_print(host, firewall)) {
        puts(on ? "on: what no rule allows is dropped" : "off: forwarded ports are open to all, and all goes out");
        rows_add(rows, firewall, "inbound", "source", "in");
        rows_add(rows, firewall, "outbound", "destination", "out");
        table_print(columns, COUNT(columns), rows, "There are no rules. Add one: xs firewall allow INSTANCE tcp 22");
        if (on && json_array_size(json_object_get(firewall, "outbound")) == 0)
            puts("Without a rule for the way out, all goes out.");
    }
    json_decref(rows);
    json_decref(firewall);
    return EXIT_DONE;
}

int firewall_show_command(struct host *host, char **argv)
{
    const char *which;
    char path[256];

    args_take(argv, NULL, &which, 1, 1, "firewall show INSTANCE");
    path_make(host, which, path, sizeof(path));
    return show(host, ask_get(host, path));
}

int firewall_set_command(struct host *host, char **argv)
{
    const char *alone[2];
    char path[256], *text;
    json_error_t error;
    json_t *firewall;

    args_take(argv, NULL, alone, 2, 2, "firewall set INSTANCE FILE|-");
    text = file_text(strcmp(alone[1], "-") == 0 ? "/dev/stdin" : alone[1], FILE_BYTES_MAX);
    firewall = json_loads(text, 0, &error);
    free(text);
    if (!firewall)
        fail(EXIT_USAGE, "%s: line %d: %s", alone[1], error.line, error.text);
    path_make(host, alone[0], path, sizeof(path));
    return show(host, ask_put(host, path, firewall));
}

struct change {
    const char *way;
    json_t *rule;
    bool done;                          /* by this call or by one whose answer was lost */
};

/* The place of the rule, or of none: the size of the list. Notes say nothing. */
static size_t rule_find(const json_t *list, const json_t *wanted)
{
    size_t i;
    const json_t *rule;

    json_array_foreach(list, i, rule)
        if (strcmp(json_text(rule, "protocol"), json_text(wanted, "protocol")) == 0 &&
            strcmp(json_text(rule, "ports"), json_text(wanted, "ports")) == 0 &&
            strcmp(json_text(rule, "source"), json_text(wanted, "source")) == 0 &&
            strcmp(json_text(rule, "destination"), json_text(wanted, "destination")) == 0)
            break;
    return i;
}

static void rule_add(json_t *firewall, void *arg)
{
    struct change *change = arg;
    json_t *list = json_object_get(firewall, change->way);

    if (rule_find(list, change->rule) == json_array_size(list))
        json_array_append(list, change->rule);
    change->done = true;
}

static void rule_remove(json_t *firewall, void *arg)
{
    struct change *change = arg;
    json_t *list = json_object_get(firewall, change->way);

    if (json_array_remove(list, rule_find(list, change->rule)) == 0)
        change->done = true;
}

static void text_set(json_t *rule, const char *name, const char *text)
{
    if (text && json_object_set_new(rule, name, json_string(text)) != 0)
        fail(EXIT_USAGE, "%s is not UTF-8 text", name);
}

/* As the host spells it: an address alone is a network of one. */
static void network_set(json_t *rule, const char *name, const char *text)
{
    if (text && !strchr(text, '/'))
        json_object_set_new(rule, name, json_sprintf("%s/32", text));
    else
        text_set(rule, name, text);
}

static int rule_change(struct host *host, char **argv, void (*how)(json_t *firewall, void *arg), const char *usage)
{
    const char *alone[3], *from = NULL, *to = NULL, *note = NULL;
    bool out = false;
    const struct flag flags[] = {
        { "--from", &from, NULL }, { "--to", &to, NULL }, { "--out", NULL, &out }, { "--note", &note, NULL }, { NULL, NULL, NULL },
    };
    struct change change = { .rule = json_object() };
    char path[256];
    json_t *firewall;

    args_take(argv, flags, alone, 2, 3, usage);
    out = out || to;
    if (out && from)
        fail(EXIT_USAGE, "--from is of what comes in, --out and --to of what goes out\nusage: xs %s", usage);
    change.way = out ? "outbound" : "inbound";
    text_set(change.rule, "protocol", alone[1]);
    text_set(change.rule, "ports", alone[2]);
    network_set(change.rule, out ? "destination" : "source", out ? to : from);
    text_set(change.rule, "note", note);
    path_make(host, alone[0], path, sizeof(path));
    firewall = ask_change(host, path, how, &change);
    json_decref(change.rule);
    if (!change.done)
        fail(EXIT_REFUSED, "there is no such rule: xs firewall show %s", alone[0]);
    return show(host, firewall);
}

int firewall_allow_command(struct host *host, char **argv)
{
    return rule_change(host, argv, rule_add, "firewall allow INSTANCE PROTOCOL [PORTS] [--from NET | --out [--to NET]] [--note TEXT]");
}

int firewall_deny_command(struct host *host, char **argv)
{
    return rule_change(host, argv, rule_remove, "firewall deny INSTANCE PROTOCOL [PORTS] [--from NET | --out [--to NET]]");
}

static void on_off(json_t *firewall, void *arg)
{
    const bool *on = arg;

    json_object_set_new(firewall, "enabled", json_boolean(*on));
}

/* Port 22 is how most people reach their instances. */
static bool lets_ssh_in(const json_t *firewall)
{
    const json_t *rule;
    size_t i;

    json_array_foreach(json_object_get(firewall, "inbound"), i, rule) {
        int first = 1, last = 65535;
        int found = sscanf(json_text(rule, "ports"), "%d-%d", &first, &last);

        if (strcmp(json_text(rule, "protocol"), "tcp") == 0 && first <= 22 && (found == 1 ? first : last) >= 22)
            return true;
    }
    return false;
}

static int turn(struct host *host, char **argv, bool on, const char *usage)
{
    const char *which;
    char path[256];
    json_t *firewall;

    args_take(argv, NULL, &which, 1, 1, usage);
    path_make(host, which, path, sizeof(path));
    firewall = ask_change(host, path, on_off, &on);
    if (on && !lets_ssh_in(firewall))
        fprintf(stderr, "no rule lets port 22 in: ssh does not reach it any more; xs firewall allow %s tcp 22\n", which);
    return show(host, firewall);
}

int firewall_enable_command(struct host *host, char **argv)
{
    return turn(host, argv, true, "firewall enable INSTANCE");
}

int firewall_disable_command(struct host *host, char **argv)
{
    return turn(host, argv, false, "firewall disable INSTANCE");
}
