/* Idempotency: what the key covers, and which answers are worth keeping. */
#include "api/idem.h"
#include "api/api.h"
#include "common/json.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The same request: method, path and the body's meaning, not its spacing; of what is no JSON, the body. In another
 * project it is another. */
static int request_digest(const struct request *rq, uint8_t hash[static 32])
{
    crypto_hash_sha256_state state;
    char *body = rq->json ? json_canonical(rq->json) : NULL;
    const char *bytes = body ? body : rq->body ? rq->body : "";
    size_t size = body ? strlen(body) : rq->body_size;

    if (rq->json && !body)
        return -1;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const unsigned char *)rq->method, strlen(rq->method) + 1);
    crypto_hash_sha256_update(&state, (const unsigned char *)rq->path, strlen(rq->path) + 1);
    crypto_hash_sha256_update(&state, (const unsigned char *)bytes, size);
    if (rq->who.project_id[0])
        crypto_hash_sha256_update(&state, (const unsigned char *)rq->who.project_id, strlen(rq->who.project_id) + 1);
    crypto_hash_sha256_final(&state, hash);
    free(body);
    return 0;
}

static enum answer replay(struct reply *rp, struct idem *idem)
{
    rp->json = idem->body ? json_loads(idem->body, JSON_DECODE_ANY, NULL) : NULL;
    rp->status = idem->status;
    rp->replayed = true;
    snprintf(rp->location, sizeof(rp->location), "%s", idem->location);
    free(idem->body);
    idem->body = NULL;
    return ANSWER_REPLAYED;
}

static enum answer opened(struct reply *rp, struct idem *idem, enum idem_state state)
{
    switch (state) {
    case IDEM_FRESH:
    case IDEM_RESUMED:
        return ANSWER_OK;
    case IDEM_STORED:
        return replay(rp, idem);
    case IDEM_IN_FLIGHT:
        return reply_fail(rp, ANSWER_IN_FLIGHT, "the first request with this Idempotency-Key has not ended yet");
    case IDEM_OTHER:
        return reply_fail(rp, ANSWER_KEY_REUSED,
                          "this Idempotency-Key was used with another path or body: make a new key for a new request");
    case IDEM_REFUSED:
        return (enum answer)idem->refusal;
    case IDEM_FAILED:
        break;
    }
    return reply_fail(rp, ANSWER_STORAGE, "nothing was done; try again with the same Idempotency-Key");
}

static int idem_start(const struct request *rq, struct idem *idem)
{
    memset(idem, 0, sizeof(*idem));
    snprintf(idem->owner, sizeof(idem->owner), "%s", rq->who.account_id[0] ? rq->who.account_id : principal_name(&rq->who));
    /* Where the key is optional and missing, one of ours: the same path for all. */
    if (rq->idempotency_key)
        snprintf(idem->key, sizeof(idem->key), "%s", rq->idempotency_key);
    else
        id_make("auto_", idem->key);
    return request_digest(rq, idem->request_hash);
}

enum answer idem_replay(struct request *rq, struct reply *rp)
{
    struct idem idem;

    if (idem_start(rq, &idem) != 0)
        return reply_fail(rp, ANSWER_INTERNAL, "out of memory");
    return store_idem_look(rq->api->store, &idem) == IDEM_STORED ? replay(rp, &idem) : ANSWER_OK;
}

enum answer idem_open(struct request *rq, struct reply *rp, const char *subject_prefix, const char *job_prefix,
                      store_effect *effect, void *arg, struct idem *idem)
{
    if (idem_start(rq, idem) != 0)
        return reply_fail(rp, ANSWER_INTERNAL, "out of memory");
    id_make(subject_prefix, idem->subject_id);
    id_make(job_prefix, idem->job_id);
    idem->created_ms = rq->now_ms;
    return opened(rp, idem, store_idem_claim(rq->api->store, idem, effect, arg));
}

static bool may_change(enum answer answer)
{
    return answer_retryable(answer) || answer == ANSWER_INTERNAL;
}

bool idem_refused(enum answer answer)
{
    return answer_code(answer) && !may_change(answer);
}

enum answer idem_close(struct request *rq, struct reply *rp, struct idem *idem, enum answer answer)
{
    bool success = answer_code(answer) == NULL;
    int rc;

    if (!success && may_change(answer)) {
        store_idem_release(rq->api->store, idem);
        return answer;
    }
    reply_finish(rp, answer, rq->request_id);
    idem->status = rp->status;
    idem->body = rp->json ? json_dumps(rp->json, JSON_COMPACT) : NULL;
    snprintf(idem->location, sizeof(idem->location), "%s", rp->location);
    rc = store_idem_finish(rq->api->store, idem, success);
    free(idem->body);
    idem->body = NULL;
    if (rc == 0)
        return answer;
    store_idem_release(rq->api->store, idem);
    return reply_fail(rp, ANSWER_STORAGE, "it may have been done: try again with the same Idempotency-Key to learn");
}
