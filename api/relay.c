#include "api/relay.h"
#include "api/pages.h"
#include "api/present.h"
#include "api/route.h"
#include "api/upstream.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>

json_t *relay_args(const struct request *rq)
{
    return rq->who.role == ROLE_CUSTOMER ? json_pack("{s:s}", "account_id", rq->who.account_id) : json_object();
}

json_t *relay_operator_args(const struct request *rq)
{
    return json_pack("{s:s}", "operator", principal_name(&rq->who));
}

/* Customers learn that it was an operator, not which one: `operator` goes, and "operator opk_..." of what a transfer
 * refers to. */
static void operator_hide(json_t *view)
{
    json_object_del(view, "operator");
    if (strncmp(json_text(view, "refers"), "operator ", strlen("operator ")) == 0)
        json_object_set_new(view, "refers", json_string(""));
}

json_t *relay_view(const struct request *rq, const json_t *thing, const char *id_name)
{
    json_t *view = present_copy(thing);

    if (id_name && json_object_get(view, id_name)) {
        json_object_set(view, "id", json_object_get(view, id_name));
        json_object_del(view, id_name);
    }
    if (rq->who.role == ROLE_OPERATOR && json_object_get(view, "account_id"))
        json_object_set(view, "customer_id", json_object_get(view, "account_id"));
    json_object_del(view, "account_id");
    if (rq->who.role != ROLE_OPERATOR)
        operator_hide(view);
    return view;
}

static enum answer page_read(struct request *rq, struct reply *rp, json_t *args)
{
    int64_t after, limit;
    enum answer answer = page_query(rq, rp, &after, &limit);

    if (answer != ANSWER_OK)
        return answer;
    if (request_query(rq, "after"))
        json_object_set_new(args, "after", json_integer(after));
    json_object_set_new(args, "limit", json_integer(limit));
    return ANSWER_OK;
}

enum answer relay_list(struct request *rq, struct reply *rp, const char *verb, json_t *args, const char *list,
                       const char *id_name)
{
    enum answer answer = route_knows_query(rq->route, "limit") ? page_read(rq, rp, args) : ANSWER_OK;
    json_t *ok, *thing, *rows, *next;
    size_t i;

    if (answer != ANSWER_OK) {
        json_decref(args);
        return answer;
    }
    answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, verb, args, &ok);
    if (answer != ANSWER_OK)
        return answer;
    rows = json_array();
    json_array_foreach(json_object_get(ok, list), i, thing) json_array_append_new(rows, relay_view(rq, thing, id_name));
    next = json_object_get(ok, "next");
    rp->json = json_pack("{s:o, s:o}", "data", rows, "next_cursor", next ? json_incref(next) : json_null());
    json_decref(ok);
    return ANSWER_OK;
}

enum answer relay_show(struct request *rq, struct reply *rp, const char *verb, json_t *args, const char *name,
                       const char *id_name)
{
    json_t *ok, *thing;
    enum answer answer = upstream_ask(rq, rp, DAEMON_ACCOUNTD, verb, args, &ok);

    /* Another's and nobody's are told in the same words. */
    if (answer == ANSWER_NOT_FOUND && rq->param[0])
        return reply_fail(rp, answer, "no such thing");
    if (answer != ANSWER_OK)
        return answer;
    thing = name ? json_object_get(ok, name) : NULL;
    rp->json = relay_view(rq, thing ? thing : ok, id_name);
    json_decref(ok);
    return ANSWER_OK;
}

enum answer relay_customer(const struct request *rq, struct reply *rp, json_t *args)
{
    const char *id;
    enum answer answer = page_query_customer(rq, rp, &id);

    if (answer == ANSWER_OK && id)
        json_object_set_new(args, "account_id", json_string(id));
    return answer;
}

enum answer relay_param(const struct request *rq, struct reply *rp, const char *prefix, const char *id_name,
                        json_t *args)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";

    if (prefix ? !id_valid(prefix, rq->param) : strspn(rq->param, letters) != strlen(rq->param))
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such thing");
    json_object_set_new(args, id_name, json_string(rq->param));
    return ANSWER_OK;
}

static enum answer made(struct request *rq, struct reply *rp, const struct relay_making *making, json_t *args,
                        const char *id)
{
    enum answer answer;

    if (making->id_arg)
        json_object_set_new(args, making->id_arg, json_string(id));
    answer = relay_show(rq, rp, making->verb, json_incref(args), making->name, making->id_name);
    if (answer != ANSWER_OK)
        return answer;
    if (making->echo) {
        json_decref(rp->json);
        rp->json = relay_view(rq, args, making->id_name);
    }
    if (making->id_arg && !making->id_name)
        json_object_set_new(rp->json, "id", json_string(id));
    if (making->place)
        snprintf(rp->location, sizeof(rp->location), "%s/%s", making->place, id);
    return ANSWER_CREATED;
}

enum answer relay_make(struct request *rq, struct reply *rp, const struct relay_making *making, json_t *args)
{
    struct idem idem;
    enum answer answer = idem_open(rq, rp, making->prefix, "nil_", NULL, NULL, &idem);

    if (answer == ANSWER_OK)
        answer = idem_close(rq, rp, &idem, made(rq, rp, making, args, idem.subject_id));
    json_decref(args);
    return answer;
}
