/* host.db: instances and jobs, volumes, networks. All of the provisioner's SQL
 * is in store.c and store_*.c.
 *
 * Two threads use it, each with a struct store of its own: the control thread
 * adds instances, jobs, volumes and forwards, the worker changes instances and
 * jobs. Whatever both decide on (whose a volume is, what is still free) is
 * decided in one transaction. Verbs return 0, or -1 after logging; finders
 * return 1 found, 0 not, -1.
 */
#ifndef PROVISIONER_STORE_H
#define PROVISIONER_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define STORE_ID_BYTES 64
#define STORE_LIMIT_BYTES 64

enum state { STATE_PENDING, STATE_BUILDING, STATE_RUNNING, STATE_STOPPING, STATE_STOPPED, STATE_SUSPENDING,
             STATE_SUSPENDED, STATE_FAILED, STATE_DELETED, STATES };
extern const char *const state_names[STATES];

struct instance {
    char instance_id[STORE_ID_BYTES], account_id[STORE_ID_BYTES];
    char name[68], image[36], flavor[36], cmdline[1024];
    int64_t vcpus, memory_mib, weight, cap_percent;
    char disk_limit[STORE_LIMIT_BYTES], net_limit[STORE_LIMIT_BYTES];      /* of devd/nodes.h; empty: none */
    uint8_t domain_uuid[16];
    enum state state, desired_state;
    char state_reason[256];
    int64_t domid;                  /* 0: no domain */
    char incarnation[33], boot_id[33];
    int64_t console_start, quick_reboots, created_ms, started_ms;
    char purchase_order_id[STORE_ID_BYTES];         /* empty: the wallet pays */
    bool unpaid;                    /* must not run until accountd says so; no save changes it, */
    bool barred;                    /* nor this: it is an operator who wants it so */
};

enum job_status { JOB_QUEUED, JOB_RUNNING, JOB_SUCCEEDED, JOB_FAILED };
extern const char *const job_status_names[4];

struct job {
    char job_id[STORE_ID_BYTES], instance_id[STORE_ID_BYTES];
    int64_t number;                 /* order of arrival */
    char type[16];
    enum job_status status;
    int64_t step;
    bool undoing;
    int64_t failed_step;            /* -1: none */
    char error_code[32], error_detail[512];
    int64_t created_ms, started_ms, finished_ms;
    char volume_id[STORE_ID_BYTES];         /* what attach, detach, grown are about; else empty */
    char incarnation[33];                   /* the one that it began; empty until it does, and for other types */
};

enum file_state { FILE_CREATING, FILE_READY, FILE_DELETING, FILE_DELETED };    /* of a volume, a snapshot */
extern const char *const file_state_names[4];

/* A disk has a number of Xen's, 51712 for xvda and 16 more for each next one. The last
 * one, xvdp, is kept for the seed. */
#define STORE_DEVICE_FIRST  51712
#define STORE_DEVICE_STEP   16
#define STORE_DISKS_MAX     15u
#define STORE_DEVICE_SEED   (STORE_DEVICE_FIRST + STORE_DEVICE_STEP * STORE_DISKS_MAX)

struct volume {
    char volume_id[STORE_ID_BYTES], account_id[STORE_ID_BYTES];
    char name[68], image[36], snapshot_id[STORE_ID_BYTES];
    char instance_id[STORE_ID_BYTES];       /* empty: not attached, and device 0 */
    int64_t size_mib, device, created_ms;
    bool read_only, root;
    enum file_state state;
};

struct snapshot {
    char snapshot_id[STORE_ID_BYTES], account_id[STORE_ID_BYTES], volume_id[STORE_ID_BYTES];
    char name[68];
    int64_t size_mib, created_ms;
    enum file_state state;
};

struct network {
    char network_id[STORE_ID_BYTES], account_id[STORE_ID_BYTES];
    int64_t number, created_ms;
};

/* An instance's place in its account's network. */
struct nic {
    char network_id[STORE_ID_BYTES], mac[18];
    int64_t number, host;                   /* of network_address() */
};

struct forward {
    char forward_id[STORE_ID_BYTES], instance_id[STORE_ID_BYTES];
    int64_t guest_port, port;
};

