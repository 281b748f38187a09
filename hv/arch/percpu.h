/* One struct per physical CPU, reached through GS. Written by its own CPU only, except where said. */
#ifndef ARCH_PERCPU_H
#define ARCH_PERCPU_H

#include "hv/lib/spinlock.h"

#define CPUS_MAX 32

struct vcpu;
struct xs_stats_cpu;

struct percpu {
    struct percpu *self;                /* first: gs:0 */
    unsigned id;
    uint32_t apic_id;
    bool online;

    struct vcpu *current;               /* whose state is in the CPU; NULL when idle */
    /* Other CPUs set these and send an IPI; this CPU clears them in its window. */
    uint32_t need_resched;
    bool halted;                        /* in the idle halt (sched_idle) */
    uint32_t in_guest;                  /* counts entries and exits: odd from just before VMRUN to just after #VMEXIT */

    uint32_t walks;                     /* which of its entries mm/guestcopy.c may use: none once the guest has run */

    /* The meter: everything before charged_until_ns is charged (stats/stats.h). */
    uint64_t charged_until_ns;
    uint64_t guest_ns, hv_ns, idle_ns;
    uint64_t hypercall_started_ns;
    uint64_t switches, interrupts;
    struct xs_stats_cpu *stats;

    paddr_t host_vmcb;                  /* VMSAVE area of the host's FS GS TR... */
};

_Static_assert(offsetof(struct percpu, id) == PERCPU_ID_OFFSET, "lib/spinlock.h");

extern struct percpu percpu[CPUS_MAX];
extern unsigned cpus_online;

static inline struct percpu *this_cpu(void)
{
    struct percpu *self;

    __asm__("mov %%gs:0, %0" : "=r"(self));
    return self;
}

/* The vCPU whose exit or hypercall this CPU is handling. */
static inline struct vcpu *current_vcpu(void)
{
    return this_cpu()->current;
}

#endif
