/* Actions are the provisioner's jobs under the ids that we gave them; api.db
 * keeps only whose they are. */
#include "api/actions.h"
#include "api/api.h"
#include "api/catalog.h"
#include "api/fields.h"
#include "api/idem.h"
#include "api/instances.h"
#include "api/pages.h"
#include "api/present.h"
#include "api/resources.h"
#include "api/spending.h"
#include "api/upstream.h"
#include "api/volumes.h"
#include "common/clock.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>

#define WAIT_S_MAX 30
#define CHARGED_TIMEOUT_MS 1000
#define WAIT_SLICE_MS 1000                  /* how long a stop of the daemon waits for a long poll */

json_t *action_view(const json_t *job)
{
    json_t *view = present_copy(job);
    json_t *instance_id = json_object_get(view, "instance_id");

    json_object_set(view, "id", json_object_get(view, "job_id"));
    json_object_del(view, "job_id");
    json_object_set_new(view, "resources", json_pack("[{s:s, s:O?}]", "type", "instance", "id", instance_id));
    json_object_del(view, "instance_id");
    json_object_del(view, "incarnation");
    json_object_set_new(view, "cost", json_null());
    if (!json_object_get(view, "error"))
        json_object_set_new(view, "error", json_null());
    if (!json_object_get(view, "steps"))
        json_object_set_new(view, "steps", json_array());
    return view;
}

/* What the guests that these jobs began were charged, by incarnation; an unanswered question is no error here. New
 * reference, NULL if nobody asked or answered. */
static json_t *charged_ask(struct request *rq, const json_t *jobs)
{
    json_t *incarnations = json_array(), *job, *incarnation, *ok = NULL, *charged;
    struct reply ignored;
    size_t i;

    json_array_foreach(jobs, i, job)
        if ((incarnation = json_object_get(job, "incarnation")) != NULL)
            json_array_append(incarnations, incarnation);
    if (json_array_size(incarnations) == 0 || !(rq->who.scopes & SCOPE_BILLING_READ)) {
        json_decref(incarnations);
        return NULL;
    }
    reply_start(&ignored);
    upstream_ask_within(rq, &ignored, DAEMON_ACCOUNTD, "charged",
                        json_pack("{s:s, s:o}", "account_id", rq->who.account_id, "incarnations", incarnations),
                        CHARGED_TIMEOUT_MS, &ok);
    reply_free(&ignored);
    charged = json_incref(json_object_get(ok, "charged_nano"));
    json_decref(ok);
    return charged;
}

static void cost_set(json_t *view, const json_t *job, const json_t *charged)
{
    const json_t *amount = json_object_get(charged, json_text(job, "incarnation"));
    char text[MONEY_BYTES];
    int64_t nano;

    if (amount && json_decimal_parse(json_string_value(amount), &nano))
        json_object_set_new(view, "cost", json_string(money_print(nano, text)));
}

void action_location(struct reply *rp, const char *action_id)
{
    snprintf(rp->location, sizeof(rp->location), "/v1/actions/%s", action_id);
}

/* An action whose job the provisioner has not begun to know. */
static json_t *action_queued(const struct action_row *row)
{
    return json_pack("{s:s, s:s, s:s, s:i, s:[], s:n, s:n, s:[{s:s, s:s}], s:o, s:n, s:n}", "id", row->action_id, "type",
                     row->type, "status", "queued", "progress", 0, "steps", "error", "cost", "resources", "type", "instance",
                     "id", row->instance_id, "created_at", time_json(row->created_ms), "started_at", "finished_at");
}

static bool job_ended(const json_t *job)
{
    const char *status = json_text(job, "status");

    return strcmp(status, "succeeded") == 0 || strcmp(status, "failed") == 0;
}

static json_t *action_costed(struct request *rq, const json_t *job)
{
    json_t *view = action_view(job), *jobs = json_pack("[O]", job), *charged = charged_ask(rq, jobs);

    cost_set(view, job, charged);
    json_decref(charged);
    json_decref(jobs);
    return view;
}

/* One customer's polls must not use up everybody's threads. Returns the slot to
 * give back, or NULL: then the answer comes at once. */