/* What one account may have at once, and what the host has for all. */
struct limits {
    int64_t instances_max, volumes_max, volume_mib_max, snapshots_max, forwards_max;
    int64_t promise_mib_max;                /* sum of all volumes and snapshots */
    int64_t port_first, port_last;
};

/* Why something was not taken, in rpc.h's words. */
struct refusal {
    const char *code;
    char detail[256];
    const char *quota;                      /* quota_exceeded: which one */
    int64_t limit, used;
};

/* What a job brings with it: all of it or, refused, nothing. */
struct order {
    const struct limits *limits;
    const struct instance *instance;        /* NULL: the job is for one that exists */
    const struct volume *root;              /* NULL: none */
    const char *const *volume_ids;          /* existing ones, to be its own */
    size_t nr_volumes;
    bool network;
    const struct forward *forwards;         /* id and guest_port */
    size_t nr_forwards;
    const char *ssh_keys, *user_data;       /* NULL: no seed */
    bool attach, read_only;                 /* job->volume_id becomes the existing instance's */
};

struct store;
struct store *store_open(const char *path);             /* exits 1 when it cannot */
void store_close(struct store *store);

/* Adds the job and what it brings (NULL: nothing) in one transaction.
 * 1 added; 0 the job id is known with the same request, *job is that one;
 * -1 failed (logged); -2 refused, *refusal says why. */
int store_job_add(struct store *store, struct job *job, const char *request, const struct order *order,
                  struct refusal *refusal);
int store_job_save(struct store *store, const struct job *job);
int store_save(struct store *store, const struct job *job, const struct instance *instance);   /* both, or neither */
int store_job_find(struct store *store, const char *job_id, struct job *job);
/* An instance's jobs, the newest first, of those before number `before`, until `each` returns other than 0. */
int store_jobs(struct store *store, const char *instance_id, int64_t before, int64_t limit,
               int (*each)(void *context, const struct job *job), void *context);
/* What it was asked with: new reference, NULL unless 1. */
int store_job_request(struct store *store, const char *job_id, json_t **request);
/* The oldest unfinished job of each instance, by number, from `after` on. */
int store_job_next(struct store *store, int64_t after, struct job *job);
/* The newest unfinished job of an instance among those before number `before`. */
int store_job_last(struct store *store, const char *instance_id, int64_t before, struct job *job);
int store_jobs_unfinished(struct store *store, int64_t *count);

int store_instance_find(struct store *store, const char *instance_id, struct instance *instance);
int store_instance_by_uuid(struct store *store, const uint8_t uuid[16], struct instance *instance);
int store_instance_save(struct store *store, const struct instance *instance);
/* What instance_fit() set, which no save changes. */
int store_instance_fit(struct store *store, const struct instance *instance);
/* Its image; and its root volume (NULL: none) is to be made anew from it. */
int store_instance_renew(struct store *store, const struct instance *instance, const char *root_id);

/* accountd's word on those of the ids (strings) that are instances. The control thread's. */
int store_unpaid_put(struct store *store, const json_t *instance_ids, bool unpaid, bool barred);
/* 1 it must not run, 0 it may, -1. */
int store_unpaid(struct store *store, const char *instance_id);

/* Calls `each` for the instances of an account (NULL: of all) that are not
 * deleted, oldest first, until it returns other than 0. */
int store_instances(struct store *store, const char *account_id,
                    int (*each)(void *context, const struct instance *instance), void *context);

/* What became of instances, jobs, volumes, snapshots and forwards (store_changes.c); the triggers in schema/host write it. */
struct change {
    int64_t number, at_ms;
    char instance_id[STORE_ID_BYTES], account_id[STORE_ID_BYTES], name[68];
    char job_id[STORE_ID_BYTES], type[16];          /* empty: no job's */
    char state[32], code[32], detail[512];
    char subject_id[STORE_ID_BYTES];                /* the volume, snapshot or forward that it is of; else empty */
};
int store_change_newest(struct store *store, int64_t *number);         /* 0, -1 */
/* Those after this number, oldest first, until `each` returns other than 0. */
int store_changes(struct store *store, int64_t after, int64_t limit, int (*each)(void *context, const struct change *c),
                  void *context);

