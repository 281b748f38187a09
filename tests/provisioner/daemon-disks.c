/* Volumes, snapshots, networks and ports over the daemon's socket, as api asks: what is taken,
 * what is refused and with which words, and that a daemon killed at any call of
 * a request answers the same request rightly when it is back. */
#include "rig.h"
#include "common/json.h"
#include "provisioner/store.h"
#include "sample.h"
#include "tap.h"

#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1l << 20)

static json_t *volume_args(const char *volume_id, int size_mib)
{
    return json_pack("{s:s, s:s, s:s, s:i}", "volume_id", volume_id, "account_id", "acc_1", "name", "data \xC3\xBC",
                     "size_mib", size_mib);
}

static json_t *with(json_t *args, const char *key, json_t *value)
{
    json_object_set_new(args, key, value);
    return args;
}

static json_t *id_args(const char *key, const char *id)
{
    return json_pack("{s:s}", key, id);
}

static json_t *snapshot_args(const char *snapshot_id, const char *volume_id)
{
    return json_pack("{s:s, s:s, s:s}", "snapshot_id", snapshot_id, "volume_id", volume_id, "name", "before");
}

static json_t *forward_args(const char *forward_id, const char *instance_id, int port)
{
    return json_pack("{s:s, s:s, s:i}", "forward_id", forward_id, "instance_id", instance_id, "guest_port", port);
}

static json_t *create_args(const char *job_id, const char *instance_id, const char *image)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "job_id", job_id, "instance_id", instance_id, "account_id",
                     "acc_1", "name", "Guest", "image", image, "flavor", "xs1");
}

static bool taken(const char *verb, json_t *args)
{
    json_t *error, *ok = ask(verb, args, &error);

    if (!ok)
        printf("# %s: %s\n", verb, json_string_value(json_object_get(error, "detail")));
    json_decref(error);
    json_decref(ok);
    return ok != NULL;
}

/* One field of what a verb answers with, as text; "" when it is not there. */
static const char *field(const char *verb, json_t *args, const char *object, const char *key)
{
    static char text[256];
    json_t *error, *ok = ask(verb, args, &error);
    const json_t *value = json_object_get(json_object_get(ok, object), key);

    if (json_is_integer(value))
        snprintf(text, sizeof(text), "%jd", (intmax_t)json_integer_value(value));
    else if (json_is_boolean(value))
        snprintf(text, sizeof(text), "%s", json_is_true(value) ? "true" : "false");
    else
        snprintf(text, sizeof(text), "%s", json_is_string(value) ? json_string_value(value) : "");
    json_decref(ok);
    json_decref(error);
    return text;
}

static bool volume_is(const char *volume_id, const char *key, const char *value)
{
    return !strcmp(field("volume", id_args("volume_id", volume_id), "volume", key), value);
}

static size_t listed(const char *verb, const char *list)
{
    json_t *error, *ok = ask(verb, id_args("account_id", "acc_1"), &error);
    size_t count = json_array_size(json_object_get(ok, list));

    json_decref(ok);
    json_decref(error);
    return count;
}

static char *file_of(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/volumes/%s.raw", dir, name);
    return path;
}

static int byte_at(const char *name, long at)
{
    return sample_peek(file_of(name), at);
}

static bool quota_hit(const char *verb, json_t *args, const char *quota, int limit, int used)
{
    json_t *error, *ok = ask(verb, args, &error);
    const json_t *context = json_object_get(error, "context");
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *which = json_string_value(json_object_get(context, "quota"));
    bool good = !ok && code && which && !strcmp(code, "quota_exceeded") && !strcmp(which, quota) &&
                json_integer_value(json_object_get(context, "limit")) == limit &&
                json_integer_value(json_object_get(context, "used")) == used;

    if (!good)
        printf("# %s %s\n", code ? code : "accepted", which ? which : "");
    json_decref(ok);
    json_decref(error);
    return good;
}

