/* Domains and vCPUs: the data that all rooms share. Knows no module above it; modules hang their own state on the
 * pointers below and free it in their *_destroy. */
#ifndef DOMAIN_DOMAIN_H
#define DOMAIN_DOMAIN_H

#include "hv/lib/xen.h"
#include "hv/lib/list.h"
#include "hv/lib/spinlock.h"
#include "hv/mm/p2m.h"

#define DOMAINS_MAX       512           /* live at once */
#define DOMID_LIMIT       0x7FF0u       /* DOMID_FIRST_RESERVED */
#define VCPUS_MAX         32            /* in one domain: what one shared_info holds */
#define PARAMS_MAX        64
#define MEMORY_MAP_MAX    32            /* entries of XENMEM_set_memory_map */

struct evtchn_domain;                   /* evtchn/evtchn.c */
struct gnttab;                          /* gnttab/gnttab.c */

struct memory_map_entry {               /* as INT 15h E820 gives it */
    uint64_t start, bytes;
    uint32_t type;
} __attribute__((packed));

enum vcpu_run_state {                   /* the ABI's RUNSTATE_* numbers */
    VCPU_RUNNING = 0,
    VCPU_RUNNABLE = 1,
    VCPU_BLOCKED = 2,
    VCPU_OFFLINE = 3,
};

struct domain {
    domid_t id;
    bool privileged;                    /* dom0 */
    xen_domain_handle_t uuid;
    uint8_t incarnation[16];
    uint64_t born_ns;

    uint32_t refs;                      /* atomic: one for being alive, one per holder, one while d->pages > 0 */
    struct list link;                   /* in domain_list; domlist_lock */
    struct domain *next_unused;         /* no reference is left, waits for domain_reap */
    uint8_t order;                      /* of the run of frames that holds this struct and its vCPUs */

    unsigned nr_vcpus;                  /* fixed by domctl max_vcpus before any runs */
    struct vcpu *vcpu[VCPUS_MAX];

    /* Memory: written under heap lock (mm/page.c). */
    uint64_t pages, pages_max;
    struct p2m p2m;
    struct shared_info *shared_info;    /* hv's frame; direct map */

    /* Life: written under domain_lock. */
    struct spinlock lock;
    uint32_t pause_count;               /* atomic; > 0: no vCPU runs */
    bool controller_paused;             /* by domctl 3, cleared by 4 */
    bool shutting_down;                 /* shutdown_code is valid, no vCPU runs */
    unsigned shutdown_code;
    bool crashed;                       /* domain_crash has said why */
    bool dying;                         /* destroy began; no new references, no new memory */
    bool dead;                          /* destroy ended; only references keep the struct */
    uint8_t destroy_stage;              /* where a restarted destroy goes on (domctl/destroy.c) */

    /* Options of createdomain. */
    uint32_t max_evtchn_port, max_grant_frames, max_maptrack;
    uint64_t params[PARAMS_MAX];        /* HVM_PARAM_*, a word each */
    unsigned memory_map_entries;        /* under lock */
    struct memory_map_entry memory_map[MEMORY_MAP_MAX];

    uint16_t weight, cap_percent;       /* sched.c */

    struct evtchn_domain *evtchn;
    struct gnttab *gnttab;
    unsigned stats_slot;                /* index in the stats page; 0 = none */
    struct spinlock stats_lock;         /* the slot's writer, and the I/O limits; innermost */
    struct meter *meter;                /* stats/channel.h */
};

/* Where the guest wants a vCPU's run states: up to two pages, direct map, references held. */
struct runstate_area {
    void *at[2];                        /* NULL: not registered, or in one page */
    mfn_t mfn[2];
    size_t split;                       /* bytes in the first page */
};
#define RUNSTATE_AREA_NONE ((struct runstate_area){ .mfn = { MFN_INVALID, MFN_INVALID } })

struct vcpu {
    struct domain *domain;
    unsigned id;

    /* Scheduling: under the run queue's lock of v->cpu (sched/sched.c). */
    unsigned cpu;                       /* where it runs or last ran */
    enum vcpu_run_state state;
    uint64_t state_since_ns;
    uint64_t state_ns[4];               /* per enum, the runstate ABI */
    bool up;                            /* not VCPU_OFFLINE: started by INIT/SIPI or context */
    bool blocked;                       /* HLT or poll, until an event; also read without the lock */
    bool wake_pending;                  /* woken since sched_block_prepare; atomic */
    bool pinned;                        /* stays on its cpu */
    uint32_t pause_count;               /* atomic */
    struct sched_vcpu *sched;           /* sched/sched.c */

    /* Events: vcpu_info is where the guest looks; in shared_info until registered. Written under evtchn lock. */
    struct vcpu_info *info;
    mfn_t info_mfn;                     /* reference held when registered elsewhere; else MFN_INVALID */
    uint32_t poll_active;               /* atomic: in SCHEDOP_poll */
    uint32_t poll_port;                 /* one port, or 0 for several */

    struct runstate_area runstate;      /* written at each switch: under the run queue's lock (sched_runstate_area) */

    /* The meter, own CPU only: since the last publish (stats/stats.h). */
    uint64_t exits, hypercalls;
    uint64_t guest_ns, hv_ns;

    void *arch;                         /* arch/svm/vcpu.c: VMCB, registers, LAPIC, FPU */
};

extern struct list domain_list;         /* by rising id; domlist_lock */
extern struct spinlock domlist_lock;
extern struct domain *dom0;

/* A domain by id with a reference, or NULL; also those that are dying. DOMID_SELF is the caller's business. */
struct domain *domain_get(domid_t id);
/* The one with the lowest id >= first, with a reference, or NULL. */
struct domain *domain_get_from(domid_t first);
/* The domain that owns at least one frame, by the frame's owner: lock-free, by an array over ids. Its frames keep it
 * alive, so no reference is taken. */
struct domain *domain_of_owner(uint16_t owner);
/* As a hypercall of the current vCPU names it: DOMID_SELF or its own id is its own domain, any other only dom0 may
 * name. With a reference. 0; -EPERM; -ESRCH no such domain. */
int domain_get_target(domid_t id, struct domain **out) __must_check;
void domain_ref(struct domain *d);
/* Takes no lock: a domain whose last reference goes is only queued. Any context may call this. */
void domain_put(struct domain *d);
/* Frees what domain_put queued. Holds none of the locks from domlist_lock on; at the end of each hypercall. */
void domain_reap(void);
void domain_free(struct domain *d);     /* domctl/create.c: for domain_reap; on no list, no reference is left */

/* Could a domain with this id be added? 0; -EINVAL no id for a domain; -EEXIST the id is taken (also by one that is
 * dying); -ENOSPC DOMAINS_MAX of them. The answer stands as long as the caller alone creates domains. */
int domain_list_room(domid_t id) __must_check;
void domain_list_add(struct domain *d); /* by id; there is room */
/* An id that no domain has, not one of those used last (round robin from 1 on). The caller alone creates domains. */
domid_t domain_id_next(void);

/* All four, and domain_shutdown: sched/pause.c. No vCPU of d runs when this returns (unless the caller is one of them). Nests. */
void domain_pause(struct domain *d);
void domain_unpause(struct domain *d);

/* The guest said so or its fault ends it: SHUTDOWN_* code; vCPUs stop, VIRQ_DOM_EXC goes to dom0.
 * For dom0 the machine is powered off or reset. */
void domain_shutdown(struct domain *d, unsigned code);
/* The guest's fault, beyond repair. Prints why once and shuts down with SHUTDOWN_crash. */
void domain_crash(struct domain *d, const char *fmt, ...) __printf(2, 3);

#endif
