#include "tests/api/standin.h"
#include "common/json.h"
#include "common/log.h"
#include "common/rpc.h"
#include "tests/api/standin_inside.h"
#include "tests/api/tap.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

struct wait {
    struct wait *next;
    struct rpc_call *call;
    char job_id[64];
    int64_t until_ms;
};

struct orders accountd, provisioner;
json_t *instances;
json_t *accounts;
static json_t *jobs, *requests;
static struct wait *waits;
const char *base;

static int64_t monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value ? value : "";
}

int changing(struct orders *orders, struct rpc_call *call)
{
    char code[32];

    if (!orders->fail[0])
        return 0;
    snprintf(code, sizeof(code), "%s", orders->fail);
    orders->fail[0] = 0;
    return rpc_fail_context(call, code, json_pack("{s:s, s:s}", "needed_nano", "2000000000", "available_nano", "1"),
                            "name: the test said so");
}

int done(struct orders *orders, struct rpc_call *call, const char *verb, bool effect, json_t *answer,
                json_t **result)
{
    json_int_t count = json_integer_value(json_object_get(orders->counts, verb));

    if (effect)
        json_object_set_new(orders->counts, verb, json_integer(count + 1));
    if (orders->lose) {
        orders->lose = false;
        json_decref(answer);
        return rpc_fail(call, "unavailable", "the answer was lost");
    }
    *result = answer;
    return 0;
}

static int orders_take(struct orders *orders, json_t *args, json_t **result)
{
    if (json_object_get(args, "hold"))
        orders->hold = json_is_true(json_object_get(args, "hold"));
    if (json_object_get(args, "lose"))
        orders->lose = true;
    snprintf(orders->fail, sizeof(orders->fail), "%s", text(args, "fail"));
    if (json_object_get(args, "fail_job"))
        snprintf(orders->fail_job, sizeof(orders->fail_job), "%s", text(args, "fail_job"));
    *result = json_pack("{s:O}", "counts", orders->counts);
    return 0;
}

/* provisioner */

/* As flavors_get says. */
static void size_take(json_t *instance, const char *flavor)
{
    bool two = strcmp(flavor, "xs2") == 0;

    json_object_set_new(instance, "flavor", json_string(flavor));
    json_object_set_new(instance, "vcpus", json_integer(two ? 2 : 1));
    json_object_set_new(instance, "memory_mib", json_integer(two ? 256 : 128));
}

static void job_end(json_t *job)
{
    static const struct {
        const char *type;
        const char *state;
    } ends[] = {
        { "create", "running" }, { "start", "running" },     { "resume", "running" },    { "reboot", "running" },
        { "shutdown", "stopped" }, { "power_off", "stopped" }, { "suspend", "suspended" }, { "delete", "deleted" },
    };
    json_t *instance = json_object_get(instances, text(job, "instance_id"));

    if (strcmp(text(job, "status"), "running") != 0)
        return;
    if (provisioner.fail_job[0]) {
        json_object_set_new(job, "status", json_string("failed"));
        json_object_set_new(job, "error", json_pack("{s:s, s:s}", "code", provisioner.fail_job, "detail", "the test said so"));
        json_object_set_new(instance, "state", json_string("failed"));
        provisioner.fail_job[0] = 0;
        change_add(instance, NULL, "failed");
        change_add(instance, job, "failed");
        return;
    }
    json_object_set_new(job, "status", json_string("succeeded"));
    json_object_set_new(job, "progress", json_integer(100));
    json_object_set_new(job, "finished_ms", json_integer(NOW_MS + 1000));
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (strcmp(text(job, "type"), ends[i].type) == 0) {
            json_object_set_new(instance, "state", json_string(ends[i].state));
            json_object_set_new(instance, "ready", json_boolean(strcmp(ends[i].state, "running") == 0));
            change_add(instance, NULL, ends[i].state);
        }
    change_add(instance, job, "succeeded");
    if (strcmp(text(instance, "state"), "deleted") == 0)
        console_delete(text(job, "instance_id"));
    if (strcmp(text(job, "type"), "resize") == 0)
        size_take(instance, text(job, "flavor"));
    if (strcmp(text(job, "type"), "rebuild") == 0)
        json_object_set(instance, "image", json_object_get(job, "image"));
    devices_job_end(job, instance);
}

static void jobs_let_go(void)
{
    const char *id;
    json_t *job;

    json_object_foreach(jobs, id, job)
        job_end(job);
}

