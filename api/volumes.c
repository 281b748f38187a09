/* Volumes: asked for here, made and kept by the provisioner. Attaching and
 * detaching are actions of the instance (actions.c), since that is what waits for the guest. */
#include "api/volumes.h"
#include "api/api.h"
#include "api/catalog.h"
#include "api/fields.h"
#include "api/idem.h"
#include "api/people/membership.h"
#include "api/present.h"
#include "api/resources.h"
#include "api/store_projects.h"
#include "api/upstream.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>

json_t *placed_view(const struct request *rq, json_t *view)
{
    char project_id[ID_BYTES];

    if (placement_seen(rq, json_text(view, "id"), project_id) == 1) {
        json_object_set_new(view, "project_id", json_string(project_id));
        return view;
    }
    json_decref(view);
    return NULL;
}

static json_t *volume_view(const struct request *rq, const json_t *volume)
{
    static const char *const absent[] = { "image", "snapshot_id", "instance_id", "device" };
    json_t *view = present_thing(volume, "volume_id");
    json_t *used = json_object_get(view, "used_bytes");

    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        if (!json_object_get(view, absent[i]))
            json_object_set_new(view, absent[i], json_null());
    if (json_is_integer(used))
        json_object_set_new(view, "used_bytes", json_decimal(json_integer_value(used)));
    return placed_view(rq, view);
}

enum answer volume_own(struct request *rq, struct reply *rp, const char *volume_id, json_t **volume)
{
    char project_id[ID_BYTES];
    json_t *ok = NULL;
    enum answer answer = ANSWER_NOT_FOUND;

    *volume = NULL;
    if (id_valid("vol_", volume_id))
        answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "volume", json_pack("{s:s}", "volume_id", volume_id), &ok);
    if (answer == ANSWER_OK) {
        *volume = json_incref(json_object_get(ok, "volume"));
        if (strcmp(json_text(*volume, "account_id"), rq->who.account_id) != 0 ||
            placement_seen(rq, volume_id, project_id) != 1) {
            json_decref(*volume);
            *volume = NULL;
            answer = ANSWER_NOT_FOUND;
        }
    }
    json_decref(ok);
    return answer == ANSWER_NOT_FOUND ? reply_fail(rp, ANSWER_NOT_FOUND, "no such volume") : answer;
}

/* What a volume is copied from. Its size is the default and the least. */
struct source {
    const char *image;
    const char *snapshot_id;
    int64_t size_mib;
};

static enum answer image_read(struct request *rq, struct reply *rp, struct fields *fields, struct source *source)
{
    json_t *entry = NULL;
    enum answer answer = ANSWER_OK;

    if (fields_text(fields, "image", NAME_BYTES - 1, &source->image))
        answer = catalog_find(rq, rp, fields, "images", "image", source->image, &entry);
    source->size_mib = json_integer_value(json_object_get(entry, "disk_mib_min"));
    if (entry && source->size_mib == 0)
        fields_error(fields, "image", "no_disk", "this image has no disk of its own: leave it out");
    json_decref(entry);
    return answer;
}

static enum answer source_read(struct request *rq, struct reply *rp, struct fields *fields, struct source *source)
{
    json_t *snapshot = NULL;
    enum answer answer;

    if (fields_has(fields, "image") && fields_has(fields, "snapshot_id")) {
        fields_error(fields, "image", "either", "give image or snapshot_id, not both");
        return ANSWER_OK;
    }
    if (fields_has(fields, "image"))
        return image_read(rq, rp, fields, source);
    if (!fields_has(fields, "snapshot_id") || !fields_text(fields, "snapshot_id", NAME_BYTES - 1, &source->snapshot_id))
        return ANSWER_OK;
    answer = snapshot_own(rq, rp, source->snapshot_id, &snapshot);
    if (answer == ANSWER_NOT_FOUND) {
        fields_error(fields, "snapshot_id", "unknown", "no such snapshot");
        answer = ANSWER_OK;
    }
    source->size_mib = json_integer_value(json_object_get(snapshot, "size_mib"));
    json_decref(snapshot);
    return answer;
}

/* New reference in *args: what the provisioner is asked with, but for the id. */
static enum answer volume_read(struct request *rq, struct reply *rp, json_t **args)
{
    struct source source = { NULL, NULL, 0 };
    const char *name = NULL;
    struct fields fields;
    int64_t size_mib;
    enum answer answer;

