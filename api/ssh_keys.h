/* The account's public SSH keys, for who makes an instance with them. */
#ifndef API_SSH_KEYS_H
#define API_SSH_KEYS_H

#include "api/fields.h"
#include "api/request.h"

#define SSH_KEYS_MAX 32                 /* of an account */
#define SSH_KEYS_PER_INSTANCE 16

/* Reads the field `name`, a list of ids or names, into the lines of these keys (new reference; NULL when the field
 * is not there). One that is not known is noted as the field's error. */
enum answer ssh_keys_read(struct request *rq, struct reply *rp, struct fields *fields, const char *name,
                          json_t **lines);

#endif
