/* The socket's verbs (control.h). Handlers check every argument, look at rows
 * and add rows; the worker thread does the work. Only tombstone_ack and host
 * ask the hypervisor, and neither can take long. */
#include "provisioner/serve.h"
#include "common/json.h"
#include "common/log.h"
#include "common/rpc.h"
#include "provisioner/build.h"
#include "provisioner/console.h"
#include "provisioner/uuid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define JOBS_MAX        512             /* unfinished, of all customers */
#define WAIT_MS_MAX     30000
#define NAME_BYTES_MAX  64
#define CMDLINE_MAX     512
#define CONSOLE_DEFAULT (16 << 10)

/* A caller of `job` with wait_ms. */
struct waiter {
    struct waiter *next;
    struct rpc_call *call;
    char job_id[STORE_ID_BYTES];
    int64_t until_ms;
};

/* rpc handlers carry no context; there is one server in the process. */
static struct serve serve;
static struct waiter *waiters;

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int store_failed(struct rpc_call *call)
{
    return rpc_fail(call, "unavailable", "the host's database cannot be used now: see the provisioner's log");
}

static int bad(struct rpc_call *call, const struct json_why *why)
{
    return rpc_fail(call, "bad_request", "%s", why->text);
}

/* Ids become file names and xenstore names. */
static int id_arg(struct rpc_call *call, const json_t *args, const char *key, const char **out)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    struct json_why why;

    if (json_arg_string(args, key, 48, out, &why))
        return bad(call, &why);
    if ((*out)[strspn(*out, allowed)])
        return rpc_fail(call, "bad_request", "%s: only letters, digits, _ and - are allowed", key);
    return 0;
}

static int keys_check(struct rpc_call *call, const json_t *args, const char *keys)
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

static json_t *job_json(const struct job *job)
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
    return out;
}

static json_t *instance_json(const struct instance *i)
{
    char uuid[UUID_TEXT_BYTES];
    bool ready = i->state == STATE_RUNNING && console_size(serve.console_dir, i->instance_id) > i->console_start;

    uuid_text(i->domain_uuid, uuid);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:b, s:I, s:s, s:s, s:I, s:I}",
                     "instance_id", i->instance_id, "account_id", i->account_id, "name", i->name, "image", i->image,
                     "flavor", i->flavor, "vcpus", (json_int_t)i->vcpus, "memory_mib", (json_int_t)i->memory_mib,
                     "state", state_names[i->state], "desired_state", state_names[i->desired_state], "state_reason",
                     i->state_reason, "ready", ready, "domid", (json_int_t)i->domid, "domain_uuid", uuid,
                     "incarnation", i->incarnation, "created_ms", (json_int_t)i->created_ms, "started_ms",
                     (json_int_t)i->started_ms);
}

static int finish_or_fail(struct rpc_call *call, json_t *answer, json_t **result)
{
    if (!answer)
        return rpc_fail(call, "internal", "out of memory");
    *result = answer;
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

        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:I}", "id", m->id, "name", m->name, "description",
                                              m->description, "kernel", m->kernel_path, "memory_mib_min",
                                              (json_int_t)m->memory_mib_min));
    }
    return finish_or_fail(call, json_pack("{s:o}", "images", list), result);
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

        json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "id", f->id, "name", f->name, "vcpus",
                                              (json_int_t)f->vcpus, "memory_mib", (json_int_t)f->memory_mib, "weight",
                                              (json_int_t)f->weight, "cap_percent", (json_int_t)f->cap_percent));
    }
    return finish_or_fail(call, json_pack("{s:o}", "flavors", list), result);
}

/* Adds the job and answers with it, or with the one that has this id already. */
static int job_add(struct rpc_call *call, struct job *job, const json_t *args, const struct instance *instance,
                   json_t **result)
{
    char *request = json_canonical(args);
    int rc = request ? store_job_add(serve.store, job, request, instance) : -1;

    free(request);
    if (rc == -2)
        return rpc_fail(call, "conflict", "this job_id or instance_id was used for another request");
    if (rc < 0)
        return store_failed(call);
    if (rc == 1)
        serve_wake_worker(&serve);
    return finish_or_fail(call, json_pack("{s:o}", "job", job_json(job)), result);
}

