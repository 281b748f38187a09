/* The one table of answers; api/openapi.yaml prints it for customers and a test holds the two together. */
#include "api/reply.h"
#include "api/console/hub.h"
#include "api/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct answer_row {
    int status;
    const char *code;
    const char *title;
    bool retryable;                     /* the same request may succeed later, unchanged */
    int retry_after_s;
};

static const struct answer_row rows[ANSWER_COUNT] = {
    [ANSWER_SWITCHING] = { 101, NULL, NULL, false, 0 },
    [ANSWER_OK] = { 200, NULL, NULL, false, 0 },
    [ANSWER_CREATED] = { 201, NULL, NULL, false, 0 },
    [ANSWER_ACCEPTED] = { 202, NULL, NULL, false, 0 },
    [ANSWER_NO_CONTENT] = { 204, NULL, NULL, false, 0 },
    [ANSWER_REPLAYED] = { 0, NULL, NULL, false, 0 },
    [ANSWER_LATER] = { 0, NULL, NULL, false, 0 },
    [ANSWER_MALFORMED] = { 400, "malformed_request", "The request cannot be read", false, 0 },
    [ANSWER_KEY_HEADER] = { 400, "idempotency_key_invalid", "An Idempotency-Key header is needed", false, 0 },
    [ANSWER_UNAUTHENTICATED] = { 401, "unauthenticated", "No valid key was presented", false, 0 },
    [ANSWER_KEY_EXPIRED] = { 401, "key_expired", "The key has expired", false, 0 },
    [ANSWER_KEY_REVOKED] = { 401, "key_revoked", "The key was revoked", false, 0 },
    [ANSWER_CREDENTIALS] = { 401, "credentials", "Logging in did not work", false, 0 },
    [ANSWER_CODE_REQUIRED] = { 401, "code_required", "A code is needed too", false, 0 },
    [ANSWER_INSUFFICIENT_FUNDS] = { 402, "insufficient_funds", "The wallet does not cover this", false, 0 },
    [ANSWER_WRONG_ROLE] = { 403, "wrong_role", "This key's role may not do that", false, 0 },
    [ANSWER_SCOPE_MISSING] = { 403, "scope_missing", "This key lacks a scope", false, 0 },
    [ANSWER_CSRF] = { 403, "csrf", "The page that sent this is not known to be ours", false, 0 },
    [ANSWER_ROLE_MISSING] = { 403, "role_missing", "This operator's role may not do that", false, 0 },
    [ANSWER_TOTP_REQUIRED] = { 403, "totp_required", "Operators need a second factor", false, 0 },
    [ANSWER_ADDRESS] = { 403, "address_refused", "This key is for other addresses", false, 0 },
    [ANSWER_SPEND_LIMIT] = { 403, "spend_limit", "The key's limit for this month is reached", false, 0 },
    [ANSWER_FORBIDDEN] = { 403, "forbidden", "Somebody else has to do this", false, 0 },
    [ANSWER_NOT_FOUND] = { 404, "not_found", "No such thing", false, 0 },
    [ANSWER_METHOD_NOT_ALLOWED] = { 405, "method_not_allowed", "The method does not fit the path", false, 0 },
    [ANSWER_CONFLICT] = { 409, "conflict", "The present state does not allow it", false, 0 },
    [ANSWER_QUOTA_EXCEEDED] = { 409, "quota_exceeded", "The account's limit is reached", false, 0 },
    [ANSWER_IN_FLIGHT] = { 409, "request_in_flight", "The same request is being worked on", true, 1 },
    [ANSWER_PRECONDITION] = { 412, "precondition_failed", "It was changed since you looked", false, 0 },
    [ANSWER_TOO_LARGE] = { 413, "body_too_large", "The body is too large", false, 0 },
    [ANSWER_MEDIA_TYPE] = { 415, "unsupported_media_type", "The body must be JSON", false, 0 },
    [ANSWER_INVALID_FIELDS] = { 422, "invalid_fields", "Some fields are wrong", false, 0 },
    [ANSWER_KEY_REUSED] = { 422, "idempotency_key_reused", "The Idempotency-Key belongs to another request", false, 0 },
    [ANSWER_UPGRADE_REQUIRED] = { 426, "upgrade_required", "This is a WebSocket", false, 0 },
    [ANSWER_RATE_LIMITED] = { 429, "rate_limited", "Too many requests", true, 1 },
    [ANSWER_INTERNAL] = { 500, "internal", "A fault of ours", false, 0 },
    [ANSWER_UPSTREAM_FAILED] = { 502, "upstream_failed", "A part of the host gave no usable answer", true, 2 },
    [ANSWER_UNAVAILABLE] = { 503, "unavailable", "A part of the host does not answer", true, 2 },
    [ANSWER_CAPACITY] = { 503, "capacity_unavailable", "The host has no room for this now", true, 30 },
    [ANSWER_STORAGE] = { 503, "storage_unavailable", "The database cannot be written", true, 10 },
    [ANSWER_OVERLOADED] = { 503, "overloaded", "Too many requests are being worked on", true, 1 },
};

