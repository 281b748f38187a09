/* domctl: a table of sub-ops; what each needs (a target, the lock, an answer) stands in its row. One that changes
 * domains runs alone: whoever finds the lock taken restarts its hypercall rather than wait.
 *
 * Deliberately out: everything that libxenguest and a plain toolstack do not call (pass-through, debugging, migration,
 * CPU policies). */
#include "hv/domctl/domctl.h"
#include "hv/domctl/create.h"
#include "hv/arch/percpu.h"
#include "hv/console/printk.h"
#include "hv/lib/string.h"
#include "hv/mm/guestcopy.h"
#include "hv/sched/preempt.h"
#include "hv/sched/sched.h"

static struct spinlock domctl_lock;     /* outermost: hv/LOCKING.md */

/* Why a createdomain is refused; NULL: nothing is wrong. What cannot be given is refused, never ignored. */
static const char *create_refusal(const struct xen_domctl_createdomain *c)
{
    const uint32_t needed = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;

    if ((c->flags & needed) != needed)
        return "flags without hvm and hap: only PVH guests run here";
    if (c->flags & ~(needed | XEN_DOMCTL_CDF_oos_off))
        return "flags other than hvm, hap, oos_off";
    if (c->arch.emulation_flags != XEN_X86_EMU_LAPIC)
        return "emulation_flags other than a local APIC";
    if (c->arch.misc_flags || c->iommu_opts || c->vmtrace_size || c->ssidref)
        return "misc_flags, iommu_opts, vmtrace_size or ssidref";
    if (c->cpupool_id)
        return "a cpupool other than 0";
    if (c->grant_opts != XEN_DOMCTL_GRANT_version(1))
        return "grant_opts other than version 1";
    if (c->max_vcpus == 0 || c->max_vcpus > VCPUS_MAX)
        return "max_vcpus outside 1 to 32";
    return NULL;
}

static uint32_t limit_or_default(int32_t asked, uint32_t otherwise)
{
    return asked < 0 ? otherwise : (uint32_t)asked;
}

static long op_createdomain(struct domain *unused, struct xen_domctl *op)
{
    const struct xen_domctl_createdomain *c = &op->u.createdomain;
    const char *refusal = create_refusal(c);
    struct domain_params params = {
        .id = op->domain && op->domain < DOMID_LIMIT ? op->domain : domain_id_next(),
        .nr_vcpus = c->max_vcpus,
        .max_evtchn_port = MIN(c->max_evtchn_port, EVTCHN_PORT_MAX),
        .max_grant_frames = limit_or_default(c->max_grant_frames, GRANT_FRAMES_DEFAULT),
        .max_maptrack = limit_or_default(c->max_maptrack_frames, MAPTRACK_DEFAULT),
    };
    struct domain *d;
    int rc;

    (void)unused;
    if (refusal) {
        printk_guest("domctl: createdomain refused: %s\n", refusal);
        return -EINVAL;
    }
    memcpy(params.uuid, c->handle, sizeof(params.uuid));
    rc = domain_create(&params, &d);
    if (rc) {
        printk_guest("domctl: domain %u not created: error %d\n", params.id, rc);
        return rc;
    }
    op->domain = d->id;
    return 0;
}

/* Scrubbing may take seconds. Restarted in place it would hold a CPU of dom0 for all of them, since Linux schedules
 * nobody else while it is in a hypercall: the toolstack is to come again. */
static long op_destroydomain(struct domain *d, struct xen_domctl *op)
{
    long rc = domain_destroy(d);

    (void)op;
    return rc == HYPERCALL_RESTART ? -EAGAIN : rc;
}

static long op_pause_or_unpause(struct domain *d, struct xen_domctl *op)
{
    return domain_control(d, op->cmd == XEN_DOMCTL_pausedomain);
}

