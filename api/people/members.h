/* Giving and taking roles: what both members and invitations ask. */
#ifndef API_PEOPLE_MEMBERS_H
#define API_PEOPLE_MEMBERS_H

#include "api/fields.h"
#include "api/people/roles.h"
#include "api/request.h"

/* The field "role", that fits where it is to hold (`project_id`, "" the account): 0 after noting an error. */
enum member_role role_field(struct fields *fields, const char *project_id);

/* Whether the caller may give this role, or take it: it may nothing that they may not. ANSWER_OK, or
 * ANSWER_SCOPE_MISSING. */
enum answer role_allowed(const struct request *rq, struct reply *rp, enum member_role role);

/* What makes an owner, or makes one less: an owner who has logged in, and says their password once more. */
struct approval {
    const char *password;
    const char *code;
};
void approval_fields(struct fields *fields, struct approval *approval);
enum answer owner_approve(struct request *rq, struct reply *rp, const struct approval *approval);

#endif
