/* Making keys, and scopes as customers see them. */
#ifndef API_KEYS_H
#define API_KEYS_H

#include "api/request.h"
#include "api/store.h"

/* Makes the key of this row, an operator's if it has no account: ANSWER_CREATED, or what was refused. Its id, hash and
 * text come from here; `view` shows what is stored, and the text is added for its creator alone. */
enum answer key_make(struct request *rq, struct reply *rp, const struct key_row *row,
                     json_t *(*view)(const struct key_row *));

/* A page of an account's keys, the newest first, without their texts: ANSWER_OK and a new reference. `after`: 0, or the
 * cursor of the page before. */
enum answer keys_view(struct request *rq, struct reply *rp, const char *account_id, int64_t after, int64_t limit,
                      json_t **page);

json_t *scopes_json(unsigned scopes);       /* new reference: array of names */

#endif
