#include "hv/hypercall/handlers.h"
#include "hv/arch/percpu.h"
#include "hv/arch/tsc.h"
#include "hv/arch/vcpu.h"
#include "hv/evtchn/evtchn.h"
#include "hv/lib/string.h"
#include "hv/mm/guestcopy.h"
#include "hv/sched/sched.h"

/* The guest's vcpu_info moves to a page of its own, once. Its old content goes along. */
static long register_vcpu_info(struct vcpu *v, uint64_t arg_va)
{
    struct vcpu_register_vcpu_info arg;
    struct vcpu_info *new;
    mfn_t mfn;
    long rc;

    if (copy_from_guest(&arg, arg_va, sizeof(arg)))
        return -EFAULT;
    if (arg.offset > PAGE_SIZE - sizeof(*new) || arg.offset % sizeof(uint64_t))
        return -EINVAL;
    if (v != current_vcpu() && READ_ONCE(v->up))
        return -EBUSY;
    rc = p2m_get_own_page(v->domain, GFN(arg.mfn), &mfn);
    if (rc)
        return -EINVAL;
    spin_lock(&v->domain->lock);
    if (v->info_mfn.n != MFN_INVALID.n) {
        spin_unlock(&v->domain->lock);
        page_put(mfn);
        return -EINVAL;
    }
    new = (struct vcpu_info *)((char *)mfn_to_virt(mfn) + arg.offset);
    memcpy(new, v->info, sizeof(*new));
    v->info_mfn = mfn;
    __atomic_store_n(&v->info, new, __ATOMIC_RELEASE);
    spin_unlock(&v->domain->lock);
    vcpu_time_update(v);
    evtchn_info_moved(v);
    return 0;
}

static void runstate_put(struct runstate_area *area)
{
    for (unsigned i = 0; i < 2; i++) {
        if (area->mfn[i].n != MFN_INVALID.n)
            page_put(area->mfn[i]);
    }
}

/* By guest-virtual address, which is translated now: the pages stay referenced, whatever the guest maps there later. */
static int runstate_find(uint64_t va, struct runstate_area *area)
{
    mfn_t mfn;

    area->split = MIN(PAGE_SIZE - (va & ~PAGE_MASK), sizeof(struct vcpu_runstate_info));
    if (guest_va_to_page(va, true, &mfn))
        return -EFAULT;
    area->mfn[0] = mfn;
    area->at[0] = (char *)mfn_to_virt(mfn) + (va & ~PAGE_MASK);
    if (area->split == sizeof(struct vcpu_runstate_info))
        return 0;
    if (guest_va_to_page(va + area->split, true, &mfn))
        return -EFAULT;
    area->mfn[1] = mfn;
    area->at[1] = mfn_to_virt(mfn);
    return 0;
}

/* Any vCPU of the domain may do this for any other at once, and v may be started meanwhile: the area is complete before
 * it is exchanged, under the lock that its writers hold, and the old one is let go after. */
static long register_runstate(struct vcpu *v, uint64_t arg_va)
{
    struct vcpu_register_runstate_memory_area arg;
    struct runstate_area area = RUNSTATE_AREA_NONE;
    int rc = 0;

    if (copy_from_guest(&arg, arg_va, sizeof(arg)))
        return -EFAULT;
    if (v != current_vcpu() && READ_ONCE(v->up))
        return -EBUSY;
    if (arg.addr.p)
        rc = runstate_find(arg.addr.p, &area);
    if (!rc)
        sched_runstate_area(v, &area);
    runstate_put(&area);
    return rc;
}

static void event_timer_fires(void *arg)
{
    struct vcpu *v = arg;

    evtchn_send_virq(v->domain, v->id, VIRQ_TIMER);
}

static long set_singleshot(struct vcpu *v, uint64_t arg_va)
{
    struct vcpu_set_singleshot_timer arg;
    struct timer *t = &v->sched->event_timer;

    if (v != current_vcpu())
        return -EINVAL;
    if (copy_from_guest(&arg, arg_va, sizeof(arg)))
        return -EFAULT;
    if (arg.flags & VCPU_SSHOTTMR_future && arg.timeout_abs_ns < now_ns())
        return -ETIME;
    if (!t->fire)
        timer_init(t, event_timer_fires, v);
    /* The last value is TIME_NEVER, which would not be armed; nobody lives to see the one before fire. */
    timer_set(t, MIN(arg.timeout_abs_ns, TIME_NEVER - 1));
    return 0;
}

static long stop_singleshot(struct vcpu *v)
{
    struct timer *t = &v->sched->event_timer;

    if (v != current_vcpu())
        return -EINVAL;
    if (t->fire)
        timer_stop(t);
    return 0;
}

static long runstate_info(struct vcpu *v, uint64_t arg_va)
{
    struct vcpu_runstate_info info;

    sched_runstate(v, &info);
    return copy_to_guest(arg_va, &info, sizeof(info));
}

long do_vcpu_op(unsigned cmd, unsigned vcpu_id, uint64_t arg_va)
{
    struct domain *d = current_vcpu()->domain;
    struct vcpu *v;

    if (vcpu_id >= d->nr_vcpus)
        return -ENOENT;
    v = d->vcpu[index_nospec(vcpu_id, d->nr_vcpus)];
    switch (cmd) {
    case VCPUOP_is_up: return READ_ONCE(v->up);
    case VCPUOP_get_runstate_info: return runstate_info(v, arg_va);
    case VCPUOP_register_runstate_memory_area: return register_runstate(v, arg_va);
    case VCPUOP_stop_periodic_timer:
        return 0;                       /* there is none */
    case VCPUOP_set_singleshot_timer: return set_singleshot(v, arg_va);
    case VCPUOP_stop_singleshot_timer: return stop_singleshot(v);
    case VCPUOP_register_vcpu_info: return register_vcpu_info(v, arg_va);
    case VCPUOP_send_nmi: vcpu_nmi(v); return 0;
    default: return -ENOSYS;
    }
}
