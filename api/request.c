/* Query parameters, and letting a request go. */
#include "api/request.h"
#include "api/api.h"
#include "common/clock.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void request_free(struct request *request)
{
    sodium_memzero(&request->who, sizeof(request->who));
    if (request->body)
        sodium_memzero(request->body, request->body_size);
    free(request->body);
    json_decref(request->json);
}

enum answer request_limit(const struct request *request, struct reply *reply, const char *who, enum bucket bucket)
{
    struct limit_verdict verdict;

    if (request->limited)
        return ANSWER_OK;
    pthread_mutex_lock(&request->api->limit_lock);
    verdict = limit_take(request->api->limits, who, bucket, clock_monotonic_ms());
    pthread_mutex_unlock(&request->api->limit_lock);
    reply->limit = verdict.limit;
    reply->limit_remaining = verdict.remaining;
    reply->limit_reset_s = verdict.reset_s;
    if (verdict.allowed)
        return ANSWER_OK;
    reply->retry_after_s = (int)verdict.retry_after_s;
    return reply_fail(reply, ANSWER_RATE_LIMITED, "wait %d s; the headers RateLimit-* say what is allowed",
                      reply->retry_after_s);
}

const char *request_query(const struct request *request, const char *name)
{
    for (unsigned i = 0; i < request->query_count; i++)
        if (strcmp(request->query[i].name, name) == 0)
            return request->query[i].value;
    return NULL;
}

static enum answer query_fail(struct reply *reply, const char *name, const char *code, const char *must)
{
    reply->errors = json_pack("[{s:s, s:s, s:s}]", "field", name, "code", code, "detail", must);
    return reply_fail(reply, ANSWER_INVALID_FIELDS, "%s: %s", name, must);
}

enum answer request_query_text(const struct request *request, struct reply *reply, const char *name,
                               bool (*valid)(const char *text), const char *must, const char **out)
{
    *out = request_query(request, name);
    return !*out || valid(*out) ? ANSWER_OK : query_fail(reply, name, "invalid", must);
}

enum answer request_query_int(const struct request *request, struct reply *reply, const char *name, int64_t min,
                              int64_t max, int64_t fallback, int64_t *out)
{
    const char *text = request_query(request, name);
    long long value;
    char *end;

    *out = fallback;
    if (!text)
        return ANSWER_OK;
    errno = 0;
    value = strtoll(text, &end, 10);
    if (!*text || *end || strspn(text, "0123456789") != strlen(text) || errno || value < min || value > max) {
        char must[96];

        snprintf(must, sizeof(must), "must be a whole number from %jd to %jd", (intmax_t)min, (intmax_t)max);
        return query_fail(reply, name, "out_of_range", must);
    }
    *out = value;
    return ANSWER_OK;
}
