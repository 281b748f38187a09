/* How a long hypercall stops and goes on. */
#ifndef SCHED_PREEMPT_H
#define SCHED_PREEMPT_H

#include "hv/lib/types.h"

/* True when the running hypercall should stop soon: its time is up or another vCPU should run. A handler then saves its
 * progress in its arguments (vcpu_hypercall_set_arg or the guest's own struct) and returns HYPERCALL_RESTART: RIP
 * stays at the VMMCALL, pending work is done, and the guest issues it again. */
bool hypercall_preempt(void);
#define HYPERCALL_RESTART (-85L)        /* never reaches a guest */

#endif
