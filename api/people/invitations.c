/* Invitations: a one-time link that makes a role of its holder's. Where mails are sent, it goes to the mailbox and to
 * nobody else; so who uses it has shown that the email is theirs. */
#include "api/api.h"
#include "api/fields.h"
#include "api/people/login.h"
#include "api/people/mail.h"
#include "api/people/members.h"
#include "api/people/membership.h"
#include "api/people/resets.h"
#include "api/people/session.h"
#include "api/people/sessions.h"
#include "api/present.h"
#include "api/resources.h"
#include "api/store_projects.h"
#include "common/log.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIFE_MS (INT64_C(7) * 24 * 3600 * 1000)
#define INVITATIONS_MAX 100 /* of an account, that wait */
#define MEMBERS_MAX 500     /* a person counts once for each project */

static json_t *invitation_view(const struct invitation_row *row)
{
    return json_pack("{s:s, s:s, s:s, s:s?, s:o, s:o}", "id", row->invitation_id, "email", row->email, "role",
                     member_role_names[row->role - 1], "project_id", row->project_id[0] ? row->project_id : NULL,
                     "created_at", time_json(row->created_ms), "expires_at", time_json(row->expires_ms));
}

/* making one */

static enum answer invitation_read(struct request *rq, struct reply *rp, struct invitation_row *row,
                                   struct approval *approval)
{
    const char *email = "";
    struct fields fields;
    enum answer answer;

    fields_start(&fields, rq->json);
    if (fields_text(&fields, "email", EMAIL_BYTES - 1, &email) && !email_valid(email))
        fields_error(&fields, "email", "invalid_email", "must look like me@example.com");
    answer = project_field(rq, rp, &fields, row->account_id, row->project_id);
    row->role = role_field(&fields, row->project_id);
    approval_fields(&fields, approval);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    if (answer != ANSWER_OK)
        return answer;
    snprintf(row->email, sizeof(row->email), "%s", email);
    answer = role_allowed(rq, rp, row->role);
    return answer == ANSWER_OK && row->role == MEMBER_OWNER ? owner_approve(rq, rp, approval) : answer;
}

static enum answer crowd_check(struct request *rq, struct reply *rp)
{
    struct invitation_row *rows;
    int64_t members;
    size_t count;

    if (store_invitations(rq->api->store, rq->who.account_id, rq->now_ms, &rows, &count) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "invitations cannot be looked up");
    free(rows);
    if (count >= INVITATIONS_MAX)
        return reply_fail_quota(rp, "invitations_max", "invitations", INVITATIONS_MAX, (int64_t)count);
    if (store_member_count(rq->api->store, rq->who.account_id, &members) != 1)
        return reply_fail(rp, ANSWER_STORAGE, "members cannot be looked up");
    /* Whoever is invited may come: the ones that wait count too. */
    return members + (int64_t)count < MEMBERS_MAX
               ? ANSWER_OK
               : reply_fail_quota(rp, "members_max", "members and invitations", MEMBERS_MAX, members + (int64_t)count);
}

/* ANSWER_OK if this email may become a member here: *known if it is a user of this account. A person belongs to one
 * account. */
static enum answer email_check(struct request *rq, struct reply *rp, const struct invitation_row *row, bool *known)
{
    char owner[ID_BYTES];
    int64_t created_ms;
    bool confirmed;
    int rc = store_email_owner(rq->api->store, row->email, owner, &created_ms, &confirmed);

    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "users cannot be looked up");
    *known = rc == 1;
    return rc == 0 || strcmp(owner, row->account_id) == 0
               ? ANSWER_OK
               : reply_fail(rp, ANSWER_CONFLICT, "this email has an account of its own: invite another address");
}

/* The link as a file for the mail program, or in the answer. */
static enum answer invitation_send(struct request *rq, struct reply *rp, struct invitation_row *row, const char *token)
{
    const struct config *config = &rq->api->config;
    char path[LINK_PATH_BYTES];

    snprintf(path, sizeof(path), "/portal/invitation#%s", token);
    if (store_invitation_insert(rq->api->store, row) != 1 ||
        (row->mailed && mail_invitation_write(config, row->email, path, rq->now_ms) != 0))
        return reply_fail(rp, ANSWER_STORAGE, "nobody was told; try again");
    rp->json = invitation_view(row);
    json_object_set_new(rp->json, "token", row->mailed ? json_null() : json_string(token));
    json_object_set_new(rp->json, "path", row->mailed ? json_null() : json_string(path));
    return ANSWER_CREATED;
}

