/* Who runs where. Each CPU has a run queue (pure: runq.h); this file holds the locks, the timers and the IPIs.
 *
 * Proportional share by weight, hard cap in percent of one CPU, preemptive slices, wake-ups preempt a vCPU that has
 * had more than its share, an idle CPU steals. */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "hv/domain/domain.h"
#include "hv/sched/runq.h"
#include "hv/sched/timer.h"
#include <xen/vcpu.h>

#define WEIGHT_DEFAULT 256

struct sched_vcpu {
    struct runq_item item;              /* sched.c's alone */
    /* Armed by VCPUOP_set_singleshot_timer and SCHEDOP_poll, who initialise them (fire is NULL before); they stop with the
     * vCPU. */
    struct timer event_timer, poll_timer;
};

int sched_vcpu_init(struct vcpu *v) __must_check;       /* offline; 0, -ENOMEM */
void sched_vcpu_destroy(struct vcpu *v);                /* not running, not queued; also after a failed init, or none */

void sched_vcpu_up(struct vcpu *v);                     /* OFFLINE -> runnable */

/* current has nothing to do until sched_wake: the caller prepares, then looks for pending events, then blocks. A wake
 * since the first makes the last return at once. */
void sched_block_prepare(struct vcpu *v);
void sched_block(struct vcpu *v);
void sched_wake(struct vcpu *v);
bool sched_runnable(const struct vcpu *v);

/* After a change of pause counts, weight or cap. */
void sched_vcpu_sleep_sync(struct vcpu *v);             /* returns when v runs on no CPU; v must be paused */
void sched_vcpu_stop(struct vcpu *v);                   /* the same without waiting; current included */
void sched_vcpu_kick_runnable(struct vcpu *v);          /* pause count fell to 0: queue it if runnable */
int sched_set_params(struct domain *d, uint16_t weight, uint16_t cap_percent) __must_check;

/* The main loop's two calls: pick and switch to what should run on this CPU now; idle halts inside. */
void sched_init_cpu(void);
void schedule(void);
void sched_idle(void);                                  /* halts until an interrupt; current is NULL */
void sched_idle_ends(void);                             /* first thing in an interrupt handler: the halt is over */

/* vCPU run time up to now, including the running stretch; by state. Any vCPU. */
void sched_runstate(struct vcpu *v, struct vcpu_runstate_info *out);
void sched_runstate_locked(struct vcpu *v, struct vcpu_runstate_info *out);    /* under v's run queue lock */

/* Exchanges v's runstate area, which the switches write, for *swap. */
void sched_runstate_area(struct vcpu *v, struct runstate_area *swap);

#endif
