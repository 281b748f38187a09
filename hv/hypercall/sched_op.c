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

/* Sleeps until one of the ports is pending, masked or not, or the time is up. The result is always 0: the guest looks
 * itself. poll_active is set before the bits are looked at; evtchn.c sets a bit before it looks at poll_active. */
static long poll(uint64_t arg_va)
{
    struct vcpu *v = current_vcpu();
    struct timer *t = &v->sched->poll_timer;
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
    if (arg.timeout) {
        if (!t->fire)
            timer_init(t, poll_times_out, v);
        timer_set(t, arg.timeout);
    }
    sched_block(v);
    return 0;
}

long do_sched_op(unsigned cmd, uint64_t arg_va)
{
    struct vcpu *v = current_vcpu();

    switch (cmd) {
    case SCHEDOP_yield:
        sched_yield();
        return 0;
    case SCHEDOP_block:
        v->info->evtchn_upcall_mask = 0;
        sched_block_prepare(v);
        if (!evtchn_upcall_pending(v) && !vcpu_has_work(v))
            sched_block(v);
        return 0;
    case SCHEDOP_shutdown:
        return shutdown_self(arg_va);
    case SCHEDOP_poll:
        return poll(arg_va);
    default:
        return -ENOSYS;
    }
}