static void volumes(void)
{
    check(taken("volume_create", volume_args("vol_1", 10)) && volume_is("vol_1", "state", "available") &&
          volume_is("vol_1", "size_mib", "10") && volume_is("vol_1", "used_bytes", "0"), "a volume is made, and takes no room");
    check(taken("volume_create", volume_args("vol_1", 10)) && listed("volumes", "volumes") == 1,
          "the same request again is answered and makes nothing new");
    check(refused("volume_create", volume_args("vol_1", 11), "conflict", "volume_id"), "the same id for another is a conflict");
    sample_poke(file_of("volume-vol_1"), 5 * MIB, 'x');
    check(taken("volume_resize", with(id_args("volume_id", "vol_1"), "size_mib", json_integer(20))) &&
          volume_is("vol_1", "size_mib", "20") && byte_at("volume-vol_1", 20 * MIB - 1) == 0 && byte_at("volume-vol_1", 5 * MIB) == 'x',
          "it grows and keeps what it holds");
    check(refused("volume_resize", with(id_args("volume_id", "vol_1"), "size_mib", json_integer(19)), "conflict", "shrink"),
          "it does not shrink");
    check(taken("snapshot_create", snapshot_args("snap_1", "vol_1")) && listed("snapshots", "snapshots") == 1, "a snapshot");
    sample_poke(file_of("volume-vol_1"), 5 * MIB, 'y');
    check(taken("snapshot_create", snapshot_args("snap_1", "vol_1")) && byte_at("snapshot-snap_1", 5 * MIB) == 'x',
          "asked for again it is the one of then");
    check(taken("volume_create", with(volume_args("vol_2", 30), "snapshot_id", json_string("snap_1"))) &&
          byte_at("volume-vol_2", 5 * MIB) == 'x' && volume_is("vol_2", "snapshot_id", "snap_1"), "a volume of a snapshot");
    check(refused("volume_create", with(volume_args("vol_3", 19), "snapshot_id", json_string("snap_1")), "bad_request", "has 20"),
          "not a smaller one");
    check(taken("snapshot_delete", id_args("snapshot_id", "snap_1")) && taken("snapshot_delete", id_args("snapshot_id", "snap_1")) &&
          !listed("snapshots", "snapshots"), "a snapshot is deleted, once or twice");
    check(taken("volume_create", with(volume_args("vol_2", 30), "snapshot_id", json_string("snap_1"))),
          "its volume's request is still answered");
    check(taken("volume_delete", id_args("volume_id", "vol_2")) && taken("volume_delete", id_args("volume_id", "vol_2")) &&
          access(file_of("volume-vol_2"), F_OK) && refused("volume", id_args("volume_id", "vol_2"), "not_found", "vol_2"),
          "a volume is deleted, once or twice, with its file");
    check(refused("volume_create", with(volume_args("vol_2", 30), "snapshot_id", json_string("snap_1")), "conflict", "deleted"),
          "and does not come back");
}

