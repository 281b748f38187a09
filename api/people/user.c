/* A person's own password and second factor; the same for users and operators, whose paths differ. */
#include "api/api.h"
#include "api/fields.h"
#include "api/people/login.h"
#include "api/people/recovery.h"
#include "api/people/session.h"
#include "api/resources.h"

#include <sodium.h>
#include <string.h>

static enum answer person_find(struct request *rq, struct reply *rp, struct person_row *person)
{
    return store_person_get(rq->api->store, rq->who.person_id, person) == 1
               ? ANSWER_OK
               : reply_fail(rp, ANSWER_STORAGE, "the person cannot be looked up");
}

enum answer password_change(struct request *rq, struct reply *rp)
{
    const char *password = "", *next = "", *fault;
    char hash[PASSWORD_HASH_BYTES];
    struct person_row person;
    struct fields fields;
    enum answer answer = person_find(rq, rp, &person);

    if (answer != ANSWER_OK)
        return answer;
    fields_start(&fields, rq->json);
    fields_text(&fields, "password", PASSWORD_BYTES_MAX, &password);
    if (fields_text(&fields, "new_password", PASSWORD_BYTES_MAX, &next) &&
        (fault = password_fault(next, person.login, person.name)) != NULL)
        fields_error(&fields, "new_password", "weak_password", "%s", fault);
    answer = fields_end(&fields, rp);
    if (answer == ANSWER_OK)
        answer = login_password_check(rq, rp, &person, password);
    if (answer != ANSWER_OK)
        return answer;
    if (password_hash(next, hash) != PASSWORD_RIGHT)
        return reply_fail(rp, ANSWER_OVERLOADED, "too many are logging in at this moment");
    if (store_password_set(rq->api->store, person.person_id, hash, rq->who.key_id) != 1)
        return reply_fail(rp, ANSWER_STORAGE, "the old password still holds; try again");
    return ANSWER_NO_CONTENT;
}

/* The secret is shown until a code of it was seen: only then logging in takes one. */
enum answer totp_begin(struct request *rq, struct reply *rp)
{
    uint8_t secret[TOTP_SECRET_BYTES];
    char text[TOTP_SECRET_TEXT], uri[TOTP_URI_BYTES];
    const char *password = "";
    struct person_row person;
    struct fields fields;
    enum answer answer;

    fields_start(&fields, rq->json);
    fields_text(&fields, "password", PASSWORD_BYTES_MAX, &password);
    answer = fields_end(&fields, rp);
    if (answer == ANSWER_OK)
        answer = person_find(rq, rp, &person);
    if (answer == ANSWER_OK && person.totp)
        answer = reply_fail(rp, ANSWER_CONFLICT, "it is on already: take it off first");
    if (answer == ANSWER_OK)
        answer = login_password_check(rq, rp, &person, password);
    if (answer != ANSWER_OK)
        return answer;
    randombytes_buf(secret, sizeof(secret));
    if (store_totp_offer(rq->api->store, person.person_id, secret) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "nothing was begun; try again");
    totp_secret_text(secret, text);
    totp_uri(secret, person.login, uri);
    rp->json = json_pack("{s:s, s:s}", "secret", text, "uri", uri);
    sodium_memzero(secret, sizeof(secret));
    return ANSWER_OK;
}

static json_t *codes_make(uint8_t (*hashes)[KEY_HASH_BYTES])
{
    char code[RECOVERY_CODE_BYTES];
    json_t *list = json_array();

    for (int i = 0; i < RECOVERY_CODES; i++) {
        recovery_code_make(code);
        recovery_code_hash(code, hashes[i]);
        json_array_append_new(list, json_string(code));
    }
    sodium_memzero(code, sizeof(code));
    return list;
}

static enum answer totp_confirmed(struct request *rq, struct reply *rp, const struct person_row *person, int64_t step)
{
    uint8_t hashes[RECOVERY_CODES][KEY_HASH_BYTES];
    json_t *codes = codes_make(hashes);
    int rc = store_totp_confirm(rq->api->store, person, step, (const uint8_t(*)[KEY_HASH_BYTES])hashes, RECOVERY_CODES);

    if (rc == 1) {
        rp->json = json_pack("{s:o}", "recovery_codes", codes);
        return ANSWER_OK;
    }
    json_decref(codes);
    return rc ? reply_fail(rp, ANSWER_STORAGE, "it is not on; try again")
              : reply_fail(rp, ANSWER_CONFLICT, "another secret was asked for since");
}

enum answer totp_confirm(struct request *rq, struct reply *rp)
{
    struct person_row person;
    const char *code = "";
    struct fields fields;
    int64_t step = -1;
    enum answer answer = person_find(rq, rp, &person);

    if (answer != ANSWER_OK)
        return answer;
    fields_start(&fields, rq->json);
    if (fields_text(&fields, "code", CODE_BYTES_MAX, &code) && person.totp_is_offered &&
        (step = totp_match(person.totp_offered, code, rq->now_ms)) < 0)
        fields_error(&fields, "code", "wrong_code", "is not what the device should show now: compare its clock");
    answer = fields_end(&fields, rp);
    if (answer == ANSWER_OK && !person.totp_is_offered)
        answer = reply_fail(rp, ANSWER_CONFLICT, "nothing was begun: ask for a secret first");
    return answer == ANSWER_OK ? totp_confirmed(rq, rp, &person, step) : answer;
}

enum answer totp_remove(struct request *rq, struct reply *rp)
{
    struct login login = {.is_operator = false};
    struct person_row person;
    struct fields fields;
    enum answer answer;

    fields_start(&fields, rq->json);
    fields_text(&fields, "password", PASSWORD_BYTES_MAX, &login.password);
    fields_text(&fields, "code", CODE_BYTES_MAX, &login.code);
    answer = fields_end(&fields, rp);
    if (answer == ANSWER_OK)
        answer = person_find(rq, rp, &person);
    if (answer == ANSWER_OK && !person.totp)
        answer = reply_fail(rp, ANSWER_CONFLICT, "it is not on");
    if (answer != ANSWER_OK)
        return answer;
    login.name = person.login;
    login.person = &person;
    answer = login_check(rq, rp, &login);
    if (answer != ANSWER_OK)
        return answer;
    if (store_totp_remove(rq->api->store, person.person_id) != 1)
        return reply_fail(rp, ANSWER_STORAGE, "it is still on; try again with another code");
    return ANSWER_NO_CONTENT;
}
