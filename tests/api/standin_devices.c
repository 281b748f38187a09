/* Volumes, snapshots, networks and forwards as provisioner/control.h has them:
 * objects by id, quotas of the account, a host with few ports. */
#include "tests/api/standin_inside.h"

#include <stdio.h>
#include <string.h>

#define VOLUMES_MAX 6
#define PORT_FIRST 22000
#define PORT_LAST 22003

int devices_next_port;

static json_t *volumes, *snapshots;

void devices_start(void)
{
    volumes = json_object();
    snapshots = json_object();
}

/* The objects of an account, as {name: [...]}. */
static json_t *of_account(const json_t *objects, const char *name, const char *account_id)
{
    json_t *list = json_array(), *object;
    const char *id;

    json_object_foreach((json_t *)objects, id, object)
        if (strcmp(text(object, "account_id"), account_id) == 0)
            json_array_append(list, object);
    return json_pack("{s:o}", name, list);
}

static int quota_fail(struct rpc_call *call, const char *quota, size_t limit, size_t used)
{
    return rpc_fail_context(call, "quota_exceeded",
                            json_pack("{s:s, s:I, s:I}", "quota", quota, "limit", (json_int_t)limit, "used",
                                      (json_int_t)used),
                            "the account may have %zu volumes: delete one first", limit);
}

static json_t *volume_new(const char *volume_id, json_t *args, const char *name, json_int_t size_mib, bool root)
{
    json_t *volume = json_pack("{s:s, s:s, s:s, s:I, s:i, s:b, s:b, s:s, s:I}", "volume_id", volume_id, "account_id",
                               text(args, "account_id"), "name", name, "size_mib", size_mib, "used_bytes", 65536,
                               "read_only", 0, "root", (int)root, "state", "available", "created_ms", (json_int_t)NOW_MS);

    if (json_object_get(args, "image"))
        json_object_set(volume, "image", json_object_get(args, "image"));
    if (json_object_get(args, "snapshot_id"))
        json_object_set(volume, "snapshot_id", json_object_get(args, "snapshot_id"));
    json_object_set_new(volumes, volume_id, volume);
    change_add_of(volume, "volume_id", name, "created");
    return volume;
}

int stand_volume_create(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *id = text(args, "volume_id");
    json_t *own = of_account(volumes, "volumes", text(args, "account_id"));
    size_t used = json_array_size(json_object_get(own, "volumes"));
    int known;

    json_decref(own);
    if (changing(&provisioner, call))
        return -1;
    if (!json_object_get(volumes, id) && used >= VOLUMES_MAX)
        return quota_fail(call, "volumes_max", VOLUMES_MAX, used);
    known = seen(call, id, args);
    if (known < 0)
        return -1;
    if (!known)
        volume_new(id, args, text(args, "name"), json_integer_value(json_object_get(args, "size_mib")), false);
    return done(&provisioner, call, "volume_create", !known, json_pack("{s:O}", "volume", json_object_get(volumes, id)),
                result);
}

int stand_volume_resize(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *volume = json_object_get(volumes, text(args, "volume_id"));
    json_t *size = json_object_get(args, "size_mib");
    bool grows = json_integer_value(size) > json_integer_value(json_object_get(volume, "size_mib"));

    if (changing(&provisioner, call))
        return -1;
    if (!volume)
        return rpc_fail(call, "not_found", "no volume");
    if (grows) {
        json_object_set(volume, "size_mib", size);
        change_add_of(volume, "volume_id", text(volume, "name"), "resized");
    }
    return done(&provisioner, call, "volume_resize", grows, json_pack("{s:O}", "volume", volume), result);
}

int stand_volume_delete(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *id = text(args, "volume_id");

    if (changing(&provisioner, call))
        return -1;
    if (strcmp(text(json_object_get(volumes, id), "state"), "attached") == 0)
        return rpc_fail(call, "conflict", "volume %s is attached: detach it first", id);
    if (!json_object_get(volumes, id))
        return rpc_fail(call, "not_found", "no volume");
    change_add_of(json_object_get(volumes, id), "volume_id", text(json_object_get(volumes, id), "name"), "deleted");
    json_object_del(volumes, id);
    return done(&provisioner, call, "volume_delete", true, json_object(), result);
}

int stand_volume_get(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *volume = json_object_get(volumes, text(args, "volume_id"));

    if (!volume)
        return rpc_fail(call, "not_found", "no volume");
    *result = json_pack("{s:O}", "volume", volume);
    return 0;
}

int stand_volumes_get(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call;
    *result = of_account(volumes, "volumes", text(args, "account_id"));
    return 0;
}

