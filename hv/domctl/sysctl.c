/* sysctl: what the machine is and which domains it holds. Nothing here changes anything. Each CPU is a core of one
 * socket, since guests are never told otherwise. */
#include "hv/domctl/domctl.h"
#include "hv/arch/percpu.h"
#include "hv/arch/tsc.h"
#include "hv/mm/guestcopy.h"

static long physinfo(struct xen_sysctl_physinfo *p)
{
    *p = (struct xen_sysctl_physinfo){
        .threads_per_core = 1, .cores_per_socket = cpus_online, .nr_nodes = 1,
        .nr_cpus = cpus_online, .max_cpu_id = cpus_online - 1, .cpu_khz = tsc_khz,
        .capabilities = XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap | XEN_SYSCTL_PHYSCAP_gnttab_v1,
        .total_pages = pages_total, .free_pages = pages_free, .max_mfn = page_mfn_max().n,
    };
    return 0;
}

static long getdomaininfolist(struct xen_sysctl_getdomaininfolist *list)
{
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

long do_sysctl(uint64_t arg_va)
{
    struct xen_sysctl op;
    long rc;

    if (!current_vcpu()->domain->privileged)
        return -EPERM;
    if (copy_from_guest(&op, arg_va, sizeof(op)))
        return -EFAULT;
    if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
        return -EACCES;
    switch (op.cmd) {
    case XEN_SYSCTL_physinfo: rc = physinfo(&op.u.physinfo); break;
    case XEN_SYSCTL_getdomaininfolist: rc = getdomaininfolist(&op.u.getdomaininfolist); break;
    default: return -ENOSYS;
    }
    return rc ? rc : copy_to_guest(arg_va, &op, sizeof(op));
}
