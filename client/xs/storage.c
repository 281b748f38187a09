/* Volumes and snapshots. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"
#include "client/xs/units.h"
#include "client/xs/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MIB (UINT64_C(1) << 20)

/* Sizes that people read, beside the exact ones. */
static void sizes_add(json_t *thing)
{
    char text[UNITS_BYTES];
    uint64_t mib = (uint64_t)json_integer_value(json_object_get(thing, "size_mib"));

    json_object_set_new(thing, "size", json_string(units_print(mib * MIB, text)));
    if (json_object_get(thing, "used_bytes"))
        json_object_set_new(thing, "used",
                            json_string(units_print(strtoull(json_text(thing, "used_bytes"), NULL, 10), text)));
}

static int volume_print(struct host *host, json_t *volume)
{
    static const struct column columns[] = {
        { "id", "id" },           { "name", "name" },       { "size", "size" },           { "on the disk", "used" },
        { "state", "state" },     { "instance", "instance_id" }, { "device", "device" },  { "read-only", "read_only" },
        { "its own", "root" },    { "image", "image" },     { "snapshot", "snapshot_id" }, { "created", "created_at" },
    };

    if (!json_print(host, volume)) {
        sizes_add(volume);
        card_print(columns, COUNT(columns), volume);
    }
    json_decref(volume);
    return EXIT_DONE;
}

/* A path below this volume's. */
static void volume_path(struct host *host, const char *which, const char *rest, char *path, size_t size)
{
    char *id = volume_resolve(host, which);

    snprintf(path, size, "/v1/volumes/%s%s", id, rest);
    free(id);
}

static char *snapshot_resolve(struct host *host, const char *name_or_id)
{
    return thing_resolve(host, "snap_", "/v1/snapshots", "snapshot", "xs snapshot list", name_or_id);
}

int volume_create_command(struct host *host, char **argv)
{
    static const char usage[] = "volume create NAME [--size SIZE] [--image IMAGE | --snapshot SNAPSHOT]";
    const char *name, *size = NULL, *image = NULL, *snapshot = NULL;
    const struct flag flags[] = {
        { "--size", &size, NULL }, { "--image", &image, NULL }, { "--snapshot", &snapshot, NULL }, { NULL, NULL, NULL },
    };
    json_t *body;

    args_take(argv, flags, &name, 1, 1, usage);
    if (!size && !image && !snapshot)
        fail(EXIT_USAGE, "--size is needed for an empty volume\nusage: xs %s", usage);
    body = json_pack("{s:s, s:s*}", "name", name, "image", image);
    if (!body)
        fail(EXIT_USAGE, "the name or image is not UTF-8 text");
    if (size)
        json_object_set_new(body, "size_mib", json_integer(args_size_mib("--size", size)));
    if (snapshot) {
        char *id = snapshot_resolve(host, snapshot);

        json_object_set_new(body, "snapshot_id", json_string(id));
        free(id);
    }
    return volume_print(host, ask_post(host, "/v1/volumes", body));
}

static int sized_list(struct host *host, const char *path, const struct column *columns, unsigned count,
                      const char *none)
{
    json_t *list = ask_get(host, path), *thing;
    size_t i;

    if (!json_print(host, list)) {
        json_array_foreach(json_object_get(list, "data"), i, thing)
            sizes_add(thing);
        table_print(columns, count, json_object_get(list, "data"), none);
    }
    json_decref(list);
    return EXIT_DONE;
}

int volume_list_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        { "ID", "id" },       { "NAME", "name" },          { ">SIZE", "size" },     { ">ON DISK", "used" },
        { "STATE", "state" }, { "INSTANCE", "instance_id" }, { "DEVICE", "device" }, { "CREATED", "created_at" },
    };

    args_take(argv, NULL, NULL, 0, 0, "volume list");
    return sized_list(host, "/v1/volumes", columns, COUNT(columns),
                      "You have no volumes. Make one: xs volume create NAME --size 1G");
}

int volume_show_command(struct host *host, char **argv)
{
    const char *which;
    char path[256];

    args_take(argv, NULL, &which, 1, 1, "volume show VOLUME");
    volume_path(host, which, "", path, sizeof(path));
    return volume_print(host, ask_get(host, path));
}

