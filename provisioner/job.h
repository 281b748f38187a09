/* Jobs: what can be done to an instance, each kind a row of a table with its
 * steps. A job's place is stored after every step, so that kill -9 anywhere is
 * followed, at the next start, by finishing the job or undoing it.
 *
 * A step is made so that doing it twice ends the same. If it fails, the steps
 * done so far are undone in reverse order. After a restart each step that was
 * done is asked whether its effect still stands (a domain may be gone, the
 * whole machine may have restarted); from the first that does not, the job is
 * taken back and done again.
 */
#ifndef PROVISIONER_JOB_H
#define PROVISIONER_JOB_H

#include "common/clock.h"
#include "provisioner/billing.h"
#include "provisioner/catalog.h"
#include "provisioner/store.h"
#include "provisioner/volumes.h"
#include "provisioner/xen.h"

/* What the steps work with. The worker thread's own. */
struct tools {
    struct store *store;
    struct xen *xen;
    struct xenstore *xenstore;
    struct billing *billing;
    struct volumes *volumes;
    const struct catalog *catalog;
    const char *console_dir;
};

struct run {
    const struct tools *tools;
    struct job job;
    struct instance instance;
    int64_t waited_ms;              /* in: how long this step has waited or retried, since the daemon's start */
    int64_t wait_ms;                /* out, with STEP_WAIT: ask again after this, if nothing changes before */
};

enum step_end {
    STEP_DONE,
    STEP_AGAIN,                     /* a part is done; others get their turn, then the next part */
    STEP_WAIT,                      /* for a change in the hypervisor; asked again then */
    STEP_RETRY,                     /* after a moment */
    STEP_FAILED,                    /* run_fail has said why */
};

struct step {
    const char *name;
    enum step_end (*act)(struct run *run);
    enum step_end (*undo)(struct run *run);         /* NULL: nothing to undo; never STEP_FAILED */
    bool (*stands)(struct run *run);                /* NULL: it does, or doing it again does no harm */
};

/* Always STEP_FAILED. */
enum step_end run_fail(struct run *run, const char *code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Lets the domain run, unless accountd has said that it must not. 0, or -errno. Only the worker thread lets a
 * guest run; the other thread only pauses. */
int guest_let_run(const struct tools *tools, const char *instance_id, uint32_t domid);

/* Whether a later job of the instance ends it: then there is no point in waiting on. */
bool run_superseded(struct run *run);

/* steps_start.c, steps_stop.c */
extern const struct step step_admit, step_domain, step_register, step_memory, step_build, step_xenstore,
    step_start;
extern const struct step step_ask_poweroff, step_ask_reboot, step_wait, step_hear_out, step_destroy, step_clean,
    step_close, step_forget, step_pause, step_unpause;
/* steps_change.c: of one that is stopped */
extern const struct step step_fit, step_renew;
/* steps_devices.c: of a whole instance */
extern const struct step step_volumes, step_seed, step_network, step_devices, step_unplug, step_disks;
/* steps_attach.c: of one volume */
extern const struct step step_claim, step_plug, step_let_go, step_unplug_one, step_resize;

#define JOB_STEPS_MAX 20

struct job_type {
    const char *name;
    bool internal;                  /* the provisioner's own answer to what a guest did */
    bool overrides;                 /* may be asked for while another job still changes the state */
    bool keeps;                     /* the state; `during`, `after` and `failed` mean nothing */
    unsigned from;                  /* bits of enum state in which it may begin */
    enum state during, after, failed;
    const char *reason;             /* state_reason afterwards */
    const struct step *steps[JOB_STEPS_MAX];        /* NULL after the last */
};

const struct job_type *job_type_find(const char *name);         /* NULL: no such */
unsigned job_type_steps(const struct job_type *type);
bool job_type_allowed(const struct job_type *type, enum state state);

/* Adds the provisioner's own job for an instance, about a volume or not (""). 0, -1 logged. */
int job_add_internal(struct store *store, const char *type, const char *instance_id, const char *volume_id);

enum job_turn { TURN_MORE, TURN_AGAIN, TURN_WAIT, TURN_RETRY, TURN_END };

/* Takes the job's next step. run->job and run->instance are as stored, before and after. */
enum job_turn job_advance(struct run *run);
/* For each unfinished job once, at the daemon's start. -1: the store failed. */
int job_recover(struct run *run);

/* The pages that must be free for so many guests, of so many vCPUs and so much
 * memory in all, to be admitted: theirs, the hypervisor's for them (a rough
 * upper bound; its own refusal is the last word), and what stays free always. */
uint64_t admission_pages(int64_t guests, int64_t vcpus, int64_t memory_mib);

/* Destroys the instance's domain, if there is one, its devices and its nodes in xenstored.
 * What `destroy`, `unplug` and `clean` do, and the undoing of `domain`. */
enum step_end domain_remove(struct run *run);

/* The instance's domain that is not dying. 0, -ESRCH when there is none, -errno. */
int domain_find(const struct run *run, struct xen_domain *domain);
/* Whether the instance has a domain that has not shut down: 1, 0, -errno. */
int domain_lives(struct run *run);

/* The file of a new volume, all of it or (an image is large) a part. 0 it is
 * there and its row says so; 1 there is more to do, *percent is done; -errno. */
int volume_make(const struct tools *tools, const struct volume *v, int *percent);

/* What an instance of this flavor has. */
void instance_fit(struct instance *i, const struct flavor *flavor);

/* A device of the instance's present domain. */
struct xenstore_place device_place(const struct instance *i, enum xenstore_kind kind, int64_t device);
struct xenstore_device disk_of(const struct tools *tools, const struct instance *i, const struct volume *v,
                               char path[PATH_MAX]);
/* Takes the nodes and ports of its devices away; their processes may go on for a moment. 0, -errno. */
int devices_remove(const struct tools *tools, const struct instance *i);

#endif
