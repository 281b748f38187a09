/* Instances: showing them, telling them what to do, ending them. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"
#include "client/xs/table.h"
#include "client/xs/wait.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int images_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        { "ID", "id" },          { "NAME", "name" },          { ">MIN MIB", "memory_mib_min" },
        { ">DISK MIB", "disk_mib_min" }, { "THERE", "available" }, { "DESCRIPTION", "description" },
    };

    return list_show(host, argv, "/v1/images", columns, COUNT(columns), "There are no images.", "images");
}

int flavors_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        { "ID", "id" },
        { ">VCPUS", "vcpus" },
        { ">MIB", "memory_mib" },
        { ">DISK OPS/S", "disk_limit.ops_per_s" },
        { ">BYTES/S", "disk_limit.bytes_per_s" },
        { ">PACKETS/S", "net_limit.ops_per_s" },
        { ">BYTES/S", "net_limit.bytes_per_s" },
        { "NAME", "name" },
    };

    return list_show(host, argv, "/v1/flavors", columns, COUNT(columns), "There are no flavors.", "flavors");
}

int list_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        { "ID", "id" },       { "NAME", "name" },   { "STATE", "state" }, { "READY", "ready" },
        { "IMAGE", "image" }, { "FLAVOR", "flavor" }, { "CREATED", "created_at" },
    };

    return list_show(host, argv, "/v1/instances", columns, COUNT(columns),
                     "You have no instances. Make one: xs create NAME --image IMAGE --flavor FLAVOR --wait", "list");
}

/* What a table cannot show of an object becomes text. */
static void text_add(json_t *list, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void text_add(json_t *list, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    json_array_append_new(list, json_vsprintf(fmt, args));
    va_end(args);
}

static json_t *volumes_text(const json_t *instance)
{
    json_t *list = json_array(), *volume;
    size_t i;

    json_array_foreach(json_object_get(instance, "volumes"), i, volume)
        text_add(list, "%s %s%s%s", json_text(volume, "device"), json_text(volume, "id"),
                 json_is_true(json_object_get(volume, "root")) ? " (its own)" : "",
                 json_is_true(json_object_get(volume, "read_only")) ? " (read-only)" : "");
    return list;
}

static json_t *addresses_text(const json_t *instance)
{
    json_t *list = json_array(), *address;
    size_t i;

    json_array_foreach(json_object_get(instance, "addresses"), i, address)
        text_add(list, "%s (%s)", json_text(address, "ipv4"), json_text(address, "mac"));
    return list;
}

static json_t *ports_text(const json_t *instance)
{
    json_t *list = json_array(), *forward;
    size_t i;

    json_array_foreach(json_object_get(instance, "forwards"), i, forward)
        text_add(list, "%s:%d to %d", json_text(forward, "host"),
                 (int)json_integer_value(json_object_get(forward, "port")),
                 (int)json_integer_value(json_object_get(forward, "guest_port")));
    return list;
}

void instance_card(const json_t *instance)
{
    static const struct column columns[] = {
        { "id", "id" },
        { "name", "name" },
        { "state", "state" },
        { "wanted", "desired_state" },
        { "reason", "state_reason" },
        { "ready", "ready" },
        { "image", "image" },
        { "flavor", "flavor" },
        { "vcpus", "vcpus" },
        { "memory MiB", "memory_mib" },
        { "disks", "volumes" },
        { "addresses", "addresses" },
        { "ports", "forwards" },
        { "created", "created_at" },
        { "started", "started_at" },
        { "billed now", "meters_running" },
    };
    json_t *shown = json_copy((json_t *)instance);

    json_object_set_new(shown, "volumes", volumes_text(instance));
    json_object_set_new(shown, "addresses", addresses_text(instance));
    json_object_set_new(shown, "forwards", ports_text(instance));
    card_print(columns, COUNT(columns), shown);
    json_decref(shown);
}

int show_command(struct host *host, char **argv)
{
    const char *which;
    char path[256], *id;
    json_t *instance;

    args_take(argv, NULL, &which, 1, 1, "show INSTANCE");
    id = instance_resolve(host, which);
    snprintf(path, sizeof(path), "/v1/instances/%s", id);
    instance = ask_get(host, path);
    if (!json_print(host, instance))
        instance_card(instance);
    json_decref(instance);
    free(id);
    return EXIT_DONE;
}

/* `type` NULL deletes; `field`, or NULL: what the second argument is. */
static int verb_with(struct host *host, char **argv, const char *type, const char *field, const char *usage)
{
    const char *alone[2], *timeout = WAIT_S_DEFAULT;
    bool wait = false;
    const struct flag flags[] = { { "--wait", NULL, &wait }, { "--timeout", &timeout, NULL }, { NULL, NULL, NULL } };
    char path[256], *id;
    json_t *action, *body;

    args_take(argv, flags, alone, field ? 2 : 1, field ? 2 : 1, usage);
    id = instance_resolve(host, alone[0]);
    snprintf(path, sizeof(path), "/v1/instances/%s%s", id, type ? "/actions" : "");
    body = json_pack("{s:s*}", "type", type);
    if (field)
        json_object_set_new(body, field, json_string(alone[1]));
    action = type ? ask_post(host, path, body) : ask_delete(host, path);
    if (!type)
        json_decref(body);
    free(id);
    return action_follow(host, action, wait, timeout);
}

static int verb(struct host *host, char **argv, const char *type, const char *usage)
{
    return verb_with(host, argv, type, NULL, usage);
}

int start_command(struct host *host, char **argv)
{
    return verb(host, argv, "start", "start INSTANCE [--wait]");
}

int stop_command(struct host *host, char **argv)
{
    return verb(host, argv, "shutdown", "stop INSTANCE [--wait]");
}

int power_off_command(struct host *host, char **argv)
{
    return verb(host, argv, "power_off", "power-off INSTANCE [--wait]");
}

int reboot_command(struct host *host, char **argv)
{
    return verb(host, argv, "reboot", "reboot INSTANCE [--wait]");
}

int suspend_command(struct host *host, char **argv)
{
    return verb(host, argv, "suspend", "suspend INSTANCE [--wait]");
}

int resume_command(struct host *host, char **argv)
{
    return verb(host, argv, "resume", "resume INSTANCE [--wait]");
}

int resize_command(struct host *host, char **argv)
{
    return verb_with(host, argv, "resize", "flavor", "resize INSTANCE FLAVOR [--wait]");
}

int rebuild_command(struct host *host, char **argv)
{
    return verb_with(host, argv, "rebuild", "image", "rebuild INSTANCE IMAGE [--wait]");
}

int rm_command(struct host *host, char **argv)
{
    return verb(host, argv, NULL, "rm INSTANCE [--wait]");
}

int actions_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        { "created", "created_at" }, { "action", "type" }, { "status", "status" }, { "finished", "finished_at" }, { ">cost", "cost" }, { "id", "id" },
    };
    const char *which, *after = NULL;
    const struct flag flags[] = { { "--after", &after, NULL }, { NULL, NULL, NULL } };
    char path[256], *id;

    args_take(argv, flags, &which, 1, 1, "actions INSTANCE [--after CURSOR]");
    id = instance_resolve(host, which);
    snprintf(path, sizeof(path), "/v1/instances/%s/actions", id);
    free(id);
    query_add(path, sizeof(path), "--after", after);
    return page_show(host, path, columns, COUNT(columns), "Nothing was done yet.");
}

int log_command(struct host *host, char **argv)
{
    const char *which, *offset = NULL, *limit = "65536";
    const struct flag flags[] = { { "--offset", &offset, NULL }, { "--limit", &limit, NULL }, { NULL, NULL, NULL } };
    char path[320], from[48] = "", *id;
    json_t *log;

    args_take(argv, flags, &which, 1, 1, "log INSTANCE [--offset BYTES] [--limit BYTES]");
    id = instance_resolve(host, which);
    if (offset)
        snprintf(from, sizeof(from), "&offset=%jd", (intmax_t)args_number("--offset", offset, 0, INT64_C(1) << 52));
    snprintf(path, sizeof(path), "/v1/instances/%s/console_log?limit=%jd%s", id,
             (intmax_t)args_number("--limit", limit, 1, 131072), from);
    log = ask_get(host, path);
    if (!json_print(host, log))
        text_print(json_text(log, "text"));
    json_decref(log);
    free(id);
    return EXIT_DONE;
}
