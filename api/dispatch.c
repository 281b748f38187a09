/* Order matters: who asks is settled first, and a stranger's question, a wrong
 * key among them, is counted against the address; then the role, the scope,
 * and only then the body is parsed, so that who may not ask costs little and learns nothing. */
#include "api/dispatch.h"
#include "api/api.h"
#include "api/audit.h"
#include "api/authenticate.h"
#include "api/fields.h"
#include "api/kept.h"
#include "api/precondition.h"
#include "api/route.h"
#include "api/rows.h"
#include "common/clock.h"
#include "common/log.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool dispatch_waits(const struct request *rq)
{
    const char *wait = request_query(rq, "wait");

    return wait && strcmp(wait, "0") != 0 && rq->route && route_knows_query(rq->route, "wait");
}

size_t dispatch_body_max(const struct request *rq)
{
    const char *key = auth_bearer(rq->authorization);
    bool is_operator = (key && key_valid(KEY_OPERATOR_PREFIX, key)) ||
                       (!key && rq->cookie && key_valid(SESSION_OPERATOR_PREFIX, rq->cookie));

    return rq->route && rq->route->body == BODY_XML && is_operator ? BODY_XML_BYTES_MAX : BODY_BYTES_MAX;
}

static enum answer query_check(const struct request *rq, struct reply *rp)
{
    if (rq->query_excess)
        return reply_fail(rp, ANSWER_MALFORMED, "more than %d query parameters", QUERY_MAX);
    for (unsigned i = 0; i < rq->query_count; i++)
        if (!route_knows_query(rq->route, rq->query[i].name))
            return reply_fail(rp, ANSWER_MALFORMED, "%.64s: no such query parameter here", rq->query[i].name);
    return ANSWER_OK;
}

/* 1 to 128 visible characters; the key lands in a database row. */
static enum answer idempotency_check(const struct request *rq, struct reply *rp)
{
    const char *key = rq->idempotency_key;
    size_t len = key ? strlen(key) : 0;

    if (rq->route->key == KEY_NONE)
        return ANSWER_OK;
    if (!key)
        return rq->route->key == KEY_OPTIONAL
                   ? ANSWER_OK
                   : reply_fail(rp, ANSWER_KEY_HEADER,
                                "send Idempotency-Key with a new random value, and the same value when you try again");
    for (size_t i = 0; i < len; i++)
        if (key[i] <= ' ' || key[i] > '~')
            return reply_fail(rp, ANSWER_KEY_HEADER, "the Idempotency-Key may hold only visible ASCII characters");
    if (len < 1 || len > IDEM_KEY_MAX)
        return reply_fail(rp, ANSWER_KEY_HEADER, "the Idempotency-Key must be 1 to %d characters", IDEM_KEY_MAX);
    return ANSWER_OK;
}

static bool type_is(const struct request *rq, const char *type)
{
    size_t len = strlen(type);

    return rq->content_type && strncasecmp(rq->content_type, type, len) == 0 &&
           (!rq->content_type[len] || strchr("; ", rq->content_type[len]));
}

static enum answer body_parsed(struct request *rq, struct reply *rp)
{
    char why[256];

    if (!type_is(rq, "application/json"))
        return reply_fail(rp, ANSWER_MEDIA_TYPE, "send Content-Type: application/json");
    rq->json = body_parse(rq->body, rq->body_size, why, sizeof(why));
    return rq->json ? ANSWER_OK : reply_fail(rp, ANSWER_MALFORMED, "%s", why);
}

static enum answer body_read(struct request *rq, struct reply *rp)
{
    if (rq->body_crowded)
        return reply_fail(rp, ANSWER_OVERLOADED, "too many bodies are being received: try again in a moment");
    if (rq->body_excess)
        return reply_fail(rp, ANSWER_TOO_LARGE, "a body may have at most %zu bytes", dispatch_body_max(rq));
    switch (rq->route->body) {
    case BODY_JSON:
        return body_parsed(rq, rp);
    case BODY_XML:
        if (!type_is(rq, "application/xml") && !type_is(rq, "text/xml"))
            return reply_fail(rp, ANSWER_MEDIA_TYPE, "send Content-Type: application/xml");
        break;
    case BODY_RAW:
        break;
    default:
        return rq->body_size ? reply_fail(rp, ANSWER_MALFORMED, "no body is expected here") : ANSWER_OK;
    }
    return rq->body_size ? ANSWER_OK : reply_fail(rp, ANSWER_MALFORMED, "the body is empty");
}

