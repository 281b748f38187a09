/* A session as its own person sees it. */
#ifndef API_PEOPLE_SESSIONS_H
#define API_PEOPLE_SESSIONS_H

#include "api/people/store_people.h"
#include "api/request.h"

json_t *user_view(const struct person_row *person);
json_t *operator_person_view(const struct person_row *person);
/* Those of an account, the first first: ANSWER_OK and a new reference. */
enum answer users_view(struct request *rq, struct reply *rp, const char *account_id, json_t **list);
/* The answer to who has logged in. */
json_t *session_view(const struct request *rq, const struct person_row *person);
/* Adds csrf_token, expires_at and the session's id; null where the request has no session. */
void session_add(const struct request *rq, json_t *view);

/* 1 to 254 bytes with one '@' that is neither first nor last, and no spaces: the rest is the mail server's. */
bool email_valid(const char *email);

#endif