void reply_start(struct reply *reply)
{
    memset(reply, 0, sizeof(*reply));
    reply->file_fd = -1;
}

void reply_free(struct reply *reply)
{
    json_decref(reply->json);
    json_decref(reply->errors);
    json_decref(reply->context);
    free(reply->text);
    if (reply->file_fd >= 0)
        close(reply->file_fd);
    if (reply->stream)
        stream_close(reply->stream);
    if (reply->console)
        place_free(reply->console);
    reply_start(reply);
}

int reply_file(struct reply *reply, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), why = 0;
    struct stat st;

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) != 0)
        why = errno;
    else if (!S_ISREG(st.st_mode))
        why = EINVAL;
    if (why) {
        close(fd);
        errno = why;
        return -1;
    }
    reply->file_fd = fd;
    reply->file_size = (size_t)st.st_size;
    return 0;
}

enum answer reply_fail(struct reply *reply, enum answer answer, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(reply->detail, sizeof(reply->detail), fmt, args);
    va_end(args);
    return answer;
}

enum answer reply_fail_field(struct reply *reply, const char *field, const char *code, const char *detail)
{
    reply->errors = json_pack("[{s:s, s:s, s:s}]", "field", field, "code", code, "detail", detail);
    return reply_fail(reply, ANSWER_INVALID_FIELDS, "see errors");
}

enum answer reply_fail_quota(struct reply *reply, const char *quota, const char *things, int64_t limit, int64_t used)
{
    reply->context = json_pack("{s:s, s:I, s:I}", "quota", quota, "limit", (json_int_t)limit, "used", (json_int_t)used);
    return reply_fail(reply, ANSWER_QUOTA_EXCEEDED, "the account may have %jd %s: delete one first", (intmax_t)limit,
                      things);
}

/* A name cut in the middle of a UTF-8 character would not be a JSON string. */
static json_t *detail_json(const char *detail)
{
    json_t *text = json_string(detail);

    return text ? text : json_stringn("", 0);
}

static json_t *problem(const struct reply *reply, const struct answer_row *row, const char *request_id)
{
    char type[96];
    json_t *body;

    snprintf(type, sizeof(type), "/openapi.yaml#problem-%s", row->code);
    body = json_pack("{s:s, s:s, s:i, s:s, s:o, s:s, s:b}", "type", type, "title", row->title, "status", row->status,
                     "code", row->code, "detail", detail_json(reply->detail), "request_id", request_id, "retryable",
                     (int)row->retryable);
    if (reply->errors)
        json_object_set(body, "errors", reply->errors);
    if (reply->context)
        json_object_set(body, "context", reply->context);
    return body;
}

void reply_finish(struct reply *reply, enum answer answer, const char *request_id)
{
    const struct answer_row *row = &rows[answer];

    if (answer != ANSWER_REPLAYED)
        reply->status = row->status;
    if (!row->code)
        return;
    if (reply->retry_after_s == 0)
        reply->retry_after_s = row->retry_after_s;
    json_decref(reply->json);
    reply->json = problem(reply, row, request_id);
}

const char *answer_code(enum answer answer)
{
    return rows[answer].code;
}

int answer_status(enum answer answer)
{
    return rows[answer].status;
}

bool answer_retryable(enum answer answer)
{
    return rows[answer].retryable;
}
