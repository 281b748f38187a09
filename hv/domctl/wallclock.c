#include "hv/domctl/domctl.h"
#include "hv/include/xs/stats.h"
#include "hv/stats/stats.h"

static uint64_t utc_at_boot_ns;         /* 0: as the RTC said, in the stats page's header */
static struct spinlock wallclock_lock;  /* innermost: only the words below and in shared_info */

void wallclock_update(struct domain *d)
{
    const struct xs_stats_header *header = mfn_to_virt(stats_frame(0));
    uint64_t boot_ns, sec;

    spin_lock(&wallclock_lock);
    boot_ns = utc_at_boot_ns ? utc_at_boot_ns : header->boot_wall_ns;
    sec = boot_ns / NS_PER_SEC;
    /* Odd while the rest changes; x86 keeps stores in order, so barriers for the compiler are enough. The guest's
     * reader is the partner. */
    WRITE_ONCE(d->shared_info->wc_version, d->shared_info->wc_version | 1);
    barrier();
    d->shared_info->wc_sec = (uint32_t)sec;
    d->shared_info->xen_wc_sec_hi = (uint32_t)(sec >> 32);
    d->shared_info->wc_nsec = (uint32_t)(boot_ns % NS_PER_SEC);
    barrier();
    WRITE_ONCE(d->shared_info->wc_version, d->shared_info->wc_version + 1);
    spin_unlock(&wallclock_lock);
}

void wallclock_set(uint64_t boot_ns)
{
    struct domain *d;
    domid_t next = 0;

    WRITE_ONCE(utc_at_boot_ns, boot_ns);
    while ((d = domain_get_from(next)) != NULL) {
        next = (domid_t)(d->id + 1);
        wallclock_update(d);
        domain_put(d);
    }
}
