/* Making an instance: what the customer asked for is checked against the
 * catalogue and against what is theirs; room and quotas of disk and network are the provisioner's to refuse. */
#include "api/actions.h"
#include "api/api.h"
#include "api/catalog.h"
#include "api/idem.h"
#include "api/instances.h"
#include "api/networks.h"
#include "api/people/membership.h"
#include "api/purchase_orders.h"
#include "api/resources.h"
#include "api/spending.h"
#include "api/store_projects.h"
#include "api/ssh_keys.h"
#include "api/upstream.h"
#include "api/volumes.h"

#include <stdio.h>
#include <string.h>

#define VOLUMES_PER_INSTANCE 8
#define USER_DATA_BYTES_MAX 16384

struct creation {
    struct instance_row row;
    struct request *rq;
    struct reply *rp;
    const json_t *forward_ports;        /* borrowed; NULL none */
    bool from_disk;                     /* the image boots from a volume of its own, or is unknown */
    int64_t hold_nano;                  /* what counts against the key's limit */
    json_t *args;                       /* what the provisioner is asked with beside ids and row; owned */
};

/* The id of what is made beside the instance: the same in every try. */
static char *id_beside(const char *prefix, const struct idem *idem, int64_t number, char id[static ID_BYTES])
{
    char text[ID_BYTES + 24];

    snprintf(text, sizeof(text), "%s/%jd", idem->subject_id, (intmax_t)number);
    return id_derive(prefix, text, id);
}

/* The account's bound, counted in the transaction that adds one. */
static int creation_insert(struct store *store, const struct idem *idem, void *arg)
{
    struct creation *creation = arg;
    int64_t max = creation->rq->api->config.instances_per_account;
    struct action_row action = { .type = "create", .created_ms = creation->row.created_ms };
    char volume_id[ID_BYTES];
    int64_t count;
    int rc;

    if (store_instance_count(store, creation->row.account_id, &count) != 1)
        return -1;
    if (count >= max)
        return reply_fail_quota(creation->rp, "instances_max", "instances", max, count);
    rc = spending_add(store, creation->rq, creation->rp, creation->hold_nano);
    if (rc)
        return rc;
    snprintf(creation->row.instance_id, sizeof(creation->row.instance_id), "%s", idem->subject_id);
    snprintf(action.action_id, sizeof(action.action_id), "%s", idem->job_id);
    snprintf(action.instance_id, sizeof(action.instance_id), "%s", idem->subject_id);
    snprintf(action.account_id, sizeof(action.account_id), "%s", creation->row.account_id);
    if (store_instance_insert(store, &creation->row) != 0 || store_action_insert(store, &action) != 0)
        return -1;
    return creation->from_disk ? store_place(store, id_beside("vol_", idem, 0, volume_id), creation->row.project_id) : 0;
}

/* Name, image and flavor into creation->row. */
static enum answer kind_read(struct creation *creation, struct fields *fields, int64_t *disk_mib_min)
{
    const char *name = "", *image = "", *flavor = "", *boot;
    json_t *image_entry = NULL, *flavor_entry = NULL;
    struct instance_row *row = &creation->row;
    enum answer answer = ANSWER_OK;
    int64_t memory_mib_min;

    fields_name(fields, "name", &name);
    if (fields_text(fields, "image", NAME_BYTES - 1, &image))
        answer = catalog_find(creation->rq, creation->rp, fields, "images", "image", image, &image_entry);
    if (fields_text(fields, "flavor", NAME_BYTES - 1, &flavor) && answer == ANSWER_OK)
        answer = catalog_find(creation->rq, creation->rp, fields, "flavors", "flavor", flavor, &flavor_entry);
    row->vcpus = json_integer_value(json_object_get(flavor_entry, "vcpus"));
    row->memory_mib = json_integer_value(json_object_get(flavor_entry, "memory_mib"));
    memory_mib_min = json_integer_value(json_object_get(image_entry, "memory_mib_min"));
    if (image_entry && flavor_entry && memory_mib_min > row->memory_mib)
        fields_error(fields, "flavor", "too_little_memory", "this image needs %jd MiB, the flavor has %jd",
                     (intmax_t)memory_mib_min, (intmax_t)row->memory_mib);
    boot = json_string_value(json_object_get(image_entry, "boot"));
    /* What would fit no other image is not held against one that nobody knows: that is the mistake. */
    creation->from_disk = !image_entry || (boot && strcmp(boot, "disk") == 0);
    *disk_mib_min = json_integer_value(json_object_get(image_entry, "disk_mib_min"));
    json_decref(image_entry);
    json_decref(flavor_entry);
    snprintf(row->name, sizeof(row->name), "%s", name);
    snprintf(row->image, sizeof(row->image), "%s", image);
    snprintf(row->flavor, sizeof(row->flavor), "%s", flavor);
    return answer;
}