static void refusals(void)
{
    check(refused("volume_create", volume_args("../x", 1), "bad_request", "volume_id"), "refused: a path as id");
    check(refused("volume_create", volume_args("vol_x", 0), "bad_request", "size_mib"), "refused: no size");
    check(refused("volume_create", with(volume_args("vol_x", 1), "size_mib", json_integer(INT64_MAX)), "bad_request", "size_mib"),
          "refused: a size beyond reason");
    check(refused("volume_create", with(volume_args("vol_x", 1), "name", json_string("a\nb")), "bad_request", "name"),
          "refused: a name with a control character");
    check(refused("volume_create", with(volume_args("vol_x", 50), "image", json_string("tiny")), "bad_request", "tiny with a disk"),
          "refused: an image without a disk");
    check(refused("volume_create", with(volume_args("vol_x", 50), "image", json_string("gone")), "capacity_unavailable", "gone"),
          "refused: an image that is not on this host");
    check(refused("volume_create", with(volume_args("vol_x", 39), "image", json_string("disk")), "bad_request", "needs 40"),
          "refused: a volume smaller than its image");
    check(refused("volume_create", with(volume_args("vol_x", 9), "snapshot_id", json_string("snap_none")), "not_found", "snap_none"),
          "refused: a snapshot that is not there");
    check(refused("snapshot_create", snapshot_args("snap_x", "vol_none"), "not_found", "vol_none"),
          "refused: a snapshot of nothing");
    check(refused("forward_create", forward_args("fwd_x", "ins_none", 22), "not_found", "ins_none"), "refused: a port of nobody");
    check(refused("instance_create", create_args("act_x", "ins_x", "gone"), "capacity_unavailable", "not on this host"),
          "refused: an instance of an image that is not on this host");
    check(refused("instance_create", create_args("act_x", "ins_x", "disk"), "bad_request", "volume_id"),
          "refused: a root volume without an id");
    check(refused("instance_create", with(create_args("act_x", "ins_x", "tiny"), "disk_mib", json_integer(5)), "bad_request",
                  "has no disk"), "refused: a root volume for an image without one");
    check(refused("instance_create", with(create_args("act_x", "ins_x", "tiny"), "ssh_keys", json_pack("[s]", "a\nb")), "bad_request",
                  "ssh_keys"), "refused: a key of two lines");
    check(refused("instance_create", with(create_args("act_x", "ins_x", "tiny"), "volumes", json_pack("[s]", "vol_none")),
                  "not_found", "vol_none"), "refused: a volume that is not there");
    check(refused("instance_create", with(create_args("act_x", "ins_x", "tiny"), "forwards",
                  json_pack("[{s:s, s:i}]", "forward_id", "fwd_x", "guest_port", 22)), "bad_request", "no network"),
          "refused: a port of an instance without network");
    check(refused("instance", id_args("instance_id", "ins_x"), "not_found", "ins_x"), "after all that there is no instance");
}

static void quotas(void)
{
    char id[32];
    int n;

    for (n = 2; n <= 6; n++) {
        snprintf(id, sizeof(id), "vol_q%d", n);
        taken("volume_create", volume_args(id, 10));
    }
    check(quota_hit("volume_create", volume_args("vol_q7", 10), "volumes_max", 6, 6), "no more volumes than the quota");
    check(taken("volume_create", volume_args("vol_q6", 10)), "what was taken is still answered");
    for (n = 2; n <= 6; n++) {
        snprintf(id, sizeof(id), "vol_q%d", n);
        taken("volume_delete", id_args("volume_id", id));
    }
    check(quota_hit("volume_create", volume_args("vol_q8", 381), "volume_mib_max", 400, 20), "nor more of their size");
    check(quota_hit("volume_resize", with(id_args("volume_id", "vol_1"), "size_mib", json_integer(401)), "volume_mib_max", 400, 20),
          "also when one grows");
    for (n = 1; n <= 3; n++) {
        snprintf(id, sizeof(id), "snap_q%d", n);
        taken("snapshot_create", snapshot_args(id, "vol_1"));
    }
    check(quota_hit("snapshot_create", snapshot_args("snap_q4", "vol_1"), "snapshots_max", 3, 3), "nor more snapshots");
    for (n = 1; n <= 3; n++) {
        snprintf(id, sizeof(id), "snap_q%d", n);
        taken("snapshot_delete", id_args("snapshot_id", id));
    }
}

static const char *instance_part(const char *list, const char *key)
{
    static char text[128];
    json_t *instance = instance_get("ins_d");
    const json_t *value = json_object_get(json_array_get(json_object_get(instance, list), 0), key);

    if (json_is_integer(value))
        snprintf(text, sizeof(text), "%jd", (intmax_t)json_integer_value(value));
    else
        snprintf(text, sizeof(text), "%s", json_is_string(value) ? json_string_value(value) : "");
    json_decref(instance);
    return text;
}

