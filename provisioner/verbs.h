/* What the files of verbs share (control.c, verbs_*.c); nobody else includes it.
 *
 * A handler checks every argument, looks at rows and adds rows; what takes long is
 * the worker thread's. A checker returns 0, or -1 after rpc_fail. */
#ifndef PROVISIONER_VERBS_H
#define PROVISIONER_VERBS_H

#include "common/json.h"
#include "common/rpc.h"
#include "provisioner/serve.h"

#define NAME_BYTES_MAX  64
#define VOLUME_MIB_MAX  (1ll << 30)
#define WAIT_MS_MAX     30000

/* rpc handlers carry no context; there is one server in the process. */
extern struct serve serve;

int store_failed(struct rpc_call *call);
int bad(struct rpc_call *call, const struct json_why *why);
/* Of a store's verb: rc -1 failed, -2 with *refusal. */
int not_taken(struct rpc_call *call, int rc, const struct refusal *refusal);
/* Ids become file names and xenstore names. */
int id_arg(struct rpc_call *call, const json_t *args, const char *key, const char **out);
int id_check(struct rpc_call *call, const char *key, const char *id);
int name_arg(struct rpc_call *call, const json_t *args, const char **name);
int keys_check(struct rpc_call *call, const json_t *args, const char *keys);
/* The instance that the arguments name. */
int instance_arg(struct rpc_call *call, const json_t *args, struct instance *instance);
int finish_or_fail(struct rpc_call *call, json_t *answer, json_t **result);

/* Quotas, and what the host's disk can promise now. */
int limits_read(struct rpc_call *call, struct limits *limits);

/* A caller who waits for the end of a job, or (job_id empty) for changes after this one. */
struct waiter {
    struct waiter *next;
    struct rpc_call *call;
    char job_id[STORE_ID_BYTES];
    int64_t after, limit;
    int64_t until_ms;
};
/* Keeps the call for control_waiters_run. */
int waiter_add(struct rpc_call *call, const struct waiter *what, int64_t wait_ms);

/* verbs_changes.c: the answer to `changes`, NULL after the store failed; whether it is worth giving now. */
json_t *changes_json(int64_t after, int64_t limit);
bool changes_there(int64_t after);

json_t *job_json(const struct job *job);
json_t *forward_json(const struct forward *f);
/* What a guest calls the disk: "xvda". */
void device_name(const struct volume *v, char name[5]);
/* An instance that can be reached: it is not deleted and has a NIC. */
int nic_check(struct rpc_call *call, const struct instance *i);
/* {mac, ipv4, network_id} */
json_t *nic_json(const struct nic *nic);

#define VERB(name) int name(struct rpc_call *call, json_t *args, json_t **result)
/* verbs_billing.c */
VERB(billing_want);
/* verbs_changes.c */
VERB(changes_get);
/* verbs_firewalls.c */
VERB(firewall_get);
VERB(firewall_set);
/* verbs_instances.c */
VERB(instance_create);
VERB(instance_action);
VERB(jobs_get);
VERB(instance_get);
VERB(instances_get);
VERB(console_log);
/* verbs_volumes.c */
VERB(volume_create);
VERB(volume_resize);
VERB(volume_delete);
VERB(volume_get);
VERB(volumes_get);
VERB(snapshot_create);
VERB(snapshot_delete);
VERB(snapshots_get);
/* verbs_networks.c */
VERB(network_get);
VERB(forward_create);
VERB(forward_delete);
#undef VERB

#endif
