/* What a customer's person may do, and within which project they ask.
 *
 * X-Project names the project: what is listed, found and made is then in it. A key that is bound to one can name no
 * other. A person has the scopes of their role for the account and of the one for that project (which counts for
 * nothing that is about the whole account); who has none for the account is bound, and asks within their first project
 * unless they name another. */
#ifndef API_PEOPLE_MEMBERSHIP_H
#define API_PEOPLE_MEMBERSHIP_H

#include "api/fields.h"
#include "api/people/store_members.h"
#include "api/request.h"

/* Completes rq->who, a customer's: ANSWER_OK, ANSWER_NOT_FOUND if there is no such project for them. */
enum answer membership_take(struct request *rq, struct reply *rp);

/* Where what this customer makes now is put. Returns project_id. */
char *project_for_new(const struct request *rq, char project_id[static ID_BYTES]);

/* The field "project_id" of what is to be bound: one of the account's that the caller sees; left out, the one that they
 * ask within, "" the whole account. ANSWER_OK (perhaps with an error noted), or ANSWER_STORAGE. */
enum answer project_field(const struct request *rq, struct reply *rp, struct fields *fields, const char *account_id,
                          char project_id[static ID_BYTES]);

/* A volume or snapshot of the account's, in a project that the customer does not see, is none: 1, 0, -1. */
int placement_seen(const struct request *rq, const char *id, char project_id[static ID_BYTES]);

#endif
