#include "api/people/emails.h"
#include "api/api.h"
#include "api/fields.h"
#include "api/people/mail.h"
#include "api/people/resets.h"
#include "api/resources.h"
#include "common/log.h"

#include <sodium.h>
#include <stdio.h>

#define LIFE_MS (INT64_C(7) * 24 * 3600 * 1000)

int email_link_send(struct request *rq, const struct person_row *person)
{
    char token[KEY_BYTES], path[LINK_PATH_BYTES];
    uint8_t hash[KEY_HASH_BYTES];
    int rc;

    key_random(LINK_PREFIX, token);
    key_hash(token, hash);
    snprintf(path, sizeof(path), "/portal/verify#%s", token);
    rc = store_email_link_insert(rq->api->store, person->person_id, hash, rq->now_ms + LIFE_MS);
    if (rc == 0)
        rc = mail_verification_write(&rq->api->config, person->login, path, rq->now_ms);
    if (rc)
        log_warnx("user %s: is sent no link to verify the email", person->person_id);
    sodium_memzero(token, sizeof(token));
    sodium_memzero(path, sizeof(path));
    return rc;
}

enum answer email_link_mail(struct request *rq, struct reply *rp)
{
    bool mails = rq->api->config.mail_folder != NULL;
    struct person_row person;
    enum answer answer = mails ? request_limit(rq, rp, rq->who.person_id, BUCKET_LOGIN) : ANSWER_OK;

    if (answer != ANSWER_OK)
        return answer;
    if (store_person_get(rq->api->store, rq->who.person_id, &person) != 1)
        return reply_fail(rp, ANSWER_STORAGE, "the person cannot be looked up");
    if (mails && !person.email_verified && email_link_send(rq, &person) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "nothing was sent; try again");
    rp->json = json_pack("{s:b}", "mails", (int)mails);
    return ANSWER_ACCEPTED;
}

enum answer email_verify(struct request *rq, struct reply *rp)
{
    uint8_t hash[KEY_HASH_BYTES];
    const char *token = "";
    struct person_row person;
    struct fields fields;
    int rc = 0;

    fields_start(&fields, rq->json);
    fields_text(&fields, "token", KEY_BYTES, &token);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    if (key_valid(LINK_PREFIX, token)) {
        key_hash(token, hash);
        rc = store_email_link_use(rq->api->store, hash, rq->now_ms, rq->about.object);
    }
    if (rc == 1 && store_person_get(rq->api->store, rq->about.object, &person) == 1)
        snprintf(rq->about.account_id, sizeof(rq->about.account_id), "%s", person.account_id);
    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "links cannot be looked up");
    return rc ? ANSWER_NO_CONTENT
              : reply_fail(rp, ANSWER_NOT_FOUND, "this link was used before, or its time is over: have another one sent");
}
