/* Birth and death of a domain: the one place that calls every module's init and destroy. Callers are alone with it:
 * boot, or the holder of domctl_lock. */
#ifndef DOMCTL_CREATE_H
#define DOMCTL_CREATE_H

#include "hv/domain/domain.h"

#define EVTCHN_PORT_MAX      4095u      /* 2-level: 64 words of 64 */
#define GRANT_FRAMES_DEFAULT 64u
#define GRANT_FRAMES_LIMIT   256u
#define MAPTRACK_DEFAULT     1024u      /* frames' worth, as createdomain counts them */
#define MAPTRACK_LIMIT       1024u

struct domain_params {
    domid_t id;                         /* dom0: 0 */
    bool privileged;
    xen_domain_handle_t uuid;
    unsigned nr_vcpus;                  /* 1 to VCPUS_MAX */
    uint64_t pages_max;
    uint32_t max_evtchn_port;           /* highest port, at most EVTCHN_PORT_MAX */
    uint32_t max_grant_frames, max_maptrack;
};

/* A domain with its tables, shared_info and vCPUs (all offline, vcpu_info in shared_info), without memory, paused once
 * as by domctl 3 (controller_paused); in domain_list, with the reference for being alive. On failure nothing is left.
 * 0; -ENOMEM; -EINVAL parameters; -EEXIST the id is taken; -ENOSPC no slot in the stats page, or DOMAINS_MAX. */
int domain_create(const struct domain_params *params, struct domain **out) __must_check;

/* Ends d: nothing of it runs afterwards, its memory is given back except frames that others still hold, its slot is a
 * tombstone. Goes on where it stopped. 0 dead (also when it was before); HYPERCALL_RESTART call again; -EINVAL dom0. */
long domain_destroy(struct domain *d) __must_check;

/* dom0.c: the machine's own kernel, in memory that is mapped 1:1 so that devices reach it. take_modules, right after
 * page_init, copies kernel and initrd out of what becomes dom0's memory [0, bytes), and frees all RAM that is neither
 * dom0's nor in use; it panics with the figures when the machine is too small. start creates dom0, loads it, and makes
 * its first vCPU runnable. */
void dom0_take_modules(uint64_t bytes);
void dom0_start(uint64_t bytes);

/* domctl 3 (pause) and 4. 0, also when it was paused so before; -EINVAL it was not. */
int domain_control(struct domain *d, bool pause) __must_check;

#endif
