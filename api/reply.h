/* What a handler answers. Handlers return one enum and fill in a struct reply;
 * reply_finish() alone turns both into status, headers and body (RFC 9457
 * problems for everything from ANSWER_MALFORMED on). */
#ifndef API_REPLY_H
#define API_REPLY_H

#include "api/console/handshake.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum answer {
    ANSWER_OK,
    ANSWER_CREATED,
    ANSWER_ACCEPTED,
    ANSWER_NO_CONTENT,
    ANSWER_SWITCHING,                   /* the connection is a WebSocket from now on */
    ANSWER_REPLAYED,                    /* status and body are the stored ones */
    ANSWER_LATER,                       /* none: ask again where it may wait; never sent */
    ANSWER_MALFORMED,                   /* body or query cannot be read */
    ANSWER_KEY_HEADER,                  /* Idempotency-Key missing or odd */
    ANSWER_UNAUTHENTICATED,
    ANSWER_KEY_EXPIRED,
    ANSWER_KEY_REVOKED,
    ANSWER_CREDENTIALS,                 /* email, password or code do not fit: which is not said */
    ANSWER_CODE_REQUIRED,               /* the password fits, the second factor is missing */
    ANSWER_INSUFFICIENT_FUNDS,
    ANSWER_WRONG_ROLE,
    ANSWER_SCOPE_MISSING,
    ANSWER_CSRF,                        /* a cookie alone: another site could have sent it */
    ANSWER_ROLE_MISSING,                /* an operator with too small a role */
    ANSWER_TOTP_REQUIRED,               /* an operator without a second factor */
    ANSWER_ADDRESS,                     /* a key that is for other addresses */
    ANSWER_SPEND_LIMIT,                 /* with the context limit, held, needed */
    ANSWER_FORBIDDEN,                   /* not by this one: another operator has to */
    ANSWER_NOT_FOUND,
    ANSWER_METHOD_NOT_ALLOWED,
    ANSWER_CONFLICT,
    ANSWER_QUOTA_EXCEEDED,              /* with the context quota, limit, used */
    ANSWER_IN_FLIGHT,
    ANSWER_PRECONDITION,                /* If-Match names another revision */
    ANSWER_TOO_LARGE,
    ANSWER_MEDIA_TYPE,
    ANSWER_INVALID_FIELDS,
    ANSWER_KEY_REUSED,
    ANSWER_UPGRADE_REQUIRED,
    ANSWER_RATE_LIMITED,
    ANSWER_INTERNAL,
    ANSWER_UPSTREAM_FAILED,
    ANSWER_UNAVAILABLE,
    ANSWER_CAPACITY,
    ANSWER_STORAGE,
    ANSWER_OVERLOADED,
    ANSWER_COUNT
};

#define REPLY_DETAIL_BYTES 512

struct place;
struct stream;

struct reply {
    json_t *json;                       /* the body of a success; owned */
    char *text;                         /* or this, malloc'd, with its type */
    const char *constant;               /* or this, which lasts, with its type */
    size_t text_size;                   /* of either */
    const char *text_type;
    int file_fd;                        /* or this part of a file; -1 none; owned */
    uint64_t file_offset;
    size_t file_size;
    char file_name[80];                 /* offered to whoever saves it */
    struct stream *stream;              /* or what comes as it happens (streams.h); owned */
    struct place *console;              /* or a viewer's (console/hub.h); owned */
    char websocket_accept[ACCEPT_BYTES];        /* with it */
    long next_cursor;                   /* of a list that is no JSON; 0 none */
    const char *encoding;               /* Content-Encoding of a success; NULL: none */
    const char *const *headers;         /* more of a success: name, value, ..., NULL */
    const char *cache;                  /* Cache-Control of a success; NULL: no-store */
    char location[96];
    char etag[24];
    char cookie[160];                   /* Set-Cookie */
    char allow[32];                     /* with ANSWER_METHOD_NOT_ALLOWED */
    char detail[REPLY_DETAIL_BYTES];
    json_t *errors;                     /* by field; owned */
    json_t *context;                    /* owned */
    int retry_after_s;                  /* 0: the table's */
    bool replayed;
    long limit, limit_remaining, limit_reset_s;     /* RateLimit-*; limit 0: none */
    int status;                         /* set by reply_finish, or before it by a replay */
};

void reply_start(struct reply *reply);
void reply_free(struct reply *reply);

/* The body of a success is this regular file, which is opened: 0, or -1 with errno. */
int reply_file(struct reply *reply, const char *path);

/* Sets the detail; returns the answer, so that handlers end in one line. */
enum answer reply_fail(struct reply *reply, enum answer answer, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* ANSWER_INVALID_FIELDS for this one field, that was found wrong after all of them were read. */
enum answer reply_fail_field(struct reply *reply, const char *field, const char *code, const char *detail);

/* ANSWER_QUOTA_EXCEEDED: the account has `used` of the `limit` that `quota` is, of these things. */
enum answer reply_fail_quota(struct reply *reply, const char *quota, const char *things, int64_t limit, int64_t used);

/* Sets status and, for a problem, the body. */
void reply_finish(struct reply *reply, enum answer answer, const char *request_id);

/* Facts of the table. */
const char *answer_code(enum answer answer);    /* NULL for successes */
int answer_status(enum answer answer);
bool answer_retryable(enum answer answer);

#endif