static const struct world_device *device_of(const char *instance_id, enum xenstore_kind kind, uint32_t id)
{
    json_t *instance = instance_get(instance_id);
    int64_t domid = json_integer_value(json_object_get(instance, "domid"));

    json_decref(instance);
    return world_device(w, (uint32_t)domid, kind, id);
}

static bool is_limited(enum xenstore_kind kind, uint32_t id, const char *limit)
{
    const struct world_device *d = device_of("ins_d", kind, id);

    return d && !strcmp(d->limit, limit);
}

/* The worker sets ports in its own time. */
static bool port_leads(unsigned host_port, unsigned guest_port)
{
    int64_t until_ms = clock_monotonic_ms() + 10000;
    unsigned leads = 0;

    do {
        leads = 0;
        for (unsigned i = 0; i < WORLD_PORTS; i++)
            if (w->port[i].host_port == host_port)
                leads = w->port[i].guest_port;
    } while (leads != guest_port && clock_monotonic_ms() < until_ms && poll(NULL, 0, 10) == 0);
    return leads == guest_port;
}

static void instance_with_all(void)
{
    json_t *args = create_args("act_d1", "ins_d", "disk");

    with(args, "volume_id", json_string("vol_root"));
    with(args, "volumes", json_pack("[s]", "vol_1"));
    with(args, "forwards", json_pack("[{s:s, s:i}]", "forward_id", "fwd_1", "guest_port", 22));
    with(args, "ssh_keys", json_pack("[s]", "ssh-ed25519 AAAA me"));
    check(done("instance_create", args, "act_d1") && instance_is("ins_d", "state", "running"), "an instance with all there is");
    check(!strcmp(instance_part("volumes", "volume_id"), "vol_root") && !strcmp(instance_part("volumes", "device"), "xvda") &&
          byte_at("volume-vol_root", 12 * MIB) == 'b' && volume_is("vol_root", "image", "disk"), "has a root volume, a copy of its image's");
    check(volume_is("vol_1", "state", "attached") && volume_is("vol_1", "device", "xvdb") && volume_is("vol_1", "instance_id", "ins_d"),
          "has the volume that was named");
    check(!strcmp(instance_part("addresses", "ipv4"), "10.77.1.2") && !strncmp(instance_part("addresses", "mac"), "02:", 3),
          "has an address");
    check(!strcmp(instance_part("forwards", "port"), "22000") && !strcmp(instance_part("forwards", "host"), "192.0.2.1") &&
          port_leads(22000, 22), "has a port of the host");
    check(is_limited(XENSTORE_VBD, STORE_DEVICE_FIRST, SAMPLE_DISK_LIMIT) && is_limited(XENSTORE_VBD, 51728, SAMPLE_DISK_LIMIT) &&
          is_limited(XENSTORE_VBD, STORE_DEVICE_SEED, SAMPLE_DISK_LIMIT) && is_limited(XENSTORE_VIF, 0, SAMPLE_NET_LIMIT),
          "each device has its flavor's limit");
    check(!strcmp(field("network", id_args("account_id", "acc_1"), "network", "ipv4_subnet"), "10.77.1.0/24") &&
          !strcmp(field("network", id_args("account_id", "acc_1"), "network", "addresses_used"), "1"), "the account's network says so");
    check(!strcmp(field("network", id_args("account_id", "acc_2"), "network", "ipv4_subnet"), "10.77.2.0/24"),
          "another account has another network");
    check(refused("volume_delete", id_args("volume_id", "vol_1"), "conflict", "ins_d"), "an attached volume is not deleted");
    check(refused("instance_action", with(action_args("act_d2", "ins_d", "attach"), "volume_id", json_string("vol_1")), "conflict",
                  "ins_d"), "nor attached twice");
    check(refused("instance_action", with(action_args("act_d2", "ins_d", "detach"), "volume_id", json_string("vol_root")), "conflict",
                  "root"), "the root stays");
    check(done("instance_action", with(action_args("act_d3", "ins_d", "detach"), "volume_id", json_string("vol_1")), "act_d3") &&
          volume_is("vol_1", "state", "available"), "a volume is detached");
    args = with(action_args("act_d4", "ins_d", "attach"), "volume_id", json_string("vol_1"));
    check(done("instance_action", with(args, "read_only", json_true()), "act_d4") && volume_is("vol_1", "device", "xvdb"),
          "and attached again");
    const struct world_device *d = device_of("ins_d", XENSTORE_VBD, 51728);
    check(d && d->read_only && !strcmp(d->limit, SAMPLE_DISK_LIMIT), "this time to be read only, limited like the others");
    check(taken("volume_resize", with(id_args("volume_id", "vol_1"), "size_mib", json_integer(24))), "it grows while attached");
    int64_t until_ms = clock_monotonic_ms() + 10000;
    while (d && !d->resized && clock_monotonic_ms() < until_ms)
        poll(NULL, 0, 10);
    check(d && d->resized == 1, "and the backend is told");
    check(refused("snapshot_create", snapshot_args("snap_live", "vol_1"), "conflict", "detach") || listed("snapshots", "snapshots") == 1,
          "a snapshot of an attached volume needs reflinks");
}