static void disk_read(struct creation *creation, struct fields *fields, int64_t disk_mib_min)
{
    int64_t disk_mib;

    if (!fields_has(fields, "disk_mib") || !fields_integer(fields, "disk_mib", 1, VOLUME_MIB_MAX, &disk_mib))
        return;
    if (!creation->from_disk)
        fields_error(fields, "disk_mib", "no_disk", "this image has no disk of its own: attach a volume instead");
    else if (disk_mib < disk_mib_min)
        fields_error(fields, "disk_mib", "too_small", "this image needs %jd MiB", (intmax_t)disk_mib_min);
    json_object_set_new(creation->args, "disk_mib", json_integer(disk_mib));
}

/* Existing volumes, each of them the caller's. */
static enum answer volumes_read(struct creation *creation, struct fields *fields)
{
    const json_t *list;
    json_t *id, *volume;
    size_t i;

    if (!fields_has(fields, "volumes") || !fields_texts(fields, "volumes", VOLUMES_PER_INSTANCE, ID_BYTES - 1, &list))
        return ANSWER_OK;
    json_array_foreach(list, i, id) {
        enum answer answer = volume_own(creation->rq, creation->rp, json_string_value(id), &volume);

        json_decref(volume);
        if (answer == ANSWER_NOT_FOUND)
            fields_error(fields, "volumes", "unknown", "you have no volume %s", json_string_value(id));
        else if (answer != ANSWER_OK)
            return answer;
    }
    json_object_set(creation->args, "volumes", (json_t *)list);
    return ANSWER_OK;
}

static void network_read(struct creation *creation, struct fields *fields)
{
    bool network = creation->from_disk;

    if (fields_has(fields, "network") && fields_flag(fields, "network", &network))
        json_object_set_new(creation->args, "network", json_boolean(network));
    if (!fields_has(fields, "forward_ports") ||
        !fields_integers(fields, "forward_ports", FORWARDS_PER_INSTANCE, 1, 65535, &creation->forward_ports))
        return;
    if (json_array_size(creation->forward_ports) && !network)
        fields_error(fields, "forward_ports", "no_network", "set network to true: a port needs an address to lead to");
}

/* Who pays: the wallet, or one of the caller's purchase orders. */
static enum answer payer_read(struct creation *creation, struct fields *fields)
{
    const char *id;
    json_t *order;
    enum answer answer;

    if (!fields_has(fields, "purchase_order_id") || !fields_text(fields, "purchase_order_id", ID_BYTES - 1, &id))
        return ANSWER_OK;
    answer = purchase_order_own(creation->rq, creation->rp, id, &order);
    json_decref(order);
    if (answer == ANSWER_NOT_FOUND)
        fields_error(fields, "purchase_order_id", "unknown", "you have no purchase order %s", id);
    else if (answer != ANSWER_OK)
        return answer;
    json_object_set_new(creation->args, "purchase_order_id", json_string(id));
    return ANSWER_OK;
}

static enum answer guest_read(struct creation *creation, struct fields *fields)
{
    const char *cmdline, *user_data;
    json_t *lines;
    enum answer answer = ssh_keys_read(creation->rq, creation->rp, fields, "ssh_keys", &lines);

    if (json_array_size(lines))
        json_object_set(creation->args, "ssh_keys", lines);
    json_decref(lines);
    if (fields_has(fields, "cmdline") && fields_text(fields, "cmdline", 512, &cmdline))
        json_object_set_new(creation->args, "cmdline", json_string(cmdline));
    if (fields_has(fields, "user_data") && fields_document(fields, "user_data", USER_DATA_BYTES_MAX, &user_data))
        json_object_set_new(creation->args, "user_data", json_string(user_data));
    return answer;
}

/* ANSWER_OK, or what the customer has to correct: all of it at once. */
static enum answer creation_read(struct creation *creation)
{
    struct reply *rp = creation->rp;
    struct fields fields;
    int64_t disk_mib_min;
    enum answer answer;