static json_t *job_new(const char *job_id, const char *instance_id, const char *type)
{
    json_t *job = json_pack("{s:s, s:s, s:s, s:s, s:i, s:[{s:s, s:s}], s:I, s:I, s:I}", "job_id", job_id, "instance_id",
                            instance_id, "type", type, "status", "running", "progress", 50, "steps", "name", "build",
                            "status", "running", "created_ms", (json_int_t)NOW_MS, "started_ms", (json_int_t)NOW_MS,
                            "finished_ms", (json_int_t)0);

    if (strcmp(type, "create") == 0 || strcmp(type, "start") == 0) {
        char incarnation[33];

        snprintf(incarnation, sizeof(incarnation), "%032zx", json_object_size(jobs) + 1);
        json_object_set_new(job, "incarnation", json_string(incarnation));
    }
    json_object_set_new(jobs, job_id, job);
    change_add(json_object_get(instances, instance_id), job, "running");
    return job;
}

int seen(struct rpc_call *call, const char *id, json_t *args)
{
    json_t *before = json_object_get(requests, id);

    if (!before) {
        json_object_set(requests, id, args);
        return 0;
    }
    return json_equal(before, args) ? 1 : rpc_fail(call, "conflict", "%s was used for something else", id);
}

static int create(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *job_id = text(args, "job_id"), *instance_id = text(args, "instance_id");
    json_t *job, *instance;
    int known;

    if (changing(&provisioner, call) || (known = seen(call, job_id, args)) < 0)
        return -1;
    if (!known) {
        instance = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:b, s:i, s:I, s:I}", "instance_id",
                             instance_id, "account_id", text(args, "account_id"), "name", text(args, "name"), "image",
                             text(args, "image"), "flavor", text(args, "flavor"), "vcpus", 1, "memory_mib", 128, "state",
                             "building", "desired_state", "running", "state_reason", "", "ready", 0, "domid", 3,
                             "created_ms", (json_int_t)NOW_MS, "started_ms", (json_int_t)NOW_MS);
        json_object_set_new(instances, instance_id, instance);
        size_take(instance, text(args, "flavor"));
        change_add(instance, NULL, "created");
        devices_create(instance, args);
        job_new(job_id, instance_id, "create");
    }
    job = json_object_get(jobs, job_id);
    if (!provisioner.hold)
        job_end(job);
    return done(&provisioner, call, "instance_create", !known, json_pack("{s:O}", "job", job), result);
}

static bool allowed(const char *type, const char *state)
{
    if (strcmp(type, "start") == 0)
        return strcmp(state, "stopped") == 0;
    if (strcmp(type, "resume") == 0)
        return strcmp(state, "suspended") == 0;
    if (strcmp(type, "power_off") == 0 && strcmp(state, "suspended") == 0)
        return true;
    if (strcmp(type, "resize") == 0 || strcmp(type, "rebuild") == 0)
        return strcmp(state, "stopped") == 0;
    if (strcmp(type, "attach") == 0 || strcmp(type, "detach") == 0)
        return strcmp(state, "running") == 0 || strcmp(state, "stopped") == 0;
    return strcmp(type, "delete") == 0 ? strcmp(state, "deleted") != 0 : strcmp(state, "running") == 0;
}

static int action(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *job_id = text(args, "job_id"), *instance_id = text(args, "instance_id"), *type = text(args, "type");
    json_t *instance = json_object_get(instances, instance_id);
    int known;

    if (changing(&provisioner, call))
        return -1;
    if (!instance)
        return rpc_fail(call, "not_found", "no instance %s", instance_id);
    if (!json_object_get(requests, job_id) && !allowed(type, text(instance, "state")))
        return rpc_fail(call, "conflict", "%s is not possible while %s", type, text(instance, "state"));
    if (!json_object_get(requests, job_id) && devices_refuse(call, type, args))
        return -1;
    known = seen(call, job_id, args);
    if (known < 0)
        return -1;
    if (!known)
        json_object_update_missing(job_new(job_id, instance_id, type), args);
    if (!provisioner.hold)
        job_end(json_object_get(jobs, job_id));
    return done(&provisioner, call, "instance_action", !known, json_pack("{s:O}", "job", json_object_get(jobs, job_id)),
                result);
}

