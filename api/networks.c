/* The account's network, the addresses in it, and the host's ports that lead
 * to them. All of it is the provisioner's; a forward is found through its instance. */
#include "api/networks.h"
#include "api/api.h"
#include "api/fields.h"
#include "api/idem.h"
#include "api/instances.h"
#include "api/present.h"
#include "api/resources.h"
#include "api/upstream.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>

static json_t *forward_view(const json_t *forward)
{
    return present_thing(forward, "forward_id");
}

json_t *forwards_view(const json_t *live)
{
    json_t *list = json_array(), *forward;
    size_t i;

    json_array_foreach(json_object_get(live, "forwards"), i, forward)
        json_array_append_new(list, forward_view(forward));
    return list;
}

json_t *addresses_view(const json_t *live)
{
    json_t *addresses = present_copy(json_object_get(live, "addresses"));

    return addresses ? addresses : json_array();
}

json_t *ssh_view(const json_t *live)
{
    json_t *forward;
    size_t i;

    json_array_foreach(json_object_get(live, "forwards"), i, forward)
        if (json_integer_value(json_object_get(forward, "guest_port")) == SSH_PORT)
            return json_pack("{s:O?, s:O?}", "host", json_object_get(forward, "host"), "port",
                             json_object_get(forward, "port"));
    return json_null();
}

enum answer networks_list(struct request *rq, struct reply *rp)
{
    json_t *ok;
    enum answer answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "network",
                                      json_pack("{s:s}", "account_id", rq->who.account_id), &ok);

    if (answer != ANSWER_OK)
        return answer;
    rp->json = present_page(json_pack("[o]", present_thing(json_object_get(ok, "network"), "network_id")));
    json_decref(ok);
    return ANSWER_OK;
}

static enum answer instances_ask(struct request *rq, struct reply *rp, json_t **ok)
{
    return upstream_ask(rq, rp, DAEMON_PROVISIONER, "instances", json_pack("{s:s}", "account_id", rq->who.account_id),
                        ok);
}

/* The provisioner tells of all of the account's. */
static bool instance_seen(struct request *rq, const json_t *live)
{
    struct instance_row row;

    return store_instance_get(rq->api->store, rq->who.account_id, json_text(live, "instance_id"), &row) == 1 &&
           principal_sees(&rq->who, row.project_id);
}

enum answer ips_list(struct request *rq, struct reply *rp)
{
    json_t *ok, *list, *live, *address;
    size_t i, j;
    enum answer answer = instances_ask(rq, rp, &ok);

    if (answer != ANSWER_OK)
        return answer;
    list = json_array();
    json_array_foreach(json_object_get(ok, "instances"), i, live)
        json_array_foreach(instance_seen(rq, live) ? json_object_get(live, "addresses") : NULL, j, address) {
            json_t *view = present_copy(address);

            json_object_set(view, "instance_id", json_object_get(live, "instance_id"));
            json_object_set(view, "instance_name", json_object_get(live, "name"));
            json_array_append_new(list, view);
        }
    rp->json = present_page(list);
    json_decref(ok);
    return ANSWER_OK;
}

enum answer forward_create(struct request *rq, struct reply *rp)
{
    struct instance_row row;
    struct fields fields;
    int64_t guest_port = 0;
    struct idem idem;
    json_t *ok = NULL;
    enum answer answer = idem_replay(rq, rp);

    if (answer == ANSWER_OK)
        answer = instance_own(rq, rp, &row);
    if (answer != ANSWER_OK)
        return answer;
    fields_start(&fields, rq->json);
    fields_integer(&fields, "guest_port", 1, 65535, &guest_port);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    answer = idem_open(rq, rp, "fwd_", "nil_", NULL, NULL, &idem);
    if (answer != ANSWER_OK)
        return answer;
    answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "forward_create",
                          json_pack("{s:s, s:s, s:I}", "forward_id", idem.subject_id, "instance_id", row.instance_id,
                                    "guest_port", (json_int_t)guest_port),
                          &ok);
    if (answer == ANSWER_OK) {
        rp->json = forward_view(json_object_get(ok, "forward"));
        answer = ANSWER_CREATED;
    }
    json_decref(ok);
    return idem_close(rq, rp, &idem, answer);
}

enum answer forwards_list(struct request *rq, struct reply *rp)
{
    struct instance_row row;
    json_t *live = NULL;
    enum answer answer = instance_own(rq, rp, &row);

    if (answer == ANSWER_OK)
        answer = instance_live(rq, rp, row.instance_id, &live);
    if (answer == ANSWER_OK)
        rp->json = present_page(forwards_view(live));
    json_decref(live);
    return answer;
}

/* True if one of these instances has the forward. */
static bool forward_among(struct request *rq, const json_t *instances, const char *forward_id)
{
    json_t *live, *forward;
    size_t i, j;

    json_array_foreach(instances, i, live)
        json_array_foreach(json_object_get(live, "forwards"), j, forward)
            if (strcmp(json_text(forward, "forward_id"), forward_id) == 0)
                return instance_seen(rq, live);
    return false;
}

enum answer forward_delete(struct request *rq, struct reply *rp)
{
    json_t *ok;
    bool own;
    enum answer answer = instances_ask(rq, rp, &ok);

    if (answer != ANSWER_OK)
        return answer;
    own = forward_among(rq, json_object_get(ok, "instances"), rq->param);
    json_decref(ok);
    if (!own)
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such forward");
    answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "forward_delete", json_pack("{s:s}", "forward_id", rq->param),
                          &ok);
    json_decref(ok);
    return answer == ANSWER_OK ? ANSWER_NO_CONTENT : answer;
}