static void ports(void)
{
    check(taken("forward_create", forward_args("fwd_2", "ins_d", 80)) && port_leads(22001, 80), "another port");
    check(taken("forward_create", forward_args("fwd_2", "ins_d", 80)), "the same request again");
    check(refused("forward_create", forward_args("fwd_2", "ins_d", 81), "conflict", "forward_id"), "the same id for another");
    check(taken("forward_create", forward_args("fwd_3", "ins_d", 443)) && port_leads(22002, 443), "a third");
    check(quota_hit("forward_create", forward_args("fwd_4", "ins_d", 444), "forwards_max", 3, 3), "no more than the quota");
    check(taken("forward_delete", id_args("forward_id", "fwd_2")) && taken("forward_delete", id_args("forward_id", "fwd_2")) &&
          port_leads(22001, 0), "one is given back, once or twice");
}

static json_t *firewall_args(const char *instance_id, const char *body)
{
    return with(id_args("instance_id", instance_id), "firewall", json_loads(body, 0, NULL));
}

#define TCP_22 "{\"enabled\":true,\"inbound\":[{\"protocol\":\"tcp\",\"ports\":\"22\"}]}"

static void firewalls(void)
{
    const uint32_t address = network_address(1, 2);
    const struct world_firewall *f;

    check(!strcmp(field("firewall", id_args("instance_id", "ins_d"), "firewall", "enabled"), "false"), "a firewall is off at first");
    check(taken("firewall_set", firewall_args("ins_d", TCP_22)) && taken("firewall_set", firewall_args("ins_d", TCP_22)),
          "it is set, and set again");
    f = world_firewall(w, address);
    check(f && f->rules.inbound_count == 1 && f->rules.inbound[0].first == 22, "and in force by then");
    check(!strcmp(field("firewall", id_args("instance_id", "ins_d"), "firewall", "enabled"), "true"), "it is told");
    check(refused("firewall_set", firewall_args("ins_d", "{\"enabled\":true,\"inbound\":[{\"protocol\":\"tcp\",\"ports\":\"0\"}]}"),
                  "bad_request", "inbound[0].ports: "), "refused by the name of the field");
    check(refused("firewall_set", firewall_args("ins_none", TCP_22), "not_found", "ins_none"), "of nobody");
    strcpy(w->fail_verb, "firewall_set");
    check(refused("firewall_set", firewall_args("ins_d", "{\"enabled\":false}"), "internal", "not in force"),
          "rules that cannot be set are no success");
    w->fail_verb[0] = 0;
    check(taken("firewall_set", firewall_args("ins_d", "{\"enabled\":false}")) && !world_firewall(w, address), "it is switched off");
}