static uint64_t cpu_time_ns(struct vcpu *v, int *state)
{
    struct vcpu_runstate_info run;

    sched_runstate(v, &run);
    *state = run.state;
    return run.time[RUNSTATE_running];
}

/* Blocked: nothing runs, or would if it were not paused. */
static uint32_t info_flags(const struct domain *d, bool running, bool runnable)
{
    uint32_t flags = XEN_DOMINF_hvm_guest | XEN_DOMINF_hap;

    if (d->dying)
        flags |= XEN_DOMINF_dying;
    if (d->shutting_down)
        flags |= XEN_DOMINF_shutdown | (d->shutdown_code & XEN_DOMINF_shutdownmask) << XEN_DOMINF_shutdownshift;
    if (d->controller_paused)
        flags |= XEN_DOMINF_paused;
    if (running)
        flags |= XEN_DOMINF_running;
    else if (!runnable)
        flags |= XEN_DOMINF_blocked;
    return flags;
}

void domain_info(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
    bool running = false, runnable = false;

    memset(info, 0, sizeof(*info));
    for (unsigned i = 0; i < d->nr_vcpus; i++) {
        int state;

        info->cpu_time += cpu_time_ns(d->vcpu[i], &state);
        info->nr_online_vcpus += d->vcpu[i]->up;
        running |= state == RUNSTATE_running;
        runnable |= d->vcpu[i]->up && !d->vcpu[i]->blocked;
    }
    info->domain = d->id;
    info->flags = info_flags(d, running, runnable);
    info->tot_pages = READ_ONCE(d->pages);
    info->max_pages = READ_ONCE(d->pages_max);
    info->shared_info_frame = ~0ull;    /* its frame is hv's business */
    info->max_vcpu_id = d->nr_vcpus - 1;
    memcpy(info->handle, d->uuid, sizeof(info->handle));
    info->gpaddr_bits = 40;
    info->arch_config.emulation_flags = XEN_X86_EMU_LAPIC;
}

/* The domain with the lowest id from op->domain on: how tools enumerate. */
static long op_getdomaininfo(struct domain *unused, struct xen_domctl *op)
{
    struct domain *d = domain_get_from(op->domain);

    (void)unused;
    if (!d)
        return -ESRCH;
    domain_info(d, &op->u.getdomaininfo);
    op->domain = d->id;
    domain_put(d);
    return 0;
}

/* A limit below what the domain has stops it from growing; it takes nothing away. "No limit" is the machine. */
static long op_max_mem(struct domain *d, struct xen_domctl *op)
{
    uint64_t pages = op->u.max_mem.max_memkb >> (PAGE_SHIFT - 10);

    WRITE_ONCE(d->pages_max, MIN(pages, pages_total));
    return 0;
}

static long op_getvcpuinfo(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_getvcpuinfo *info = &op->u.getvcpuinfo;
    struct vcpu *v;
    int state;

    if (info->vcpu >= d->nr_vcpus)
        return -ESRCH;
    v = d->vcpu[index_nospec(info->vcpu, d->nr_vcpus)];
    *info = (struct xen_domctl_getvcpuinfo){ .vcpu = v->id, .cpu_time = cpu_time_ns(v, &state) };
    info->online = v->up;
    info->blocked = state == RUNSTATE_blocked;
    info->running = state == RUNSTATE_running;
    info->cpu = READ_ONCE(v->cpu);
    return 0;
}

/* createdomain has made them all; this is the place to agree on the number. */
static long op_max_vcpus(struct domain *d, struct xen_domctl *op)
{
    return op->u.max_vcpus.max == d->nr_vcpus ? 0 : -EINVAL;
}

#define CAP_UNCHANGED 0xFFFFu           /* and weight 0: as credit's tools say "leave it" */

