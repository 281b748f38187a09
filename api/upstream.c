/* Maps the daemons' error codes (common/rpc.h) to ours: the one place. */
#include "api/upstream.h"
#include "api/present.h"
#include "common/log.h"
#include "common/rpc.h"

#include <stdlib.h>
#include <string.h>

struct upstream {
    struct rpc_client *clients[2];
};

static const char *const names[] = { "accountd", "provisioner" };

static const struct {
    const char *code;
    enum answer answer;
} errors[] = {
    { "bad_request", ANSWER_INVALID_FIELDS },
    { "forbidden", ANSWER_FORBIDDEN },
    { "not_found", ANSWER_NOT_FOUND },
    { "conflict", ANSWER_CONFLICT },
    { "insufficient_funds", ANSWER_INSUFFICIENT_FUNDS },
    { "quota_exceeded", ANSWER_QUOTA_EXCEEDED },
    { "capacity_unavailable", ANSWER_CAPACITY },
    { "unavailable", ANSWER_UNAVAILABLE },
};

struct upstream *upstream_new(const char *accountd, const char *provisioner)
{
    struct upstream *up = calloc(1, sizeof(*up));

    if (!up)
        return NULL;
    up->clients[DAEMON_ACCOUNTD] = rpc_client_new(accountd);
    up->clients[DAEMON_PROVISIONER] = rpc_client_new(provisioner);
    if (up->clients[0] && up->clients[1])
        return up;
    upstream_free(up);
    return NULL;
}

void upstream_free(struct upstream *up)
{
    if (!up)
        return;
    rpc_client_free(up->clients[0]);
    rpc_client_free(up->clients[1]);
    free(up);
}

/* The daemons name the argument first, "vcpus: must be ..." or "inbound[3].ports: must be ...": so can we. */
static json_t *field_error(const char *detail)
{
    size_t len = strspn(detail, "abcdefghijklmnopqrstuvwxyz_0123456789[].");

    if (len == 0 || strncmp(detail + len, ": ", 2) != 0)
        return NULL;
    return json_pack("[{s:s%, s:s, s:s}]", "field", detail, len, "code", "refused", "detail", detail + len + 2);
}

/* What the customer is told. A fault between daemons is ours, and only the log names it. */
static enum answer failed(struct reply *rp, enum daemon daemon, const char *verb, const json_t *error)
{
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *detail = json_string_value(json_object_get(error, "detail"));

    for (size_t i = 0; code && i < sizeof(errors) / sizeof(errors[0]); i++) {
        if (strcmp(code, errors[i].code) != 0)
            continue;
        json_decref(rp->context);
        rp->context = present_copy(json_object_get(error, "context"));
        if (errors[i].answer == ANSWER_INVALID_FIELDS && detail && !rp->errors)
            rp->errors = field_error(detail);
        /* A detail that begins with a path is about the socket: nobody listens. */
        if (errors[i].answer == ANSWER_UNAVAILABLE && (!detail || detail[0] == '/'))
            return reply_fail(rp, ANSWER_UNAVAILABLE, "%s does not answer; nothing is lost, try again", names[daemon]);
        return reply_fail(rp, errors[i].answer, "%s", detail ? detail : code);
    }
    log_warnx("%s: %s: %s: %s, answered 502", names[daemon], verb, code ? code : "no code", detail ? detail : "");
    return reply_fail(rp, ANSWER_UPSTREAM_FAILED, "%s could not do \"%s\"; try again, and if it stays so tell us",
                      names[daemon], verb);
}

enum answer upstream_ask_within(struct request *rq, struct reply *rp, enum daemon daemon, const char *verb,
                                json_t *args, int timeout_ms, json_t **ok)
{
    json_t *error = NULL;
    enum answer answer = ANSWER_OK;

    if (!rq->up) {
        json_decref(args);
        *ok = NULL;
        return ANSWER_LATER;
    }
    *ok = rpc_call_sync(rq->up->clients[daemon], verb, args, timeout_ms, &error);
    if (!*ok)
        answer = failed(rp, daemon, verb, error);
    json_decref(error);
    return answer;
}

enum answer upstream_ask(struct request *rq, struct reply *rp, enum daemon daemon, const char *verb, json_t *args,
                         json_t **ok)
{
    return upstream_ask_within(rq, rp, daemon, verb, args, UPSTREAM_TIMEOUT_MS, ok);
}

enum answer upstream_list(struct request *rq, struct reply *rp, enum daemon daemon, const char *verb, const char *list,
                          json_t *(*view)(const struct request *rq, const json_t *thing))
{
    json_t *ok, *thing, *page, *seen;
    size_t i;
    enum answer answer = upstream_ask(rq, rp, daemon, verb, json_pack("{s:s}", "account_id", rq->who.account_id), &ok);

    if (answer != ANSWER_OK)
        return answer;
    page = json_array();
    json_array_foreach(json_object_get(ok, list), i, thing)
        if ((seen = view(rq, thing)) != NULL)
            json_array_append_new(page, seen);
    rp->json = present_page(page);
    json_decref(ok);
    return ANSWER_OK;
}