static char *wait_enter(struct request *rq)
{
    char *slot = NULL;
    int mine = 0;

    pthread_mutex_lock(&rq->api->wait_lock);
    for (int i = 0; i < WAITS_MAX; i++) {
        mine += strcmp(rq->api->waits[i], rq->who.account_id) == 0;
        if (!rq->api->waits[i][0])
            slot = rq->api->waits[i];
    }
    if (mine >= WAITS_PER_ACCOUNT)
        slot = NULL;
    if (slot)
        memcpy(slot, rq->who.account_id, ID_BYTES);
    pthread_mutex_unlock(&rq->api->wait_lock);
    return slot;
}

static void wait_leave(struct request *rq, char *slot)
{
    if (!slot)
        return;
    pthread_mutex_lock(&rq->api->wait_lock);
    slot[0] = 0;
    pthread_mutex_unlock(&rq->api->wait_lock);
}

/* Asks until the job ends or the time is up. In slices, so that stopping the
 * daemon does not wait half a minute for a client that does. */
static enum answer job_wait(struct request *rq, struct reply *rp, const char *job_id, int64_t wait_ms, json_t **ok)
{
    int64_t until_ms = clock_monotonic_ms() + wait_ms;
    enum answer answer;

    for (;;) {
        int64_t left_ms = until_ms - clock_monotonic_ms();
        int64_t slice_ms = left_ms < 0 ? 0 : left_ms < WAIT_SLICE_MS ? left_ms : WAIT_SLICE_MS;

        answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "job",
                              json_pack("{s:s, s:I}", "job_id", job_id, "wait_ms", (json_int_t)slice_ms), ok);
        if (answer != ANSWER_OK || slice_ms == 0 || rq->api->stopping || job_ended(json_object_get(*ok, "job")))
            return answer;
        json_decref(*ok);
    }
}

enum answer action_show(struct request *rq, struct reply *rp)
{
    struct instance_row instance;
    struct action_row row;
    json_t *ok = NULL;
    int64_t wait_s;
    char *slot;
    int rc = 0;
    enum answer answer = request_query_int(rq, rp, "wait", 0, WAIT_S_MAX, 0, &wait_s);

    if (answer != ANSWER_OK)
        return answer;
    if (id_valid("act_", rq->param))
        rc = store_action_get(rq->api->store, rq->who.account_id, rq->param, &row);
    if (rc == 1)
        rc = store_instance_get(rq->api->store, rq->who.account_id, row.instance_id, &instance);
    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "the action cannot be looked up");
    if (rc == 0 || !principal_sees(&rq->who, instance.project_id))
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such action");
    slot = rq->may_wait ? wait_enter(rq) : NULL;
    answer = job_wait(rq, rp, row.action_id, slot ? wait_s * 1000 : 0, &ok);
    wait_leave(rq, slot);
    if (answer == ANSWER_NOT_FOUND && row.confirmed) {
        rp->detail[0] = 0;
        rp->json = action_queued(&row);
        return ANSWER_OK;
    }
    if (answer == ANSWER_OK)
        rp->json = action_costed(rq, json_object_get(ok, "job"));
    json_decref(ok);
    return answer;
}

/* Those among them that no request asked for have ids of the provisioner's. */
enum answer actions_list(struct request *rq, struct reply *rp)
{
    struct instance_row instance;
    json_t *args, *ok, *job, *list, *charged;
    int64_t before, limit, last = 0;
    size_t i;
    enum answer answer = instance_own(rq, rp, &instance);

    if (answer == ANSWER_OK)
        answer = page_query(rq, rp, &before, &limit);
    if (answer != ANSWER_OK)
        return answer;
    args = json_pack("{s:s, s:I}", "instance_id", instance.instance_id, "limit", (json_int_t)limit);
    if (before)
        json_object_set_new(args, "before", json_integer((json_int_t)before));
    answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "jobs", args, &ok);
    if (answer != ANSWER_OK)
        return answer;
    list = json_array();
    charged = charged_ask(rq, json_object_get(ok, "jobs"));
    json_array_foreach(json_object_get(ok, "jobs"), i, job) {
        json_t *view = action_view(job);

        cost_set(view, job, charged);

        last = json_integer_value(json_object_get(view, "number"));
        json_object_del(view, "number");
        json_array_append_new(list, view);
    }
    json_decref(charged);
    json_decref(ok);
    rp->json = page_view(list, limit, last);
    return ANSWER_OK;
}

