/* The socket: the table of its verbs (control.h), what they share, and those about the
 * host and about jobs. Only tombstone_ack and host ask the hypervisor, and
 * neither can take long. */
#include "common/clock.h"
#include "provisioner/verbs.h"
#include "common/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_BYTES_MAX    48

struct serve serve;
static struct waiter *waiters;

int store_failed(struct rpc_call *call)
{
    return rpc_fail(call, "unavailable", "the host's database cannot be used now: see the provisioner's log");
}

int bad(struct rpc_call *call, const struct json_why *why)
{
    return rpc_fail(call, "bad_request", "%s", why->text);
}

int not_taken(struct rpc_call *call, int rc, const struct refusal *refusal)
{
    if (rc != -2)
        return store_failed(call);
    if (!refusal->quota)
        return rpc_fail(call, refusal->code, "%s", refusal->detail);
    return rpc_fail_context(call, refusal->code, json_pack("{s:s, s:I, s:I}", "quota", refusal->quota, "limit",
                            (json_int_t)refusal->limit, "used", (json_int_t)refusal->used), "%s", refusal->detail);
}

int id_check(struct rpc_call *call, const char *key, const char *id)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

    if (!*id || strlen(id) > ID_BYTES_MAX || id[strspn(id, allowed)])
        return rpc_fail(call, "bad_request", "%s: must have 1 to %d of the characters A-Z a-z 0-9 _ -", key, ID_BYTES_MAX);
    return 0;
}

int id_arg(struct rpc_call *call, const json_t *args, const char *key, const char **out)
{
    struct json_why why;

    if (json_arg_string(args, key, ID_BYTES_MAX, out, &why))
        return bad(call, &why);
    return id_check(call, key, *out);
}

int name_arg(struct rpc_call *call, const json_t *args, const char **name)
{
    struct json_why why;

    return json_arg_string(args, "name", NAME_BYTES_MAX, name, &why) ? bad(call, &why) : 0;
}

int keys_check(struct rpc_call *call, const json_t *args, const char *keys)
{
    struct json_why why;

    return json_arg_only(args, keys, &why) ? bad(call, &why) : 0;
}

/* What became of step i, told from how far the job is. */
static const char *step_status(const struct job *job, int64_t i)
{
    if (job->status == JOB_SUCCEEDED)
        return "succeeded";
    if (job->failed_step >= 0) {
        if (i == job->failed_step)
            return "failed";
        if (i > job->failed_step)
            return "skipped";
        return job->status == JOB_FAILED || i > job->step ? "undone" : "succeeded";
    }
    if (job->status != JOB_RUNNING || i > job->step)
        return job->status == JOB_FAILED ? "skipped" : "pending";
    return i == job->step ? "running" : "succeeded";
}

json_t *job_json(const struct job *job)
{
    const struct job_type *type = job_type_find(job->type);
    int64_t n = type ? job_type_steps(type) : 0;
    json_t *steps = json_array();
    int progress = job->status == JOB_SUCCEEDED ? 100 : n ? (int)(100 * job->step / n) : 0;
    json_t *out;

    for (int64_t i = 0; i < n; i++)
        json_array_append_new(steps, json_pack("{s:s, s:s}", "name", type->steps[i]->name, "status",
                                               step_status(job, i)));
    out = json_pack("{s:s, s:s, s:s, s:s, s:i, s:o, s:I, s:I, s:I}", "job_id", job->job_id, "instance_id",
                    job->instance_id, "type", job->type, "status", job_status_names[job->status], "progress", progress,
                    "steps", steps, "created_ms", (json_int_t)job->created_ms, "started_ms",
                    (json_int_t)job->started_ms, "finished_ms", (json_int_t)job->finished_ms);
    if (out && job->status == JOB_FAILED)
        json_object_set_new(out, "error", json_pack("{s:s, s:s}", "code", job->error_code, "detail",
                                                    job->error_detail));
    if (out && job->incarnation[0])
        json_object_set_new(out, "incarnation", json_string(job->incarnation));
    return out;
}

int finish_or_fail(struct rpc_call *call, json_t *answer, json_t **result)
{
    if (!answer)
        return rpc_fail(call, "internal", "out of memory");
    *result = answer;
    return 0;
}

int limits_read(struct rpc_call *call, struct limits *limits)
{
    const struct catalog *c = serve.catalog;
    struct volumes_room room;
    int rc = volumes_room(serve.volumes, &room);

    if (rc)
        return rpc_fail(call, "internal", "the host's disk does not tell its room: %s", strerror(-rc));
    *limits = (struct limits){ .instances_max = c->instances_max, .volumes_max = c->volumes_max,
                               .volume_mib_max = c->volume_mib_max, .snapshots_max = c->snapshots_max,
                               .forwards_max = c->forwards_max, .port_first = c->port_first,
                               .port_last = c->port_last };
    if (room.free_mib >= c->reserve_mib && room.total_mib >= c->reserve_mib + room.images_mib)
        limits->promise_mib_max = (room.total_mib - c->reserve_mib - room.images_mib) * c->overcommit_percent / 100;
    return 0;
}

