/* Stopping domains: pause, and the ways in which a guest ends. */
#include "hv/domain/domain.h"
#include "hv/console/machine.h"
#include "hv/console/printk.h"
#include "hv/evtchn/evtchn.h"
#include "hv/sched/sched.h"

#include <xen/sched.h>

void domain_pause(struct domain *d)
{
    __atomic_add_fetch(&d->pause_count, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < d->nr_vcpus; i++)
        sched_vcpu_sleep_sync(d->vcpu[i]);
}

void domain_unpause(struct domain *d)
{
    if (__atomic_sub_fetch(&d->pause_count, 1, __ATOMIC_SEQ_CST))
        return;
    for (unsigned i = 0; i < d->nr_vcpus; i++)
        sched_vcpu_kick_runnable(d->vcpu[i]);
}

static void dom0_ends(unsigned code)
{
    printk("d0: shutdown, reason %u\n", code);
    if (code == SHUTDOWN_poweroff)
        machine_power_off();
    if (code == SHUTDOWN_crash && panic_halts)
        panic("dom0 crashed");
    machine_reset();
}

void domain_shutdown(struct domain *d, unsigned code)
{
    bool first;

    if (d->privileged)
        dom0_ends(code);
    spin_lock(&d->lock);
    first = !d->shutting_down && !d->dying;
    if (first) {
        d->shutting_down = true;
        d->shutdown_code = code;
        __atomic_add_fetch(&d->pause_count, 1, __ATOMIC_SEQ_CST);
    }
    spin_unlock(&d->lock);
    if (!first)
        return;
    /* The caller may be one of them: stopped, not waited for. */
    for (unsigned i = 0; i < d->nr_vcpus; i++)
        sched_vcpu_stop(d->vcpu[i]);
    evtchn_send_virq(dom0, 0, VIRQ_DOM_EXC);
}