/* An action, and what it takes of what its key may have held. */
struct ordered {
    struct request *rq;
    struct reply *rp;
    struct action_row row;
    int64_t hold_nano;
};

static int action_insert(struct store *store, const struct idem *idem, void *arg)
{
    struct ordered *ordered = arg;
    int rc = spending_add(store, ordered->rq, ordered->rp, ordered->hold_nano);

    if (rc)
        return rc;
    snprintf(ordered->row.action_id, sizeof(ordered->row.action_id), "%s", idem->job_id);
    return store_action_insert(store, &ordered->row);
}

static void action_start(struct action_row *row, const struct request *rq, const char *instance_id, const char *type)
{
    memset(row, 0, sizeof(*row));
    snprintf(row->account_id, sizeof(row->account_id), "%s", rq->who.account_id);
    snprintf(row->instance_id, sizeof(row->instance_id), "%s", instance_id);
    snprintf(row->type, sizeof(row->type), "%s", type);
    row->created_ms = rq->now_ms;
}

/* Hands the job over; ANSWER_ACCEPTED with the action as body. */
static enum answer job_order(struct request *rq, struct reply *rp, const struct action_row *row, const json_t *more)
{
    json_t *args = json_pack("{s:s, s:s, s:s}", "job_id", row->action_id, "instance_id", row->instance_id, "type",
                             row->type);
    json_t *ok;
    enum answer answer;

    json_object_update(args, (json_t *)more);
    answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "instance_action", args, &ok);
    if (answer != ANSWER_OK)
        return answer;
    rp->json = action_view(json_object_get(ok, "job"));
    action_location(rp, row->action_id);
    json_decref(ok);
    return ANSWER_ACCEPTED;
}

/* `more`: arguments beside the type, or NULL. */
static enum answer action_order(struct ordered *ordered, const char *instance_id, const char *type, const json_t *more)
{
    struct request *rq = ordered->rq;
    struct reply *rp = ordered->rp;
    struct idem idem;
    enum answer answer;

    action_start(&ordered->row, rq, instance_id, type);
    answer = idem_open(rq, rp, "nil_", "act_", action_insert, ordered, &idem);
    if (answer != ANSWER_OK)
        return answer;
    snprintf(ordered->row.action_id, sizeof(ordered->row.action_id), "%s", idem.job_id);
    answer = idem_close(rq, rp, &idem, job_order(rq, rp, &ordered->row, more));
    if (idem_refused(answer))
        spending_return(rq, ordered->hold_nano);
    return answer;
}

/* Which volume, and how: the fields of attach and detach. New reference in *more. */
static enum answer volume_fields_read(struct request *rq, struct reply *rp, struct fields *fields, bool attach,
                                      json_t **more)
{
    const char *volume_id = "";
    bool read_only = false;
    json_t *volume = NULL;
    enum answer answer = ANSWER_OK;

    if (fields_text(fields, "volume_id", ID_BYTES - 1, &volume_id))
        answer = volume_own(rq, rp, volume_id, &volume);
    json_decref(volume);
    if (answer == ANSWER_NOT_FOUND) {
        fields_error(fields, "volume_id", "unknown", "no such volume");
        answer = ANSWER_OK;
    }
    if (attach && fields_has(fields, "read_only"))
        fields_flag(fields, "read_only", &read_only);
    *more = attach ? json_pack("{s:s, s:b}", "volume_id", volume_id, "read_only", (int)read_only)
                   : json_pack("{s:s}", "volume_id", volume_id);
    return answer;
}