/* Of one that is stopped. */
static void changes(void)
{
    int poked = open(file_of("volume-vol_root"), O_WRONLY | O_CLOEXEC);

    check(poked >= 0 && pwrite(poked, "U", 1, 20 * MIB) == 1 && !close(poked), "something is written to its disk");
    check(refused("instance_action", with(action_args("act_c1", "ins_d", "resize"), "flavor", json_string("none")), "bad_request",
                  "flavor: none is not offered"), "no resize to what is not offered");
    check(refused("instance_action", with(action_args("act_c1", "ins_d", "resize"), "flavor", json_string("nano")), "bad_request",
                  "32"), "nor to what the image does not fit into");
    check(refused("instance_action", with(action_args("act_c1", "ins_d", "rebuild"), "image", json_string("tiny")), "bad_request",
                  "has no disk"), "no rebuild of a disk from an image without one");
    check(refused("instance_action", with(action_args("act_c1", "ins_d", "rebuild"), "image", json_string("gone")),
                  "capacity_unavailable", "gone"), "nor from one that is not here");
    check(refused("instance_action", action_args("act_c1", "ins_d", "rebuild"), "bad_request", "image"), "nor from none");
    check(done("instance_action", with(action_args("act_c2", "ins_d", "resize"), "flavor", json_string("xs2")), "act_c2") &&
          instance_is("ins_d", "flavor", "xs2") && instance_is("ins_d", "state", "stopped") &&
          byte_at("volume-vol_root", 20 * MIB) == 'U', "resized, it has the other size and its disk");
    check(done("instance_action", with(action_args("act_c3", "ins_d", "rebuild"), "image", json_string("disk")), "act_c3") &&
          byte_at("volume-vol_root", 20 * MIB) != 'U' && byte_at("volume-vol_root", 12 * MIB) == 'b' &&
          volume_is("vol_root", "state", "attached"), "rebuilt, its disk is the image's again");
    json_t *error, *ok = ask("jobs", with(id_args("instance_id", "ins_d"), "limit", json_integer(2)), &error);
    const json_t *rows = json_object_get(ok, "jobs"), *first = json_array_get(rows, 0), *second = json_array_get(rows, 1);
    check(json_array_size(rows) == 2 && !strcmp(json_text(first, "job_id"), "act_c3") && !strcmp(json_text(second, "job_id"), "act_c2") &&
          json_integer_value(json_object_get(first, "number")) > json_integer_value(json_object_get(second, "number")),
          "its jobs, the newest first");
    int64_t number = json_integer_value(json_object_get(second, "number"));
    json_decref(ok);
    ok = ask("jobs", with(id_args("instance_id", "ins_d"), "before", json_integer(number)), &error);
    check(json_array_size(json_object_get(ok, "jobs")) >= 5 && !strcmp(json_text(json_array_get(json_object_get(ok, "jobs"), 0), "job_id"), "act_d5"),
          "and those before");
    json_decref(ok);
}

static void ends(void)
{
    check(refused("instance_action", with(action_args("act_c0", "ins_d", "resize"), "flavor", json_string("xs2")), "conflict",
                  "running"), "a running instance is not resized");
    check(done("instance_action", action_args("act_d5", "ins_d", "power_off"), "act_d5") && !world_devices(w) &&
          volume_is("vol_1", "state", "attached"), "powered off it has no devices, and keeps its volumes");
    changes();
    check(done("instance_action", action_args("act_d6", "ins_d", "start"), "act_d6") && port_leads(22000, 22) && port_leads(22002, 443),
          "started it has them again");
    check(done("instance_action", action_args("act_d7", "ins_d", "delete"), "act_d7") && volume_is("vol_1", "state", "available") &&
          refused("volume", id_args("volume_id", "vol_root"), "not_found", "vol_root") && access(file_of("volume-vol_root"), F_OK) &&
          access(file_of("seed-ins_d"), F_OK), "deleted, its root goes with it, the others are free");
    check(!world_devices(w) && !w->bridge[1] && !*w->broken &&
          !strcmp(field("network", id_args("account_id", "acc_1"), "network", "addresses_used"), "0"),
          "no device, port, bridge or address is left");
}

