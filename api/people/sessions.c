/* Logging in and out, and which sessions there are. */
#include "api/people/sessions.h"
#include "api/api.h"
#include "api/fields.h"
#include "api/keys.h"
#include "api/people/login.h"
#include "api/people/membership.h"
#include "api/people/session.h"
#include "api/present.h"
#include "api/resources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool email_valid(const char *email)
{
    const char *at = strchr(email, '@');
    size_t len = strlen(email);

    return len < EMAIL_BYTES && at && at != email && at[1] && !strchr(at + 1, '@') && strcspn(email, " <>,;\"") == len;
}

json_t *user_view(const struct person_row *person)
{
    return json_pack("{s:s, s:s, s:b, s:s, s:b}", "id", person->person_id, "email", person->login, "email_verified",
                     (int)person->email_verified, "name", person->name, "totp", (int)person->totp);
}

enum answer users_view(struct request *rq, struct reply *rp, const char *account_id, json_t **list)
{
    struct person_row *rows;
    size_t count;

    if (store_users(rq->api->store, account_id, &rows, &count) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "people cannot be looked up");
    *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(*list, user_view(&rows[i]));
    free(rows);
    return ANSWER_OK;
}

json_t *operator_person_view(const struct person_row *person)
{
    return json_pack("{s:s, s:s, s:s, s:b}", "id", person->person_id, "name", person->name, "role",
                     rank_names[person->rank - 1], "totp", (int)person->totp);
}

void session_add(const struct request *rq, json_t *view)
{
    char csrf[KEY_BYTES];

    if (rq->who.session)
        csrf_token(rq->who.token, csrf);
    json_object_set_new(view, "id", rq->who.session ? json_string(rq->who.key_id) : json_null());
    json_object_set_new(view, "csrf_token", rq->who.session ? json_string(csrf) : json_null());
    json_object_set_new(view, "expires_at", time_json(rq->who.session_expires_ms));
}

json_t *session_view(const struct request *rq, const struct person_row *person)
{
    const struct principal *who = &rq->who;
    struct customer_row customer;
    json_t *view = person->account_id[0]
                       ? json_pack("{s:o, s:s, s:s?, s:s?, s:o, s:o, s:b}", "user", user_view(person), "account_id",
                                   person->account_id, "role",
                                   who->member_role ? member_role_names[who->member_role - 1] : NULL, "project_id",
                                   who->project_id[0] ? who->project_id : NULL, "scopes", scopes_json(who->scopes),
                                   "account_scopes", scopes_json(who->account_scopes), "mails",
                                   (int)(rq->api->config.mail_folder != NULL))
                       : json_pack("{s:o}", "operator", operator_person_view(person));

    if (person->account_id[0] && store_customer_get(rq->api->store, person->account_id, &customer) == 1)
        json_object_set_new(view, "currency", json_string(customer.currency));
    session_add(rq, view);
    return view;
}

static enum answer login_read(struct request *rq, struct reply *rp, const char *name_field, struct login *login)
{
    struct fields fields;

    fields_start(&fields, rq->json);
    fields_text(&fields, name_field, EMAIL_BYTES - 1, &login->name);
    fields_text(&fields, "password", PASSWORD_BYTES_MAX, &login->password);
    if (fields_has(&fields, "code"))
        fields_text(&fields, "code", CODE_BYTES_MAX, &login->code);
    return fields_end(&fields, rp);
}

static enum answer log_in(struct request *rq, struct reply *rp, const char *name_field, bool is_operator)
{
    struct login login = {.is_operator = is_operator};
    struct person_row person;
    enum answer answer = login_read(rq, rp, name_field, &login);
    int rc;

    if (answer != ANSWER_OK)
        return answer;
    rc = store_person_by_login(rq->api->store, is_operator, login.name, &person);
    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "people cannot be looked up");
    if (rc == 1) {
        snprintf(rq->about.object, sizeof(rq->about.object), "%s", person.person_id);
        snprintf(rq->about.account_id, sizeof(rq->about.account_id), "%s", person.account_id);
        login.person = person.disabled_ms ? NULL : &person;
    }
    answer = login_check(rq, rp, &login);
    if (answer == ANSWER_OK)
        answer = session_start(rq, rp, &person);
    if (answer == ANSWER_OK && !is_operator)
        answer = membership_take(rq, rp);
    if (answer != ANSWER_OK)
        return answer;
    rp->json = session_view(rq, &person);
    return ANSWER_CREATED;
}

enum answer session_create(struct request *rq, struct reply *rp)
{
    return log_in(rq, rp, "email", false);
}

enum answer operator_session_create(struct request *rq, struct reply *rp)
{
    return log_in(rq, rp, "name", true);
}

enum answer session_show(struct request *rq, struct reply *rp)
{
    struct person_row person;

    if (store_person_get(rq->api->store, rq->who.person_id, &person) != 1)
        return reply_fail(rp, ANSWER_STORAGE, "the person cannot be looked up");
    rp->json = session_view(rq, &person);
    return ANSWER_OK;
}

enum answer session_end(struct request *rq, struct reply *rp)
{
    bool current = strcmp(rq->param, "current") == 0 || strcmp(rq->param, rq->who.key_id) == 0;
    int rc = store_session_end(rq->api->store, rq->who.person_id, current ? rq->who.key_id : rq->param);

    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "the session still lives; try again");
    if (rc == 0 && !current)
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such session");
    if (current)
        session_cookie_clear(rq, rp);
    return ANSWER_NO_CONTENT;
}

enum answer sessions_list(struct request *rq, struct reply *rp)
{
    struct session_row *rows;
    size_t count;
    json_t *list;

    if (store_sessions(rq->api->store, rq->who.person_id, rq->now_ms, &rows, &count) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "sessions cannot be looked up");
    list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s, s:b, s:o, s:o, s:o, s:s, s:s}", "id", rows[i].session_id,
                                              "current", (int)(strcmp(rows[i].session_id, rq->who.key_id) == 0),
                                              "created_at", time_json(rows[i].created_ms), "seen_at",
                                              time_json(rows[i].seen_ms), "expires_at", time_json(rows[i].expires_ms),
                                              "address", rows[i].peer, "agent", rows[i].agent));
    free(rows);
    rp->json = present_page(list);
    return ANSWER_OK;
}
