/* Instances as operators see and hold them, whoever's they are: one, its records, what an operator may force, and
 * suspending it or all of a customer's. Reasons go into the audit log by dispatch, which takes them from the body. */
#include "api/actions.h"
#include "api/admin.h"
#include "api/api.h"
#include "api/fields.h"
#include "api/idem.h"
#include "api/present.h"
#include "api/relay.h"
#include "api/resources.h"
#include "api/route.h"
#include "api/upstream.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>

#define REASON_MAX 200

/* The provisioner's word on the instance that {id} names; *account_id is whose it is. New reference in *domain. */
static enum answer domain_find(struct request *rq, struct reply *rp, json_t **domain)
{
    json_t *ok;
    enum answer answer = ANSWER_NOT_FOUND;

    *domain = NULL;
    if (id_valid("ins_", rq->param))
        answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "instance", json_pack("{s:s}", "instance_id", rq->param), &ok);
    if (answer == ANSWER_NOT_FOUND)
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such instance");
    if (answer != ANSWER_OK)
        return answer;
    *domain = json_incref(json_object_get(ok, "instance"));
    snprintf(rq->about.account_id, sizeof(rq->about.account_id), "%s", json_text(*domain, "account_id"));
    json_decref(ok);
    return ANSWER_OK;
}

/* {account_id[, instance_id]} of what {id} names: an instance below domains/, a customer below customers/. The path says
 * which, not the id: who may touch the one may not always touch the other. */
static enum answer subject_find(struct request *rq, struct reply *rp, json_t **args)
{
    struct customer_row customer;
    json_t *domain = NULL;
    bool one = strstr(rq->route->pattern, "/domains/") != NULL;
    enum answer answer = one ? domain_find(rq, rp, &domain) : customer_find(rq, rp, &customer);

    *args = NULL;
    if (answer == ANSWER_OK)
        *args = one ? json_pack("{s:s, s:s}", "account_id", json_text(domain, "account_id"), "instance_id", rq->param)
                    : json_pack("{s:s}", "account_id", customer.account_id);
    json_decref(domain);
    return answer;
}

static enum answer reason_read(struct request *rq, struct reply *rp, const char **reason)
{
    struct fields fields;

    fields_start(&fields, rq->json);
    fields_text(&fields, "reason", REASON_MAX, reason);
    return fields_end(&fields, rp);
}

enum answer domains_list(struct request *rq, struct reply *rp)
{
    json_t *ok, *list, *each;
    size_t i;
    enum answer answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "instances", json_object(), &ok);

    if (answer != ANSWER_OK)
        return answer;
    list = json_array();
    json_array_foreach(json_object_get(ok, "instances"), i, each)
        json_array_append_new(list, relay_view(rq, each, "instance_id"));
    json_decref(ok);
    rp->json = present_page(list);
    return ANSWER_OK;
}

/* With what was used so far: raw counters, as they are billed. */
enum answer domain_show(struct request *rq, struct reply *rp)
{
    json_t *domain, *args, *ok = NULL, *usage;
    enum answer answer = domain_find(rq, rp, &domain);

    if (answer != ANSWER_OK)
        return answer;
    args = json_pack("{s:s, s:s}", "account_id", json_text(domain, "account_id"), "instance_id", rq->param);
    answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "usage", args, &ok);
    /* What has never run has used nothing. */
    if (answer == ANSWER_OK || answer == ANSWER_NOT_FOUND) {
        rp->detail[0] = 0;
        rp->json = relay_view(rq, domain, "instance_id");
        usage = json_array_get(json_object_get(ok, "instances"), 0);
        json_object_set_new(rp->json, "usage", usage ? present_copy(usage) : json_null());
        answer = ANSWER_OK;
    }
    json_decref(domain);
    json_decref(ok);
    return answer;
}

enum answer domain_records_list(struct request *rq, struct reply *rp)
{
    json_t *args;
    enum answer answer = subject_find(rq, rp, &args);

    return answer == ANSWER_OK ? relay_list(rq, rp, "records", args, "records", NULL) : answer;
}

/* suspension */

enum answer suspension_preview(struct request *rq, struct reply *rp)
{
    json_t *args;
    enum answer answer = subject_find(rq, rp, &args);

    return answer == ANSWER_OK ? relay_show(rq, rp, "suspension_preview", args, NULL, NULL) : answer;
}

enum answer suspension_begin(struct request *rq, struct reply *rp)
{
    const char *reason = "";
    json_t *args;
    enum answer answer = reason_read(rq, rp, &reason);

    if (answer == ANSWER_OK)
        answer = subject_find(rq, rp, &args);
    if (answer != ANSWER_OK)
        return answer;
    json_object_set_new(args, "reason", json_string(reason));
    json_object_set_new(args, "operator", json_string(principal_name(&rq->who)));
    return relay_show(rq, rp, "suspend", args, "suspension", NULL);
}

enum answer suspension_end(struct request *rq, struct reply *rp)
{
    const char *reason = "";
    json_t *args, *ok = NULL;
    enum answer answer = reason_read(rq, rp, &reason);

    if (answer == ANSWER_OK)
        answer = subject_find(rq, rp, &args);
    if (answer == ANSWER_OK)
        answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, "resume", args, &ok);
    json_decref(ok);
    return answer == ANSWER_OK ? ANSWER_NO_CONTENT : answer;
}

/* force */

static enum answer force_read(struct request *rq, struct reply *rp, const char **type)
{
    static const char *const types[] = { "shutdown", "power_off", "reboot", NULL };
    const char *reason;
    struct fields fields;

    fields_start(&fields, rq->json);
    fields_choice(&fields, "type", types, type);
    fields_text(&fields, "reason", REASON_MAX, &reason);
    return fields_end(&fields, rp);
}

enum answer domain_force(struct request *rq, struct reply *rp)
{
    const char *type = "";
    json_t *domain = NULL, *ok = NULL;
    struct idem idem;
    enum answer answer = force_read(rq, rp, &type);

    if (answer == ANSWER_OK)
        answer = domain_find(rq, rp, &domain);
    if (answer == ANSWER_OK)
        answer = idem_open(rq, rp, "act_", "nil_", NULL, NULL, &idem);
    json_decref(domain);
    if (answer != ANSWER_OK)
        return answer;
    answer = upstream_ask(rq, rp, DAEMON_PROVISIONER, "instance_action",
                          json_pack("{s:s, s:s, s:s}", "job_id", idem.subject_id, "instance_id", rq->param, "type", type),
                          &ok);
    if (answer == ANSWER_OK) {
        rp->json = action_view(json_object_get(ok, "job"));
        answer = ANSWER_ACCEPTED;
    }
    json_decref(ok);
    return idem_close(rq, rp, &idem, answer);
}
