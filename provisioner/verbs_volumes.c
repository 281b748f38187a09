/* The verbs about volumes and snapshots (control.h). A row comes first, then its
 * file, both here: a reflink costs no more than a list of extents. What is to be
 * a copy of an image may take longer and is left to the worker. */
#include "provisioner/verbs.h"
#include "common/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void device_name(const struct volume *v, char name[5])
{
    snprintf(name, 5, "xvd%c", (char)('a' + (v->device - STORE_DEVICE_FIRST) / STORE_DEVICE_STEP));
}

static json_t *volume_json(const struct volume *v)
{
    int64_t size_bytes, used_bytes = 0;
    char device[5];
    json_t *out;

    volumes_look(serve.volumes, VOLUMES_VOLUME, v->volume_id, &size_bytes, &used_bytes);
    out = json_pack("{s:s, s:s, s:s, s:I, s:I, s:b, s:b, s:s, s:I}", "volume_id", v->volume_id, "account_id",
                    v->account_id, "name", v->name, "size_mib", (json_int_t)v->size_mib, "used_bytes",
                    (json_int_t)used_bytes, "read_only", (int)v->read_only, "root", (int)v->root, "state",
                    *v->instance_id ? "attached" : v->state == FILE_READY ? "available" : file_state_names[v->state],
                    "created_ms", (json_int_t)v->created_ms);
    if (out && *v->image)
        json_object_set_new(out, "image", json_string(v->image));
    if (out && *v->snapshot_id)
        json_object_set_new(out, "snapshot_id", json_string(v->snapshot_id));
    if (out && *v->instance_id) {
        device_name(v, device);
        json_object_set_new(out, "instance_id", json_string(v->instance_id));
        json_object_set_new(out, "device", json_string(device));
    }
    return out;
}

static json_t *snapshot_json(const struct snapshot *s)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "snapshot_id", s->snapshot_id, "account_id", s->account_id, "name",
                     s->name, "volume_id", s->volume_id, "size_mib", (json_int_t)s->size_mib, "created_ms",
                     (json_int_t)s->created_ms);
}

static int file_failed(struct rpc_call *call, const char *what, int rc)
{
    log_warnx("%s: %s", what, strerror(-rc));
    if (rc == -ENOSPC || rc == -EDQUOT || rc == -EFBIG)
        return rpc_fail(call, "capacity_unavailable", "the host's disk is full");
    return rpc_fail(call, "internal", "the host's disk answers %s", strerror(-rc));
}

/* The volume that the arguments name; deleted ones are not there. */
static int volume_arg(struct rpc_call *call, const json_t *args, struct volume *v)
{
    const char *volume_id;
    int rc;

    if (id_arg(call, args, "volume_id", &volume_id))
        return -1;
    rc = store_volume_find(serve.store, volume_id, v);
    if (rc < 0)
        return store_failed(call);
    return rc && v->state < FILE_DELETING ? 0 : rpc_fail(call, "not_found", "volume_id: no volume %s", volume_id);
}

static int volume_answer(struct rpc_call *call, const char *volume_id, json_t **result)
{
    struct volume v;

    if (store_volume_find(serve.store, volume_id, &v) != 1)
        return store_failed(call);
    return finish_or_fail(call, json_pack("{s:o}", "volume", volume_json(&v)), result);
}

static int image_arg(struct rpc_call *call, const json_t *args, struct volume *v)
{
    const struct image *image;
    const char *image_id;
    struct json_why why;

    if (json_arg_string(args, "image", 32, &image_id, &why))
        return bad(call, &why);
    image = catalog_image(serve.catalog, image_id);
    if (!image || !image->disk_path)
        return rpc_fail(call, "bad_request", "image: there is no image %s with a disk", image_id);
    if (!image->available)
        return rpc_fail(call, "capacity_unavailable", "image: %s is not on this host", image_id);
    if (v->size_mib < image->disk_mib_min)
        return rpc_fail(call, "bad_request", "size_mib: image %s needs %jd", image_id, (intmax_t)image->disk_mib_min);
    snprintf(v->image, sizeof(v->image), "%s", image_id);
    return 0;
}

static int snapshot_find(struct rpc_call *call, const json_t *args, struct snapshot *s)
{
    const char *snapshot_id;
    int rc;

    if (id_arg(call, args, "snapshot_id", &snapshot_id))
        return -1;
    rc = store_snapshot_find(serve.store, snapshot_id, s);
    return rc < 0 ? store_failed(call) : rc && s->state == FILE_READY
               ? 0 : rpc_fail(call, "not_found", "snapshot_id: no snapshot %s", snapshot_id);
}

static int snapshot_arg(struct rpc_call *call, const json_t *args, struct volume *v)
{
    struct snapshot s;

    if (snapshot_find(call, args, &s))
        return -1;
    if (strcmp(s.account_id, v->account_id))
        return rpc_fail(call, "not_found", "snapshot_id: no snapshot %s", s.snapshot_id);
    if (v->size_mib < s.size_mib)
        return rpc_fail(call, "bad_request", "size_mib: the snapshot has %jd", (intmax_t)s.size_mib);
    snprintf(v->snapshot_id, sizeof(v->snapshot_id), "%s", s.snapshot_id);
    return 0;
}

