/* Instances: api.db knows whose they are and what was asked for, the
 * provisioner what they are now, accountd which meters run. */
#include "api/instances.h"
#include "api/labels.h"
#include "api/api.h"
#include "api/networks.h"
#include "api/present.h"
#include "api/resources.h"
#include "api/upstream.h"

#include <stdlib.h>
#include <string.h>

#define METERS_TIMEOUT_MS 2000          /* an instance is shown without its meters rather than late */

enum answer instance_find(struct request *rq, struct reply *rp, const char *instance_id, struct instance_row *row)
{
    int rc = 0;

    if (id_valid("ins_", instance_id))
        rc = store_instance_get(rq->api->store, rq->who.account_id, instance_id, row);
    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "the instance cannot be looked up");
    if (rc == 0 || !principal_sees(&rq->who, row->project_id))
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such instance");
    return ANSWER_OK;
}

enum answer instance_own(struct request *rq, struct reply *rp, struct instance_row *row)
{
    return instance_find(rq, rp, rq->param, row);
}

enum answer instance_live(struct request *rq, struct reply *rp, const char *instance_id, json_t **live)
{
    json_t *ok;
    enum answer answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "instance",
                                      json_pack("{s:s}", "instance_id", instance_id), &ok);

    *live = NULL;
    if (answer == ANSWER_NOT_FOUND) {
        rp->detail[0] = 0;
        return ANSWER_OK;
    }
    if (answer == ANSWER_OK)
        *live = json_incref(json_object_get(ok, "instance"));
    json_decref(ok);
    return answer;
}

/* What the provisioner did not name: the job is on its way, or all is over. A delete that was
 * ordered after this request began proves nothing: the provisioner may have been asked before it. */
static const char *state_alone(struct request *rq, const struct instance_row *row)
{
    struct action_row action;

    if (row->gone_ms || (store_action_last(rq->api->store, row->instance_id, "delete", &action) == 1 &&
                         action.created_ms < rq->now_ms))
        return "deleted";
    return "pending";
}

static const char *text_or(const json_t *object, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : fallback;
}

static json_int_t number_or(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *number = json_object_get(object, key);

    return number ? json_integer_value(number) : fallback;
}

static const char *state_of(struct request *rq, const struct instance_row *row, const json_t *live)
{
    return live ? text_or(live, "state", "pending") : state_alone(rq, row);
}

static json_t *attachments_view(const json_t *live)
{
    json_t *list = json_array(), *volume;
    size_t i;

    json_array_foreach(json_object_get(live, "volumes"), i, volume)
        json_array_append_new(list, present_thing(volume, "volume_id"));
    return list;
}

json_t *instance_view(struct request *rq, const struct instance_row *row, const json_t *live, json_t *meters)
{
    const char *state = state_of(rq, row, live);
    bool over = strcmp(state, "deleted") == 0;
    json_t *view;

    /* A resize and a rebuild are the provisioner's to finish: its word on what it has become. */
    view = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:b, s:o, s:o, s:O?, s:o, s:o, s:o, s:o}", "id",
                     row->instance_id, "name", row->name, "image", text_or(live, "image", row->image), "flavor",
                     text_or(live, "flavor", row->flavor), "vcpus", number_or(live, "vcpus", row->vcpus), "memory_mib",
                     number_or(live, "memory_mib", row->memory_mib), "state", state, "desired_state",
                     text_or(live, "desired_state", over ? "deleted" : "running"), "state_reason",
                     text_or(live, "state_reason", ""), "ready", json_is_true(json_object_get(live, "ready")),
                     "created_at", time_json(row->created_ms), "started_at",
                     time_json(json_integer_value(json_object_get(live, "started_ms"))), "meters_running", meters,
                     "volumes", attachments_view(live), "addresses", addresses_view(live), "forwards",
                     forwards_view(live), "ssh", ssh_view(live));
    json_object_set_new(view, "labels", labels_json(row->labels));
    json_object_set_new(view, "project_id", json_string(row->project_id));
    return view;
}

/* accountd's usage by instance id; an unanswered question is no error here. */
static json_t *meters_ask(struct request *rq, const char *instance_id)
{
    struct reply ignored;
    json_t *ok = NULL, *by_id, *entry;
    json_t *args = json_pack("{s:s}", "account_id", rq->who.account_id);
    size_t i;

    json_object_set_new(args, instance_id ? "instance_id" : "open", instance_id ? json_string(instance_id) : json_true());
    reply_start(&ignored);
    upstream_ask_within(rq, &ignored, DAEMON_ACCOUNTD, "usage", args, METERS_TIMEOUT_MS, &ok);
    reply_free(&ignored);
    by_id = ok ? json_object() : NULL;
    json_array_foreach(json_object_get(ok, "instances"), i, entry)
        json_object_set(by_id, text_or(entry, "instance_id", ""), json_object_get(entry, "meters_running"));
    json_decref(ok);
    return by_id;
}