    fields_start(&fields, creation->rq->json);
    answer = kind_read(creation, &fields, &disk_mib_min);
    disk_read(creation, &fields, disk_mib_min);
    if (answer == ANSWER_OK)
        answer = volumes_read(creation, &fields);
    network_read(creation, &fields);
    if (answer == ANSWER_OK)
        answer = payer_read(creation, &fields);
    if (answer == ANSWER_OK)
        answer = guest_read(creation, &fields);
    rp->errors = fields_done(&fields);
    if (answer != ANSWER_OK)
        return answer;
    if (rp->errors)
        return reply_fail(rp, ANSWER_INVALID_FIELDS, "see errors");
    snprintf(creation->row.account_id, sizeof(creation->row.account_id), "%s", creation->rq->who.account_id);
    project_for_new(creation->rq, creation->row.project_id);
    creation->row.created_ms = creation->rq->now_ms;
    return ANSWER_OK;
}

/* api.db learns that an instance is gone when somebody looks. Before the
 * account's bound is held against a customer, we look. */
static enum answer quota_refresh(struct request *rq, struct reply *rp)
{
    enum answer answer;
    int64_t count;

    if (store_instance_count(rq->api->store, rq->who.account_id, &count) != 1)
        return reply_fail(rp, ANSWER_STORAGE, "instances cannot be counted");
    if (count < rq->api->config.instances_per_account)
        return ANSWER_OK;
    answer = instances_list(rq, rp);
    json_decref(rp->json);
    rp->json = NULL;
    return answer;
}

/* Completes creation->args with the row and the ids. */
static void args_complete(struct creation *creation, const struct idem *idem)
{
    const struct instance_row *row = &creation->row;
    char id[ID_BYTES];
    json_t *forwards = json_array(), *port;
    json_t *common = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "job_id", idem->job_id, "instance_id",
                               idem->subject_id, "account_id", row->account_id, "name", row->name, "image", row->image,
                               "flavor", row->flavor);
    size_t i;

    json_array_foreach(creation->forward_ports, i, port) {
        int64_t number = (int64_t)json_number_value(port);

        json_array_append_new(forwards, json_pack("{s:s, s:I}", "forward_id", id_beside("fwd_", idem, number, id),
                                                  "guest_port", (json_int_t)number));
    }
    json_object_update(creation->args, common);
    if (json_array_size(forwards))
        json_object_set(creation->args, "forwards", forwards);
    if (creation->from_disk)
        json_object_set_new(creation->args, "volume_id", json_string(id_beside("vol_", idem, 0, id)));
    json_decref(forwards);
    json_decref(common);
}

static enum answer creation_order(struct creation *creation, const struct idem *idem)
{
    struct request *rq = creation->rq;
    struct reply *rp = creation->rp;
    json_t *ok, *none;
    enum answer answer;

    args_complete(creation, idem);
    answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "instance_create", json_incref(creation->args), &ok);
    if (answer != ANSWER_OK)
        return answer;
    none = json_array();
    rp->json = instance_view(rq, &creation->row, NULL, none);
    json_object_set_new(rp->json, "action", action_view(json_object_get(ok, "job")));
    action_location(rp, idem->job_id);
    json_decref(none);
    json_decref(ok);
    return ANSWER_ACCEPTED;
}

/* What stays nothing has cost nothing, and is nowhere. */
static void creation_undo(struct creation *creation, const struct idem *idem)
{
    char volume_id[ID_BYTES];

    spending_return(creation->rq, creation->hold_nano);
    if (creation->from_disk)
        store_unplace(creation->rq->api->store, id_beside("vol_", idem, 0, volume_id));
}

static enum answer creation_run(struct creation *creation)
{
    struct idem idem;
    enum answer answer = creation_read(creation);

    if (answer == ANSWER_OK)
        answer = quota_refresh(creation->rq, creation->rp);
    if (answer == ANSWER_OK)
        answer = spending_ask(creation->rq, creation->rp, &creation->row, &creation->hold_nano);
    if (answer == ANSWER_OK)
        answer = idem_open(creation->rq, creation->rp, "ins_", "act_", creation_insert, creation, &idem);
    if (answer != ANSWER_OK)
        return answer;
    snprintf(creation->row.instance_id, sizeof(creation->row.instance_id), "%s", idem.subject_id);
    creation->row.created_ms = idem.created_ms;
    answer = idem_close(creation->rq, creation->rp, &idem, creation_order(creation, &idem));
    if (idem_refused(answer))
        creation_undo(creation, &idem);
    return answer;
}

enum answer instance_create(struct request *rq, struct reply *rp)
{
    struct creation creation = { .rq = rq, .rp = rp, .args = json_object() };
    enum answer answer = idem_replay(rq, rp);

    if (answer == ANSWER_OK)
        answer = creation_run(&creation);
    json_decref(creation.args);
    return answer;
}
