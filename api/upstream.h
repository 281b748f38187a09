/* Asking the other daemons. One struct per worker thread: connections are not
 * shared, so a slow answer to one customer holds up nobody else's question. */
#ifndef API_UPSTREAM_H
#define API_UPSTREAM_H

#include "api/request.h"

enum daemon { DAEMON_ACCOUNTD, DAEMON_PROVISIONER };

#define UPSTREAM_TIMEOUT_MS 10000

struct upstream;
struct upstream *upstream_new(const char *accountd, const char *provisioner);
void upstream_free(struct upstream *up);

/* ANSWER_OK and *ok (new reference), or the answer for the customer with the
 * reply's detail and context set. `args` is stolen. ANSWER_LATER on a thread that must not wait. */
enum answer upstream_ask(struct request *rq, struct reply *rp, enum daemon daemon, const char *verb, json_t *args,
                         json_t **ok);
enum answer upstream_ask_within(struct request *rq, struct reply *rp, enum daemon daemon, const char *verb,
                                json_t *args, int timeout_ms, json_t **ok);

/* All that a daemon has of the caller's account, as a page: `list` is its name in the daemon's answer, `view` gives
 * a new reference, or NULL for what this caller is not to see. */
enum answer upstream_list(struct request *rq, struct reply *rp, enum daemon daemon, const char *verb, const char *list,
                          json_t *(*view)(const struct request *rq, const json_t *thing));

#endif