static void job_fill(struct job *job, const char *job_id, const char *instance_id, const char *type)
{
    *job = (struct job){ .status = JOB_QUEUED, .failed_step = -1, .created_ms = clock_wall_ms() };
    snprintf(job->job_id, sizeof(job->job_id), "%s", job_id);
    snprintf(job->instance_id, sizeof(job->instance_id), "%s", instance_id);
    snprintf(job->type, sizeof(job->type), "%s", type);
}

static int queue_check(struct rpc_call *call)
{
    int64_t unfinished;

    if (store_jobs_unfinished(serve.store, &unfinished))
        return store_failed(call);
    if (unfinished >= JOBS_MAX)
        return rpc_fail(call, "unavailable", "%d jobs are waiting already: try again later", JOBS_MAX);
    return 0;
}

/* What guests on their way to being built were promised and have not taken yet. */
struct promise {
    struct xen_domain *domains;
    unsigned nr_domains;
    int64_t guests, vcpus, memory_mib;
};

static int promise_add(void *context, const struct instance *i)
{
    struct promise *p = context;

    if (i->state != STATE_PENDING && i->state != STATE_BUILDING)
        return 0;
    for (unsigned n = 0; n < p->nr_domains; n++)
        if (p->domains[n].pages && !memcmp(p->domains[n].uuid, i->domain_uuid, sizeof(i->domain_uuid)))
            return 0;
    p->guests++;
    p->vcpus += i->vcpus;
    p->memory_mib += i->memory_mib;
    return 0;
}

/* Whether it could start now, after those that were promised room before. The
 * job checks again when its turn comes. */
static int capacity_check(struct rpc_call *call, const struct flavor *f)
{
    struct promise p = { .domains = NULL };
    struct xen_host host;
    int rc;

    if (xen_domain_list(serve.xen, &p.domains, &p.nr_domains) || xen_host_read(serve.xen, &host)) {
        free(p.domains);
        return rpc_fail(call, "internal", "the hypervisor does not tell its capacity");
    }
    rc = store_instances(serve.store, NULL, promise_add, &p);
    free(p.domains);
    if (rc)
        return store_failed(call);
    if (host.pages_free < admission_pages(p.guests + 1, p.vcpus + f->vcpus, p.memory_mib + f->memory_mib))
        return rpc_fail(call, "capacity_unavailable", "flavor %s: %ju MiB of memory are free, %jd of them promised",
                        f->id, (uintmax_t)host.pages_free / 256, (intmax_t)p.memory_mib);
    if (host.slots_free <= (uint64_t)p.guests)
        return rpc_fail(call, "capacity_unavailable", "no meter slot is free");
    return 0;
}

static int cmdline_arg(struct rpc_call *call, const json_t *args, char *cmdline, size_t bytes)
{
    const char *text = "";
    struct json_why why;

    if (json_has(args, "cmdline") && json_string_length(json_object_get(args, "cmdline")) &&
        json_arg_string(args, "cmdline", CMDLINE_MAX, &text, &why))
        return bad(call, &why);
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at > 0x7e)
            return rpc_fail(call, "bad_request", "cmdline: only printable ASCII is allowed");
    snprintf(cmdline, bytes, "%s", text);
    return 0;
}

static int offer_find(struct rpc_call *call, const char *image_id, const char *flavor_id, const struct flavor **flavor)
{
    const struct image *image = catalog_image(serve.catalog, image_id);

    *flavor = catalog_flavor(serve.catalog, flavor_id);
    if (!image)
        return rpc_fail(call, "bad_request", "image: %s is not offered", image_id);
    if (!*flavor)
        return rpc_fail(call, "bad_request", "flavor: %s is not offered", flavor_id);
    if ((*flavor)->memory_mib < image->memory_mib_min)
        return rpc_fail(call, "bad_request", "flavor: %s has %jd MiB, image %s needs %jd", flavor_id,
                        (intmax_t)(*flavor)->memory_mib, image_id, (intmax_t)image->memory_mib_min);
    return 0;
}