static int host_get(struct rpc_call *call, json_t *args, json_t **result)
{
    struct xen_host host;
    int rc = keys_check(call, args, "");

    if (rc)
        return rc;
    rc = xen_host_read(serve.xen, &host);
    if (rc)
        return rpc_fail(call, "internal", "the hypervisor answers %s", strerror(-rc));
    return finish_or_fail(call, json_pack("{s:I, s:I, s:I, s:s, s:I, s:I}", "pages_total",
                                          (json_int_t)host.pages_total, "pages_free", (json_int_t)host.pages_free,
                                          "cpus", (json_int_t)host.cpus, "hv_version", host.version, "domains",
                                          (json_int_t)host.domains, "guests_max",
                                          (json_int_t)(host.domains - 1 + host.slots_free)), result);
}

static int images_get(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *list = json_array();

    if (keys_check(call, args, "")) {
        json_decref(list);
        return -1;
    }
    for (size_t i = 0; i < serve.catalog->nr_images; i++) {
        const struct image *m = &serve.catalog->images[i];

        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b}", "id", m->id, "name", m->name,
                                              "description", m->description, "boot", m->disk_path ? "disk" : "kernel",
                                              "kernel", m->disk_path ? "its own" : m->kernel_path, "memory_mib_min",
                                              (json_int_t)m->memory_mib_min, "disk_mib_min",
                                              (json_int_t)m->disk_mib_min, "available", (int)m->available));
    }
    return finish_or_fail(call, json_pack("{s:o}", "images", list), result);
}

static void limit_show(json_t *flavor, const char *key, const struct io_limit *l)
{
    if (l->burst_ms)
        json_object_set_new(flavor, key, json_pack("{s:I, s:I, s:I}", "ops_per_s", (json_int_t)l->ops_per_s, "bytes_per_s",
                                                   (json_int_t)l->bytes_per_s, "burst_ms", (json_int_t)l->burst_ms));
}

static int flavors_get(struct rpc_call *call, json_t *args, json_t **result)
{
    json_t *list = json_array();

    if (keys_check(call, args, "")) {
        json_decref(list);
        return -1;
    }
    for (size_t i = 0; i < serve.catalog->nr_flavors; i++) {
        const struct flavor *f = &serve.catalog->flavors[i];

        json_t *shown = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "id", f->id, "name", f->name, "vcpus",
                                  (json_int_t)f->vcpus, "memory_mib", (json_int_t)f->memory_mib, "weight",
                                  (json_int_t)f->weight, "cap_percent", (json_int_t)f->cap_percent);

        limit_show(shown, "disk_limit", &f->disk_limit);
        limit_show(shown, "net_limit", &f->net_limit);
        json_array_append_new(list, shown);
    }
    return finish_or_fail(call, json_pack("{s:o}", "flavors", list), result);
}

static int job_get(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *job_id;
    int64_t wait_ms = 0;
    struct json_why why;
    struct waiter waiter = { .next = NULL };
    struct job job;
    int rc;

    if (keys_check(call, args, "job_id wait_ms") || id_arg(call, args, "job_id", &job_id))
        return -1;
    if (json_has(args, "wait_ms") && json_arg_int(args, "wait_ms", 0, WAIT_MS_MAX, &wait_ms, &why))
        return bad(call, &why);
    rc = store_job_find(serve.store, job_id, &job);
    if (rc < 0)
        return store_failed(call);
    if (!rc)
        return rpc_fail(call, "not_found", "job_id: no job %s", job_id);
    if (!wait_ms || job.status == JOB_SUCCEEDED || job.status == JOB_FAILED)
        return finish_or_fail(call, json_pack("{s:o}", "job", job_json(&job)), result);
    snprintf(waiter.job_id, sizeof(waiter.job_id), "%s", job_id);
    return waiter_add(call, &waiter, wait_ms);
}

int waiter_add(struct rpc_call *call, const struct waiter *what, int64_t wait_ms)
{
    struct waiter *waiter = malloc(sizeof(*waiter));

    if (!waiter)
        return rpc_fail(call, "internal", "out of memory");
    *waiter = *what;
    waiter->next = waiters;
    waiter->until_ms = clock_monotonic_ms() + wait_ms;
    waiter->call = rpc_defer(call);
    waiters = waiter;
    return 0;
}

