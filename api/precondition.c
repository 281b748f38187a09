/* Between the look and the change nobody else may change it: whoever changes something of an account holds its lock, with
 * If-Match or without. This process is the only one that changes what it shows. */
#include "api/precondition.h"
#include "api/route.h"
#include "common/json.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOCKS 16
#define TAG_HASH_BYTES 8

static bool changes(const char *method)
{
    return strcmp(method, "PATCH") == 0 || strcmp(method, "PUT") == 0;
}

static const struct route *route_of(const char *method, const char *pattern)
{
    for (unsigned i = 0; i < routes_count; i++)
        if (strcmp(routes[i].method, method) == 0 && strcmp(routes[i].pattern, pattern) == 0)
            return &routes[i];
    return NULL;
}

static void tag_set(struct reply *rp)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char hex[2 * TAG_HASH_BYTES + 1], *text;

    if (rp->etag[0] || !rp->json || !(text = json_canonical(rp->json)))
        return;
    crypto_hash_sha256(hash, (const unsigned char *)text, strlen(text));
    free(text);
    snprintf(rp->etag, sizeof(rp->etag), "\"%s\"", sodium_bin2hex(hex, sizeof(hex), hash, TAG_HASH_BYTES));
}

/* Strong comparison: W/"x" is none of ours. */
static bool names(const char *if_match, const char *tag)
{
    const char *at = strstr(if_match, tag);

    return strcmp(if_match, "*") == 0 || (at && (at == if_match || at[-1] != '/'));
}

/* As the GET beside this route sees it now. What it cannot show, the change itself will refuse. */
static enum answer unchanged(struct request *rq, struct reply *rp, const struct route *reader)
{
    const struct route *route = rq->route;
    enum answer answer = ANSWER_OK;
    struct reply seen;

    reply_start(&seen);
    rq->route = reader;
    if (reader->handle(rq, &seen) == ANSWER_OK) {
        tag_set(&seen);
        if (!names(rq->if_match, seen.etag))
            answer = reply_fail(rp, ANSWER_PRECONDITION, "it is %s now: look at it again, and send that as If-Match", seen.etag);
    }
    rq->route = route;
    reply_free(&seen);
    return answer;
}

static pthread_mutex_t *lock_of(const struct request *rq)
{
    static pthread_mutex_t locks[LOCKS] = { [0 ... LOCKS - 1] = PTHREAD_MUTEX_INITIALIZER };
    unsigned hash = 0;

    for (const char *c = rq->who.account_id; *c; c++)
        hash = 31 * hash + (unsigned char)*c;
    return &locks[hash % LOCKS];
}

enum answer precondition_handle(struct request *rq, struct reply *rp)
{
    const struct route *reader = changes(rq->method) ? route_of("GET", rq->route->pattern) : NULL;
    enum answer answer = ANSWER_OK;
    bool tagged = reader || (strcmp(rq->method, "GET") == 0 && (route_of("PATCH", rq->route->pattern) ||
                                                                route_of("PUT", rq->route->pattern)));

    if (!tagged)
        return rq->route->handle(rq, rp);
    if (reader)
        pthread_mutex_lock(lock_of(rq));
    if (reader && rq->if_match)
        answer = unchanged(rq, rp, reader);
    if (answer == ANSWER_OK)
        answer = rq->route->handle(rq, rp);
    if (reader)
        pthread_mutex_unlock(lock_of(rq));
    if (answer == ANSWER_OK)
        tag_set(rp);
    return answer;
}