/* In the order in which they were made, which is their numbers'. */
static int jobs_get(struct rpc_call *call, json_t *args, json_t **result)
{
    json_int_t before = json_integer_value(json_object_get(args, "before")), number = 0;
    size_t limit = (size_t)json_integer_value(json_object_get(args, "limit"));
    json_t *list = json_array(), *job;
    const char *id;

    (void)call;
    json_object_foreach(jobs, id, job) {
        json_t *row;

        number++;
        if (strcmp(text(job, "instance_id"), text(args, "instance_id")) != 0 || (before && number >= before))
            continue;
        row = json_copy(job);
        json_object_set_new(row, "number", json_integer(number));
        json_array_insert_new(list, 0, row);
    }
    while (limit && json_array_size(list) > limit)
        json_array_remove(list, limit);
    *result = json_pack("{s:o}", "jobs", list);
    return 0;
}

static int job_get(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *job = json_object_get(jobs, text(args, "job_id"));
    json_int_t wait_ms = json_integer_value(json_object_get(args, "wait_ms"));
    struct wait *wait;

    if (!job)
        return rpc_fail(call, "not_found", "no job");
    if (wait_ms == 0 || strcmp(text(job, "status"), "running") != 0) {
        *result = json_pack("{s:O}", "job", job);
        return 0;
    }
    wait = calloc(1, sizeof(*wait));
    wait->call = rpc_defer(call);
    wait->until_ms = monotonic_ms() + wait_ms;
    snprintf(wait->job_id, sizeof(wait->job_id), "%s", text(args, "job_id"));
    wait->next = waits;
    waits = wait;
    return 0;
}

/* Ends the waits that are over; returns ms until the next one is, -1 none. */
static int waits_run(void)
{
    int64_t now = monotonic_ms(), next_ms = -1;

    for (struct wait **at = &waits; *at;) {
        struct wait *wait = *at;
        json_t *job = json_object_get(jobs, wait->job_id);

        if (strcmp(text(job, "status"), "running") == 0 && wait->until_ms > now) {
            if (next_ms < 0 || wait->until_ms - now < next_ms)
                next_ms = wait->until_ms - now;
            at = &wait->next;
            continue;
        }
        rpc_finish(wait->call, json_pack("{s:O}", "job", job), NULL, NULL);
        *at = wait->next;
        free(wait);
    }
    return (int)next_ms;
}

static int instance_get(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *instance = json_object_get(instances, text(args, "instance_id"));

    if (!instance)
        return rpc_fail(call, "not_found", "no instance");
    *result = json_pack("{s:O}", "instance", instance);
    return 0;
}

static int instances_get(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *list = json_array(), *instance;
    const char *id;

    (void)call;
    json_object_foreach(instances, id, instance)
        if ((!json_object_get(args, "account_id") || strcmp(text(instance, "account_id"), text(args, "account_id")) == 0) &&
            strcmp(text(instance, "state"), "deleted") != 0)
            json_array_append(list, instance);
    *result = json_pack("{s:o}", "instances", list);
    return 0;
}

static int images_get(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call, (void)args;
    *result = json_pack("{s:[{s:s, s:s, s:s, s:s, s:s, s:i, s:b}, {s:s, s:s, s:s, s:s, s:s, s:i, s:b},"
                        " {s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:b}]}",
                        "images", "id", "tiny", "name", "Tiny", "description", "a kernel and a busybox", "boot", "kernel",
                        "kernel", "/vmlinux", "memory_mib_min", 64, "available", 1, "id", "large", "name", "Large",
                        "description", "needs much", "boot", "kernel", "kernel", "/vmlinux", "memory_mib_min", 4096,
                        "available", 1, "id", "disk", "name", "Disk", "description", "boots by itself", "boot", "disk",
                        "kernel", "its own", "memory_mib_min", 64, "disk_mib_min", 1024, "available", 1);
    return 0;
}

static int flavors_get(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call, (void)args;
    *result = json_pack("{s:[{s:s, s:s, s:i, s:i, s:{s:i, s:i, s:i}}, {s:s, s:s, s:i, s:i}]}", "flavors", "id", "xs1", "name",
                        "1 vCPU, 128 MiB", "vcpus", 1, "memory_mib", 128, "disk_limit", "ops_per_s", 5000, "bytes_per_s",
                        0, "burst_ms", 1000, "id", "xs2", "name", "2 vCPUs, 256 MiB", "vcpus", 2, "memory_mib", 256);
    return 0;
}

static int console_get(struct rpc_call *call, json_t *args, json_t **result)
{
    static const char log[] = "Linux version 6.1.0\r\nhello from the guest \x1b[31mred\n";
    json_int_t offset = json_integer_value(json_object_get(args, "offset"));

    (void)call;
    if (offset > (json_int_t)strlen(log))
        offset = (json_int_t)strlen(log);
    *result = json_pack("{s:s, s:I, s:I}", "text", log + offset, "offset", offset, "size", (json_int_t)strlen(log));
    return 0;
}

