/* Event channels, 2-level ABI (xen/event_channel.h): ports, VIRQs, IPIs, and their delivery.
 * EVTCHNOP numbers other than (0 bind_interdomain, 1 bind_virq, 3 close, 4 send, 5 status,
 * 6 alloc_unbound, 7 bind_ipi, 8 bind_vcpu, 9 unmask) answer -ENOSYS. Ports start at 1. */
#ifndef EVTCHN_EVTCHN_H
#define EVTCHN_EVTCHN_H

#include "hv/domain/domain.h"
#include <xen/event_channel.h>

int evtchn_init(struct domain *d) __must_check;         /* 0, -ENOMEM; after d->shared_info and max_evtchn_port are set */
/* Closes ports, budget at a time (false: call again), and lets none open. d does not run. */
bool evtchn_destroy(struct domain *d, unsigned budget);
void evtchn_free(struct domain *d);                     /* frees the table; no reference to d is left */

long do_event_channel_op(unsigned cmd, uint64_t arg_va);

/* Raises a VIRQ of one vCPU, or of the domain, whichever vCPU that is bound at. Unbound: dropped. */
void evtchn_send_virq(struct domain *d, unsigned vcpu_id, unsigned virq);

/* For SCHEDOP_poll: is the port pending now? Out of range: -EINVAL. */
int evtchn_port_pending(struct domain *d, evtchn_port_t port) __must_check;
static inline bool evtchn_upcall_pending(const struct vcpu *v)
{
    return READ_ONCE(v->info->evtchn_upcall_pending);
}
/* v->info moved to a new place (VCPUOP_register_vcpu_info): events may be pending anew; sets everything and kicks. */
void evtchn_info_moved(struct vcpu *v);
unsigned evtchn_count(struct domain *d);                /* ports not closed, for the inventory */

#endif
