/* Sessions of people in a browser.
 *
 * The cookie is a random token made as keys are, and stored as they are: by its hash. Its name begins with __Host-, so
 * that it is ours alone (RFC 6265bis section 4.1.3.2), and scripts cannot read it. Customers and operators have
 * cookies of two names: a browser may hold both, and which one counts is said by the path.
 *
 * A cookie comes along whoever made the request, so it is not enough where something is changed: X-CSRF-Token must be
 * HMAC-SHA-256 of "csrf" under the token, which only a page of ours can ask for. */
#ifndef API_PEOPLE_SESSION_H
#define API_PEOPLE_SESSION_H

#include "api/people/store_people.h"
#include "api/request.h"

/* The cookie that counts for this path. */
const char *cookie_name(const char *path);

void csrf_token(const char *token, char csrf[static KEY_BYTES]);

/* Who the cookie stands for, in rq->who: ANSWER_OK, ANSWER_UNAUTHENTICATED, ANSWER_CSRF. */
enum answer session_look_up(struct request *rq, struct reply *rp);
/* ANSWER_CSRF where a browser says that another site's page asked for this. */
enum answer origin_check(const struct request *rq, struct reply *rp);

/* Begins one: a new token whatever the browser held before. The answer sets the cookie; rq->who is the person. */
enum answer session_start(struct request *rq, struct reply *rp, const struct person_row *person);
/* The answer takes the cookie away. */
void session_cookie_clear(const struct request *rq, struct reply *rp);

#endif
