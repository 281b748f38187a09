/* What accountd says of money (control.h): who may run. The guests are paused
 * here, at once, and not by a job: the worker may be busy for long. The word is
 * stored between two looks at the domains, so that one which the worker lets
 * loose meanwhile is caught, by us or by guest_let_run. */
#include "provisioner/verbs.h"
#include "common/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INSTANCES_MAX 512

struct guests {
    struct xen_domain *domains;
    unsigned count;
};

static const struct xen_domain *guest_of(const struct guests *g, const struct instance *i)
{
    for (unsigned n = 0; n < g->count; n++)
        if (!g->domains[n].dying && !memcmp(g->domains[n].uuid, i->domain_uuid, sizeof(i->domain_uuid)))
            return &g->domains[n];
    return NULL;
}

/* Who ends meanwhile does not run either. */
static int pause_one(const struct guests *g, const char *instance_id)
{
    const struct xen_domain *d;
    struct instance i;
    int rc = store_instance_find(serve.store, instance_id, &i);

    if (rc <= 0)
        return rc;
    d = guest_of(g, &i);
    rc = d && !d->paused ? xen_domain_pause(serve.xen, d->domid) : 0;
    if (!rc || rc == -ESRCH)
        return 0;
    log_warnx("instance %s: unpaid, but it cannot be paused: %s", instance_id, strerror(-rc));
    return -1;
}

static int pause_all(const json_t *ids)
{
    struct guests g;
    const json_t *id;
    size_t n;
    int rc = 0;

    if (xen_domain_list(serve.xen, &g.domains, &g.count))
        return -1;
    json_array_foreach(ids, n, id)
        rc |= pause_one(&g, json_string_value(id));
    free(g.domains);
    return rc;
}

/* Adds the job that brings it about, unless one is under way. */
static int end_one(const struct instance *i, const char *type)
{
    const struct job_type *last_type;
    struct job last;
    int rc = store_job_last(serve.store, i->instance_id, INT64_MAX, &last);

    last_type = rc == 1 ? job_type_find(last.type) : NULL;
    if (rc < 0 || (last_type && (!strcmp(last.type, type) || last_type->after == STATE_DELETED)))
        return rc < 0 ? -1 : 0;
    rc = job_add_internal(serve.store, type, i->instance_id, "");
    serve_wake_worker(&serve);
    return rc;
}

/* Whether it is so now: 1, 0, -1. */
static int want_one(const struct guests *g, const char *want, const struct instance *i)
{
    const struct xen_domain *d = guest_of(g, i);
    bool gone = i->state == STATE_DELETED;

    if (!strcmp(want, "run"))
        return gone || i->state != STATE_RUNNING || !d || !d->paused;
    if (!strcmp(want, "suspend"))
        return gone || !d || d->paused;
    if (!strcmp(want, "stop"))
        return job_type_allowed(job_type_find("unpaid_stop"), i->state) ? end_one(i, "unpaid_stop") : 1;
    return gone ? 1 : end_one(i, "unpaid_delete");
}

static json_t *want_all(const char *want, const json_t *ids)
{
    json_t *answers = json_array();
    struct instance i;
    struct guests g;
    const json_t *id;
    size_t n;
    int rc = xen_domain_list(serve.xen, &g.domains, &g.count) ? -1 : 0;

    if (rc)
        g.domains = NULL;
    json_array_foreach(ids, n, id) {
        rc = rc < 0 ? rc : store_instance_find(serve.store, json_string_value(id), &i);
        if (rc >= 0)
            rc = rc ? want_one(&g, want, &i) : 1;
        if (rc < 0)
            break;
        json_array_append_new(answers, json_pack("{s:O, s:b}", "instance_id", id, "done", rc));
    }
    free(g.domains);
    if (rc >= 0)
        return answers;
    json_decref(answers);
    return NULL;
}

static int ids_arg(struct rpc_call *call, const json_t *args, const json_t **ids)
{
    const json_t *id;
    size_t n;

    *ids = json_object_get(args, "instance_ids");
    if (!json_is_array(*ids) || json_array_size(*ids) > INSTANCES_MAX)
        return rpc_fail(call, "bad_request", "instance_ids: must be a list of at most %d ids", INSTANCES_MAX);
    json_array_foreach(*ids, n, id)
        if (!json_is_string(id) || id_check(call, "instance_ids", json_string_value(id)))
            return json_is_string(id) ? -1 : rpc_fail(call, "bad_request", "instance_ids: [%zu] is not an id", n);
    return 0;
}

int billing_want(struct rpc_call *call, json_t *args, json_t **result)
{
    const json_t *ids;
    const char *want, *by = "money";
    struct json_why why;
    json_t *answers;
    bool run;

    if (keys_check(call, args, "want instance_ids by") || ids_arg(call, args, &ids))
        return -1;
    if (json_arg_string(args, "want", 8, &want, &why) ||
        (json_has(args, "by") && json_arg_string(args, "by", 8, &by, &why)))
        return bad(call, &why);
    if (strcmp(by, "money") && strcmp(by, "operator"))
        return rpc_fail(call, "bad_request", "by: must be money or operator");
    run = !strcmp(want, "run");
    if (!run && strcmp(want, "suspend") && strcmp(want, "stop") && strcmp(want, "delete"))
        return rpc_fail(call, "bad_request", "want: must be run, suspend, stop or delete");
    if (!run && pause_all(ids))
        return rpc_fail(call, "internal", "not all could be paused: see the provisioner's log");
    if (store_unpaid_put(serve.store, ids, !run, !run && !strcmp(by, "operator")))
        return store_failed(call);
    if (run) {
        atomic_store(&serve.worker->settle, true);
        serve_wake_worker(&serve);
    } else if (pause_all(ids)) {
        return rpc_fail(call, "internal", "not all could be paused: see the provisioner's log");
    }
    answers = want_all(want, ids);
    return answers ? finish_or_fail(call, json_pack("{s:o}", "instances", answers), result) : store_failed(call);
}