    fields_start(&fields, rq->json);
    fields_name(&fields, "name", &name);
    answer = source_read(rq, rp, &fields, &source);
    size_mib = source.size_mib;
    if (fields_has(&fields, "size_mib") || size_mib == 0)
        fields_integer(&fields, "size_mib", 1, VOLUME_MIB_MAX, &size_mib);
    if (size_mib && size_mib < source.size_mib)
        fields_error(&fields, "size_mib", "too_small", "what it is made from has %jd MiB", (intmax_t)source.size_mib);
    rp->errors = fields_done(&fields);
    if (answer != ANSWER_OK)
        return answer;
    if (rp->errors)
        return reply_fail(rp, ANSWER_INVALID_FIELDS, "see errors");
    *args = json_pack("{s:s, s:s, s:I, s:s*, s:s*}", "account_id", rq->who.account_id, "name", name, "size_mib",
                      (json_int_t)size_mib, "image", source.image, "snapshot_id", source.snapshot_id);
    return ANSWER_OK;
}

int placement_insert(struct store *store, const struct idem *idem, void *project_id)
{
    return store_place(store, idem->subject_id, project_id);
}

enum answer volume_create(struct request *rq, struct reply *rp)
{
    json_t *args = NULL, *ok = NULL;
    char project_id[ID_BYTES];
    struct idem idem;
    enum answer answer = idem_replay(rq, rp);

    if (answer == ANSWER_OK)
        answer = volume_read(rq, rp, &args);
    if (answer == ANSWER_OK)
        answer = idem_open(rq, rp, "vol_", "nil_", placement_insert, project_for_new(rq, project_id), &idem);
    if (answer != ANSWER_OK) {
        json_decref(args);
        return answer;
    }
    json_object_set_new(args, "volume_id", json_string(idem.subject_id));
    answer = upstream_ask_within(rq, rp, DAEMON_PROVISIONER, "volume_create", args, VOLUME_TIMEOUT_MS, &ok);
    if (answer == ANSWER_OK) {
        rp->json = volume_view(rq, json_object_get(ok, "volume"));
        snprintf(rp->location, sizeof(rp->location), "/v1/volumes/%s", idem.subject_id);
        answer = ANSWER_CREATED;
    }
    json_decref(ok);
    return idem_close(rq, rp, &idem, answer);
}

enum answer volumes_list(struct request *rq, struct reply *rp)
{
    return upstream_list(rq, rp, DAEMON_PROVISIONER, "volumes", "volumes", volume_view);
}

enum answer volume_show(struct request *rq, struct reply *rp)
{
    json_t *volume;
    enum answer answer = volume_own(rq, rp, rq->param, &volume);

    if (answer == ANSWER_OK)
        rp->json = volume_view(rq, volume);
    json_decref(volume);
    return answer;
}

enum answer volume_delete(struct request *rq, struct reply *rp)
{
    json_t *volume, *ok = NULL;
    enum answer answer = volume_own(rq, rp, rq->param, &volume);

    json_decref(volume);
    if (answer == ANSWER_OK)
        answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "volume_delete", json_pack("{s:s}", "volume_id", rq->param),
                              &ok);
    json_decref(ok);
    if (answer == ANSWER_OK)
        store_unplace(rq->api->store, rq->param);
    return answer == ANSWER_OK ? ANSWER_NO_CONTENT : answer;
}

enum answer volume_resize(struct request *rq, struct reply *rp)
{
    json_t *volume, *ok = NULL;
    int64_t size_mib = 0, least_mib;
    struct fields fields;
    struct idem idem;
    enum answer answer = idem_replay(rq, rp);

    if (answer == ANSWER_OK)
        answer = volume_own(rq, rp, rq->param, &volume);
    if (answer != ANSWER_OK)
        return answer;
    least_mib = json_integer_value(json_object_get(volume, "size_mib"));
    json_decref(volume);
    fields_start(&fields, rq->json);
    if (fields_integer(&fields, "size_mib", 1, VOLUME_MIB_MAX, &size_mib) && size_mib < least_mib)
        fields_error(&fields, "size_mib", "too_small", "a volume only grows, and this one has %jd MiB",
                     (intmax_t)least_mib);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    answer = idem_open(rq, rp, "nil_", "nil_", NULL, NULL, &idem);
    if (answer != ANSWER_OK)
        return answer;
    answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "volume_resize",
                          json_pack("{s:s, s:I}", "volume_id", rq->param, "size_mib", (json_int_t)size_mib), &ok);
    if (answer == ANSWER_OK)
        rp->json = volume_view(rq, json_object_get(ok, "volume"));
    json_decref(ok);
    return idem_close(rq, rp, &idem, answer);
}
