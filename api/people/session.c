#include "api/people/session.h"
#include "api/api.h"
#include "api/rows.h"
#include "common/json.h"
#include "common/log.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define MINUTE_MS (INT64_C(60) * 1000)
#define HOUR_MS (60 * MINUTE_MS)
#define SEEN_EVERY_MS MINUTE_MS /* how often a session's use is written down: a read stays a read */

struct kind {
    const char *cookie;
    const char *prefix;
    int64_t idle_ms;
    int64_t life_ms;
};

static const struct kind customers = {"__Host-xs", SESSION_CUSTOMER_PREFIX, 12 * HOUR_MS, 30 * 24 * HOUR_MS};
static const struct kind operators = {"__Host-xs-operator", SESSION_OPERATOR_PREFIX, 30 * MINUTE_MS, 12 * HOUR_MS};

static const struct kind *kind_of(const char *path)
{
    return strncmp(path, "/v1/admin/", strlen("/v1/admin/")) == 0 ? &operators : &customers;
}

const char *cookie_name(const char *path)
{
    return kind_of(path)->cookie;
}

void csrf_token(const char *token, char csrf[static KEY_BYTES])
{
    key_derive("", token, "csrf", csrf);
}

enum answer origin_check(const struct request *rq, struct reply *rp)
{
    if (strcmp(rq->method, "GET") == 0 || origin_is_ours(rq->origin, rq->host))
        return ANSWER_OK;
    return reply_fail(rp, ANSWER_CSRF, "the Origin header names another site");
}

static enum answer csrf_check(const struct request *rq, struct reply *rp)
{
    enum answer answer = origin_check(rq, rp);
    char right[KEY_BYTES];
    bool fits;

    if (answer != ANSWER_OK || strcmp(rq->method, "GET") == 0)
        return answer;
    csrf_token(rq->who.token, right);
    fits = rq->csrf && strlen(rq->csrf) == KEY_DIGITS && sodium_memcmp(rq->csrf, right, KEY_DIGITS) == 0;
    sodium_memzero(right, sizeof(right));
    return fits ? ANSWER_OK
                : reply_fail(rp, ANSWER_CSRF, "send X-CSRF-Token with csrf_token of GET %s",
                             kind_of(rq->path) == &operators ? "/v1/admin/session" : "/v1/session");
}

static void seen(struct request *rq, const struct kind *kind, struct session_row *row)
{
    /* A page that is left open follows events by itself: that is nobody's use. */
    if (rq->now_ms - row->seen_ms < SEEN_EVERY_MS || rows_accepts(rq, "text/event-stream"))
        return;
    row->seen_ms = rq->now_ms;
    row->idle_until_ms = rq->now_ms + kind->idle_ms;
    snprintf(row->peer, sizeof(row->peer), "%s", rq->peer);
    if (store_session_touch(rq->api->store, row) != 0)
        log_warnx("session %s: its use is not written down, it may end early", row->session_id);
}

static void who_set(struct request *rq, const struct session_row *row, const char *token)
{
    struct principal *who = &rq->who;

    /* Whoever asked before, by a key perhaps: it is this person from here on. */
    *who = (struct principal){.role = row->account_id[0] ? ROLE_CUSTOMER : ROLE_OPERATOR, .session = true,
                              .totp = row->totp, .rank = row->rank, .session_expires_ms = row->expires_ms};
    snprintf(who->key_id, sizeof(who->key_id), "%s", row->session_id);
    snprintf(who->person_id, sizeof(who->person_id), "%s", row->person_id);
    snprintf(who->account_id, sizeof(who->account_id), "%s", row->account_id);
    snprintf(who->token, sizeof(who->token), "%s", token);
}

enum answer session_look_up(struct request *rq, struct reply *rp)
{
    const struct kind *kind = kind_of(rq->path);
    uint8_t hash[KEY_HASH_BYTES];
    struct session_row row;
    int rc = 0;

    if (key_valid(kind->prefix, rq->cookie)) {
        key_hash(rq->cookie, hash);
        rc = store_session_find(rq->api->store, kind == &operators, hash, &row);
    }
    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "sessions cannot be looked up");
    if (rc == 0 || row.idle_until_ms <= rq->now_ms || row.expires_ms <= rq->now_ms)
        return reply_fail(rp, ANSWER_UNAUTHENTICATED, "the session has ended: log in again");
    who_set(rq, &row, rq->cookie);
    seen(rq, kind, &row);
    return csrf_check(rq, rp);
}

static void cookie_print(struct reply *rp, const struct kind *kind, const char *token, int64_t life_ms)
{
    snprintf(rp->cookie, sizeof(rp->cookie), "%s=%s; Path=/; Max-Age=%jd; Secure; HttpOnly; SameSite=Strict",
             kind->cookie, token, (intmax_t)(life_ms / 1000));
}

enum answer session_start(struct request *rq, struct reply *rp, const struct person_row *person)
{
    const struct kind *kind = person->account_id[0] ? &customers : &operators;
    struct session_row row = {
        .created_ms = rq->now_ms, .seen_ms = rq->now_ms, .totp = person->totp, .rank = person->rank};
    char token[KEY_BYTES];

    key_random(kind->prefix, token);
    key_hash(token, row.hash);
    id_make("ses_", row.session_id);
    snprintf(row.person_id, sizeof(row.person_id), "%s", person->person_id);
    snprintf(row.account_id, sizeof(row.account_id), "%s", person->account_id);
    snprintf(row.peer, sizeof(row.peer), "%s", rq->peer);
    json_words(rq->agent, row.agent, sizeof(row.agent));
    row.idle_until_ms = rq->now_ms + kind->idle_ms;
    row.expires_ms = rq->now_ms + kind->life_ms;
    if (store_session_insert(rq->api->store, &row) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "the session cannot be stored; try again");
    who_set(rq, &row, token);
    cookie_print(rp, kind, token, kind->life_ms);
    sodium_memzero(token, sizeof(token));
    return ANSWER_OK;
}

void session_cookie_clear(const struct request *rq, struct reply *rp)
{
    cookie_print(rp, kind_of(rq->path), "", 0);
}