static int instance_fill(struct rpc_call *call, const json_t *args, struct instance *i, const struct flavor **flavor)
{
    const char *instance_id, *account_id, *name, *image_id, *flavor_id;
    struct json_why why;

    if (id_arg(call, args, "instance_id", &instance_id) || id_arg(call, args, "account_id", &account_id))
        return -1;
    if (json_arg_string(args, "name", NAME_BYTES_MAX, &name, &why) ||
        json_arg_string(args, "image", 32, &image_id, &why) || json_arg_string(args, "flavor", 32, &flavor_id, &why))
        return bad(call, &why);
    if (offer_find(call, image_id, flavor_id, flavor))
        return -1;
    *i = (struct instance){ .vcpus = (*flavor)->vcpus, .memory_mib = (*flavor)->memory_mib,
                            .weight = (*flavor)->weight, .cap_percent = (*flavor)->cap_percent,
                            .state = STATE_PENDING, .desired_state = STATE_RUNNING, .created_ms = clock_wall_ms() };
    snprintf(i->instance_id, sizeof(i->instance_id), "%s", instance_id);
    snprintf(i->account_id, sizeof(i->account_id), "%s", account_id);
    snprintf(i->name, sizeof(i->name), "%s", name);
    snprintf(i->image, sizeof(i->image), "%s", image_id);
    snprintf(i->flavor, sizeof(i->flavor), "%s", flavor_id);
    uuid_make(i->domain_uuid);
    return cmdline_arg(call, args, i->cmdline, sizeof(i->cmdline));
}

static int instance_create(struct rpc_call *call, json_t *args, json_t **result)
{
    const struct flavor *flavor = NULL;
    struct instance instance;
    const char *job_id;
    struct job job, known;

    if (keys_check(call, args, "job_id instance_id account_id name image flavor cmdline") ||
        id_arg(call, args, "job_id", &job_id) || instance_fill(call, args, &instance, &flavor))
        return -1;
    job_fill(&job, job_id, instance.instance_id, "create");
    /* A request that was taken is answered again even when there is no more room for another. */
    if (store_job_find(serve.store, job_id, &known) != 1 && (queue_check(call) || capacity_check(call, flavor)))
        return -1;
    return job_add(call, &job, args, &instance, result);
}

/* The state that will be when the jobs in the queue have done what they are for. */
static int state_expected(const struct instance *i, enum state *state)
{
    struct job last;
    int rc = store_job_last(serve.store, i->instance_id, &last);
    const struct job_type *type = rc == 1 ? job_type_find(last.type) : NULL;

    *state = type ? type->after : i->state;
    return rc < 0 ? -1 : 0;
}

static int action_check(struct rpc_call *call, const char *instance_id, const struct job_type *type)
{
    struct instance instance;
    enum state expected;
    int rc = store_instance_find(serve.store, instance_id, &instance);

    if (!rc)
        return rpc_fail(call, "not_found", "instance_id: no instance %s", instance_id);
    if (rc < 0 || state_expected(&instance, &expected))
        return store_failed(call);
    if (expected == STATE_DELETED)
        return rpc_fail(call, "conflict", "the instance is deleted");
    if (!job_type_allowed(type, expected) && !(type->overrides && job_type_allowed(type, instance.state)))
        return rpc_fail(call, "conflict", "%s is not possible while the instance is %s", type->name,
                        state_names[expected]);
    return queue_check(call);
}

static int instance_action(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *job_id, *instance_id, *name;
    const struct job_type *type;
    struct json_why why;
    struct job job, known;

    if (keys_check(call, args, "job_id instance_id type") || id_arg(call, args, "job_id", &job_id) ||
        id_arg(call, args, "instance_id", &instance_id))
        return -1;
    if (json_arg_string(args, "type", 15, &name, &why))
        return bad(call, &why);
    type = job_type_find(name);
    if (!type || type->internal || !strcmp(name, "create"))
        return rpc_fail(call, "bad_request",
                        "type: must be start, shutdown, power_off, reboot, suspend, resume or delete");
    if (store_job_find(serve.store, job_id, &known) != 1 && action_check(call, instance_id, type))
        return -1;
    job_fill(&job, job_id, instance_id, name);
    return job_add(call, &job, args, NULL, result);
}