/* Volumes (store_volumes.c). store_volume_add returns as store_job_add does; *v is
 * the known one then. The row is added as FILE_CREATING. */
int store_volume_add(struct store *store, struct volume *v, const char *request, const struct limits *limits,
                     struct refusal *refusal);
int store_volume_find(struct store *store, const char *volume_id, struct volume *v);
int store_volume_mark(struct store *store, const char *volume_id, enum file_state state);
/* Its file is there: 1 FILE_READY; 0 it is not wanted any more (deleted meanwhile); -1. */
int store_volume_ready(struct store *store, const char *volume_id);
int store_volume_drop(struct store *store, const char *volume_id);      /* the row: it never came to be */
/* Whether it may grow to that size: 0, -1, -2. Nobody but the caller's thread promises anything meanwhile. */
int store_volume_may_grow(struct store *store, const char *volume_id, int64_t size_mib, const struct limits *limits,
                          struct refusal *refusal);
int store_volume_resize(struct store *store, const char *volume_id, int64_t size_mib);     /* its file has that size */
/* Marks it FILE_DELETING. 1, -1; -2 it is attached. */
int store_volume_retire(struct store *store, const char *volume_id, struct refusal *refusal);
int store_volume_release(struct store *store, const char *volume_id, const char *instance_id);
/* All of an instance's. */
int store_volumes_release(struct store *store, const char *instance_id);
/* Those of an instance, by device. How many, or -1. */
int store_volumes_of(struct store *store, const char *instance_id, struct volume v[STORE_DISKS_MAX]);
/* Not deleted ones of an account (NULL: of all), until `each` returns other than 0. */
int store_volumes(struct store *store, const char *account_id,
                  int (*each)(void *context, const struct volume *volume), void *context);
/* The first, by id after that one, that waits for a copy of its image and belongs to no instance. */
int store_volume_waiting(struct store *store, const char *after, struct volume *v);

int store_snapshot_add(struct store *store, struct snapshot *s, const char *request, const struct limits *limits,
                       struct refusal *refusal);
int store_snapshot_find(struct store *store, const char *snapshot_id, struct snapshot *s);
int store_snapshot_mark(struct store *store, const char *snapshot_id, enum file_state state);
int store_snapshot_drop(struct store *store, const char *snapshot_id);
int store_snapshots(struct store *store, const char *account_id,
                    int (*each)(void *context, const struct snapshot *snapshot), void *context);

/* Networks (store_networks.c). The account's own is made at first use: 1, -1, or -2 when all numbers are taken. */
int store_network_make(struct store *store, const char *account_id, int64_t now_ms, struct network *network,
                       struct refusal *refusal);
int store_network_used(struct store *store, const char *network_id, int64_t *addresses);
int store_network_busy(struct store *store, int64_t number);    /* 1 an instance has a place in it, 0, -1 */
int store_nic_find(struct store *store, const char *instance_id, struct nic *nic);
/* As store_job_add; *f is the known one then. Its port is chosen here. */
int store_forward_add(struct store *store, struct forward *f, const char *account_id, int64_t now_ms,
                      const struct limits *limits, struct refusal *refusal);
int store_forward_find(struct store *store, const char *forward_id, struct forward *f, bool *deleted);
int store_forward_delete(struct store *store, const char *forward_id);
int store_forwards(struct store *store, const char *instance_id /* NULL: all */,
                   int (*each)(void *context, const struct forward *forward), void *context);
/* Guests' firewalls as provisioner/firewall.h takes them (store_firewalls.c): canonical JSON. New reference, set when 1. */
int store_firewall_find(struct store *store, const char *instance_id, json_t **firewall);
int store_firewall_put(struct store *store, const char *instance_id, const json_t *firewall);
int store_firewall_at(struct store *store, unsigned number, unsigned host);    /* whoever has that address has one: 1, 0, -1 */
/* Of instances that have a domain, until `each` returns other than 0. */
int store_firewalls(struct store *store, int (*each)(void *context, const char *instance_id), void *context);
/* A deleted instance's address, ports, firewall and seed are free. */
int store_nic_release(struct store *store, const char *instance_id);
/* malloc'd, set when 1. */
int store_seed_find(struct store *store, const char *instance_id, char **ssh_keys, char **user_data);

#endif
