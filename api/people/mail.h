/* Mails as files: a program of the owner's picks them up and sends them, so that the api runs nothing and knows no
 * mail server. */
#ifndef API_PEOPLE_MAIL_H
#define API_PEOPLE_MAIL_H

#include "api/config.h"

#include <stdbool.h>
#include <stdint.h>

/* As below, always sent: to who is invited, to who is to show that the mailbox is theirs. */
int mail_invitation_write(const struct config *config, const char *to, const char *path, int64_t now_ms);
int mail_verification_write(const struct config *config, const char *to, const char *path, int64_t now_ms);

/* Puts an RFC 5322 message that links to `path` below public_url into mail_folder: readable once it is whole. Unless
 * `sent`, all of it is done but the last step: who waits for the answer cannot tell. 0, or -1 after logging. */
int mail_reset_write(const struct config *config, const char *to, const char *path, int64_t now_ms, bool sent);

#endif
