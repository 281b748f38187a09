/* The socket: its opening, and the verb that has a file of its own. */
#ifndef ACCOUNTD_CONTROL_VERBS_H
#define ACCOUNTD_CONTROL_VERBS_H

#include "accountd/accountd.h"
#include "common/rpc.h"

/* Anyone may connect; each verb looks at who calls. */
struct rpc_server *control_listen(struct accountd *a, const char *path);

/* control_usage.c: live sums, to this second. */
void control_usage_of(struct accountd *a);
int control_usage(struct rpc_call *call, json_t *args, json_t **result);

#endif
