/* api.db: who is a member of an account or a project, and who is invited. Results as in api/store.h. */
#ifndef API_PEOPLE_STORE_MEMBERS_H
#define API_PEOPLE_STORE_MEMBERS_H

#include "api/people/roles.h"
#include "api/people/store_people.h"

struct member_row {
    char member_id[ID_BYTES];
    char user_id[ID_BYTES];
    char project_id[ID_BYTES]; /* "" the whole account */
    enum member_role role;
    int64_t created_ms;
    /* found: the user's */
    char account_id[ID_BYTES];
    char email[EMAIL_BYTES];
    char name[TITLE_BYTES];
    bool totp;
};
/* A user's roles, the account's first, then the oldest. */
int store_memberships(struct store *store, const char *user_id, struct member_row **rows, size_t *count);
/* An account's, oldest first. */
int store_members(struct store *store, const char *account_id, struct member_row **rows, size_t *count);
int store_member_get(struct store *store, const char *account_id, const char *member_id, struct member_row *row);
int store_member_insert(struct store *store, const struct member_row *row);
/* 1 and *count: how many members an account has, a person once for each project; and how many owners. */
int store_member_count(struct store *store, const char *account_id, int64_t *count);
int store_owner_count(struct store *store, const char *account_id, int64_t *count);
/* Another role, or none: 1, 0 if the account would have no owner left, -1. The user's sessions end, so that what is
 * open ends too; a user without any role left is gone, and the email is free. */
int store_member_role_set(struct store *store, const struct member_row *row, enum member_role role);
int store_member_delete(struct store *store, const struct member_row *row);

struct invitation_row {
    char invitation_id[ID_BYTES];
    char account_id[ID_BYTES];
    char project_id[ID_BYTES]; /* "" the whole account */
    char email[EMAIL_BYTES];
    enum member_role role;
    uint8_t hash[KEY_HASH_BYTES];
    bool mailed; /* nobody but the mailbox's owner saw the link */
    int64_t created_ms, expires_ms;
};
/* In the place of one for the same email and project. */
int store_invitation_insert(struct store *store, const struct invitation_row *row);
int store_invitation_get(struct store *store, const char *account_id, const char *invitation_id,
                         struct invitation_row *row);
/* None that is over. */
int store_invitation_find(struct store *store, const uint8_t hash[static KEY_HASH_BYTES], int64_t now_ms,
                          struct invitation_row *row);
/* Oldest first, without those that are over. */
int store_invitations(struct store *store, const char *account_id, int64_t now_ms, struct invitation_row **rows,
                      size_t *count);
int store_invitation_delete(struct store *store, const char *invitation_id);
/* The invitation becomes a role, of `user` (inserted, if `fresh`): 1, 0 if somebody else just used it, -1. A role that the
 * user had there is replaced, and sessions end with it; but not an owner's: the account would be nobody's. */
int store_invitation_use(struct store *store, const struct invitation_row *row, const struct person_row *user,
                         bool fresh);

#endif