static long op_scheduler_op(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_scheduler_op *s = &op->u.scheduler_op;
    uint16_t weight, cap;

    if (s->sched_id != XEN_SCHEDULER_CREDIT)
        return -EINVAL;
    switch (s->cmd) {
    case XEN_DOMCTL_SCHEDOP_getinfo:
        s->u.credit.weight = READ_ONCE(d->weight);
        s->u.credit.cap = READ_ONCE(d->cap_percent);
        return 0;
    case XEN_DOMCTL_SCHEDOP_putinfo:
        weight = s->u.credit.weight ? s->u.credit.weight : d->weight;
        cap = s->u.credit.cap != CAP_UNCHANGED ? s->u.credit.cap : d->cap_percent;
        return sched_set_params(d, weight, cap);
    default: return -EINVAL;
    }
}

enum {
    TARGET = 1,                         /* op->domain must exist */
    DYING = 2,                          /* ... and may be dying */
    CHANGES = 4,                        /* under domctl_lock */
    ANSWERS = 8,                        /* the struct goes back */
    OTHERS = 16,                        /* never on the caller itself */
};

static const struct row {
    long (*run)(struct domain *d, struct xen_domctl *op);
    unsigned needs;
} rows[] = {
    [XEN_DOMCTL_createdomain] = { op_createdomain, CHANGES | ANSWERS },
    [XEN_DOMCTL_destroydomain] = { op_destroydomain, TARGET | DYING | CHANGES },
    [XEN_DOMCTL_pausedomain] = { op_pause_or_unpause, TARGET | OTHERS | CHANGES },
    [XEN_DOMCTL_unpausedomain] = { op_pause_or_unpause, TARGET | OTHERS | CHANGES },
    [XEN_DOMCTL_getdomaininfo] = { op_getdomaininfo, ANSWERS },
    [XEN_DOMCTL_max_mem] = { op_max_mem, TARGET | CHANGES },
    [XEN_DOMCTL_getvcpuinfo] = { op_getvcpuinfo, TARGET | DYING | ANSWERS },
    [XEN_DOMCTL_max_vcpus] = { op_max_vcpus, TARGET },
    [XEN_DOMCTL_scheduler_op] = { op_scheduler_op, TARGET | CHANGES | ANSWERS },
    [XEN_DOMCTL_gethvmcontext] = { context_get, TARGET | OTHERS | CHANGES | ANSWERS },
    [XEN_DOMCTL_sethvmcontext] = { context_set, TARGET | OTHERS | CHANGES },
};

static long run_on_target(const struct row *row, struct xen_domctl *op)
{
    struct domain *d;
    long rc;

    if (!(row->needs & TARGET))
        return row->run(NULL, op);
    rc = domain_get_target(op->domain, &d);
    if (rc)
        return rc;
    if (d->dying && !(row->needs & DYING))
        rc = -ESRCH;
    else if (d == current_vcpu()->domain && row->needs & OTHERS)
        rc = -EINVAL;
    else
        rc = row->run(d, op);
    domain_put(d);
    return rc;
}

long do_domctl(uint64_t arg_va)
{
    struct xen_domctl op;
    const struct row *row;
    long rc;

    if (!current_vcpu()->domain->privileged)
        return -EPERM;
    if (copy_from_guest(&op, arg_va, sizeof(op)))
        return -EFAULT;
    if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
        return -EACCES;
    if (op.cmd >= ARRAY_SIZE(rows))
        return -ENOSYS;
    row = &rows[index_nospec(op.cmd, ARRAY_SIZE(rows))];
    if (!row->run)
        return -ENOSYS;
    /* An answer that cannot be written is found out before anything has changed. */
    if (row->needs & ANSWERS && copy_to_guest(arg_va, &op, sizeof(op)))
        return -EFAULT;
    if (row->needs & CHANGES && !spin_try(&domctl_lock))
        return HYPERCALL_RESTART;
    rc = run_on_target(row, &op);
    if (row->needs & CHANGES)
        spin_unlock(&domctl_lock);
    return !rc && row->needs & ANSWERS ? copy_to_guest(arg_va, &op, sizeof(op)) : rc;
}