/* What can be said before the handler is asked. */
static enum answer request_check(struct request *rq, struct reply *rp)
{
    enum answer answer;

    if (!rq->route) {
        answer = request_limit(rq, rp, rq->peer, BUCKET_ANONYMOUS);
        if (answer != ANSWER_OK)
            return answer;
        if (rp->allow[0])
            return reply_fail(rp, ANSWER_METHOD_NOT_ALLOWED, "this path knows %s", rp->allow);
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such path: see /openapi.yaml");
    }
    rp->allow[0] = 0;
    if ((answer = authenticate(rq, rp)) != ANSWER_OK || (answer = authorise(rq, rp)) != ANSWER_OK ||
        (answer = query_check(rq, rp)) != ANSWER_OK || (answer = body_read(rq, rp)) != ANSWER_OK)
        return answer;
    return idempotency_check(rq, rp);
}

static enum answer handle(struct request *rq, struct reply *rp)
{
    enum answer answer = precondition_handle(rq, rp);

    return answer == ANSWER_OK && strcmp(rq->method, "GET") == 0 ? rows_render(rq, rp) : answer;
}

static enum answer handle_or_repeat(struct request *rq, struct reply *rp)
{
    int64_t changes = store_changes(rq->api->store);
    enum answer answer;

    if (kept_find(rq->api->kept, rq, changes, rp))
        return ANSWER_OK;
    answer = handle(rq, rp);
    if (answer == ANSWER_OK)
        kept_put(rq->api->kept, rq, changes, rp);
    return answer;
}

/* Random bits for 32 of them at a time: they tell requests apart, and are no secret. */
static void request_name(struct request *rq)
{
    static _Thread_local unsigned char bits[32][ID_RANDOM_BYTES];
    static _Thread_local unsigned left;

    if (left == 0) {
        randombytes_buf(bits, sizeof(bits));
        left = sizeof(bits) / sizeof(bits[0]);
    }
    id_from("req_", bits[--left], rq->request_id);
}

static enum answer request_begin(struct request *rq, struct reply *rp)
{
    rq->now_ms = clock_unix_ms();
    request_name(rq);
    return request_check(rq, rp);
}

static void answer_finish(struct request *rq, struct reply *rp, enum answer answer, int64_t begun_ms)
{
    reply_finish(rp, answer, rq->request_id);
    audit_note(rq, rp);
    /* Reads are not news; what changes something, or fails on our side, is. */
    if (rp->status >= 500 || (strcmp(rq->method, "GET") != 0 && rp->status < 400))
        log_info("%s %s: %d%s%s for %s in %jd ms, %s", rq->method, rq->path, rp->status, rp->detail[0] ? " " : "",
                 rp->detail, rq->who.key_id[0] ? principal_name(&rq->who) : rq->peer,
                 (intmax_t)(clock_monotonic_ms() - begun_ms), rq->request_id);
}

void dispatch(struct request *rq, struct reply *rp)
{
    int64_t begun_ms = clock_monotonic_ms();
    enum answer answer = request_begin(rq, rp);

    answer_finish(rq, rp, answer == ANSWER_OK ? handle(rq, rp) : answer, begun_ms);
}

/* As it was received, but that it counts in the limits. */
static void forget(struct request *rq, struct reply *rp)
{
    long limit = rp->limit, remaining = rp->limit_remaining, reset_s = rp->limit_reset_s;

    reply_free(rp);
    rp->limit = limit;
    rp->limit_remaining = remaining;
    rp->limit_reset_s = reset_s;
    memset(&rq->who, 0, sizeof(rq->who));
    rq->limited = true;
}

/* A session's use is written down, and a write waits for the disk. */
static bool by_session(const struct request *rq)
{
    return rq->cookie && !rq->authorization && !(rq->route->who & ROLE_ANONYMOUS);
}

bool dispatch_at_once(struct request *rq, struct reply *rp)
{
    int64_t begun_ms = clock_monotonic_ms();
    enum answer answer;

    if (!rq->route || rq->route->thread != AT_ONCE || by_session(rq) || !store_try(rq->api->store))
        return false;
    answer = request_begin(rq, rp);
    if (answer == ANSWER_OK)
        answer = handle_or_repeat(rq, rp);
    if (answer == ANSWER_LATER)
        forget(rq, rp);
    else
        answer_finish(rq, rp, answer, begun_ms);
    store_leave(rq->api->store);
    return answer != ANSWER_LATER;
}
