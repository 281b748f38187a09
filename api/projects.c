/* Projects: what an account keeps its things apart in. Instances, volumes, snapshots, keys and SSH keys are in one;
 * money is the account's. Who sees which is settled in people/membership.c. */
#include "api/api.h"
#include "api/fields.h"
#include "api/idem.h"
#include "api/people/store_members.h"
#include "api/present.h"
#include "api/resources.h"
#include "api/store_projects.h"
#include "api/upstream.h"
#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROJECTS_MAX 50

static bool is_default(const struct project_row *row)
{
    char id[ID_BYTES];

    return strcmp(row->project_id, project_default_id(row->account_id, id)) == 0;
}

static json_t *project_view(const struct project_row *row)
{
    return json_pack("{s:s, s:s, s:b, s:o}", "id", row->project_id, "name", row->name, "default", (int)is_default(row),
                     "created_at", time_json(row->created_ms));
}

/* A person who is bound may have roles in several: any of these can be asked within. */
static bool project_open_to(const struct request *rq, const char *project_id)
{
    struct member_row *roles = NULL;
    size_t count = 0;
    bool found = !rq->who.bound || strcmp(rq->who.project_id, project_id) == 0;

    if (found || !rq->who.session || store_memberships(rq->api->store, rq->who.person_id, &roles, &count) != 0)
        return found;
    for (size_t i = 0; i < count; i++)
        found |= strcmp(roles[i].project_id, project_id) == 0;
    free(roles);
    return found;
}

enum answer projects_list(struct request *rq, struct reply *rp)
{
    struct project_row *rows;
    json_t *list;
    size_t count;

    if (store_projects(rq->api->store, rq->who.account_id, &rows, &count) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "projects cannot be looked up");
    list = json_array();
    for (size_t i = 0; i < count; i++)
        if (project_open_to(rq, rows[i].project_id))
            json_array_append_new(list, project_view(&rows[i]));
    free(rows);
    rp->json = present_page(list);
    return ANSWER_OK;
}

static enum answer project_find(struct request *rq, struct reply *rp, struct project_row *row)
{
    int rc = id_valid("prj_", rq->param) ? store_project_get(rq->api->store, rq->who.account_id, rq->param, row) : 0;

    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "the project cannot be looked up");
    return rc == 1 && project_open_to(rq, row->project_id) ? ANSWER_OK
                                                           : reply_fail(rp, ANSWER_NOT_FOUND, "no such project");
}

enum answer project_show(struct request *rq, struct reply *rp)
{
    struct project_row row;
    enum answer answer = project_find(rq, rp, &row);

    if (answer == ANSWER_OK)
        rp->json = project_view(&row);
    return answer;
}

static enum answer name_read(struct request *rq, struct reply *rp, struct project_row *row)
{
    const char *name = "";
    struct fields fields;

    fields_start(&fields, rq->json);
    fields_name(&fields, "name", &name);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    snprintf(row->name, sizeof(row->name), "%s", name);
    return ANSWER_OK;
}

/* ANSWER_CONFLICT if another project has this name; 0 none; -1. */
static int name_taken(struct store *store, struct reply *rp, const struct project_row *row)
{
    struct project_row other;
    int rc = store_project_named(store, row->account_id, row->name, &other);

    return rc == 1 && strcmp(other.project_id, row->project_id) != 0
               ? (int)reply_fail(rp, ANSWER_CONFLICT, "%s is called \"%s\" already", other.project_id, other.name)
               : rc < 0 ? -1 : 0;
}

struct founding {
    struct project_row row;
    struct reply *rp;
};

static int founding_insert(struct store *store, const struct idem *idem, void *arg)
{
    struct founding *founding = arg;
    int64_t count;
    int rc;

    snprintf(founding->row.project_id, sizeof(founding->row.project_id), "%s", idem->subject_id);
    if (store_project_count(store, founding->row.account_id, &count) != 1)
        return -1;
    if (count >= PROJECTS_MAX)
        return reply_fail_quota(founding->rp, "projects_max", "projects", PROJECTS_MAX, count);
    rc = name_taken(store, founding->rp, &founding->row);
    return rc ? rc : store_project_insert(store, &founding->row);
}

enum answer project_create(struct request *rq, struct reply *rp)
{
    struct founding founding = { .rp = rp };
    struct idem idem;
    enum answer answer = name_read(rq, rp, &founding.row);

