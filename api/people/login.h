/* Checking what people log in with, so that trying costs: each attempt is counted by the name given and by the
 * address, and after many failures in a row the name rests, whether or not somebody has it. */
#ifndef API_PEOPLE_LOGIN_H
#define API_PEOPLE_LOGIN_H

#include "api/people/store_people.h"
#include "api/request.h"

#define CODE_BYTES_MAX 40 /* of a second factor, or a recovery code as people type it */

struct login {
    bool is_operator;
    const char *name;                /* email, or operator's name, as given */
    const struct person_row *person; /* NULL: nobody has it, which costs as much */
    const char *password;
    const char *code; /* NULL none */
};

/* ANSWER_OK if these are the person's; ANSWER_CREDENTIALS in the same words whatever is wrong;
 * ANSWER_CODE_REQUIRED if the password fits and the person has a second factor; ANSWER_RATE_LIMITED. A code that was
 * accepted is spent. */
enum answer login_check(struct request *rq, struct reply *rp, const struct login *login);
/* The password alone, where the person is known already: who holds the session may guess no faster. */
enum answer login_password_check(struct request *rq, struct reply *rp, const struct person_row *person,
                                 const char *password);

/* The person has come in by a link: failures before no longer count. */
void login_forgive(struct request *rq, const struct person_row *person);

#endif
