#include "api/people/membership.h"
#include "api/api.h"
#include "api/store_projects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum answer no_project(struct reply *rp)
{
    return reply_fail(rp, ANSWER_NOT_FOUND, "X-Project: no such project");
}

/* What is the whole account's may ask within any of its projects. */
static enum answer narrow(struct request *rq, struct reply *rp, const char *project_id)
{
    struct project_row row;
    int rc = id_valid("prj_", project_id) ? store_project_get(rq->api->store, rq->who.account_id, project_id, &row) : 0;

    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "projects cannot be looked up");
    if (rc == 0)
        return no_project(rp);
    snprintf(rq->who.project_id, sizeof(rq->who.project_id), "%s", project_id);
    return ANSWER_OK;
}

static enum answer key_take_project(struct request *rq, struct reply *rp)
{
    if (!rq->project)
        return ANSWER_OK;
    if (!rq->who.bound)
        return narrow(rq, rp, rq->project);
    return strcmp(rq->project, rq->who.project_id) == 0 ? ANSWER_OK : no_project(rp);
}

/* The roles are sorted: the account's is the first, if there is one. */
static enum answer roles_take(struct request *rq, struct reply *rp, const struct member_row *roles, size_t count)
{
    struct principal *who = &rq->who;
    const char *wanted = rq->project;
    bool found = false;

    who->bound = count == 0 || roles[0].project_id[0];
    if (!who->bound) {
        who->member_role = roles[0].role;
        who->account_scopes = member_role_scopes(roles[0].role);
    } else if (!wanted && count) {
        wanted = roles[0].project_id;
    }
    for (size_t i = 0; i < count; i++) {
        bool named = wanted && strcmp(roles[i].project_id, wanted) == 0;

        found |= named;
        if (named || !roles[i].project_id[0])
            who->scopes |= member_role_scopes(roles[i].role);
    }
    if (!who->bound)
        return wanted ? narrow(rq, rp, wanted) : ANSWER_OK;
    if (!found)
        return no_project(rp);
    snprintf(who->project_id, sizeof(who->project_id), "%s", wanted);
    return ANSWER_OK;
}

enum answer membership_take(struct request *rq, struct reply *rp)
{
    struct member_row *roles;
    enum answer answer;
    size_t count;

    if (!rq->who.session)
        return key_take_project(rq, rp);
    if (store_memberships(rq->api->store, rq->who.person_id, &roles, &count) != 0)
        return reply_fail(rp, ANSWER_STORAGE, "roles cannot be looked up");
    answer = roles_take(rq, rp, roles, count);
    free(roles);
    return answer;
}

char *project_for_new(const struct request *rq, char project_id[static ID_BYTES])
{
    if (!rq->who.project_id[0])
        return project_default_id(rq->who.account_id, project_id);
    memcpy(project_id, rq->who.project_id, ID_BYTES);
    return project_id;
}

enum answer project_field(const struct request *rq, struct reply *rp, struct fields *fields, const char *account_id,
                          char project_id[static ID_BYTES])
{
    struct project_row project;
    const char *id;
    int rc;

    memcpy(project_id, rq->who.project_id, ID_BYTES);
    if (!fields_has(fields, "project_id") || !fields_text(fields, "project_id", ID_BYTES - 1, &id))
        return ANSWER_OK;
    rc = store_project_get(rq->api->store, account_id, id, &project);
    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "projects cannot be looked up");
    if (rc == 0 || !principal_sees(&rq->who, id))
        fields_error(fields, "project_id", "unknown", "there is no project %s", id);
    snprintf(project_id, ID_BYTES, "%s", id);
    return ANSWER_OK;
}

int placement_seen(const struct request *rq, const char *id, char project_id[static ID_BYTES])
{
    int rc = store_placement(rq->api->store, rq->who.account_id, id, project_id);

    return rc < 0 ? -1 : principal_sees(&rq->who, project_id);
}