/* What became of a volume, a snapshot or a port, in the order of the changes, with spaces between. */
static const char *told(const char *subject_id)
{
    static char states[256];
    json_t *error, *ok = ask("changes", json_pack("{s:i}", "after", 0), &error), *change;
    size_t i, used = 0;

    states[0] = 0;
    json_array_foreach(json_object_get(ok, "changes"), i, change)
        if (!strcmp(json_text(change, "subject_id"), subject_id) && !strcmp(json_text(change, "account_id"), "acc_1"))
            used += (size_t)snprintf(states + used, sizeof(states) - used, "%s ", json_text(change, "state"));
    json_decref(ok);
    return states;
}

static unsigned firewall_changes(void)
{
    json_t *error, *ok = ask("changes", json_pack("{s:i}", "after", 0), &error), *change;
    unsigned count = 0;
    size_t i;

    json_array_foreach(json_object_get(ok, "changes"), i, change)
        count += !strcmp(json_text(change, "state"), "firewall_changed") && !strcmp(json_text(change, "instance_id"), "ins_d");
    json_decref(ok);
    return count;
}

static void changes_told(void)
{
    check(!strcmp(told("vol_root"), "created ready ready deleted "), "the root's changes: made, rebuilt, gone with the instance");
    check(strstr(told("vol_1"), "attached detached attached resized detached "), "a volume's");
    check(!strcmp(told("fwd_1"), "created deleted ") && !strcmp(told("fwd_2"), "created deleted "),
          "a port's: closed by hand, or with the instance");
    check(firewall_changes() == 2, "a firewall's: on and off, not what was the same again");
}