int stand_snapshot_create(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *id = text(args, "snapshot_id");
    json_t *volume = json_object_get(volumes, text(args, "volume_id"));
    int known;

    if (changing(&provisioner, call))
        return -1;
    if (!volume)
        return rpc_fail(call, "not_found", "no volume");
    known = seen(call, id, args);
    if (known < 0)
        return -1;
    if (!known) {
        json_object_set_new(snapshots, id,
                            json_pack("{s:s, s:s, s:s, s:s, s:O, s:I}", "snapshot_id", id, "account_id",
                                      text(volume, "account_id"), "name", text(args, "name"), "volume_id",
                                      text(args, "volume_id"), "size_mib", json_object_get(volume, "size_mib"),
                                      "created_ms", (json_int_t)NOW_MS));
        change_add_of(json_object_get(snapshots, id), "snapshot_id", text(args, "name"), "created");
    }
    return done(&provisioner, call, "snapshot_create", !known,
                json_pack("{s:O}", "snapshot", json_object_get(snapshots, id)), result);
}

int stand_snapshot_delete(struct rpc_call *call, json_t *args, json_t **result)
{
    if (changing(&provisioner, call))
        return -1;
    const char *id = text(args, "snapshot_id");

    if (!json_object_get(snapshots, id))
        return rpc_fail(call, "not_found", "no snapshot");
    change_add_of(json_object_get(snapshots, id), "snapshot_id", text(json_object_get(snapshots, id), "name"), "deleted");
    json_object_del(snapshots, id);
    return done(&provisioner, call, "snapshot_delete", true, json_object(), result);
}

int stand_snapshots_get(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call;
    *result = of_account(snapshots, "snapshots", text(args, "account_id"));
    return 0;
}

int stand_network_get(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call;
    *result = json_pack("{s:{s:s, s:s, s:s, s:s, s:i}}", "network", "network_id", "net_00000000000000000000000003",
                        "account_id", text(args, "account_id"), "ipv4_subnet", "10.77.3.0/24", "gateway", "10.77.3.1",
                        "addresses_used", 1);
    return 0;
}

/* The port that no forward has, 0 if all are taken. */
static int port_free(void)
{
    for (int port = PORT_FIRST; port <= PORT_LAST; port++) {
        json_t *instance, *forward;
        bool taken = false;
        const char *id;
        size_t i;

        json_object_foreach(instances, id, instance)
            json_array_foreach(json_object_get(instance, "forwards"), i, forward)
                taken |= json_integer_value(json_object_get(forward, "port")) == port;
        if (!taken)
            return port;
    }
    return 0;
}

/* It has its instance's account and name. */
static void forward_told(const json_t *forward, const json_t *instance, const char *state)
{
    json_t *thing = json_copy((json_t *)forward);

    json_object_set(thing, "account_id", json_object_get(instance, "account_id"));
    change_add_of(thing, "forward_id", text(instance, "name"), state);
    json_decref(thing);
}

static json_t *forward_add(json_t *instance, const char *forward_id, json_t *guest_port)
{
    json_t *forward = json_pack("{s:s, s:s, s:s, s:O, s:s, s:i}", "forward_id", forward_id, "instance_id",
                                text(instance, "instance_id"), "protocol", "tcp", "guest_port", guest_port, "host",
                                "127.0.0.1", "port", devices_next_port ? devices_next_port : port_free());

    devices_next_port = 0;
    json_array_append_new(json_object_get(instance, "forwards"), forward);
    forward_told(forward, instance, "created");
    return forward;
}

/* The forward with this id and its instance, NULL if there is none. */
static json_t *forward_find(const char *forward_id, json_t **instance, size_t *at)
{
    json_t *each, *forward;
    const char *id;
    size_t i;

    json_object_foreach(instances, id, each)
        json_array_foreach(json_object_get(each, "forwards"), i, forward)
            if (strcmp(text(forward, "forward_id"), forward_id) == 0) {
                *instance = each;
                *at = i;
                return forward;
            }
    return NULL;
}

int stand_forward_create(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *id = text(args, "forward_id");
    json_t *instance = json_object_get(instances, text(args, "instance_id")), *other;
    int known;
    size_t at;

    if (changing(&provisioner, call))
        return -1;
    if (!instance)
        return rpc_fail(call, "not_found", "no instance");
    if (!forward_find(id, &other, &at) && !port_free())
        return rpc_fail(call, "capacity_unavailable", "all ports of the host are taken");
    known = seen(call, id, args);
    if (known < 0)
        return -1;
    if (!known)
        forward_add(instance, id, json_object_get(args, "guest_port"));
    return done(&provisioner, call, "forward_create", !known,
                json_pack("{s:O}", "forward", forward_find(id, &other, &at)), result);
}

