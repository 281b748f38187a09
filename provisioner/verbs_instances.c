/* The verbs about instances (control.h). */
#include "provisioner/verbs.h"
#include "provisioner/console.h"
#include "provisioner/uuid.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOBS_MAX            512         /* unfinished, of all customers */
#define CMDLINE_MAX         512
#define JOBS_PAGE_MAX       200
#define CONSOLE_DEFAULT     (16 << 10)
#define KEYS_MAX            16
#define KEY_BYTES_MAX       4096
#define USER_DATA_MAX       16384
#define FORWARDS_ASKED_MAX  16
#define UNPAID "the money is gone: its memory is kept, and it goes on when there is money again"
#define BARRED "suspended by the operator of this host: it costs nothing, its memory is kept; ask them"

static int volumes_append(json_t *list, const char *instance_id)
{
    struct volume v[STORE_DISKS_MAX];
    int count = store_volumes_of(serve.store, instance_id, v);

    for (int n = 0; n < count; n++) {
        char device[5];

        device_name(&v[n], device);
        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:b}", "volume_id", v[n].volume_id, "device", device,
                                              "read_only", (int)v[n].read_only, "root", (int)v[n].root));
    }
    return count < 0 ? -1 : 0;
}

static int forward_append(void *list, const struct forward *f)
{
    return json_array_append_new(list, forward_json(f));
}

/* What belongs to it comes from other tables. */
static int belongings_add(json_t *instance, const char *instance_id)
{
    json_t *volumes = json_array(), *addresses = json_array(), *forwards = json_array();
    struct nic nic;
    int rc = store_nic_find(serve.store, instance_id, &nic);

    if (rc == 1)
        json_array_append_new(addresses, nic_json(&nic));
    rc = rc < 0 || volumes_append(volumes, instance_id) ||
         store_forwards(serve.store, instance_id, forward_append, forwards);
    json_object_set_new(instance, "volumes", volumes);
    json_object_set_new(instance, "addresses", addresses);
    json_object_set_new(instance, "forwards", forwards);
    return rc ? -1 : 0;
}

static json_t *instance_json(const struct instance *i)
{
    json_t *out;
    char uuid[UUID_TEXT_BYTES];
    bool held = i->unpaid && (i->state == STATE_RUNNING || i->state == STATE_SUSPENDED);
    bool ready =
        !held && i->state == STATE_RUNNING && console_size(serve.console_dir, i->instance_id) > i->console_start;

    uuid_text(i->domain_uuid, uuid);
    out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:b, s:I, s:s, s:s, s:I, s:I}", "instance_id",
                    i->instance_id, "account_id", i->account_id, "name", i->name, "image", i->image, "flavor",
                    i->flavor, "vcpus", (json_int_t)i->vcpus, "memory_mib", (json_int_t)i->memory_mib, "state",
                    held ? "billing_suspended" : state_names[i->state], "desired_state", state_names[i->desired_state],
                    "state_reason", held ? i->barred ? BARRED : UNPAID : i->state_reason, "ready", ready, "domid", (json_int_t)i->domid,
                    "domain_uuid", uuid, "incarnation", i->incarnation, "created_ms", (json_int_t)i->created_ms,
                    "started_ms", (json_int_t)i->started_ms);
    if (*i->purchase_order_id)
        json_object_set_new(out, "purchase_order_id", json_string(i->purchase_order_id));
    if (out && belongings_add(out, i->instance_id)) {
        json_decref(out);
        out = NULL;
    }
    return out;
}

/* Adds the job and answers with it, or with the one that has this id already. */
static int job_add(struct rpc_call *call, struct job *job, const json_t *args, const struct order *order,
                   json_t **result)
{
    char *request = json_canonical(args);
    struct refusal refusal;
    int rc = request ? store_job_add(serve.store, job, request, order, &refusal) : -1;

    free(request);
    if (rc < 0)
        return not_taken(call, rc, &refusal);
    if (rc == 1)
        serve_wake_worker(&serve);
    return finish_or_fail(call, json_pack("{s:o}", "job", job_json(job)), result);
}