static int volume_fill(struct rpc_call *call, const json_t *args, struct volume *v)
{
    const char *volume_id, *account_id, *name;
    struct json_why why;

    *v = (struct volume){ .created_ms = clock_unix_ms() };
    if (keys_check(call, args, "volume_id account_id name size_mib snapshot_id image") ||
        id_arg(call, args, "volume_id", &volume_id) || id_arg(call, args, "account_id", &account_id) ||
        name_arg(call, args, &name))
        return -1;
    if (json_arg_int(args, "size_mib", 1, VOLUME_MIB_MAX, &v->size_mib, &why))
        return bad(call, &why);
    snprintf(v->volume_id, sizeof(v->volume_id), "%s", volume_id);
    snprintf(v->account_id, sizeof(v->account_id), "%s", account_id);
    snprintf(v->name, sizeof(v->name), "%s", name);
    if (json_has(args, "image") && json_has(args, "snapshot_id"))
        return rpc_fail(call, "bad_request", "image: not together with snapshot_id");
    return 0;
}

/* What it begins as: checked for a new request only, for a snapshot may be gone when one is repeated. */
static int origin_arg(struct rpc_call *call, const json_t *args, struct volume *v)
{
    struct volume known;

    if (store_volume_find(serve.store, v->volume_id, &known) == 1)
        return 0;
    if (json_has(args, "image"))
        return image_arg(call, args, v);
    return json_has(args, "snapshot_id") ? snapshot_arg(call, args, v) : 0;
}

/* Makes what needs no copy. 0 there it is, or its image is on the way. */
static int volume_file(struct rpc_call *call, const struct volume *v)
{
    struct tools tools = { .store = serve.store, .volumes = serve.volumes, .catalog = serve.catalog };
    int percent, rc;

    if (v->state != FILE_CREATING)
        return 0;
    if (*v->image) {
        serve_wake_worker(&serve);
        return 0;
    }
    rc = volume_make(&tools, v, &percent);
    if (!rc)
        return 0;
    if (store_volume_drop(serve.store, v->volume_id))
        return store_failed(call);
    return file_failed(call, v->volume_id, rc);
}

int volume_create(struct rpc_call *call, json_t *args, json_t **result)
{
    struct refusal refusal;
    struct limits limits;
    struct volume v;
    char *request;
    int rc;

    if (volume_fill(call, args, &v) || origin_arg(call, args, &v) || limits_read(call, &limits))
        return -1;
    request = json_canonical(args);
    rc = request ? store_volume_add(serve.store, &v, request, &limits, &refusal) : -1;
    free(request);
    if (rc < 0)
        return not_taken(call, rc, &refusal);
    return volume_file(call, &v) ? -1 : volume_answer(call, v.volume_id, result);
}

/* The file first: one that is longer than its row says is harmless, and one that is shorter
 * has lost something and must not be made to look whole at some later start. Whoever uses it
 * hears of it from the worker. */
int volume_resize(struct rpc_call *call, json_t *args, json_t **result)
{
    struct refusal refusal;
    struct limits limits;
    struct json_why why;
    struct volume v;
    int64_t size_mib;
    int rc;

    if (keys_check(call, args, "volume_id size_mib") || volume_arg(call, args, &v))
        return -1;
    if (json_arg_int(args, "size_mib", 1, VOLUME_MIB_MAX, &size_mib, &why))
        return bad(call, &why);
    if (limits_read(call, &limits))
        return -1;
    rc = store_volume_may_grow(serve.store, v.volume_id, size_mib, &limits, &refusal);
    if (rc < 0)
        return not_taken(call, rc, &refusal);
    rc = volumes_grow(serve.volumes, v.volume_id, size_mib);
    if (rc)
        return file_failed(call, v.volume_id, rc);
    if (store_volume_resize(serve.store, v.volume_id, size_mib))
        return store_failed(call);
    if (*v.instance_id) {
        if (job_add_internal(serve.store, "grown", v.instance_id, v.volume_id))
            return store_failed(call);
        serve_wake_worker(&serve);
    }
    return volume_answer(call, v.volume_id, result);
}

int volume_delete(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *volume_id;
    struct refusal refusal;
    struct volume v;
    int rc;

    if (keys_check(call, args, "volume_id") || id_arg(call, args, "volume_id", &volume_id))
        return -1;
    rc = store_volume_find(serve.store, volume_id, &v);
    if (rc != 1)
        return rc ? store_failed(call) : rpc_fail(call, "not_found", "volume_id: no volume %s", volume_id);
    if (v.state == FILE_DELETED)
        return finish_or_fail(call, json_object(), result);
    rc = store_volume_retire(serve.store, volume_id, &refusal);
    if (rc < 0)
        return not_taken(call, rc, &refusal);
    rc = volumes_remove(serve.volumes, VOLUMES_VOLUME, volume_id);
    if (rc)
        return file_failed(call, volume_id, rc);
    if (store_volume_mark(serve.store, volume_id, FILE_DELETED))
        return store_failed(call);
    return finish_or_fail(call, json_object(), result);
}

