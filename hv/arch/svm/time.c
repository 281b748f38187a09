/* What a guest reads without asking: its clock (pvclock, xen.h struct vcpu_time_info) and its run states. */
#include "hv/arch/svm/svm.h"
#include "hv/arch/tsc.h"
#include "hv/lib/string.h"
#include "hv/sched/sched.h"

#define TSC_STABLE (1u << 0)

void vcpu_time_update(struct vcpu *v)
{
    struct vcpu_time_info *t = &v->info->time;
    uint64_t tsc = rdtsc();

    /* The version is odd while the rest changes; the guest's reader is the partner of both barriers, and x86 keeps
     * stores in order, so barriers for the compiler are enough. */
    WRITE_ONCE(t->version, (t->version + 1) | 1);
    barrier();
    t->tsc_timestamp = tsc;
    t->system_time = tsc_to_ns(tsc);
    t->tsc_to_system_mul = tsc_mul;
    t->tsc_shift = (int8_t)tsc_shift;
    t->flags = TSC_STABLE;
    barrier();
    WRITE_ONCE(t->version, t->version + 1);
}

void vcpu_runstate_update(struct vcpu *v)
{
    struct vcpu_runstate_info info;

    if (!v->runstate.at[0])
        return;
    sched_runstate_locked(v, &info);
    memcpy(v->runstate.at[0], &info, v->runstate.split);
    if (v->runstate.at[1])
        memcpy(v->runstate.at[1], (char *)&info + v->runstate.split, sizeof(info) - v->runstate.split);
}
