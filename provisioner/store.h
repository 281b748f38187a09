/* host.db: instances and jobs. All of the provisioner's SQL is in store.c.
 *
 * Two threads use it, each with a struct store of its own: the control thread
 * adds instances and jobs, the worker changes them. Verbs return 0, or -1
 * after logging; finders return 1 found, 0 not, -1.
 */
#ifndef PROVISIONER_STORE_H
#define PROVISIONER_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define STORE_ID_BYTES 64

enum state { STATE_PENDING, STATE_BUILDING, STATE_RUNNING, STATE_STOPPING, STATE_STOPPED, STATE_SUSPENDING,
             STATE_SUSPENDED, STATE_FAILED, STATE_DELETED, STATES };
extern const char *const state_names[STATES];

struct instance {
    char instance_id[STORE_ID_BYTES], account_id[STORE_ID_BYTES];
    char name[68], image[36], flavor[36], cmdline[1024];
    int64_t vcpus, memory_mib, weight, cap_percent;
    uint8_t domain_uuid[16];
    enum state state, desired_state;
    char state_reason[256];
    int64_t domid;                  /* 0: no domain */
    char incarnation[33], boot_id[33];
    int64_t console_start, quick_reboots, created_ms, started_ms;
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
};

struct store;
struct store *store_open(const char *path);             /* exits 1 when it cannot */
void store_close(struct store *store);

/* Adds the job (and, unless NULL, its new instance) in one transaction.
 * 1 added; 0 the job id is known with the same request, *job is that one;
 * -1 failed (logged); -2 an id is known with another request. */
int store_job_add(struct store *store, struct job *job, const char *request, const struct instance *instance);
int store_job_save(struct store *store, const struct job *job);
int store_save(struct store *store, const struct job *job, const struct instance *instance);   /* both, or neither */
int store_job_find(struct store *store, const char *job_id, struct job *job);
/* The oldest unfinished job of each instance, by number, from `after` on. */
int store_job_next(struct store *store, int64_t after, struct job *job);
/* The newest unfinished job of an instance. */
int store_job_last(struct store *store, const char *instance_id, struct job *job);
int store_jobs_unfinished(struct store *store, int64_t *count);

int store_instance_find(struct store *store, const char *instance_id, struct instance *instance);
int store_instance_by_uuid(struct store *store, const uint8_t uuid[16], struct instance *instance);
int store_instance_save(struct store *store, const struct instance *instance);

/* Calls `each` for the instances of an account (NULL: of all) that are not
 * deleted, oldest first, until it returns other than 0. */
int store_instances(struct store *store, const char *account_id,
                    int (*each)(void *context, const struct instance *instance), void *context);

#endif