enum answer invitation_create(struct request *rq, struct reply *rp)
{
    struct invitation_row row = {.created_ms = rq->now_ms, .expires_ms = rq->now_ms + LIFE_MS};
    struct approval approval = {NULL, NULL};
    char token[KEY_BYTES];
    enum answer answer;
    bool known;

    snprintf(row.account_id, sizeof(row.account_id), "%s", rq->who.account_id);
    row.mailed = rq->api->config.mail_folder != NULL;
    /* To a stranger's mailbox as seldom as a password is tried. */
    answer = row.mailed ? request_limit(rq, rp, rq->who.account_id, BUCKET_LOGIN) : ANSWER_OK;
    if (answer == ANSWER_OK)
        answer = invitation_read(rq, rp, &row, &approval);
    if (answer == ANSWER_OK)
        answer = email_check(rq, rp, &row, &known);
    if (answer == ANSWER_OK)
        answer = crowd_check(rq, rp);
    if (answer != ANSWER_OK)
        return answer;
    id_make("ivt_", row.invitation_id);
    key_random(LINK_PREFIX, token);
    key_hash(token, row.hash);
    answer = invitation_send(rq, rp, &row, token);
    sodium_memzero(token, sizeof(token));
    return answer;
}

enum answer invitations_list(struct request *rq, struct reply *rp)
{
    struct invitation_row *rows;
    json_t *list;
    size_t count;

    if (store_invitations(rq->api->store, rq->who.account_id, rq->now_ms, &rows, &count) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "invitations cannot be looked up");
    list = json_array();
    for (size_t i = 0; i < count; i++)
        if (principal_sees(&rq->who, rows[i].project_id))
            json_array_append_new(list, invitation_view(&rows[i]));
    free(rows);
    rp->json = present_page(list);
    return ANSWER_OK;
}

enum answer invitation_delete(struct request *rq, struct reply *rp)
{
    struct invitation_row row;
    enum answer answer;
    int rc = id_valid("ivt_", rq->param) ? store_invitation_get(rq->api->store, rq->who.account_id, rq->param, &row) : 0;

    if (rc == 0 || (rc == 1 && !principal_sees(&rq->who, row.project_id)))
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such invitation");
    answer = rc == 1 ? role_allowed(rq, rp, row.role) : ANSWER_STORAGE;
    if (answer == ANSWER_OK && store_invitation_delete(rq->api->store, row.invitation_id) == 0)
        return ANSWER_NO_CONTENT;
    return answer == ANSWER_SCOPE_MISSING ? answer : reply_fail(rp, ANSWER_STORAGE, "it still holds; try again");
}

/* using one */

static enum answer invitation_find(struct request *rq, struct reply *rp, const char *token, struct invitation_row *row)
{
    uint8_t hash[KEY_HASH_BYTES];
    int rc = 0;

    if (key_valid(LINK_PREFIX, token)) {
        key_hash(token, hash);
        rc = store_invitation_find(rq->api->store, hash, rq->now_ms, row);
    }
    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "invitations cannot be looked up");
    if (rc == 0)
        return reply_fail(rp, ANSWER_NOT_FOUND, "this invitation was used or taken back, or its time is over");
    snprintf(rq->about.object, sizeof(rq->about.object), "%s", row->invitation_id);
    snprintf(rq->about.account_id, sizeof(rq->about.account_id), "%s", row->account_id);
    return ANSWER_OK;
}

/* What the link's holder is asked to agree to. */
enum answer invitation_look_up(struct request *rq, struct reply *rp)
{
    struct customer_row customer;
    struct invitation_row row;
    struct project_row project = {.name = ""};
    struct fields fields;
    const char *token = "";
    enum answer answer;
    bool known;

    fields_start(&fields, rq->json);
    fields_text(&fields, "token", KEY_BYTES, &token);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    answer = invitation_find(rq, rp, token, &row);
    if (answer == ANSWER_OK)
        answer = email_check(rq, rp, &row, &known);
    if (answer != ANSWER_OK)
        return answer;
    if (store_customer_get(rq->api->store, row.account_id, &customer) != 1 ||
        (row.project_id[0] && store_project_get(rq->api->store, row.account_id, row.project_id, &project) != 1))
        return reply_fail(rp, ANSWER_STORAGE, "the account cannot be looked up");
    rp->json = json_pack("{s:s, s:s?, s:s, s:s, s:b, s:o}", "account", customer.name, "project",
                         project.name[0] ? project.name : NULL, "email", row.email, "role",
                         member_role_names[row.role - 1], "has_user", (int)known, "expires_at",
                         time_json(row.expires_ms));
    return ANSWER_OK;
}