/* Whether the wait ends, and with which answer: NULL if nothing can be said. */
static bool waiter_done(const struct waiter *w, bool over, json_t **answer)
{
    struct job job;

    *answer = NULL;
    if (!*w->job_id) {
        over = over || changes_there(w->after);
        *answer = over ? changes_json(w->after, w->limit) : NULL;
        return over;
    }
    if (store_job_find(serve.store, w->job_id, &job) != 1)
        return true;
    over = over || job.status == JOB_SUCCEEDED || job.status == JOB_FAILED;
    *answer = over ? json_pack("{s:o}", "job", job_json(&job)) : NULL;
    return over;
}

int64_t control_waiters_run(void)
{
    int64_t now = clock_monotonic_ms(), next_ms = -1;

    for (struct waiter **at = &waiters; *at;) {
        struct waiter *w = *at;
        json_t *answer;

        if (!waiter_done(w, w->until_ms <= now, &answer)) {
            if (next_ms < 0 || w->until_ms < next_ms)
                next_ms = w->until_ms;
            at = &w->next;
            continue;
        }
        if (answer)
            rpc_finish(w->call, answer, NULL, NULL);
        else
            rpc_finish(w->call, NULL, "unavailable", "the host's database cannot be used now");
        *at = w->next;
        free(w);
    }
    return next_ms < 0 ? -1 : next_ms - now;
}

int instance_arg(struct rpc_call *call, const json_t *args, struct instance *instance)
{
    const char *instance_id;
    int rc;

    if (id_arg(call, args, "instance_id", &instance_id))
        return -1;
    rc = store_instance_find(serve.store, instance_id, instance);
    if (rc < 0)
        return store_failed(call);
    return rc ? 0 : rpc_fail(call, "not_found", "instance_id: no instance %s", instance_id);
}

static int tombstone_ack(struct rpc_call *call, json_t *args, json_t **result)
{
    uint8_t incarnation[16];
    struct json_why why;
    int64_t slot;
    int rc;

    if (keys_check(call, args, "slot incarnation"))
        return -1;
    if (json_arg_int(args, "slot", 1, UINT32_MAX, &slot, &why) ||
        json_arg_hex(args, "incarnation", incarnation, sizeof(incarnation), &why))
        return bad(call, &why);
    rc = xen_meter_ack(serve.xen, (uint32_t)slot, incarnation);
    if (rc == -EBUSY)
        return rpc_fail(call, "conflict", "slot %jd: the incarnation has not ended", (intmax_t)slot);
    /* It is gone: acknowledged before, by a call whose answer was lost. */
    if (rc && rc != -ENOENT)
        return rpc_fail(call, "internal", "slot %jd: the hypervisor answers %s", (intmax_t)slot, strerror(-rc));
    return finish_or_fail(call, json_object(), result);
}

static const struct rpc_verb verbs[] = {
    { "host", host_get, RPC_API | RPC_ROOT },
    { "images", images_get, RPC_API | RPC_ROOT },
    { "flavors", flavors_get, RPC_API | RPC_ROOT },
    { "instance_create", instance_create, RPC_API | RPC_ROOT },
    { "instance_action", instance_action, RPC_API | RPC_ACCOUNTD | RPC_ROOT },
    { "job", job_get, RPC_API | RPC_ROOT },
    { "jobs", jobs_get, RPC_API | RPC_ROOT },
    { "instance", instance_get, RPC_API | RPC_ROOT },
    { "instances", instances_get, RPC_API | RPC_ROOT },
    { "changes", changes_get, RPC_API | RPC_ROOT },
    { "console_log", console_log, RPC_API | RPC_ROOT },
    { "volume_create", volume_create, RPC_API | RPC_ROOT },
    { "volume_resize", volume_resize, RPC_API | RPC_ROOT },
    { "volume_delete", volume_delete, RPC_API | RPC_ROOT },
    { "volume", volume_get, RPC_API | RPC_ROOT },
    { "volumes", volumes_get, RPC_API | RPC_ROOT },
    { "snapshot_create", snapshot_create, RPC_API | RPC_ROOT },
    { "snapshot_delete", snapshot_delete, RPC_API | RPC_ROOT },
    { "snapshots", snapshots_get, RPC_API | RPC_ROOT },
    { "network", network_get, RPC_API | RPC_ROOT },
    { "forward_create", forward_create, RPC_API | RPC_ROOT },
    { "forward_delete", forward_delete, RPC_API | RPC_ROOT },
    { "firewall", firewall_get, RPC_API | RPC_ROOT },
    { "firewall_set", firewall_set, RPC_API | RPC_ROOT },
    { "billing_want", billing_want, RPC_ACCOUNTD | RPC_ROOT },
    { "tombstone_ack", tombstone_ack, RPC_ACCOUNTD | RPC_ROOT },
    { NULL, NULL, 0 },
};

struct rpc_server *control_open(const struct serve *with, const char *socket_path)
{
    serve = *with;
    return rpc_server_new(socket_path, 0666, verbs);
}