int stand_forward_delete(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *instance;
    size_t at;

    if (changing(&provisioner, call))
        return -1;
    const json_t *forward = forward_find(text(args, "forward_id"), &instance, &at);

    if (!forward)
        return rpc_fail(call, "not_found", "no forward");
    forward_told(forward, instance, "deleted");
    json_array_remove(json_object_get(instance, "forwards"), at);
    return done(&provisioner, call, "forward_delete", true, json_object(), result);
}

static void volume_attach(json_t *instance, const char *volume_id, bool read_only)
{
    json_t *volume = json_object_get(volumes, volume_id), *list = json_object_get(instance, "volumes");
    bool root = json_is_true(json_object_get(volume, "root"));
    char device[8];

    snprintf(device, sizeof(device), "xvd%c", (int)('a' + json_array_size(list)));
    json_object_set_new(volume, "state", json_string("attached"));
    json_object_set_new(volume, "device", json_string(device));
    json_object_set_new(volume, "read_only", json_boolean(read_only));
    json_object_set(volume, "instance_id", json_object_get(instance, "instance_id"));
    json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:b}", "volume_id", volume_id, "device", device, "read_only",
                                          (int)read_only, "root", (int)root));
    change_add_of(volume, "volume_id", text(volume, "name"), "attached");
}

static void volume_detach(json_t *instance, const char *volume_id)
{
    json_t *volume = json_object_get(volumes, volume_id), *list = json_object_get(instance, "volumes"), *each;
    size_t i;

    change_add_of(volume, "volume_id", text(volume, "name"), "detached");
    json_object_set_new(volume, "state", json_string("available"));
    json_object_del(volume, "device");
    json_object_del(volume, "instance_id");
    json_array_foreach(list, i, each)
        if (strcmp(text(each, "volume_id"), volume_id) == 0) {
            json_array_remove(list, i);
            return;
        }
}

void devices_create(json_t *instance, json_t *args)
{
    json_t *each;
    size_t i;

    json_object_set_new(instance, "volumes", json_array());
    json_object_set_new(instance, "addresses", json_array());
    json_object_set_new(instance, "forwards", json_array());
    /* So that a test sees what reached us. */
    if (json_object_get(args, "ssh_keys"))
        json_object_set_new(instance, "state_reason",
                            json_sprintf("%zu keys, %zu bytes of user data",
                                         json_array_size(json_object_get(args, "ssh_keys")), strlen(text(args, "user_data"))));
    if (*text(args, "volume_id")) {
        json_int_t mib = json_integer_value(json_object_get(args, "disk_mib"));

        volume_new(text(args, "volume_id"), args, text(args, "name"), mib ? mib : 1024, true);
        volume_attach(instance, text(args, "volume_id"), false);
    }
    json_array_foreach(json_object_get(args, "volumes"), i, each)
        volume_attach(instance, json_string_value(each), false);
    if (*text(args, "volume_id") || json_is_true(json_object_get(args, "network")))
        json_array_append_new(json_object_get(instance, "addresses"),
                              json_pack("{s:s, s:s, s:s}", "mac", "02:00:00:00:00:07", "ipv4", "10.77.3.2", "network_id",
                                        "net_00000000000000000000000003"));
    json_array_foreach(json_object_get(args, "forwards"), i, each)
        forward_add(instance, text(each, "forward_id"), json_object_get(each, "guest_port"));
}

bool devices_refuse(struct rpc_call *call, const char *type, json_t *args)
{
    const json_t *volume = json_object_get(volumes, text(args, "volume_id"));
    bool attached = strcmp(text(volume, "state"), "attached") == 0;

    if (strcmp(type, "attach") == 0 && attached)
        return rpc_fail(call, "conflict", "the volume is attached already") != 0;
    if (strcmp(type, "detach") == 0 && strcmp(text(volume, "instance_id"), text(args, "instance_id")) != 0)
        return rpc_fail(call, "conflict", "the volume is not attached here") != 0;
    return false;
}

void devices_job_end(json_t *job, json_t *instance)
{
    json_t *each;

    if (strcmp(text(job, "type"), "attach") == 0)
        volume_attach(instance, text(job, "volume_id"), json_is_true(json_object_get(job, "read_only")));
    if (strcmp(text(job, "type"), "detach") == 0)
        volume_detach(instance, text(job, "volume_id"));
    if (strcmp(text(job, "type"), "delete") != 0)
        return;
    json_object_set_new(instance, "forwards", json_array());
    while ((each = json_array_get(json_object_get(instance, "volumes"), 0))) {
        char volume_id[64];
        bool root = json_is_true(json_object_get(each, "root"));

        snprintf(volume_id, sizeof(volume_id), "%s", text(each, "volume_id"));
        volume_detach(instance, volume_id);
        if (root)
            json_object_del(volumes, volume_id);
    }
}