    snprintf(founding.row.account_id, sizeof(founding.row.account_id), "%s", rq->who.account_id);
    founding.row.created_ms = rq->now_ms;
    if (answer == ANSWER_OK)
        answer = idem_open(rq, rp, "prj_", "nil_", founding_insert, &founding, &idem);
    if (answer != ANSWER_OK)
        return answer;
    /* A resumed claim inserted the row in its first life. */
    if (store_project_get(rq->api->store, rq->who.account_id, idem.subject_id, &founding.row) != 1)
        return idem_close(rq, rp, &idem, reply_fail(rp, ANSWER_STORAGE, "the project cannot be read back"));
    rp->json = project_view(&founding.row);
    snprintf(rp->location, sizeof(rp->location), "/v1/projects/%s", idem.subject_id);
    return idem_close(rq, rp, &idem, ANSWER_CREATED);
}

enum answer project_rename(struct request *rq, struct reply *rp)
{
    struct project_row row;
    enum answer answer = project_find(rq, rp, &row);
    int rc;

    if (answer == ANSWER_OK)
        answer = name_read(rq, rp, &row);
    if (answer != ANSWER_OK)
        return answer;
    rc = name_taken(rq->api->store, rp, &row);
    if (rc > 0)
        return (enum answer)rc;
    if (rc < 0 || store_project_rename(rq->api->store, &row) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "the project is as it was; try again");
    rp->json = project_view(&row);
    return ANSWER_OK;
}

/* The project of a thing that the provisioner told of: 1 if it is this one, 0, -1. */
static int is_in(struct request *rq, const char *id, const char *project_id)
{
    struct instance_row instance;
    char placed[ID_BYTES];
    int rc;

    if (!id_valid("ins_", id))
        return store_placement(rq->api->store, rq->who.account_id, id, placed) == 1 ? strcmp(placed, project_id) == 0
                                                                                    : -1;
    rc = store_instance_get(rq->api->store, rq->who.account_id, id, &instance);
    return rc == 1 ? strcmp(instance.project_id, project_id) == 0 : rc;
}

/* Adds to *count what the provisioner has of the project in `list`. */
static enum answer things_count(struct request *rq, struct reply *rp, const char *list, const char *id_name,
                                const char *project_id, int *count)
{
    json_t *ok, *thing;
    size_t i;
    enum answer answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, list,
                                      json_pack("{s:s}", "account_id", rq->who.account_id), &ok);

    if (answer != ANSWER_OK)
        return answer;
    json_array_foreach(json_object_get(ok, list), i, thing) {
        int rc = is_in(rq, json_text(thing, id_name), project_id);

        if (rc < 0)
            answer = reply_fail(rp, ANSWER_STORAGE, "what is in the project cannot be looked up");
        else
            *count += rc;
    }
    json_decref(ok);
    return answer;
}

static enum answer emptiness_check(struct request *rq, struct reply *rp, const struct project_row *row)
{
    int instances = 0, volumes = 0, snapshots = 0;
    int64_t keys = 0;
    enum answer answer = things_count(rq, rp, "instances", "instance_id", row->project_id, &instances);

    if (answer == ANSWER_OK)
        answer = things_count(rq, rp, "volumes", "volume_id", row->project_id, &volumes);
    if (answer == ANSWER_OK)
        answer = things_count(rq, rp, "snapshots", "snapshot_id", row->project_id, &snapshots);
    if (answer != ANSWER_OK)
        return answer;
    if (store_project_keys(rq->api->store, row->project_id, &keys) != 1)
        return reply_fail(rp, ANSWER_STORAGE, "the project's keys cannot be counted");
    if (instances + volumes + snapshots + keys == 0)
        return ANSWER_OK;
    return reply_fail(rp, ANSWER_CONFLICT,
                      "it still has %d instances, %d volumes, %d snapshots and %jd keys: delete or revoke them first",
                      instances, volumes, snapshots, (intmax_t)keys);
}

enum answer project_delete(struct request *rq, struct reply *rp)
{
    struct project_row row;
    enum answer answer = project_find(rq, rp, &row);

    if (answer == ANSWER_OK && is_default(&row))
        answer = reply_fail(rp, ANSWER_CONFLICT, "the account's first project stays: rename it instead");
    if (answer == ANSWER_OK)
        answer = emptiness_check(rq, rp, &row);
    if (answer != ANSWER_OK)
        return answer;
    return store_project_delete(rq->api->store, row.project_id, rq->now_ms) == 0
               ? ANSWER_NO_CONTENT
               : reply_fail(rp, ANSWER_STORAGE, "the project is still there; try again");
}
