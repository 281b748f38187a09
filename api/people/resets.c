#include "api/people/resets.h"
#include "api/admin.h"
#include "api/api.h"
#include "api/fields.h"
#include "api/people/login.h"
#include "api/people/mail.h"
#include "api/people/sessions.h"
#include "api/present.h"
#include "api/resources.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAIL_LIFE_MS (INT64_C(3600) * 1000)
#define MAIL_EVERY_MS (INT64_C(300) * 1000) /* to one address: nobody fills another's mailbox */

void link_path(bool is_operator, const char *token, char out[static LINK_PATH_BYTES])
{
    snprintf(out, LINK_PATH_BYTES, "%s#%s", is_operator ? "/console/setup" : "/portal/reset", token);
}

json_t *link_view(bool is_operator, const char *token, int64_t expires_ms)
{
    char path[LINK_PATH_BYTES];

    if (token)
        link_path(is_operator, token, path);
    return json_pack("{s:s?, s:s?, s:o}", "token", token, "path", token ? path : NULL, "expires_at",
                     time_json(expires_ms));
}

static int link_store(struct request *rq, const char *person_id, bool remove_totp, int64_t life_ms,
                      char token[static KEY_BYTES])
{
    struct link_row row = {.remove_totp = remove_totp, .expires_ms = rq->now_ms + life_ms};

    key_random(LINK_PREFIX, token);
    key_hash(token, row.hash);
    snprintf(row.person_id, sizeof(row.person_id), "%s", person_id);
    return store_link_insert(rq->api->store, &row) == 1 ? 0 : -1;
}

enum answer link_make(struct request *rq, struct reply *rp, const struct person_row *person, bool remove_totp)
{
    char token[KEY_BYTES];

    if (link_store(rq, person->person_id, remove_totp, LINK_LIFE_MS, token) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "there is no link; try again");
    rp->json = link_view(!person->account_id[0], token, rq->now_ms + LINK_LIFE_MS);
    sodium_memzero(token, sizeof(token));
    return ANSWER_CREATED;
}

/* An account that an operator made has no user until its first link. */
static enum answer user_make(struct request *rq, struct reply *rp, const struct customer_row *customer,
                             const char *email, struct person_row *person)
{
    memset(person, 0, sizeof(*person));
    id_make("usr_", person->person_id);
    snprintf(person->account_id, sizeof(person->account_id), "%s", customer->account_id);
    snprintf(person->login, sizeof(person->login), "%s", email);
    snprintf(person->name, sizeof(person->name), "%s", customer->name);
    person->created_ms = rq->now_ms;
    return store_owner_insert(rq->api->store, person) == 0 ? ANSWER_OK
                                                          : reply_fail(rp, ANSWER_STORAGE, "the user cannot be made");
}

/* Whose link it is to be: the email's, if it is of this account, or the account's first user; or a new user. */
static enum answer user_choose(struct request *rq, struct reply *rp, const struct customer_row *customer,
                               const char *email, struct person_row *person)
{
    char owner[ID_BYTES];
    int64_t created_ms;
    bool confirmed;
    int rc = email ? store_person_by_login(rq->api->store, false, email, person)
                   : store_account_user(rq->api->store, customer->account_id, person);

    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "users cannot be looked up");
    if (rc == 1)
        return strcmp(person->account_id, customer->account_id) == 0
                   ? ANSWER_OK
                   : reply_fail(rp, ANSWER_CONFLICT, "this email is another customer's");
    if (!email)
        return reply_fail(rp, ANSWER_CONFLICT, "this customer has no user yet: say which email is to be theirs");
    if (store_email_owner(rq->api->store, email, owner, &created_ms, &confirmed) != 0)
        return reply_fail(rp, ANSWER_CONFLICT, "somebody is signing up with this email");
    return user_make(rq, rp, customer, email, person);
}

enum answer customer_password_reset(struct request *rq, struct reply *rp)
{
    struct customer_row customer;
    const char *email = NULL;
    bool remove_totp = false;
    struct person_row person;
    struct fields fields;
    enum answer answer = customer_find(rq, rp, &customer);

    if (answer != ANSWER_OK)
        return answer;
    fields_start(&fields, rq->json);
    if (fields_has(&fields, "email") && fields_text(&fields, "email", EMAIL_BYTES - 1, &email) && !email_valid(email))
        fields_error(&fields, "email", "invalid_email", "must look like me@example.com");
    if (fields_has(&fields, "remove_totp"))
        fields_flag(&fields, "remove_totp", &remove_totp);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    answer = user_choose(rq, rp, &customer, email, &person);
    if (answer == ANSWER_OK)
        answer = link_make(rq, rp, &person, remove_totp);
    if (answer == ANSWER_CREATED)
        json_object_set_new(rp->json, "email", json_string(person.login));
    return answer;
}

