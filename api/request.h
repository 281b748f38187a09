/* One request on its way through the api: what the HTTP layer copied out of
 * the connection, what dispatch found out about it, and the worker's own
 * connections. Handlers get nothing else. */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "api/auth.h"
#include "api/limit.h"
#include "api/console/handshake.h"
#include "api/reply.h"
#include "common/id.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct api;
struct route;
struct upstream;

#define QUERY_MAX 8
#define PARAM_BYTES 64

struct query {
    const char *name;
    const char *value;                  /* "" when there was no '=' */
};

struct request {
    /* from the connection; owned */
    const char *method;
    const char *path;
    struct query query[QUERY_MAX];
    unsigned query_count;
    bool query_excess;
    const char *authorization;
    const char *idempotency_key;
    const char *content_type;
    const char *accept;
    const char *accept_encoding;
    const char *signature;              /* Stripe-Signature */
    const char *last_event_id;
    const char *if_match;
    const char *cookie;                 /* the session's, of the two that a browser may hold the one for this path */
    const char *csrf;                   /* X-CSRF-Token */
    const char *origin;
    const char *host;
    const char *agent;                  /* User-Agent */
    const char *reason;                 /* X-Reason */
    const char *project;                /* X-Project */
    struct handshake handshake;
    char *body;
    size_t body_size;
    bool body_excess;
    bool body_crowded;                  /* too many large ones at once */
    char peer[64];

    /* from dispatch */
    struct api *api;
    struct upstream *up;                /* NULL: on a thread that must not wait */
    const struct route *route;
    struct principal who;
    char request_id[ID_BYTES];
    char param[PARAM_BYTES];            /* what stood for {id} */
    json_t *json;                       /* the body, where the route has one */
    struct {                            /* what it turned out to be about, where the path does not say: for the audit */
        char object[ID_BYTES];
        char account_id[ID_BYTES];
    } about;
    bool limited;                       /* it counts already in the limits */
    bool may_wait;                      /* on a thread that may block for a long poll */
    int64_t now_ms;
};

void request_free(struct request *request);

/* Takes one of who's requests from this bucket and notes the headers RateLimit-*: ANSWER_OK, or ANSWER_RATE_LIMITED. */
enum answer request_limit(const struct request *request, struct reply *reply, const char *who, enum bucket bucket);

/* NULL if the query does not have it. */
const char *request_query(const struct request *request, const char *name);

/* ANSWER_OK and *out (NULL if it is not there), or ANSWER_INVALID_FIELDS naming the parameter and what it `must` be. */
enum answer request_query_text(const struct request *request, struct reply *reply, const char *name,
                               bool (*valid)(const char *text), const char *must, const char **out);

/* ANSWER_OK and *out (or `fallback`), or ANSWER_INVALID_FIELDS naming the parameter. */
enum answer request_query_int(const struct request *request, struct reply *reply, const char *name, int64_t min,
                              int64_t max, int64_t fallback, int64_t *out);

#endif
