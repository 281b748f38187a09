/* Whether an email is its user's: who opens the link that the mailbox was sent has shown it. Nothing hangs on it but what
 * is shown. Without a mail_folder there are no such links. */
#ifndef API_PEOPLE_EMAILS_H
#define API_PEOPLE_EMAILS_H

#include "api/people/store_people.h"
#include "api/request.h"

/* Sends this user a link, in the place of one before: 0, or -1 after logging. */
int email_link_send(struct request *rq, const struct person_row *person);

#endif
