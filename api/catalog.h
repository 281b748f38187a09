/* The provisioner's catalogue, for those who check a request against it. */
#ifndef API_CATALOG_H
#define API_CATALOG_H

#include "api/fields.h"
#include "api/request.h"

/* The entry with this id in what the verb `list` ("images", "flavors") lists,
 * a new reference in *entry. Not there: notes an error for `field` that names
 * what there is, and *entry is NULL. Another answer than ANSWER_OK: the daemon did not answer. */
enum answer catalog_find(struct request *rq, struct reply *rp, struct fields *fields, const char *list,
                         const char *field, const char *id, json_t **entry);

#endif