/* using one */

static enum answer link_find(struct request *rq, struct reply *rp, const char *token, struct link_row *link,
                             struct person_row *person)
{
    uint8_t hash[KEY_HASH_BYTES];
    int rc = 0;

    if (key_valid(LINK_PREFIX, token)) {
        key_hash(token, hash);
        rc = store_link_find(rq->api->store, hash, rq->now_ms, link);
    }
    if (rc == 1)
        rc = store_person_get(rq->api->store, link->person_id, person);
    if (rc == 1) {
        snprintf(rq->about.object, sizeof(rq->about.object), "%s", person->person_id);
        snprintf(rq->about.account_id, sizeof(rq->about.account_id), "%s", person->account_id);
    }
    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "links cannot be looked up");
    if (rc == 0 || person->disabled_ms)
        return reply_fail(rp, ANSWER_NOT_FOUND, "this link was used before, or its time is over: ask for a new one");
    return ANSWER_OK;
}

static enum answer link_use(struct request *rq, struct reply *rp, const struct link_row *link, const char *password)
{
    char hash[PASSWORD_HASH_BYTES];
    int rc;

    if (password_hash(password, hash) != PASSWORD_RIGHT)
        return reply_fail(rp, ANSWER_OVERLOADED, "too many are logging in at this moment");
    rc = store_link_use(rq->api->store, link, hash, rq->now_ms);
    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "the password is not set; try again");
    return rc ? ANSWER_NO_CONTENT : reply_fail(rp, ANSWER_NOT_FOUND, "this link was used a moment ago");
}

enum answer password_reset_use(struct request *rq, struct reply *rp)
{
    const char *token = "", *password = "", *fault;
    struct person_row person;
    struct link_row link;
    struct fields fields;
    enum answer answer = request_limit(rq, rp, rq->peer, BUCKET_LOGIN);

    if (answer != ANSWER_OK)
        return answer;
    fields_start(&fields, rq->json);
    fields_text(&fields, "token", KEY_BYTES, &token);
    fields_text(&fields, "password", PASSWORD_BYTES_MAX, &password);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    answer = link_find(rq, rp, token, &link, &person);
    if (answer != ANSWER_OK)
        return answer;
    fault = password_fault(password, person.login, person.name);
    if (fault)
        return reply_fail_field(rp, "password", "weak_password", fault);
    answer = link_use(rq, rp, &link, password);
    if (answer == ANSWER_NO_CONTENT)
        login_forgive(rq, &person);
    return answer;
}

/* by mail */

/* The same work whether or not somebody has the email; a link of nobody's is forgotten like any other. */
static void mail_send(struct request *rq, const char *email)
{
    char token[KEY_BYTES], path[LINK_PATH_BYTES];
    struct person_row person;
    int64_t fresh = 0;
    bool known = store_person_by_login(rq->api->store, false, email, &person) == 1;

    if (!known)
        id_derive("usr_", email, person.person_id);
    if (store_links_count(rq->api->store, person.person_id, rq->now_ms + MAIL_LIFE_MS - MAIL_EVERY_MS, &fresh) < 0 ||
        fresh)
        return;
    if (link_store(rq, person.person_id, false, MAIL_LIFE_MS, token) != 0)
        return;
    link_path(false, token, path);
    mail_reset_write(&rq->api->config, known ? person.login : email, path, rq->now_ms, known);
    sodium_memzero(token, sizeof(token));
}

enum answer password_reset_mail(struct request *rq, struct reply *rp)
{
    const char *email = "";
    struct fields fields;
    enum answer answer = request_limit(rq, rp, rq->peer, BUCKET_LOGIN);

    if (answer != ANSWER_OK)
        return answer;
    fields_start(&fields, rq->json);
    if (fields_text(&fields, "email", EMAIL_BYTES - 1, &email) && !email_valid(email))
        fields_error(&fields, "email", "invalid_email", "must look like me@example.com");
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    if (rq->api->config.mail_folder)
        mail_send(rq, email);
    rp->json = json_pack("{s:b}", "mails", rq->api->config.mail_folder != NULL);
    return ANSWER_ACCEPTED;
}