struct acceptance {
    const char *token;
    const char *name; /* of who is no user yet; NULL not said */
    struct approval approval;
};

static enum answer acceptance_read(struct request *rq, struct reply *rp, struct acceptance *acceptance)
{
    struct fields fields;

    fields_start(&fields, rq->json);
    fields_text(&fields, "token", KEY_BYTES, &acceptance->token);
    if (fields_has(&fields, "name"))
        fields_text(&fields, "name", TITLE_BYTES - 1, &acceptance->name);
    fields_text(&fields, "password", PASSWORD_BYTES_MAX, &acceptance->approval.password);
    if (fields_has(&fields, "code"))
        fields_text(&fields, "code", CODE_BYTES_MAX, &acceptance->approval.code);
    return fields_end(&fields, rp);
}

static enum answer person_known(struct request *rq, struct reply *rp, const struct invitation_row *row,
                                const struct acceptance *acceptance, struct person_row *person)
{
    struct login login = {.name = row->email,
                          .person = person,
                          .password = acceptance->approval.password,
                          .code = acceptance->approval.code};

    if (store_person_by_login(rq->api->store, false, row->email, person) != 1)
        return reply_fail(rp, ANSWER_STORAGE, "the user cannot be looked up");
    return login_check(rq, rp, &login);
}

static enum answer person_new(struct request *rq, struct reply *rp, const struct invitation_row *row,
                              const struct acceptance *acceptance, struct person_row *person)
{
    const char *name = acceptance->name, *password = acceptance->approval.password, *fault;
    enum answer answer = request_limit(rq, rp, rq->peer, BUCKET_LOGIN);

    if (answer != ANSWER_OK)
        return answer;
    if (!name)
        return reply_fail_field(rp, "name", "required", "say your name");
    fault = password_fault(password, row->email, name);
    if (fault)
        return reply_fail_field(rp, "password", "weak_password", fault);
    memset(person, 0, sizeof(*person));
    if (password_hash(password, person->password) != PASSWORD_RIGHT)
        return reply_fail(rp, ANSWER_OVERLOADED, "too many are logging in at this moment");
    id_make("usr_", person->person_id);
    snprintf(person->account_id, sizeof(person->account_id), "%s", row->account_id);
    snprintf(person->login, sizeof(person->login), "%s", row->email);
    snprintf(person->name, sizeof(person->name), "%s", name);
    person->created_ms = rq->now_ms;
    return ANSWER_OK;
}

static enum answer accepted(struct request *rq, struct reply *rp, const struct invitation_row *row,
                            const struct person_row *person, bool known)
{
    enum answer answer;
    int rc = store_invitation_use(rq->api->store, row, person, !known);

    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "the invitation still holds; try again");
    if (rc == 0)
        return reply_fail(rp, ANSWER_NOT_FOUND, "this invitation was used a moment ago");
    if (row->mailed && store_email_verified(rq->api->store, person->person_id, rq->now_ms) != 0)
        log_warnx("user %s: that the email is theirs is not written down", person->person_id);
    answer = session_start(rq, rp, person);
    if (answer == ANSWER_OK)
        answer = membership_take(rq, rp);
    if (answer != ANSWER_OK)
        return answer;
    rp->json = session_view(rq, person);
    return ANSWER_CREATED;
}

enum answer invitation_accept(struct request *rq, struct reply *rp)
{
    struct acceptance acceptance = {.token = ""};
    struct invitation_row row;
    struct person_row person;
    enum answer answer = acceptance_read(rq, rp, &acceptance);
    bool known = false;

    if (answer == ANSWER_OK)
        answer = invitation_find(rq, rp, acceptance.token, &row);
    if (answer == ANSWER_OK)
        answer = email_check(rq, rp, &row, &known);
    if (answer == ANSWER_OK)
        answer = known ? person_known(rq, rp, &row, &acceptance, &person)
                       : person_new(rq, rp, &row, &acceptance, &person);
    return answer == ANSWER_OK ? accepted(rq, rp, &row, &person, known) : answer;
}