static int host_get(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call, (void)args;
    *result = json_pack("{s:i, s:i, s:i, s:s, s:i, s:i}", "pages_total", 262144, "pages_free", 131072, "cpus", 2,
                        "hv_version", "0.1", "domains", 1, "guests_max", 63);
    return 0;
}

static int provisioner_test(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call;
    orders_take(&provisioner, args, result);
    if (json_object_get(args, "port"))
        devices_next_port = (int)json_integer_value(json_object_get(args, "port"));
    if (json_is_false(json_object_get(args, "hold")))
        jobs_let_go();
    return 0;
}

/* accountd */

static int account_open(struct rpc_call *call, json_t *args, json_t **result)
{
    bool known = json_object_get(accounts, text(args, "account_id")) != NULL;

    if (changing(&accountd, call))
        return -1;
    if (!known)
        json_object_set_new(accounts, text(args, "account_id"),
                            json_pack("{s:s, s:s, s:I, s:[]}", "account_id", text(args, "account_id"), "currency",
                                      text(args, "currency"), "posted", (json_int_t)0, "entries"));
    return done(&accountd, call, "account_open", !known, json_pack("{s:s}", "account_id", text(args, "account_id")),
                result);
}

static int quote_get(struct rpc_call *call, json_t *args, json_t **result)
{
    json_int_t vcpus = json_integer_value(json_object_get(args, "vcpus"));
    json_int_t seconds = json_integer_value(json_object_get(args, "seconds"));

    if (*text(args, "disk_ops") && strcmp(text(args, "disk_ops"), "1000") != 0)
        return rpc_fail(call, "bad_request", "disk_ops: the model knows 1000 alone");
    *result = json_pack("{s:s, s:s, s:I, s:[{s:s, s:o, s:s, s:s, s:o}], s:o, s:o, s:o}", "price_book", "v1", "currency",
                        "EUR", "seconds", seconds, "lines", "meter", "vcpu_reserved", "quantity",
                        json_decimal(vcpus * seconds), "quantity_per_unit", "1", "unit", "vCPU s", "amount_nano", json_decimal(vcpus * seconds * 1000),
                        "total_nano", json_decimal(vcpus * seconds * 1000), "per_hour_nano",
                        json_decimal(vcpus * 3600 * 1000), "hold_nano", json_decimal(vcpus * 3600 * 1000));
    if (*text(args, "disk_bytes"))
        json_array_append_new(json_object_get(*result, "lines"),
                              json_pack("{s:s, s:s, s:s, s:s, s:s}", "meter", "disk_bytes", "quantity",
                                        text(args, "disk_bytes"), "quantity_per_unit", "1073741824", "unit", "GiB",
                                        "amount_nano", "7"));
    return 0;
}

static int usage_get(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *list = json_array(), *instance;
    const char *id;

    json_object_foreach(instances, id, instance) {
        bool runs = strcmp(text(instance, "state"), "running") == 0;

        if (strcmp(text(instance, "account_id"), text(args, "account_id")) != 0)
            continue;
        if (json_object_get(args, "instance_id") && strcmp(id, text(args, "instance_id")) != 0)
            continue;
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:I}",
                                              "disk_read_ops", "3", "disk_read_bytes", "12288", "disk_write_ops", "0",
                                              "net_tx_packets", "70000", "net_tx_bytes", "107374182400",
                                              "instance_id", id, "state", "live", "incarnations", 1, "guest_ns",
                                              "18446744073709551615", "hv_ns", "5", "wait_ns", "6", "page_seconds", "7",
                                              "exits", "8", "hypercalls", "9", "amount_nano", "1234567891",
                                              "meters_running", runs ? json_pack("[s]", "vcpu_reserved") : json_array(),
                                              "as_of_ms", (json_int_t)NOW_MS));
    }
    if (json_object_get(args, "instance_id") && json_array_size(list) == 0) {
        json_decref(list);
        return rpc_fail(call, "not_found", "no usage");
    }
    *result = newest_page_of(list, args, "instances");
    json_decref(list);
    return 0;
}

static int charged_get(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *amounts = json_object(), *each;
    size_t i;

    (void)call;
    json_array_foreach(json_object_get(args, "incarnations"), i, each)
        json_object_set_new(amounts, json_string_value(each), json_string("1234567"));
    *result = json_pack("{s:o}", "charged_nano", amounts);
    return 0;
}

