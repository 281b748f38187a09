/* What the stand-ins' files share: the frame of changing verbs, and the
 * provisioner's volumes, networks and forwards, which have a file of their own. */
#ifndef TESTS_API_STANDIN_INSIDE_H
#define TESTS_API_STANDIN_INSIDE_H

#include "common/rpc.h"

#include <jansson.h>
#include <stdbool.h>

#define NOW_MS 1767225600000            /* the models' clock stands still */

/* What the test ordered, and what happened, for one of the two daemons. */
struct orders {
    bool hold;
    bool lose;
    char fail[32];
    char fail_job[32];
    json_t *counts;
};
extern struct orders accountd, provisioner;
extern json_t *instances;

/* A field's text; "" if it has none. */
const char *text(const json_t *object, const char *key);
/* 0: do it, then answer with done(). */
int changing(struct orders *orders, struct rpc_call *call);
int done(struct orders *orders, struct rpc_call *call, const char *verb, bool effect, json_t *answer, json_t **result);
/* 1: seen before with the same content; 0 new; -1 failed with conflict. */
int seen(struct rpc_call *call, const char *id, json_t *args);

extern int devices_next_port;           /* the test's wish for the next forward, once; 0 none */

void devices_start(void);
/* What a new instance comes with: its disk, volumes, address, forwards. */
void devices_create(json_t *instance, json_t *args);
/* True, and the call has failed: attach or detach is not possible now. */
bool devices_refuse(struct rpc_call *call, const char *type, json_t *args);
void devices_job_end(json_t *job, json_t *instance);

typedef int verb_handle(struct rpc_call *call, json_t *args, json_t **result);
verb_handle stand_volume_create, stand_volume_resize, stand_volume_delete, stand_volume_get, stand_volumes_get, stand_snapshot_create, stand_snapshot_delete,
    stand_snapshots_get, stand_network_get, stand_forward_create, stand_forward_delete;

#endif