/* The size that it would have, which the key must be allowed to pay. New reference in *more. */
static enum answer flavor_read(struct request *rq, struct reply *rp, struct fields *fields, struct ordered *ordered,
                               json_t **more)
{
    struct instance_row size;
    const char *flavor = "";
    json_t *entry = NULL;
    enum answer answer = ANSWER_OK;

    if (fields_text(fields, "flavor", NAME_BYTES - 1, &flavor))
        answer = catalog_find(rq, rp, fields, "flavors", "flavor", flavor, &entry);
    size.vcpus = json_integer_value(json_object_get(entry, "vcpus"));
    size.memory_mib = json_integer_value(json_object_get(entry, "memory_mib"));
    if (answer == ANSWER_OK && entry)
        answer = spending_ask(rq, rp, &size, &ordered->hold_nano);
    json_decref(entry);
    *more = json_pack("{s:s}", "flavor", flavor);
    return answer;
}

static enum answer image_read(struct request *rq, struct reply *rp, struct fields *fields, json_t **more)
{
    const char *image = "";
    json_t *entry = NULL;
    enum answer answer = ANSWER_OK;

    if (fields_text(fields, "image", NAME_BYTES - 1, &image))
        answer = catalog_find(rq, rp, fields, "images", "image", image, &entry);
    json_decref(entry);
    *more = json_pack("{s:s}", "image", image);
    return answer;
}

static enum answer action_read(struct request *rq, struct reply *rp, const char **type, struct ordered *ordered,
                               json_t **more)
{
    static const char *const types[] = { "start", "shutdown", "power_off", "reboot", "suspend", "resume", "attach",
                                         "detach", "resize", "rebuild", NULL };
    enum answer answer = ANSWER_OK;
    struct fields fields;
    bool attach, detach;

    fields_start(&fields, rq->json);
    fields_choice(&fields, "type", types, type);
    attach = strcmp(*type, "attach") == 0;
    detach = strcmp(*type, "detach") == 0;
    if (attach || detach)
        answer = volume_fields_read(rq, rp, &fields, attach, more);
    else if (strcmp(*type, "resize") == 0)
        answer = flavor_read(rq, rp, &fields, ordered, more);
    else if (strcmp(*type, "rebuild") == 0)
        answer = image_read(rq, rp, &fields, more);
    rp->errors = fields_done(&fields);
    if (answer != ANSWER_OK)
        return answer;
    return rp->errors ? reply_fail(rp, ANSWER_INVALID_FIELDS, "see errors") : ANSWER_OK;
}

enum answer action_create(struct request *rq, struct reply *rp)
{
    struct ordered ordered = { .rq = rq, .rp = rp };
    struct instance_row instance;
    const char *type = "";
    json_t *more = NULL;
    enum answer answer = idem_replay(rq, rp);

    if (answer == ANSWER_OK)
        answer = instance_own(rq, rp, &instance);
    if (answer == ANSWER_OK)
        answer = action_read(rq, rp, &type, &ordered, &more);
    if (answer == ANSWER_OK)
        answer = action_order(&ordered, instance.instance_id, type, more);
    json_decref(more);
    return answer;
}

/* Deleting is idempotent by itself: who deletes again gets the action that is
 * doing it, or has done it, unless that one failed. */
enum answer instance_delete(struct request *rq, struct reply *rp)
{
    struct instance_row instance;
    struct action_row row;
    json_t *ok = NULL;
    enum answer answer = instance_own(rq, rp, &instance);
    int rc;

    if (answer != ANSWER_OK)
        return answer;
    rc = store_action_last(rq->api->store, instance.instance_id, "delete", &row);
    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "the instance's actions cannot be looked up");
    if (rc == 1) {
        answer = job_wait(rq, rp, row.action_id, 0, &ok);
        if (answer == ANSWER_OK &&
            strcmp(json_text(json_object_get(ok, "job"), "status"), "failed") != 0) {
            rp->json = action_view(json_object_get(ok, "job"));
            action_location(rp, row.action_id);
            json_decref(ok);
            return ANSWER_ACCEPTED;
        }
        json_decref(ok);
        if (answer == ANSWER_NOT_FOUND)
            return job_order(rq, rp, &row, NULL);
        if (answer != ANSWER_OK)
            return answer;
    }
    return action_order(&(struct ordered){ .rq = rq, .rp = rp }, instance.instance_id, "delete", NULL);
}
