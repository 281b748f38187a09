/* Number, handler, who may call. Handlers stay in their modules. */
#include "hv/hypercall/handlers.h"
#include "hv/arch/percpu.h"
#include "hv/arch/tsc.h"
#include "hv/arch/vcpu.h"
#include "hv/domctl/domctl.h"
#include "hv/evtchn/evtchn.h"
#include "hv/gnttab/gnttab.h"
#include "hv/sched/preempt.h"
#include "hv/stats/channel.h"

#include "hv/include/xs/build.h"
#include "hv/include/xs/meter.h"

#define NR_HYPERCALLS 64

typedef uint64_t args_t[5];

#define WRAP(name, call) \
    static long name(const args_t a) { (void)a; return call; }
WRAP(hc_platform_op, do_platform_op(a[0]))
WRAP(hc_memory_op, do_memory_op((unsigned)a[0], a[1]))
WRAP(hc_memory_op_narrow, do_memory_op_narrow((unsigned)a[0], a[1]))
WRAP(hc_xen_version, do_xen_version((unsigned)a[0], a[1]))
WRAP(hc_console_io, do_console_io((unsigned)a[0], (unsigned)a[1], a[2]))
WRAP(hc_grant_table_op, do_grant_table_op((unsigned)a[0], a[1], (unsigned)a[2]))
WRAP(hc_vcpu_op, do_vcpu_op((unsigned)a[0], (unsigned)a[1], a[2]))
WRAP(hc_sched_op, do_sched_op((unsigned)a[0], a[1]))
WRAP(hc_sched_op_narrow, do_sched_op_narrow((unsigned)a[0], a[1]))
WRAP(hc_event_channel_op, do_event_channel_op((unsigned)a[0], a[1]))
WRAP(hc_physdev_op, do_physdev_op((unsigned)a[0], a[1]))
WRAP(hc_hvm_op, do_hvm_op((unsigned)a[0], a[1]))
WRAP(hc_sysctl, do_sysctl(a[0]))
WRAP(hc_domctl, do_domctl(a[0]))
WRAP(hc_build_op, do_build_op((unsigned)a[0], a[1]))
WRAP(hc_meter_op, do_meter_op((unsigned)a[0], a[1]))

static const struct {
    long (*call)(const args_t a);
    bool privileged;                    /* dom0 only: others get -EPERM before an argument is looked at */
    long (*narrow)(const args_t a);     /* for 32-bit callers: what PVH GRUB needs; its structs for events and parameters
                                         * are the same in both widths */
} table[NR_HYPERCALLS] = {
    [__HYPERVISOR_platform_op] = { hc_platform_op, true, NULL },
    [__HYPERVISOR_memory_op] = { hc_memory_op, false, hc_memory_op_narrow },
    [__HYPERVISOR_xen_version] = { hc_xen_version, false, NULL },
    [__HYPERVISOR_console_io] = { hc_console_io, true, NULL },
    [__HYPERVISOR_grant_table_op] = { hc_grant_table_op, false, NULL },
    [__HYPERVISOR_vcpu_op] = { hc_vcpu_op, false, NULL },
    [__HYPERVISOR_sched_op] = { hc_sched_op, false, hc_sched_op_narrow },
    [__HYPERVISOR_event_channel_op] = { hc_event_channel_op, false, hc_event_channel_op },
    [__HYPERVISOR_physdev_op] = { hc_physdev_op, true, NULL },
    [__HYPERVISOR_hvm_op] = { hc_hvm_op, false, hc_hvm_op },
    [__HYPERVISOR_sysctl] = { hc_sysctl, true, NULL },
    [__HYPERVISOR_domctl] = { hc_domctl, true, NULL },
    [XS_HC_BUILD_OP] = { hc_build_op, true, NULL },
    [XS_HC_METER_OP] = { hc_meter_op, true, NULL },
};

#define PREEMPT_AFTER_NS (100 * NS_PER_MS / 1000)      /* bounds how long an interrupt waits */

bool hypercall_preempt(void)
{
    struct percpu *cpu = this_cpu();

    return READ_ONCE(cpu->need_resched) || now_ns() - cpu->hypercall_started_ns > PREEMPT_AFTER_NS;
}

/* A backend in dom0's user mode may copy, if its token says so, and nothing else (xs/meter.h). */
static bool user_may(const struct vcpu *v, const struct hypercall *h)
{
    return h->from == HYPERCALL_USER && v->domain->privileged && h->number == XS_HC_METER_OP &&
           (unsigned)h->args[0] == XS_METER_copy;
}

static long dispatch(const struct vcpu *v, const struct hypercall *h)
{
    long (*call)(const args_t a);
    struct percpu *cpu = this_cpu();
    uint64_t number = h->number;

    if (unlikely(h->from == HYPERCALL_NOBODY || (h->from == HYPERCALL_USER && !user_may(v, h))))
        return -EPERM;
    if (number >= NR_HYPERCALLS)
        return -ENOSYS;
    number = index_nospec(number, NR_HYPERCALLS);
    call = h->from == HYPERCALL_NARROW ? table[number].narrow : table[number].call;
    if (!call)
        return -ENOSYS;
    if (table[number].privileged && !v->domain->privileged)
        return -EPERM;
    cpu->hypercall_started_ns = cpu->charged_until_ns;
    return call(h->args);
}

void hypercall_dispatch(struct vcpu *v)
{
    struct hypercall h;
    long result;

    v->hypercalls++;
    vcpu_hypercall_read(v, &h);
    result = dispatch(v, &h);
    domain_reap();
    if (result != HYPERCALL_RESTART)
        vcpu_hypercall_return(v, result);
}
