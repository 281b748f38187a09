/* Snapshots of volumes: made in an instant, kept until they are deleted. */
#include "api/api.h"
#include "api/fields.h"
#include "api/idem.h"
#include "api/people/membership.h"
#include "api/present.h"
#include "api/resources.h"
#include "api/store_projects.h"
#include "api/upstream.h"
#include "api/volumes.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>

static json_t *snapshot_view(const struct request *rq, const json_t *snapshot)
{
    return placed_view(rq, present_thing(snapshot, "snapshot_id"));
}

enum answer snapshot_own(struct request *rq, struct reply *rp, const char *snapshot_id, json_t **snapshot)
{
    char project_id[ID_BYTES];
    json_t *ok = NULL, *each;
    size_t i;
    enum answer answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "snapshots",
                                      json_pack("{s:s}", "account_id", rq->who.account_id), &ok);

    *snapshot = NULL;
    json_array_foreach(json_object_get(ok, "snapshots"), i, each)
        if (strcmp(json_text(each, "snapshot_id"), snapshot_id) == 0 && placement_seen(rq, snapshot_id, project_id) == 1)
            *snapshot = json_incref(each);
    json_decref(ok);
    if (answer == ANSWER_OK && !*snapshot)
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such snapshot");
    return answer;
}

enum answer snapshot_create(struct request *rq, struct reply *rp)
{
    json_t *volume, *ok = NULL;
    char project_id[ID_BYTES];
    const char *name = NULL;
    struct fields fields;
    struct idem idem;
    enum answer answer = idem_replay(rq, rp);

    if (answer == ANSWER_OK) {
        answer = volume_own(rq, rp, rq->param, &volume);
        json_decref(volume);
    }
    if (answer != ANSWER_OK)
        return answer;
    fields_start(&fields, rq->json);
    fields_name(&fields, "name", &name);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    if (store_placement(rq->api->store, rq->who.account_id, rq->param, project_id) < 0)
        return reply_fail(rp, ANSWER_STORAGE, "the volume's project cannot be looked up");
    answer = idem_open(rq, rp, "snap_", "nil_", placement_insert, project_id, &idem);
    if (answer != ANSWER_OK)
        return answer;
    answer = upstream_ask_within(rq, rp, DAEMON_PROVISIONER, "snapshot_create",
                                 json_pack("{s:s, s:s, s:s}", "snapshot_id", idem.subject_id, "volume_id", rq->param,
                                           "name", name),
                                 VOLUME_TIMEOUT_MS, &ok);
    if (answer == ANSWER_OK) {
        rp->json = snapshot_view(rq, json_object_get(ok, "snapshot"));
        snprintf(rp->location, sizeof(rp->location), "/v1/snapshots/%s", idem.subject_id);
        answer = ANSWER_CREATED;
    }
    json_decref(ok);
    return idem_close(rq, rp, &idem, answer);
}

enum answer snapshots_list(struct request *rq, struct reply *rp)
{
    return upstream_list(rq, rp, DAEMON_PROVISIONER, "snapshots", "snapshots", snapshot_view);
}

enum answer snapshot_show(struct request *rq, struct reply *rp)
{
    json_t *snapshot;
    enum answer answer = snapshot_own(rq, rp, rq->param, &snapshot);

    if (answer == ANSWER_OK)
        rp->json = snapshot_view(rq, snapshot);
    json_decref(snapshot);
    return answer;
}

enum answer snapshot_delete(struct request *rq, struct reply *rp)
{
    json_t *snapshot, *ok = NULL;
    enum answer answer = snapshot_own(rq, rp, rq->param, &snapshot);

    json_decref(snapshot);
    if (answer == ANSWER_OK)
        answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "snapshot_delete",
                              json_pack("{s:s}", "snapshot_id", rq->param), &ok);
    json_decref(ok);
    if (answer == ANSWER_OK)
        store_unplace(rq->api->store, rq->param);
    return answer == ANSWER_OK ? ANSWER_NO_CONTENT : answer;
}
