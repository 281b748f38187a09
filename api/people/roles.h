/* What a member of an account may do. A role stands for scopes, the same that keys have: one mechanism decides. Nobody
 * gives or takes a role that may more than they may themselves. */
#ifndef API_PEOPLE_ROLES_H
#define API_PEOPLE_ROLES_H

/* Names in member_role_names, in this order, NULL at the end. Owner and billing are for the whole account alone: money
 * belongs to no project. */
enum member_role { MEMBER_OWNER = 1, MEMBER_ADMIN, MEMBER_DEVELOPER, MEMBER_BILLING, MEMBER_VIEWER };
extern const char *const member_role_names[];

/* 0 if the text is none. */
enum member_role member_role_parse(const char *name);
unsigned member_role_scopes(enum member_role role);

#endif