static int records_get(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *record;

    (void)call;
    *result = json_pack("{s:[{s:i, s:s}], s:n}", "records", "index", 1, "leaf",
                        "xs-usage/v1 use\n{\"amount_nano\":\"5\",\"t0_ms\":1}\n", "next");
    json_object_set(*result, "asked", args);
    record = json_array_get(json_object_get(*result, "records"), 0);
    if (json_is_true(json_object_get(args, "proofs"))) {
        json_object_set_new(record, "leaf_hash", json_string("00ff"));
        json_object_set_new(record, "proof", json_string("c2sp.org/tlog-proof@v1\nindex 1\n"));
    }
    return 0;
}

static int leaf_get(struct rpc_call *call, json_t *args, json_t **result)
{
    if (json_integer_value(json_object_get(args, "index")) > 1 || strstr(text(args, "origin"), "e2"))
        return rpc_fail(call, "not_found", "no leaf");
    *result = json_pack("{s:O, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "index", json_object_get(args, "index"), "origin",
                        "host.example/usage/e1", "type", "xs-usage/v1 use", "account_id", "acc_1", "instance_id", "ins_1",
                        "incarnation", "00", "leaf", "xs-usage/v1 use\n{\"amount_nano\":\"5\",\"t0_ms\":1}\n", "leaf_hash",
                        "00ff", "proof", "c2sp.org/tlog-proof@v1\nindex 1\n");
    return 0;
}

static int checkpoint_get(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call, (void)args;
    *result = json_pack("{s:s}", "text", "host.example/usage/e1\n3\nAAAA\n\n\xe2\x80\x94 host.example/usage/e1 sig\n");
    return 0;
}

static int status_get(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call, (void)args;
    *result = json_pack("{s:i, s:i, s:i, s:b, s:[{s:s, s:s, s:s}], s:i, s:s, s:s}", "samples", 10, "misses", 0,
                        "last_sample_age_ms", 17, "conservation_ok", 1, "cpus", "guest_ns", "1", "hv_ns", "2", "idle_ns",
                        "3", "log_size", 3, "origin", "host.example/usage/e1", "version", "0.1");
    return 0;
}

static int accountd_test(struct rpc_call *call, json_t *args, json_t **result)
{
    (void)call;
    if (json_object_get(args, "alert"))
        alert_add(json_object_get(args, "alert"));
    if (json_object_get(args, "deposit"))
        deposit_add(json_object_get(args, "deposit"));
    return orders_take(&accountd, args, result);
}

#define WHO (RPC_API | RPC_ROOT)

static const struct rpc_verb provisioner_verbs[] = {
    { "host", host_get, WHO },         { "images", images_get, WHO },         { "flavors", flavors_get, WHO },
    { "instance_create", create, WHO }, { "instance_action", action, WHO },    { "job", job_get, WHO },
    { "jobs", jobs_get, WHO },
    { "instance", instance_get, WHO }, { "instances", instances_get, WHO },   { "console_log", console_get, WHO },
    { "volume_create", stand_volume_create, WHO }, { "volume_resize", stand_volume_resize, WHO },
    { "volume_delete", stand_volume_delete, WHO }, { "volume", stand_volume_get, WHO },
    { "volumes", stand_volumes_get, WHO },   { "snapshot_create", stand_snapshot_create, WHO },
    { "snapshot_delete", stand_snapshot_delete, WHO }, { "snapshots", stand_snapshots_get, WHO },
    { "network", stand_network_get, WHO },   { "forward_create", stand_forward_create, WHO },
    { "firewall", stand_firewall, WHO },     { "firewall_set", stand_firewall_set, WHO },
    { "forward_delete", stand_forward_delete, WHO }, { "changes", stand_changes, WHO },
    { "test", provisioner_test, WHO }, { NULL, NULL, 0 },
};

