/* sysctl: what the machine is and which domains it holds. Nothing here changes anything. One node, one cpupool (0), the
 * credit scheduler's parameters; each CPU is a core of one socket, since guests are never told otherwise. */
#include "hv/domctl/domctl.h"
#include "hv/domctl/cpumap.h"
#include "hv/domctl/physmap.h"
#include "hv/arch/percpu.h"
#include "hv/arch/tsc.h"
#include "hv/mm/guestcopy.h"
#include "hv/mm/page.h"

#define DISTANCE_SELF 10u               /* ACPI SLIT's number for a node's own memory */

/* The words of hw_cap in the order in which tools print them: CPUID 1 EDX, 1 ECX, 8000_0001 EDX, ECX, then 7 EBX. */
static void hw_cap_fill(uint32_t hw_cap[8])
{
    uint32_t a, b, c, d;

    __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(1), "c"(0));
    hw_cap[0] = d;
    hw_cap[1] = c;
    __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(0x80000001u), "c"(0));
    hw_cap[2] = d;
    hw_cap[3] = c;
    __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(0));
    hw_cap[5] = b;
}

static long op_physinfo(struct xen_sysctl *op)
{
    struct xen_sysctl_physinfo *p = &op->u.physinfo;

    *p = (struct xen_sysctl_physinfo){
        .threads_per_core = 1,
        .cores_per_socket = cpus_online,
        .nr_cpus = cpus_online,
        .max_cpu_id = cpus_online - 1,
        .nr_nodes = 1,
        .cpu_khz = tsc_khz,
        .capabilities = XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap | XEN_SYSCTL_PHYSCAP_gnttab_v1,
        .total_pages = pages_total(),
        .free_pages = pages_free(),
        .max_mfn = page_mfn_max().n,
    };
    hw_cap_fill(p->hw_cap);
    return 0;
}

static long op_sched_id(struct xen_sysctl *op)
{
    op->u.sched_id.sched_id = XEN_SCHEDULER_CREDIT;
    return 0;
}

static long op_getdomaininfolist(struct xen_sysctl *op)
{
    struct xen_sysctl_getdomaininfolist *list = &op->u.getdomaininfolist;
    struct xen_domctl_getdomaininfo info;
    uint32_t next = list->first_domain;

    list->num_domains = 0;
    while (list->num_domains < list->max_domains) {
        struct domain *d = next < DOMID_LIMIT ? domain_get_from((domid_t)next) : NULL;

        if (!d)
            break;
        domain_info(d, &info);
        next = d->id + 1u;
        domain_put(d);
        if (copy_to_guest(guest_element(list->buffer.p, list->num_domains, sizeof(info)), &info, sizeof(info)))
            return -EFAULT;
        list->num_domains++;
    }
    return 0;
}

static long op_cputopoinfo(struct xen_sysctl *op)
{
    struct xen_sysctl_cputopoinfo *t = &op->u.cputopoinfo;
    unsigned n = MIN(t->num_cpus, cpus_online);

    for (unsigned i = 0; t->cputopo.p && i < n; i++) {
        struct xen_sysctl_cputopo cpu = { .core = i, .socket = 0, .node = 0 };

        if (copy_to_guest(guest_element(t->cputopo.p, i, sizeof(cpu)), &cpu, sizeof(cpu)))
            return -EFAULT;
    }
    t->num_cpus = cpus_online;
    return 0;
}

static long op_numainfo(struct xen_sysctl *op)
{
    struct xen_sysctl_numainfo *n = &op->u.numainfo;
    struct xen_sysctl_meminfo memory = { pages_total() << PAGE_SHIFT, pages_free() << PAGE_SHIFT };
    uint32_t distance = DISTANCE_SELF;

    if (n->num_nodes >= 1) {
        if (n->meminfo.p && copy_to_guest((uint64_t)n->meminfo.p, &memory, sizeof(memory)))
            return -EFAULT;
        if (n->distance.p && copy_to_guest((uint64_t)n->distance.p, &distance, sizeof(distance)))
            return -EFAULT;
    }
    n->num_nodes = 1;
    return 0;
}

static uint32_t domains_count(void)
{
    uint32_t count = 0;
    struct domain *d;

    for (uint32_t next = 0; next < DOMID_LIMIT && (d = domain_get_from((domid_t)next)); count++) {
        next = d->id + 1u;
        domain_put(d);
    }
    return count;
}

/* INFO answers with the pool of the lowest id from the one asked for on. */
static long op_cpupool(struct xen_sysctl *op)
{
    struct xen_sysctl_cpupool_op *pool = &op->u.cpupool_op;

    if (pool->op != XEN_SYSCTL_CPUPOOL_OP_INFO)
        return -EOPNOTSUPP;
    if (pool->cpupool_id != 0 && pool->cpupool_id != XEN_SYSCTL_CPUPOOL_PAR_ANY)
        return -ENOENT;
    pool->cpupool_id = 0;
    pool->sched_id = XEN_SCHEDULER_CREDIT;
    pool->n_dom = domains_count();
    return cpumap_put(&pool->cpumap, cpumap_online());
}

static long (*const rows[])(struct xen_sysctl *op) = {
    [XEN_SYSCTL_physinfo] = op_physinfo,
    [XEN_SYSCTL_sched_id] = op_sched_id,
    [XEN_SYSCTL_getdomaininfolist] = op_getdomaininfolist,
    [XEN_SYSCTL_cputopoinfo] = op_cputopoinfo,
    [XEN_SYSCTL_numainfo] = op_numainfo,
    [XEN_SYSCTL_cpupool_op] = op_cpupool,
};

long do_sysctl(uint64_t arg_va)
{
    struct xen_sysctl op;
    long (*run)(struct xen_sysctl *op);
    long rc;

    if (!current_vcpu()->domain->privileged)
        return -EPERM;
    if (copy_from_guest(&op, arg_va, sizeof(op)))
        return -EFAULT;
    if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
        return -EACCES;
    if (op.cmd >= ARRAY_SIZE(rows))
        return -ENOSYS;
    run = rows[index_nospec(op.cmd, ARRAY_SIZE(rows))];
    if (!run)
        return -ENOSYS;
    rc = run(&op);
    if (!rc && copy_to_guest(arg_va, &op, sizeof(op)))
        rc = -EFAULT;
    return rc;
}