int volume_get(struct rpc_call *call, json_t *args, json_t **result)
{
    struct volume v;

    if (keys_check(call, args, "volume_id") || volume_arg(call, args, &v))
        return -1;
    return finish_or_fail(call, json_pack("{s:o}", "volume", volume_json(&v)), result);
}

static int volume_append(void *list, const struct volume *v)
{
    return v->state >= FILE_DELETING ? 0 : json_array_append_new(list, volume_json(v));
}

int volumes_get(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account_id;
    json_t *list;

    if (keys_check(call, args, "account_id") || id_arg(call, args, "account_id", &account_id))
        return -1;
    list = json_array();
    if (store_volumes(serve.store, account_id, volume_append, list)) {
        json_decref(list);
        return store_failed(call);
    }
    return finish_or_fail(call, json_pack("{s:o}", "volumes", list), result);
}

static int snapshot_answer(struct rpc_call *call, const struct snapshot *s, json_t **result)
{
    return finish_or_fail(call, json_pack("{s:o}", "snapshot", snapshot_json(s)), result);
}

/* The clone is of the instant in which it is made: one that was not finished is not the one asked for. */
static int snapshot_file(struct rpc_call *call, struct snapshot *s, bool in_use)
{
    int rc = volumes_clone(serve.volumes, VOLUMES_VOLUME, s->volume_id, VOLUMES_SNAPSHOT, s->snapshot_id, s->size_mib,
                           in_use);

    if (!rc)
        return store_snapshot_mark(serve.store, s->snapshot_id, FILE_READY) ? store_failed(call) : 0;
    if (store_snapshot_drop(serve.store, s->snapshot_id))
        return store_failed(call);
    if (rc == -EOPNOTSUPP)
        return rpc_fail(call, "conflict", "this host takes no snapshots of attached volumes: detach it first");
    return file_failed(call, s->snapshot_id, rc);
}

int snapshot_create(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *snapshot_id, *name;
    struct refusal refusal;
    struct limits limits;
    struct snapshot s;
    struct volume v;
    char *request;
    int rc;

    if (keys_check(call, args, "snapshot_id volume_id name") || id_arg(call, args, "snapshot_id", &snapshot_id) ||
        name_arg(call, args, &name) || volume_arg(call, args, &v) || limits_read(call, &limits))
        return -1;
    if (v.state != FILE_READY)
        return rpc_fail(call, "conflict", "the volume is %s", file_state_names[v.state]);
    s = (struct snapshot){ .size_mib = v.size_mib, .created_ms = clock_unix_ms() };
    snprintf(s.snapshot_id, sizeof(s.snapshot_id), "%s", snapshot_id);
    snprintf(s.account_id, sizeof(s.account_id), "%s", v.account_id);
    snprintf(s.volume_id, sizeof(s.volume_id), "%s", v.volume_id);
    snprintf(s.name, sizeof(s.name), "%s", name);
    request = json_canonical(args);
    rc = request ? store_snapshot_add(serve.store, &s, request, &limits, &refusal) : -1;
    free(request);
    if (rc < 0)
        return not_taken(call, rc, &refusal);
    if (s.state == FILE_CREATING && snapshot_file(call, &s, *v.instance_id))
        return -1;
    return snapshot_answer(call, &s, result);
}

int snapshot_delete(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *snapshot_id;
    struct snapshot s;
    int rc;

    if (keys_check(call, args, "snapshot_id") || id_arg(call, args, "snapshot_id", &snapshot_id))
        return -1;
    rc = store_snapshot_find(serve.store, snapshot_id, &s);
    if (rc != 1)
        return rc ? store_failed(call) : rpc_fail(call, "not_found", "snapshot_id: no snapshot %s", snapshot_id);
    if (s.state == FILE_DELETED)
        return finish_or_fail(call, json_object(), result);
    if (store_snapshot_mark(serve.store, snapshot_id, FILE_DELETING))
        return store_failed(call);
    rc = volumes_remove(serve.volumes, VOLUMES_SNAPSHOT, snapshot_id);
    if (rc)
        return file_failed(call, snapshot_id, rc);
    if (store_snapshot_mark(serve.store, snapshot_id, FILE_DELETED))
        return store_failed(call);
    return finish_or_fail(call, json_object(), result);
}

static int snapshot_append(void *list, const struct snapshot *s)
{
    return s->state == FILE_READY ? json_array_append_new(list, snapshot_json(s)) : 0;
}

int snapshots_get(struct rpc_call *call, json_t *args, json_t **result)
{
    const char *account_id;
    json_t *list;

    if (keys_check(call, args, "account_id") || id_arg(call, args, "account_id", &account_id))
        return -1;
    list = json_array();
    if (store_snapshots(serve.store, account_id, snapshot_append, list)) {
        json_decref(list);
        return store_failed(call);
    }
    return finish_or_fail(call, json_pack("{s:o}", "snapshots", list), result);
}