static void meters_add(json_t *meters, const json_t *devices, const char *const *names)
{
    for (; json_array_size(devices) && *names; names++)
        json_array_append_new(meters, json_string(*names));
}

/* New reference: what runs for this instance, [] if nothing, NULL if unknown. accountd names what time
 * alone costs; what its disks and its address do is billed too, as it happens. */
static json_t *meters_of(const json_t *by_id, const char *instance_id, const json_t *live)
{
    static const char *const disk[] = { "disk_ops", "disk_bytes", NULL };
    static const char *const network[] = { "net_packets", "net_bytes_out", "net_bytes_in", NULL };
    json_t *meters = json_copy(json_object_get(by_id, instance_id));

    if (!by_id)
        return NULL;
    if (json_array_size(meters)) {
        meters_add(meters, json_object_get(live, "volumes"), disk);
        meters_add(meters, json_object_get(live, "addresses"), network);
    }
    return meters ? meters : json_array();
}

static json_t *view_with_meters(struct request *rq, const struct instance_row *row, const json_t *live,
                                const json_t *by_id)
{
    json_t *meters = meters_of(by_id, row->instance_id, live);
    json_t *view = instance_view(rq, row, live, meters);

    json_decref(meters);
    return view;
}

/* What was seen now is remembered: a job that ended although its answer was
 * lost becomes visible, a deleted instance leaves the lists. */
static void remember(struct request *rq, const struct instance_row *row, const json_t *live, const char *state)
{
    if (live && !row->confirmed)
        store_instance_confirm(rq->api->store, row->instance_id);
    if (!row->gone_ms && strcmp(state, "deleted") == 0)
        store_instance_gone(rq->api->store, row->instance_id, rq->now_ms);
}

enum answer instance_show(struct request *rq, struct reply *rp)
{
    struct instance_row row;
    json_t *live = NULL, *by_id;
    enum answer answer = instance_own(rq, rp, &row);

    if (answer == ANSWER_OK)
        answer = instance_live(rq, rp, row.instance_id, &live);
    if (answer != ANSWER_OK)
        return answer;
    if (!live && !row.confirmed)
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such instance");
    remember(rq, &row, live, state_of(rq, &row, live));
    by_id = meters_ask(rq, row.instance_id);
    rp->json = view_with_meters(rq, &row, live, by_id);
    revision_tag(row.revision, rp->etag);
    json_decref(by_id);
    json_decref(live);
    return ANSWER_OK;
}

static json_t *live_by_id(const json_t *instances)
{
    json_t *by_id = json_object(), *live;
    size_t i;

    json_array_foreach(instances, i, live)
        json_object_set(by_id, text_or(live, "instance_id", ""), live);
    return by_id;
}

/* The caller's instances, each with its live state; forgets the deleted. */
static enum answer list_make(struct request *rq, struct reply *rp, const json_t *live, const char *selector,
                             json_t **list)
{
    struct instance_row *rows;
    size_t count;
    json_t *meters;

    if (store_instances(rq->api->store, rq->who.account_id, &rows, &count) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "instances cannot be looked up");
    meters = meters_ask(rq, NULL);
    *list = json_array();
    for (size_t i = 0; i < count; i++) {
        const json_t *now = json_object_get(live, rows[i].instance_id);
        const char *state = state_of(rq, &rows[i], now);

        /* The provisioner's list leaves out what is deleted. */
        remember(rq, &rows[i], now, state);
        if ((now || rows[i].confirmed) && strcmp(state, "deleted") != 0 && labels_match(rows[i].labels, selector) &&
            principal_sees(&rq->who, rows[i].project_id))
            json_array_append_new(*list, view_with_meters(rq, &rows[i], now, meters));
    }
    json_decref(meters);
    free(rows);
    return ANSWER_OK;
}

enum answer instances_list(struct request *rq, struct reply *rp)
{
    json_t *ok = NULL, *live, *list = NULL;
    const char *selector;
    enum answer answer = request_query_text(rq, rp, "label", selector_valid, "must be like key or key=value", &selector);

    if (answer == ANSWER_OK)
        answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "instances",
                              json_pack("{s:s}", "account_id", rq->who.account_id), &ok);
    if (answer != ANSWER_OK)
        return answer;
    live = live_by_id(json_object_get(ok, "instances"));
    answer = list_make(rq, rp, live, selector, &list);
    if (answer == ANSWER_OK)
        rp->json = present_page(list);
    json_decref(live);
    json_decref(ok);
    return answer;
}
