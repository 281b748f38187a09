#include "api/authenticate.h"
#include "api/addresses.h"
#include "api/api.h"
#include "api/dispatch.h"
#include "api/people/membership.h"
#include "api/people/session.h"
#include "api/people/store_people.h"
#include "api/route.h"

#include <stdio.h>
#include <string.h>

static enum answer key_look_up(struct request *rq, struct reply *rp, const char *key)
{
    bool is_operator = key_valid(KEY_OPERATOR_PREFIX, key);
    uint8_t hash[KEY_HASH_BYTES];
    struct key_row row;
    int rc;

    key_hash(key, hash);
    rc = is_operator ? store_operator_find(rq->api->store, hash, &row) : store_key_find(rq->api->store, hash, &row);
    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "keys cannot be looked up");
    if (rc == 0)
        return reply_fail(rp, ANSWER_UNAUTHENTICATED, "this key is not known: check that all of it was copied");
    if (row.revoked_ms)
        return reply_fail(rp, ANSWER_KEY_REVOKED, "key %s was revoked: use another", row.key_id);
    if (row.expires_ms && row.expires_ms <= rq->now_ms)
        return reply_fail(rp, ANSWER_KEY_EXPIRED, "key %s has expired: make a new one", row.key_id);
    if (row.addresses[0] && !addresses_hold(row.addresses, rq->peer))
        return reply_fail(rp, ANSWER_ADDRESS, "key %s may not be used from %s", row.key_id, rq->peer);
    rq->who.role = is_operator ? ROLE_OPERATOR : ROLE_CUSTOMER;
    memcpy(rq->who.key_id, row.key_id, ID_BYTES);
    memcpy(rq->who.account_id, row.account_id, ID_BYTES);
    memcpy(rq->who.token, key, KEY_BYTES);
    rq->who.scopes = row.scopes;
    rq->who.spend_limit_nano = row.spend_limit_nano;
    rq->who.rank = row.rank;
    memcpy(rq->who.person_id, row.operator_id, ID_BYTES);
    memcpy(rq->who.project_id, row.project_id, ID_BYTES);
    rq->who.bound = row.project_id[0] != 0;
    rq->who.account_scopes = rq->who.bound ? 0 : row.scopes;
    rq->who.expires_ms = row.expires_ms;
    return ANSWER_OK;
}

static enum answer header_look_up(struct request *rq, struct reply *rp)
{
    const char *key = auth_bearer(rq->authorization);

    return key ? key_look_up(rq, rp, key)
               : reply_fail(rp, ANSWER_UNAUTHENTICATED,
                            "the Authorization header must be \"Bearer xs_live_...\" with the whole key");
}

/* Where anyone may ask, a cookie says nothing; but logging somebody in from another site's page is no right of theirs.
 */
static enum answer look_up(struct request *rq, struct reply *rp)
{
    enum answer answer;

    if (rq->authorization)
        answer = header_look_up(rq, rp);
    else if (rq->cookie && !(rq->route->who & ROLE_ANONYMOUS))
        answer = session_look_up(rq, rp);
    else
        return origin_check(rq, rp);
    return answer == ANSWER_OK && rq->who.role == ROLE_CUSTOMER ? membership_take(rq, rp) : answer;
}

enum answer authenticate(struct request *rq, struct reply *rp)
{
    enum bucket strangers = rq->route->bucket == BUCKET_FILE ? BUCKET_FILE : BUCKET_ANONYMOUS;
    enum answer answer, limited;

    rq->who.role = ROLE_ANONYMOUS;
    answer = look_up(rq, rp);
    if (rq->who.role == ROLE_ANONYMOUS)
        limited = request_limit(rq, rp, rq->peer, strangers);
    else
        limited = request_limit(rq, rp, rq->who.session ? rq->who.person_id : rq->who.key_id,
                                dispatch_waits(rq) ? BUCKET_WAIT : rq->route->bucket);
    return limited != ANSWER_OK ? limited : answer;
}

static enum answer operator_authorise(const struct request *rq, struct reply *rp)
{
    enum rank least = rq->route->scope & ~SCOPE_FLAGS;

    if (rq->who.rank < least)
        return reply_fail(rp, ANSWER_ROLE_MISSING, "this needs the role %s, yours is %s", rank_names[least - 1],
                          rank_names[rq->who.rank - 1]);
    if (rq->who.session && !rq->who.totp && !(rq->route->scope & SESSION_ONLY))
        return reply_fail(rp, ANSWER_TOTP_REQUIRED, "turn it on first: POST /v1/admin/user/totp");
    return ANSWER_OK;
}

static enum answer customer_authorise(const struct request *rq, struct reply *rp)
{
    bool wide = rq->route->scope & ACCOUNT_WIDE;
    unsigned held = wide && !rq->who.bound ? rq->who.account_scopes : rq->who.scopes;
    unsigned missing = rq->route->scope & ~SCOPE_FLAGS & ~held;

    for (unsigned i = 0; scope_names[i]; i++)
        if (missing == 1u << i)
            return reply_fail(rp, ANSWER_SCOPE_MISSING, "%s the scope %s",
                              rq->who.session ? "your role has not" : "the key lacks", scope_names[i]);
    if (wide && rq->who.bound)
        return reply_fail(rp, ANSWER_SCOPE_MISSING, "this is about the whole account, and %s for one project alone",
                          rq->who.session ? "you are" : "the key is");
    return ANSWER_OK;
}

enum answer authorise(const struct request *rq, struct reply *rp)
{
    if (!(rq->who.role & rq->route->who)) {
        if (rq->who.role == ROLE_ANONYMOUS)
            return reply_fail(rp, ANSWER_UNAUTHENTICATED, "send \"Authorization: Bearer xs_live_...\", or log in");
        return reply_fail(rp, ANSWER_WRONG_ROLE, "this is for %s: use such a key",
                          rq->route->who == ROLE_OPERATOR ? "operators" : "customers");
    }
    if (rq->route->scope & SESSION_ONLY && !rq->who.session)
        return reply_fail(rp, ANSWER_WRONG_ROLE, "this is for people who have logged in, not for keys");
    if (rq->route->who & ROLE_ANONYMOUS)
        return ANSWER_OK;
    return rq->who.role == ROLE_OPERATOR ? operator_authorise(rq, rp) : customer_authorise(rq, rp);
}

void credential_of(const struct principal *who, struct credential *credential)
{
    credential->session = who->session;
    credential->is_operator = who->role == ROLE_OPERATOR;
    key_hash(who->token, credential->hash);
}

static bool session_holds(struct store *store, const struct credential *credential, int64_t now_ms)
{
    struct session_row row;
    int rc = store_session_find(store, credential->is_operator, credential->hash, &row);

    return rc < 0 || (rc == 1 && row.idle_until_ms > now_ms && row.expires_ms > now_ms);
}

bool credential_holds(struct store *store, const struct credential *credential, int64_t now_ms)
{
    struct key_row row;
    int rc;

    if (credential->session)
        return session_holds(store, credential, now_ms);
    rc = credential->is_operator ? store_operator_find(store, credential->hash, &row)
                                 : store_key_find(store, credential->hash, &row);
    return rc < 0 || (rc == 1 && !row.revoked_ms && (!row.expires_ms || row.expires_ms > now_ms));
}