int volume_attach_command(struct host *host, char **argv)
{
    const char *alone[2], *timeout = WAIT_S_DEFAULT;
    bool wait = false, read_only = false;
    const struct flag flags[] = {
        { "--read-only", NULL, &read_only }, { "--wait", NULL, &wait }, { "--timeout", &timeout, NULL }, { NULL, NULL, NULL },
    };
    char path[256], *volume_id, *instance_id;
    json_t *body;

    args_take(argv, flags, alone, 2, 2, "volume attach VOLUME INSTANCE [--read-only] [--wait [--timeout SECONDS]]");
    volume_id = volume_resolve(host, alone[0]);
    instance_id = instance_resolve(host, alone[1]);
    snprintf(path, sizeof(path), "/v1/instances/%s/actions", instance_id);
    body = json_pack("{s:s, s:s, s:b}", "type", "attach", "volume_id", volume_id, "read_only", (int)read_only);
    free(volume_id);
    free(instance_id);
    return action_follow(host, ask_post(host, path, body), wait, timeout);
}

int volume_detach_command(struct host *host, char **argv)
{
    const char *which, *timeout = WAIT_S_DEFAULT;
    bool wait = false;
    const struct flag flags[] = { { "--wait", NULL, &wait }, { "--timeout", &timeout, NULL }, { NULL, NULL, NULL } };
    char path[256];
    json_t *volume, *body;

    args_take(argv, flags, &which, 1, 1, "volume detach VOLUME [--wait [--timeout SECONDS]]");
    volume_path(host, which, "", path, sizeof(path));
    volume = ask_get(host, path);
    if (!*json_text(volume, "instance_id"))
        fail(EXIT_REFUSED, "%s is not attached: nothing to do", which);
    snprintf(path, sizeof(path), "/v1/instances/%s/actions", json_text(volume, "instance_id"));
    body = json_pack("{s:s, s:s}", "type", "detach", "volume_id", json_text(volume, "id"));
    json_decref(volume);
    return action_follow(host, ask_post(host, path, body), wait, timeout);
}

int volume_resize_command(struct host *host, char **argv)
{
    const char *alone[2];
    char path[256];
    int64_t size_mib;

    args_take(argv, NULL, alone, 2, 2, "volume resize VOLUME SIZE");
    size_mib = args_size_mib("SIZE", alone[1]);
    volume_path(host, alone[0], "/resize", path, sizeof(path));
    return volume_print(host, ask_post(host, path, json_pack("{s:I}", "size_mib", (json_int_t)size_mib)));
}

int volume_snapshot_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        { "id", "id" }, { "name", "name" }, { "size", "size" }, { "of volume", "volume_id" }, { "created", "created_at" },
    };
    const char *alone[2];
    char path[256];
    json_t *body, *snapshot;

    args_take(argv, NULL, alone, 2, 2, "volume snapshot VOLUME NAME");
    body = json_pack("{s:s}", "name", alone[1]);
    if (!body)
        fail(EXIT_USAGE, "the name is not UTF-8 text");
    volume_path(host, alone[0], "/snapshots", path, sizeof(path));
    snapshot = ask_post(host, path, body);
    if (!json_print(host, snapshot)) {
        sizes_add(snapshot);
        card_print(columns, COUNT(columns), snapshot);
    }
    json_decref(snapshot);
    return EXIT_DONE;
}

int volume_delete_command(struct host *host, char **argv)
{
    const char *which;

    args_take(argv, NULL, &which, 1, 1, "volume delete VOLUME");
    return thing_delete(host, "/v1/volumes", volume_resolve(host, which), which, "is deleted");
}

int snapshot_list_command(struct host *host, char **argv)
{
    static const struct column columns[] = {
        { "ID", "id" }, { "NAME", "name" }, { ">SIZE", "size" }, { "OF VOLUME", "volume_id" }, { "CREATED", "created_at" },
    };

    args_take(argv, NULL, NULL, 0, 0, "snapshot list");
    return sized_list(host, "/v1/snapshots", columns, COUNT(columns),
                      "You have no snapshots. Make one: xs volume snapshot VOLUME NAME");
}

int snapshot_delete_command(struct host *host, char **argv)
{
    const char *which;

    args_take(argv, NULL, &which, 1, 1, "snapshot delete SNAPSHOT");
    return thing_delete(host, "/v1/snapshots", snapshot_resolve(host, which), which, "is deleted");
}
