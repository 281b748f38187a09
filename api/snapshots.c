/* Snapshots of volumes: made in an instant, kept until they are deleted. */
#include "api/api.h"
#include "api/fields.h"
#include "api/idem.h"
#include "api/present.h"
#include "api/resources.h"
#include "api/upstream.h"
#include "api/volumes.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>

static json_t *snapshot_view(const json_t *snapshot)
{
    return present_thing(snapshot, "snapshot_id");
}

enum answer snapshot_own(struct request *rq, struct reply *rp, const char *snapshot_id, json_t **snapshot)
{
    json_t *ok = NULL, *each;
    size_t i;
    enum answer answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "snapshots",
                                      json_pack("{s:s}", "account_id", rq->who.account_id), &ok);

    *snapshot = NULL;
    json_array_foreach(json_object_get(ok, "snapshots"), i, each)
        if (strcmp(json_text(each, "snapshot_id"), snapshot_id) == 0)
            *snapshot = json_incref(each);
    json_decref(ok);
    if (answer == ANSWER_OK && !*snapshot)
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such snapshot");
    return answer;
}

enum answer snapshot_create(struct request *rq, struct reply *rp)
{
    json_t *volume, *ok = NULL;
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
    answer = idem_open(rq, rp, "snap_", "nil_", NULL, NULL, &idem);
    if (answer != ANSWER_OK)
        return answer;
    answer = upstream_ask_within(rq, rp, DAEMON_PROVISIONER, "snapshot_create",
                                 json_pack("{s:s, s:s, s:s}", "snapshot_id", idem.subject_id, "volume_id", rq->param,
                                           "name", name),
                                 VOLUME_TIMEOUT_MS, &ok);
    if (answer == ANSWER_OK) {
        rp->json = snapshot_view(json_object_get(ok, "snapshot"));
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
        rp->json = snapshot_view(snapshot);
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
    return answer == ANSWER_OK ? ANSWER_NO_CONTENT : answer;
}
