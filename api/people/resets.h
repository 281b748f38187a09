/* One-time links that set a password. */
#ifndef API_PEOPLE_RESETS_H
#define API_PEOPLE_RESETS_H

#include "api/people/store_people.h"
#include "api/request.h"

#define LINK_LIFE_MS (INT64_C(24) * 3600 * 1000)

/* "/portal/reset#TOKEN" or "/console/setup#TOKEN": what follows # never leaves the browser. */
#define LINK_PATH_BYTES 80
void link_path(bool is_operator, const char *token, char out[static LINK_PATH_BYTES]);

/* The answer to who makes one: {token, path, expires_at}; `token` NULL: it is not theirs to see. */
json_t *link_view(bool is_operator, const char *token, int64_t expires_ms);
/* Makes one, in the place of those before. ANSWER_CREATED. */
enum answer link_make(struct request *rq, struct reply *rp, const struct person_row *person, bool remove_totp);

#endif
