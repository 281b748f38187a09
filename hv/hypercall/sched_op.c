#include "hv/hypercall/handlers.h"
#include "hv/arch/percpu.h"
#include "hv/arch/tsc.h"
#include "hv/arch/vcpu.h"
#include "hv/console/printk.h"
#include "hv/evtchn/evtchn.h"
#include "hv/mm/guestcopy.h"
#include "hv/sched/sched.h"

#include <xen/sched.h>

static long shutdown_self(uint64_t arg_va)
{
    struct domain *d = current_vcpu()->domain;
    struct sched_shutdown arg;

    if (copy_from_guest(&arg, arg_va, sizeof(arg)))
        return -EFAULT;
    if (arg.reason > SHUTDOWN_MAX)
        return -EINVAL;
    printk_guest("d%u: shuts itself down, reason %u\n", d->id, arg.reason);
    domain_shutdown(d, arg.reason);
    return 0;
}

static void poll_times_out(void *arg)
{
    struct vcpu *v = arg;

    __atomic_store_n(&v->poll_active, 0, __ATOMIC_SEQ_CST);
    sched_wake(v);
}

/* Sleeps until an event of those that poll_port says, which the caller has set, or the time is up (0: never). */
static void poll_sleep(struct vcpu *v, uint64_t timeout_ns)
{
    struct timer *t = &v->sched->poll_timer;

    if (timeout_ns) {
        if (!t->fire)
            timer_init(t, poll_times_out, v);
        timer_set(t, timeout_ns);
    }
    sched_block(v);
}

/* Sleeps until one of the ports is pending, masked or not, or the time is up. The result is always 0: the guest looks
 * itself. poll_active is set before the bits are looked at; evtchn.c sets a bit before it looks at poll_active. */
static long poll(uint64_t arg_va)
{
    struct vcpu *v = current_vcpu();
    evtchn_port_t ports[64];
    struct sched_poll arg;
    int pending = 0;

    if (copy_from_guest(&arg, arg_va, sizeof(arg)))
        return -EFAULT;
    if (arg.nr_ports > ARRAY_SIZE(ports))
        return -EINVAL;
    if (copy_from_guest(ports, (uint64_t)arg.ports.p, arg.nr_ports * sizeof(ports[0])))
        return -EFAULT;
    sched_block_prepare(v);
    v->poll_port = arg.nr_ports == 1 ? ports[0] : 0;
    __atomic_store_n(&v->poll_active, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < arg.nr_ports && !pending; i++)
        pending = evtchn_port_pending(v->domain, ports[i]);
    if (pending || evtchn_upcall_pending(v) || vcpu_has_work(v) || (arg.timeout && arg.timeout <= now_ns())) {
        v->poll_active = 0;
        return MIN(pending, 0);
    }
    poll_sleep(v, arg.timeout);
    return 0;
}

#define NAP_NS (NS_PER_MS / 10)

/* A boot loader takes no interrupts and clears no event: it yields until its disk has answered. It sleeps instead of
 * spinning, which its owner would pay for and the disk's backend wait for. */
static void nap(struct vcpu *v)
{
    sched_block_prepare(v);
    v->poll_port = 0;
    __atomic_store_n(&v->poll_active, 1, __ATOMIC_SEQ_CST);
    if (vcpu_has_work(v))
        v->poll_active = 0;
    else
        poll_sleep(v, now_ns() + NAP_NS);
}

long do_sched_op_narrow(unsigned cmd, uint64_t arg_va)
{
    switch (cmd) {
    case SCHEDOP_yield: nap(current_vcpu()); return 0;
    case SCHEDOP_shutdown: return shutdown_self(arg_va);
    default: return -ENOSYS;
    }
}

long do_sched_op(unsigned cmd, uint64_t arg_va)
{
    struct vcpu *v = current_vcpu();

    switch (cmd) {
    case SCHEDOP_yield: this_cpu()->need_resched = 1; return 0;
    case SCHEDOP_block:
        v->info->evtchn_upcall_mask = 0;
        sched_block_prepare(v);
        if (!evtchn_upcall_pending(v) && !vcpu_has_work(v))
            sched_block(v);
        return 0;
    case SCHEDOP_shutdown: return shutdown_self(arg_va);
    case SCHEDOP_poll: return poll(arg_va);
    default: return -ENOSYS;
    }
}