static void job_fill(struct job *job, const char *job_id, const char *instance_id, const char *type)
{
    *job = (struct job){ .status = JOB_QUEUED, .failed_step = -1, .created_ms = clock_unix_ms() };
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

static int offer_find(struct rpc_call *call, const char *image_id, const char *flavor_id, const struct image **image,
                      const struct flavor **flavor)
{
    *image = catalog_image(serve.catalog, image_id);
    *flavor = catalog_flavor(serve.catalog, flavor_id);
    if (!*image)
        return rpc_fail(call, "bad_request", "image: %s is not offered", image_id);
    if (!(*image)->available)
        return rpc_fail(call, "capacity_unavailable", "image: %s is not on this host", image_id);
    if (!*flavor)
        return rpc_fail(call, "bad_request", "flavor: %s is not offered", flavor_id);
    if ((*flavor)->memory_mib < (*image)->memory_mib_min)
        return rpc_fail(call, "bad_request", "flavor: %s has %jd MiB, image %s needs %jd", flavor_id,
                        (intmax_t)(*flavor)->memory_mib, image_id, (intmax_t)(*image)->memory_mib_min);
    return 0;
}

static int instance_fill(struct rpc_call *call, const json_t *args, struct instance *i, const struct image **image,
                         const struct flavor **flavor)
{
    const char *instance_id, *account_id, *name, *image_id, *flavor_id, *purchase_order_id;
    struct json_why why;

    if (id_arg(call, args, "instance_id", &instance_id) || id_arg(call, args, "account_id", &account_id))
        return -1;
    if (name_arg(call, args, &name))
        return -1;
    if (json_arg_string(args, "image", 32, &image_id, &why) || json_arg_string(args, "flavor", 32, &flavor_id, &why))
        return bad(call, &why);
    if (offer_find(call, image_id, flavor_id, image, flavor))
        return -1;
    *i = (struct instance){ .state = STATE_PENDING, .desired_state = STATE_RUNNING, .created_ms = clock_unix_ms() };
    snprintf(i->instance_id, sizeof(i->instance_id), "%s", instance_id);
    snprintf(i->account_id, sizeof(i->account_id), "%s", account_id);
    snprintf(i->name, sizeof(i->name), "%s", name);
    snprintf(i->image, sizeof(i->image), "%s", image_id);
    instance_fit(i, *flavor);
    uuid_make(i->domain_uuid);
    if (json_has(args, "purchase_order_id")) {
        if (id_arg(call, args, "purchase_order_id", &purchase_order_id))
            return -1;
        snprintf(i->purchase_order_id, sizeof(i->purchase_order_id), "%s", purchase_order_id);
    }
    return cmdline_arg(call, args, i->cmdline, sizeof(i->cmdline));
}

/* What an order's lists and texts are made of; freed by gifts_free. */
struct gifts {
    struct order order;
    struct volume root;
    const char *volume_ids[STORE_DISKS_MAX];
    struct forward forwards[FORWARDS_ASKED_MAX];
    char *ssh_keys;
};

static int root_arg(struct rpc_call *call, const json_t *args, const struct instance *i, const struct image *image,
                    struct gifts *g)
{
    const char *volume_id;
    struct json_why why;

    if (!image->disk_path) {
        if (json_has(args, "volume_id") || json_has(args, "disk_mib"))
            return rpc_fail(call, "bad_request", "disk_mib: image %s has no disk", image->id);
        return 0;
    }
    if (id_arg(call, args, "volume_id", &volume_id))
        return -1;
    g->root = (struct volume){ .size_mib = image->disk_mib_min, .device = STORE_DEVICE_FIRST, .root = true,
                               .created_ms = i->created_ms };
    if (json_has(args, "disk_mib") && json_arg_int(args, "disk_mib", image->disk_mib_min, VOLUME_MIB_MAX,
                                                   &g->root.size_mib, &why))
        return bad(call, &why);
    snprintf(g->root.volume_id, sizeof(g->root.volume_id), "%s", volume_id);
    snprintf(g->root.account_id, sizeof(g->root.account_id), "%s", i->account_id);
    snprintf(g->root.name, sizeof(g->root.name), "%s", i->name);
    snprintf(g->root.image, sizeof(g->root.image), "%s", image->id);
    snprintf(g->root.instance_id, sizeof(g->root.instance_id), "%s", i->instance_id);
    g->order.root = &g->root;
    return 0;
}

static int volumes_arg(struct rpc_call *call, const json_t *args, struct gifts *g)
{
    const json_t *list = json_object_get(args, "volumes"), *id;
    size_t n;

    if (list && (!json_is_array(list) || json_array_size(list) > STORE_DISKS_MAX))
        return rpc_fail(call, "bad_request", "volumes: must be a list of at most %u ids", STORE_DISKS_MAX);
    json_array_foreach(list, n, id) {
        if (!json_is_string(id) || id_check(call, "volumes", json_string_value(id)))
            return json_is_string(id) ? -1 : rpc_fail(call, "bad_request", "volumes: must be a list of ids");
        g->volume_ids[n] = json_string_value(id);
    }
    g->order.volume_ids = g->volume_ids;
    g->order.nr_volumes = json_array_size(list);
    return 0;
}

static int forwards_arg(struct rpc_call *call, const json_t *args, struct gifts *g)
{
    const json_t *list = json_object_get(args, "forwards"), *row;
    size_t n;

    if (list && (!json_is_array(list) || json_array_size(list) > FORWARDS_ASKED_MAX))
        return rpc_fail(call, "bad_request", "forwards: must be a list of at most %d objects", FORWARDS_ASKED_MAX);
    json_array_foreach(list, n, row) {
        const char *forward_id;
        struct json_why why;

        if (!json_is_object(row) || keys_check(call, row, "forward_id guest_port") ||
            id_arg(call, row, "forward_id", &forward_id))
            return json_is_object(row) ? -1 : rpc_fail(call, "bad_request", "forwards: must be a list of objects");
        if (json_arg_int(row, "guest_port", 1, 65535, &g->forwards[n].guest_port, &why))
            return bad(call, &why);
        snprintf(g->forwards[n].forward_id, sizeof(g->forwards[n].forward_id), "%s", forward_id);
    }
    if (json_array_size(list) && !g->order.network)
        return rpc_fail(call, "bad_request", "forwards: the instance has no network");
    g->order.forwards = g->forwards;
    g->order.nr_forwards = json_array_size(list);
    return 0;
}

static bool is_key_line(const json_t *line)
{
    const char *text = json_string_value(line);
    size_t len = json_string_length(line);

    if (!text || !len || len > KEY_BYTES_MAX || strlen(text) != len || strchr("# ", *text))
        return false;
    for (; *text; text++)
        if (iscntrl((unsigned char)*text))
            return false;
    return true;
}

/* A guest with a disk of its own is told its name in any case. */
static int seed_arg(struct rpc_call *call, const json_t *args, const struct image *image, struct gifts *g)
{
    const json_t *keys = json_object_get(args, "ssh_keys"), *data = json_object_get(args, "user_data"), *line;
    size_t n;

    if (keys && (!json_is_array(keys) || json_array_size(keys) > KEYS_MAX))
        return rpc_fail(call, "bad_request", "ssh_keys: must be a list of at most %d lines", KEYS_MAX);
    json_array_foreach(keys, n, line)
        if (!is_key_line(line))
            return rpc_fail(call, "bad_request", "ssh_keys: [%zu] is not a line of authorized_keys", n);
    if (data && (!json_is_string(data) || json_string_length(data) > USER_DATA_MAX ||
                 strlen(json_string_value(data)) != json_string_length(data)))
        return rpc_fail(call, "bad_request", "user_data: must be a text of at most %d bytes", USER_DATA_MAX);
    if (!image->disk_path && !keys && !data)
        return 0;
    g->ssh_keys = keys ? json_dumps(keys, JSON_COMPACT) : strdup("[]");
    if (!g->ssh_keys)
        return rpc_fail(call, "internal", "out of memory");
    g->order.ssh_keys = g->ssh_keys;
    g->order.user_data = data ? json_string_value(data) : "";
    return 0;
}

static int gifts_arg(struct rpc_call *call, const json_t *args, const struct instance *i, const struct image *image,
                     struct gifts *g)
{
    struct json_why why;

    *g = (struct gifts){ .order = { .instance = i, .network = image->disk_path } };
    if (json_has(args, "network") && json_arg_bool(args, "network", &g->order.network, &why))
        return bad(call, &why);
    if (root_arg(call, args, i, image, g) || volumes_arg(call, args, g) || forwards_arg(call, args, g))
        return -1;
    return seed_arg(call, args, image, g);
}

static int order_place(struct rpc_call *call, const json_t *args, struct job *job, const struct flavor *flavor,
                       struct gifts *g, json_t **result)
{
    struct limits limits;
    struct job known;

    if (limits_read(call, &limits))
        return -1;
    g->order.limits = &limits;
    /* A request that was taken is answered again even when there is no more room for another. */
    if (store_job_find(serve.store, job->job_id, &known) != 1 && (queue_check(call) || capacity_check(call, flavor)))
        return -1;
    return job_add(call, job, args, &g->order, result);
}

int instance_create(struct rpc_call *call, json_t *args, json_t **result)
{
    const struct flavor *flavor = NULL;
    const struct image *image = NULL;
    struct instance instance;
    const char *job_id;
    struct gifts gifts = { .ssh_keys = NULL };
    struct job job;
    int rc;

    if (keys_check(call, args,
                   "job_id instance_id account_id name image flavor cmdline volume_id disk_mib volumes network "
                   "ssh_keys user_data forwards purchase_order_id") ||
        id_arg(call, args, "job_id", &job_id) || instance_fill(call, args, &instance, &image, &flavor))
        return -1;
    job_fill(&job, job_id, instance.instance_id, "create");
    rc = gifts_arg(call, args, &instance, image, &gifts);
    if (!rc)
        rc = order_place(call, args, &job, flavor, &gifts, result);
    free(gifts.ssh_keys);
    return rc;
}

/* The state that will be when the jobs in the queue have done what they are for. */
static int state_expected(const struct instance *i, enum state *state)
{
    const struct job_type *type = NULL;
    struct job last = { .number = INT64_MAX };
    int rc;

    while ((rc = store_job_last(serve.store, i->instance_id, last.number, &last)) == 1) {
        type = job_type_find(last.type);
        if (!type || !type->keeps)
            break;
        type = NULL;
    }
    *state = type ? type->after : i->state;
    return rc < 0 ? -1 : 0;
}

/* What is unpaid does not run again before it is paid, and while it is paused it obeys nobody. */
static int unpaid_check(struct rpc_call *call, const struct instance *i, const struct job_type *type)
{
    if (i->unpaid && !strcmp(type->name, "shutdown"))
        return rpc_fail(call, "conflict",
                        "shutdown is not possible while the instance is billing_suspended: use power_off");
    if (!i->unpaid || type->keeps || type->after != STATE_RUNNING)
        return 0;
    if (i->barred)
        return rpc_fail(call, "forbidden", "instance %s: suspended by the operator of this host: ask them",
                        i->instance_id);
    return rpc_fail(call, "insufficient_funds", "instance %s: its money is gone: top up what pays for it",
                    i->instance_id);
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
    if (unpaid_check(call, &instance, type))
        return -1;
    if (!job_type_allowed(type, expected) && !(type->overrides && job_type_allowed(type, instance.state)))
        return rpc_fail(call, "conflict", "%s is not possible while the instance is %s", type->name,
                        state_names[expected]);
    return queue_check(call);
}

/* The volume of attach and detach, and whether it can be. */
static int volume_check(struct rpc_call *call, const json_t *args, struct job *job)
{
    bool attach = !strcmp(job->type, "attach");
    const char *volume_id;
    struct volume v;
    int rc;

    if (id_arg(call, args, "volume_id", &volume_id))
        return -1;
    snprintf(job->volume_id, sizeof(job->volume_id), "%s", volume_id);
    if (attach)
        return 0;                       /* decided when it is claimed */
    rc = store_volume_find(serve.store, volume_id, &v);
    if (rc < 0)
        return store_failed(call);
    if (!rc || v.state == FILE_DELETED)
        return rpc_fail(call, "not_found", "volume_id: no volume %s", volume_id);
    if (strcmp(v.instance_id, job->instance_id))
        return rpc_fail(call, "conflict", "volume %s is not attached to this instance", volume_id);
    if (v.root)
        return rpc_fail(call, "conflict", "volume %s is the instance's root: it goes with the instance", volume_id);
    return 0;
}

/* Image and flavor fit each other, and a disk that is there is made anew with its size. */
static int change_check(struct rpc_call *call, const json_t *args, struct job *job)
{
    bool resize = !strcmp(job->type, "resize");
    const char *id;
    const struct image *image;
    const struct flavor *flavor;
    struct volume v[STORE_DISKS_MAX];
    struct instance i;
    struct json_why why;
    int count;

    if (json_arg_string(args, resize ? "flavor" : "image", 32, &id, &why))
        return bad(call, &why);
    if (instance_arg(call, args, &i))
        return -1;
    if (offer_find(call, resize ? i.image : id, resize ? id : i.flavor, &image, &flavor))
        return -1;
    count = resize ? 0 : store_volumes_of(serve.store, i.instance_id, v);
    if (count < 0)
        return store_failed(call);
    if (resize)
        return 0;
    if (!image->disk_path != !(count && v[0].root))
        return rpc_fail(call, "bad_request", "image: %s %s", id, image->disk_path ? "needs a disk, and the instance has none"
                                                                                  : "has no disk, and the instance has one");
    if (image->disk_path && v[0].size_mib < image->disk_mib_min)
        return rpc_fail(call, "bad_request", "image: %s needs a disk of %jd MiB, the instance's has %jd: let it grow first", id,
                        (intmax_t)image->disk_mib_min, (intmax_t)v[0].size_mib);
    return 0;
}

/* What an action takes beside its type, and who checks it. */
static const struct {
    const char *type, *keys;
    int (*check)(struct rpc_call *call, const json_t *args, struct job *job);
} kinds[] = {
    { "attach", "job_id instance_id type volume_id read_only", volume_check },
    { "detach", "job_id instance_id type volume_id", volume_check },
    { "resize", "job_id instance_id type flavor", change_check },
    { "rebuild", "job_id instance_id type image", change_check },
    { NULL, "job_id instance_id type", NULL },
};

static unsigned kind_of(const char *type)
{
    unsigned n = 0;

    while (kinds[n].type && strcmp(kinds[n].type, type))
        n++;
    return n;
}

static int action_add(struct rpc_call *call, const json_t *args, const struct job_type *type, struct job *job,
                      json_t **result)
{
    struct order order = { .attach = !strcmp(type->name, "attach") };
    unsigned kind = kind_of(type->name);
    struct json_why why;
    struct job known;
    bool is_known = store_job_find(serve.store, job->job_id, &known) == 1;

    if (order.attach && json_has(args, "read_only") && json_arg_bool(args, "read_only", &order.read_only, &why))
        return bad(call, &why);
    if (!is_known && (action_check(call, job->instance_id, type) || (kinds[kind].check && kinds[kind].check(call, args, job))))
        return -1;
    return job_add(call, job, args, order.attach ? &order : NULL, result);
}

int instance_action(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *job_id, *instance_id, *name;
    const struct job_type *type;
    struct json_why why;
    struct job job;

    if (json_arg_string(args, "type", 15, &name, &why))
        return bad(call, &why);
    if (keys_check(call, args, kinds[kind_of(name)].keys) || id_arg(call, args, "job_id", &job_id) ||
        id_arg(call, args, "instance_id", &instance_id))
        return -1;
    type = job_type_find(name);
    if (!type || type->internal || !strcmp(name, "create"))
        return rpc_fail(call, "bad_request", "type: must be start, shutdown, power_off, reboot, suspend, resume, delete, attach, "
                                             "detach, resize or rebuild");
    job_fill(&job, job_id, instance_id, name);
    return action_add(call, args, type, &job, result);
}

static int job_append(void *list, const struct job *job)
{
    json_t *row = job_json(job);

    json_object_set_new(row, "number", json_integer((json_int_t)job->number));
    return json_array_append_new(list, row);
}

int jobs_get(struct rpc_call *call, json_t *args, json_t **result)
{
    int64_t before = INT64_MAX, limit = JOBS_PAGE_MAX;
    struct instance instance;
    struct json_why why;
    json_t *list;

    if (keys_check(call, args, "instance_id before limit") || instance_arg(call, args, &instance))
        return -1;
    if ((json_has(args, "before") && json_arg_int(args, "before", 1, INT64_MAX, &before, &why)) ||
        (json_has(args, "limit") && json_arg_int(args, "limit", 1, JOBS_PAGE_MAX, &limit, &why)))
        return bad(call, &why);
    list = json_array();
    if (store_jobs(serve.store, instance.instance_id, before, limit, job_append, list)) {
        json_decref(list);
        return store_failed(call);
    }
    return finish_or_fail(call, json_pack("{s:o}", "jobs", list), result);
}

int instance_get(struct rpc_call *call, json_t *args, json_t **result)
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

int instances_get(struct rpc_call *call, json_t *args, json_t **result)
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

int console_log(struct rpc_call *call, json_t *args, json_t **result)
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