/* What no request does, by the test's own hand. */
static void rows_change(const char *sql)
{
    char path[256];
    sqlite3 *db;

    snprintf(path, sizeof(path), "%s/state/host.db", dir);
    if (sqlite3_open(path, &db) || sqlite3_busy_timeout(db, 5000) || sqlite3_exec(db, sql, NULL, NULL, NULL))
        errx(1, "%s: %s: %s", path, sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

static void image_volume(void)
{
    int64_t until_ms = clock_monotonic_ms() + 10000;

    rows_change("INSERT INTO volume VALUES ('vol_early', 'acc_1', 'early', 45, 'withdrawn', '', NULL, 0, 0, 0, 'creating', '', 1)");
    check(taken("volume_create", with(volume_args("vol_img", 45), "image", json_string("disk"))), "a volume with an image's content");
    while (!volume_is("vol_img", "state", "available") && clock_monotonic_ms() < until_ms)
        poll(NULL, 0, 10);
    check(volume_is("vol_img", "state", "available") && byte_at("volume-vol_img", 24 * MIB) == 'c',
          "becomes available, whatever waits for an image that is no more");
    check(volume_is("vol_early", "state", "creating"), "which goes on waiting");
    rows_change("DELETE FROM volume WHERE volume_id = 'vol_early'");
    check(taken("volume_delete", id_args("volume_id", "vol_img")), "and is deleted");
}

/* The request is cut short before its n-th call, the daemon comes back, and the request is made again. */
static void killed(const char *verb, json_t *args, bool (*right)(void), void (*reset)(void), const char *name)
{
    unsigned lives = 0, wrong = 0;
    bool ended = false;
    char text[128];

    for (unsigned n = 1; n < 60 && !ended; n++) {
        json_t *error, *ok;

        w->kill_at = w->calls + n;
        ok = ask(verb, json_incref(args), &error);
        w->kill_at = 0;
        ended = ok != NULL;
        json_decref(ok);
        json_decref(error);
        if (!ended) {
            lives += daemon_wait() == -SIGKILL;
            daemon_start();
            wrong += !taken(verb, json_incref(args));
        }
        if (!right()) {
            wrong++;
            printf("# %s: killed before call %u\n", verb, n);
        }
        reset();
    }
    json_decref(args);
    snprintf(text, sizeof(text), "%s: killed before each of its %u calls, done when asked again", name, lives);
    check(ended && lives >= 2 && !wrong, text);
}

static bool vol_k_is_right(void)
{
    struct stat st;

    return volume_is("vol_k", "state", "available") && !stat(file_of("volume-vol_k"), &st) && st.st_size == 12 * MIB;
}

static void vol_k_reset(void)
{
    taken("volume_delete", id_args("volume_id", "vol_k"));
    rows_change("DELETE FROM volume WHERE volume_id = 'vol_k'");      /* ids are not used twice */
}

static bool snap_k_is_right(void)
{
    return byte_at("snapshot-snap_k", 5 * MIB) == 'y' && listed("snapshots", "snapshots") == 1;
}

static void snap_k_reset(void)
{
    taken("snapshot_delete", id_args("snapshot_id", "snap_k"));
    rows_change("DELETE FROM snapshot WHERE snapshot_id = 'snap_k'");
}

static bool vol_g_is_gone(void)
{
    return access(file_of("volume-vol_g"), F_OK) && refused("volume", id_args("volume_id", "vol_g"), "not_found", "vol_g");
}

static void vol_g_make(void)
{
    rows_change("DELETE FROM volume WHERE volume_id = 'vol_g'");
    taken("volume_create", volume_args("vol_g", 5));
}

static int grown_mib = 30;

static bool vol_1_is_grown(void)
{
    struct stat st;

    return volume_is("vol_1", "size_mib", "30") && !stat(file_of("volume-vol_1"), &st) && st.st_size == grown_mib * MIB &&
           byte_at("volume-vol_1", 5 * MIB) == 'y';
}

static void vol_1_shrink(void)
{
    rows_change("UPDATE volume SET size_mib = 24 WHERE volume_id = 'vol_1'");
    if (truncate(file_of("volume-vol_1"), 24 * MIB))
        err(1, "vol_1");
}

static void cut_short(void)
{
    killed("volume_create", volume_args("vol_k", 12), vol_k_is_right, vol_k_reset, "a new volume");
    killed("snapshot_create", snapshot_args("snap_k", "vol_1"), snap_k_is_right, snap_k_reset, "a snapshot");
    vol_g_make();
    killed("volume_delete", id_args("volume_id", "vol_g"), vol_g_is_gone, vol_g_make, "a deletion");
    taken("volume_delete", id_args("volume_id", "vol_g"));
    killed("volume_resize", with(id_args("volume_id", "vol_1"), "size_mib", json_integer(grown_mib)), vol_1_is_grown, vol_1_shrink,
           "a resize");
}

static void full_disk(void)
{
    struct rlimit tiny = { 8 * MIB, RLIM_INFINITY }, plenty = { RLIM_INFINITY, RLIM_INFINITY };

    prlimit(daemon_pid, RLIMIT_FSIZE, &tiny, NULL);
    check(refused("volume_create", volume_args("vol_full", 10), "capacity_unavailable", "full") &&
          access(file_of("volume-vol_full"), F_OK), "a full disk: refused, nothing half made");
    prlimit(daemon_pid, RLIMIT_FSIZE, &plenty, NULL);
    check(taken("volume_create", volume_args("vol_full", 10)) && taken("volume_delete", id_args("volume_id", "vol_full")),
          "with room again the same request is done");
}

int main(void)
{
    pthread_t accountd;

    rig_begin("daemon-disks");
    accountd = accountd_start();
    daemon_start();
    volumes();
    refusals();
    quotas();
    instance_with_all();
    ports();
    firewalls();
    ends();
    changes_told();
    image_volume();
    full_disk();
    cut_short();
    if (!check(!daemon_end(SIGTERM), "SIGTERM ends it in order"))
        log_show();
    accountd_end(accountd);
    rig_end();
    return tap_end();
}
