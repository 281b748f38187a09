#include "api/people/login.h"
#include "api/api.h"
#include "api/people/recovery.h"
#include "common/log.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* Under what the attempts are counted: the name in small letters, as the tables compare it. */
static void name_hash(const struct login *login, uint8_t hash[static KEY_HASH_BYTES])
{
    char text[EMAIL_BYTES + 16];
    size_t len = (size_t)snprintf(text, sizeof(text), "%s:%s", login->is_operator ? "operator" : "user", login->name);

    for (size_t i = 0; i < len && text[i]; i++)
        text[i] = (char)tolower((unsigned char)text[i]);
    key_hash(text, hash);
}

static enum answer attempt_allowed(struct request *rq, struct reply *rp, const uint8_t name[static KEY_HASH_BYTES])
{
    char hex[KEY_HASH_HEX];
    int64_t until_ms;
    enum answer answer = request_limit(rq, rp, rq->peer, BUCKET_LOGIN);

    if (answer == ANSWER_OK)
        answer = request_limit(rq, rp, sodium_bin2hex(hex, sizeof(hex), name, KEY_HASH_BYTES), BUCKET_LOGIN);
    if (answer != ANSWER_OK)
        return answer;
    if (store_login_rest(rq->api->store, name, &until_ms) < 0)
        return reply_fail(rp, ANSWER_STORAGE, "logins cannot be looked up");
    if (until_ms <= rq->now_ms)
        return ANSWER_OK;
    rp->retry_after_s = (int)((until_ms - rq->now_ms + 999) / 1000);
    return reply_fail(rp, ANSWER_RATE_LIMITED, "too many failures in a row: this name rests for %d s",
                      rp->retry_after_s);
}

static enum answer password_fits(struct reply *rp, const struct login *login)
{
    switch (password_check(login->password, login->person ? login->person->password : "")) {
    case PASSWORD_RIGHT: return ANSWER_OK;
    case PASSWORD_WRONG:
        return reply_fail(rp, ANSWER_CREDENTIALS, "%s and password do not fit together",
                          login->is_operator ? "name" : "email");
    default: return reply_fail(rp, ANSWER_OVERLOADED, "too many are logging in at this moment");
    }
}

static enum answer code_fits(struct request *rq, struct reply *rp, const struct person_row *person, const char *code)
{
    uint8_t hash[KEY_HASH_BYTES];
    int64_t step;
    int rc = 0;

    if (!code)
        return reply_fail(rp, ANSWER_CODE_REQUIRED, "send the code that your device shows now, or a recovery code");
    step = totp_match(person->totp_secret, code, rq->now_ms);
    if (step >= 0)
        rc = store_totp_step_use(rq->api->store, person->person_id, step);
    else if (recovery_code_hash(code, hash))
        rc = store_recovery_code_use(rq->api->store, person->person_id, hash, rq->now_ms);
    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "the code cannot be marked as used; try again");
    return rc ? ANSWER_OK
              : reply_fail(rp, ANSWER_CREDENTIALS, "the code is wrong, or was used before: wait for the next");
}

/* What the attempt leaves behind. A missing code is neither: the password alone proves nothing yet. */
static void attempt_note(struct request *rq, const uint8_t name[static KEY_HASH_BYTES], enum answer answer)
{
    int rc = 0;

    if (answer == ANSWER_OK)
        rc = store_login_worked(rq->api->store, name);
    else if (answer == ANSWER_CREDENTIALS)
        rc = store_login_failed(rq->api->store, name, rq->now_ms);
    if (rc)
        log_warnx("a login from %s is not counted", rq->peer);
}

enum answer login_check(struct request *rq, struct reply *rp, const struct login *login)
{
    uint8_t name[KEY_HASH_BYTES];
    enum answer answer;

    name_hash(login, name);
    answer = attempt_allowed(rq, rp, name);
    if (answer == ANSWER_OK)
        answer = password_fits(rp, login);
    if (answer == ANSWER_OK && login->person->totp)
        answer = code_fits(rq, rp, login->person, login->code);
    attempt_note(rq, name, answer);
    return answer;
}

enum answer login_password_check(struct request *rq, struct reply *rp, const struct person_row *person,
                                 const char *password)
{
    struct login login = {
        .is_operator = !person->account_id[0], .name = person->login, .person = person, .password = password};
    uint8_t name[KEY_HASH_BYTES];
    enum answer answer;

    name_hash(&login, name);
    answer = attempt_allowed(rq, rp, name);
    if (answer == ANSWER_OK)
        answer = password_fits(rp, &login);
    if (answer == ANSWER_CREDENTIALS)
        attempt_note(rq, name, answer);
    return answer;
}

void login_forgive(struct request *rq, const struct person_row *person)
{
    struct login login = {.is_operator = !person->account_id[0], .name = person->login};
    uint8_t name[KEY_HASH_BYTES];

    name_hash(&login, name);
    attempt_note(rq, name, ANSWER_OK);
}