static int job_get(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *job_id;
    int64_t wait_ms = 0;
    struct json_why why;
    struct waiter *waiter;
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
    waiter = malloc(sizeof(*waiter));
    if (!waiter)
        return rpc_fail(call, "internal", "out of memory");
    *waiter = (struct waiter){ .next = waiters, .until_ms = now_ms() + wait_ms };
    snprintf(waiter->job_id, sizeof(waiter->job_id), "%s", job_id);
    waiter->call = rpc_defer(call);
    waiters = waiter;
    return 0;
}

int64_t control_waiters_run(void)
{
    int64_t now = now_ms(), next_ms = -1;

    for (struct waiter **at = &waiters; *at;) {
        struct waiter *w = *at;
        struct job job;
        bool found = store_job_find(serve.store, w->job_id, &job) == 1;

        if (found && job.status != JOB_SUCCEEDED && job.status != JOB_FAILED && w->until_ms > now) {
            if (next_ms < 0 || w->until_ms < next_ms)
                next_ms = w->until_ms;
            at = &w->next;
            continue;
        }
        if (found)
            rpc_finish(w->call, json_pack("{s:o}", "job", job_json(&job)), NULL, NULL);
        else
            rpc_finish(w->call, NULL, "unavailable", "the host's database cannot be used now");
        *at = w->next;
        free(w);
    }
    return next_ms < 0 ? -1 : next_ms - now;
}

/* Finds the instance that the arguments name. */
static int instance_arg(struct rpc_call *call, const json_t *args, struct instance *instance)
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

static int instance_get(struct rpc_call *call, json_t *args, json_t **result)
{
    struct instance instance;

    if (keys_check(call, args, "instance_id") || instance_arg(call, args, &instance))
        return -1;
    return finish_or_fail(call, json_pack("{s:o}", "instance", instance_json(&instance)), result);
}

static int instance_append(void *list, const struct instance *instance)
{
    return json_array_append_new(list, instance_json(instance));
}

static int instances_get(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account_id = NULL;
    json_t *list;

    if (keys_check(call, args, "account_id") ||
        (json_has(args, "account_id") && id_arg(call, args, "account_id", &account_id)))
        return -1;
    list = json_array();
    if (store_instances(serve.store, account_id, instance_append, list)) {
        json_decref(list);
        return store_failed(call);
    }
    return finish_or_fail(call, json_pack("{s:o}", "instances", list), result);
}

static int console_log(struct rpc_call *call, json_t *args, json_t **result)
{
    int64_t offset = -1, limit = CONSOLE_DEFAULT;
    struct instance instance;
    struct json_why why;
    json_t *part;

    if (keys_check(call, args, "instance_id offset limit"))
        return -1;
    if ((json_has(args, "offset") && json_arg_int(args, "offset", 0, INT64_MAX / 2, &offset, &why)) ||
        (json_has(args, "limit") && json_arg_int(args, "limit", 1, 1 << 24, &limit, &why)))
        return bad(call, &why);
    if (instance_arg(call, args, &instance))
        return -1;
    /* A line of the socket has an end, and a control character becomes six bytes in it. */
    limit = limit < CONSOLE_READ_MAX ? limit : CONSOLE_READ_MAX;
    part = console_read(serve.console_dir, instance.instance_id, offset, limit);
    if (!part)
        return rpc_fail(call, "internal", "the console log cannot be read: %s", strerror(errno));
    *result = part;
    return 0;
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
    { "instance", instance_get, RPC_API | RPC_ROOT },
    { "instances", instances_get, RPC_API | RPC_ROOT },
    { "console_log", console_log, RPC_API | RPC_ROOT },
    { "tombstone_ack", tombstone_ack, RPC_ACCOUNTD | RPC_ROOT },
    { NULL, NULL, 0 },
};

struct rpc_server *control_open(const struct serve *with, const char *socket_path)
{
    serve = *with;
    return rpc_server_new(socket_path, 0666, verbs);
}