static const struct rpc_verb accountd_verbs[] = {
    { "account_open", account_open, WHO }, { "quote", quote_get, WHO },
    { "fund", stand_fund, WHO },           { "wallet", stand_wallet, WHO },
    { "holds", stand_holds, WHO },         { "voucher_redeem", stand_voucher_redeem, WHO },
    { "purchase_order_create", stand_po_create, WHO }, { "purchase_order_add", stand_po_add, WHO },
    { "purchase_order_close", stand_po_close, WHO }, { "purchase_orders", stand_pos, WHO }, { "purchase_order", stand_po, WHO },
    { "price_books", stand_price_books, WHO }, { "price_book", stand_price_book, WHO },
    { "usage", usage_get, WHO }, { "charged", charged_get, WHO },           { "records", records_get, WHO }, { "leaf", leaf_get, WHO },
    { "invoice_create", stand_invoice_create, WHO }, { "invoice_list", stand_invoices, WHO },
    { "invoice_get", stand_invoice, WHO }, { "invoice_draft", stand_draft, WHO },
    { "account_details", stand_details, WHO }, { "account_details_set", stand_details_set, WHO },
    { "dispute_open", stand_dispute_open, WHO }, { "disputes", stand_disputes, WHO }, { "dispute", stand_dispute, WHO },
    { "budget_set", stand_budget_set, WHO }, { "budgets", stand_budgets, WHO },
    { "alerts", stand_alerts, WHO },       { "news", stand_news, WHO },
    { "deposits", stand_deposits, WHO },
    { "dispute_resolve", stand_dispute_resolve, WHO }, { "credit_note_create", stand_credit_note, WHO },
    { "price_book_propose", stand_propose, WHO }, { "price_book_approve", stand_approve, WHO },
    { "price_book_withdraw", stand_withdraw, WHO }, { "price_proposals", stand_proposals, WHO },
    { "price_book_diff", stand_diff, WHO }, { "replay", stand_replay, WHO },
    { "voucher_create", stand_voucher_create, WHO }, { "bank_import", stand_bank_import, WHO },
    { "bank_entries", stand_bank_entries, WHO }, { "bank_assign", stand_bank_assign, WHO },
    { "bank_return", stand_bank_return, WHO }, { "payment_event", stand_payment_event, WHO },
    { "trial_balance", stand_trial_balance, WHO }, { "transfers", stand_transfers, WHO },
    { "ledger_journal", stand_journal, WHO }, { "host_books", stand_host_books, WHO },
    { "suspensions", stand_suspensions, WHO }, { "cap", stand_cap, WHO },
    { "domains", stand_domains, WHO }, { "account_standing", stand_standing, WHO }, { "suspension_preview", stand_preview, WHO },
    { "suspend", stand_suspend, WHO }, { "resume", stand_resume, WHO },
    { "usage_summary", stand_usage_summary, WHO }, { "checkpoint", checkpoint_get, WHO },
    { "status", status_get, WHO },         { "test", accountd_test, WHO },
    { NULL, NULL, 0 },
};

static struct rpc_server *server_open(const char *name, const struct rpc_verb *verbs)
{
    char path[4200];
    struct rpc_server *server;

    snprintf(path, sizeof(path), "%s/%s", base, name);
    server = rpc_server_new(path, 0600, verbs);
    if (!server)
        fatalx("%s", path);
    return server;
}

static _Noreturn void run(const char *dir, int ready_fd)
{
    struct rpc_server *a, *p;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    log_init("standin");
    base = dir;
    accountd.counts = json_object();
    provisioner.counts = json_object();
    instances = json_object();
    devices_start();
    changes_start();
    money_start();
    invoices_start();
    log_files_write(dir);
    operator_start();
    jobs = json_object();
    requests = json_object();
    accounts = json_object();
    a = server_open("accountd.sock", accountd_verbs);
    p = server_open("provisioner.sock", provisioner_verbs);
    consoles_start();
    if (write(ready_fd, "x", 1) != 1)
        _exit(1);
    close(ready_fd);
    for (;;) {
        struct pollfd fds[2 + CONSOLES_FDS] = { { rpc_server_fd(a), POLLIN, 0 }, { rpc_server_fd(p), POLLIN, 0 } };
        unsigned count = 2 + consoles_fds(fds + 2);

        int wait_ms = waits_run(), other_ms = changes_waits_run();

        poll(fds, count, other_ms >= 0 && (wait_ms < 0 || other_ms < wait_ms) ? other_ms : wait_ms);
        rpc_server_run(a);
        rpc_server_run(p);
        consoles_run();
    }
}

pid_t standin_start(const char *dir)
{
    int ready[2];
    char byte;
    pid_t pid;

    if (pipe2(ready, O_CLOEXEC) != 0 || (pid = fork()) < 0)
        tap_bail("cannot start the stand-ins");
    if (pid == 0) {
        close(ready[0]);
        run(dir, ready[1]);
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1)
        tap_bail("the stand-ins did not come up");
    close(ready[0]);
    return pid;
}
