/* Members: which person has which role, for the account or for one of its projects. */
#include "api/people/members.h"
#include "api/api.h"
#include "api/people/login.h"
#include "api/people/store_members.h"
#include "api/present.h"
#include "api/resources.h"

#include <stdlib.h>
#include <string.h>

enum member_role role_field(struct fields *fields, const char *project_id)
{
    const char *name = "";
    enum member_role role;

    if (!fields_choice(fields, "role", member_role_names, &name))
        return 0;
    role = member_role_parse(name);
    if (!project_id[0] || (role != MEMBER_OWNER && role != MEMBER_BILLING))
        return role;
    fields_error(fields, "role", "account_role", "%s is for the whole account: a project has admin, developer, viewer",
                 name);
    return 0;
}

enum answer role_allowed(const struct request *rq, struct reply *rp, enum member_role role)
{
    return member_role_scopes(role) & ~rq->who.scopes
               ? reply_fail(rp, ANSWER_SCOPE_MISSING, "%s may more than you may: neither give nor take it",
                            member_role_names[role - 1])
               : ANSWER_OK;
}

void approval_fields(struct fields *fields, struct approval *approval)
{
    if (fields_has(fields, "password"))
        fields_text(fields, "password", PASSWORD_BYTES_MAX, &approval->password);
    if (fields_has(fields, "code"))
        fields_text(fields, "code", CODE_BYTES_MAX, &approval->code);
}

enum answer owner_approve(struct request *rq, struct reply *rp, const struct approval *approval)
{
    struct login login = {.password = approval->password, .code = approval->code};
    struct person_row person;

    if (!rq->who.session || rq->who.member_role != MEMBER_OWNER)
        return reply_fail(rp, ANSWER_FORBIDDEN, "only an owner who has logged in makes owners, or makes them less");
    if (!approval->password)
        return reply_fail_field(rp, "password", "required", "about owners, say your own password once more");
    if (store_person_get(rq->api->store, rq->who.person_id, &person) != 1)
        return reply_fail(rp, ANSWER_STORAGE, "the person cannot be looked up");
    login.name = person.login;
    login.person = &person;
    return login_check(rq, rp, &login);
}

static json_t *member_view(const struct member_row *row)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s?, s:o}", "id", row->member_id, "user_id", row->user_id,
                     "email", row->email, "name", row->name, "totp", (int)row->totp, "role",
                     member_role_names[row->role - 1], "project_id", row->project_id[0] ? row->project_id : NULL,
                     "created_at", time_json(row->created_ms));
}

enum answer members_list(struct request *rq, struct reply *rp)
{
    struct member_row *rows;
    json_t *list;
    size_t count;

    if (store_members(rq->api->store, rq->who.account_id, &rows, &count) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "members cannot be looked up");
    list = json_array();
    for (size_t i = 0; i < count; i++)
        if (principal_sees(&rq->who, rows[i].project_id))
            json_array_append_new(list, member_view(&rows[i]));
    free(rows);
    rp->json = present_page(list);
    return ANSWER_OK;
}

static enum answer member_find(struct request *rq, struct reply *rp, struct member_row *row)
{
    int rc = id_valid("mem_", rq->param) ? store_member_get(rq->api->store, rq->who.account_id, rq->param, row) : 0;

    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "the member cannot be looked up");
    if (rc == 0 || !principal_sees(&rq->who, row->project_id))
        return reply_fail(rp, ANSWER_NOT_FOUND, "no such member");
    return ANSWER_OK;
}

static enum answer member_find_to_change(struct request *rq, struct reply *rp, struct member_row *row)
{
    enum answer answer = member_find(rq, rp, row);

    return answer == ANSWER_OK ? role_allowed(rq, rp, row->role) : answer;
}

enum answer member_show(struct request *rq, struct reply *rp)
{
    struct member_row row;
    enum answer answer = member_find(rq, rp, &row);

    if (answer == ANSWER_OK)
        rp->json = member_view(&row);
    return answer;
}

static enum answer changed(struct reply *rp, int rc)
{
    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "the role is as it was; try again");
    return rc ? ANSWER_OK : reply_fail(rp, ANSWER_CONFLICT, "the account would have no owner: make another one first");
}

enum answer member_change(struct request *rq, struct reply *rp)
{
    struct approval approval = {NULL, NULL};
    struct member_row row;
    struct fields fields;
    enum member_role role;
    enum answer answer = member_find_to_change(rq, rp, &row);

    if (answer != ANSWER_OK)
        return answer;
    fields_start(&fields, rq->json);
    role = role_field(&fields, row.project_id);
    approval_fields(&fields, &approval);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    answer = role_allowed(rq, rp, role);
    if (answer == ANSWER_OK && role != row.role && (role == MEMBER_OWNER || row.role == MEMBER_OWNER))
        answer = owner_approve(rq, rp, &approval);
    if (answer == ANSWER_OK && role != row.role)
        answer = changed(rp, store_member_role_set(rq->api->store, &row, role));
    if (answer != ANSWER_OK)
        return answer;
    row.role = role;
    rp->json = member_view(&row);
    return ANSWER_OK;
}

enum answer member_delete(struct request *rq, struct reply *rp)
{
    struct member_row row;
    enum answer answer = member_find_to_change(rq, rp, &row);

    if (answer == ANSWER_OK && row.role == MEMBER_OWNER)
        answer = reply_fail(rp, ANSWER_CONFLICT, "an owner: PATCH gives them a smaller role first, with a password");
    if (answer == ANSWER_OK)
        answer = changed(rp, store_member_delete(rq->api->store, &row));
    return answer == ANSWER_OK ? ANSWER_NO_CONTENT : answer;
}
