/* Where frames appear in a domain's map: shared_info, grant frames, another domain's memory, resources.
 *
 * What was at a GFN before makes room. A guest's RAM is given back; dom0's RAM is parked instead: since its map is the
 * identity, the frame can serve nobody else, stays dom0's and returns when the GFN is cleared. Grant maps are left to
 * the grant table (gnttab/), which counts them. */
#include "hv/domctl/domctl.h"
#include "hv/gnttab/gnttab.h"
#include "hv/include/xs/stats.h"
#include "hv/mm/guestcopy.h"
#include "hv/sched/preempt.h"
#include "hv/stats/stats.h"

int physmap_enter(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned order, enum p2m_type type)
{
    int rc = -EINVAL;

    spin_lock(&d->lock);
    if (!d->dying)
        rc = p2m_add(d, gfn, mfn, order, type);
    spin_unlock(&d->lock);
    return rc;
}

bool physmap_parked(struct domain *d, gfn_t gfn)
{
    return d->privileged && page_owner(MFN(gfn.n)) == d->id && p2m_lookup(d, gfn).type == P2M_NONE;
}

int physmap_clear(struct domain *d, gfn_t gfn, unsigned types, struct p2m_entry *was)
{
    struct p2m_entry old;
    int rc = p2m_remove(d, gfn, types, &old);

    if (was)
        *was = old;
    if (rc)
        return rc;
    p2m_sync(d);
    if (!d->privileged || old.type != P2M_RAM)          /* else parked */
        p2m_entry_put(old);
    return 0;
}

/* Puts the frame at gfn in place of what was there. The reference is used up, also on failure. */
static int gfn_replace(struct domain *d, gfn_t gfn, mfn_t mfn, enum p2m_type type)
{
    int rc = physmap_clear(d, gfn, ~P2M_GRANTS, NULL);

    if (!rc || rc == -ENOENT)
        rc = physmap_enter(d, gfn, mfn, 0, type);
    if (rc)
        p2m_entry_put((struct p2m_entry){ mfn, type });
    return rc;
}

static int add_grant_frame(struct domain *d, uint64_t idx, gfn_t gfn)
{
    mfn_t mfn;
    int rc;

    /* Also refuses XENMAPIDX_grant_table_status: version 1 has no status frames. */
    if (idx >= d->max_grant_frames)
        return -EINVAL;
    rc = gnttab_frame(d, (unsigned)idx, &mfn);
    return rc ? rc : gfn_replace(d, gfn, mfn, P2M_SHARED_RW);
}

long physmap_add(struct domain *d, union memory_arg *arg, uint64_t done)
{
    const struct xen_add_to_physmap *a = &arg->add;

    (void)done;
    switch (a->space) {
    case XENMAPSPACE_shared_info:
        return a->idx ? -EINVAL : gfn_replace(d, GFN(a->gpfn), virt_to_mfn(d->shared_info), P2M_SHARED_RW);
    case XENMAPSPACE_grant_table: return add_grant_frame(d, a->idx, GFN(a->gpfn));
    default:
        return -ENOSYS;                 /* foreign memory: this names no domain, only the batch does */
    }
}

static int add_foreign(struct domain *d, struct domain *from, uint64_t idx, gfn_t gfn)
{
    mfn_t mfn;
    int rc;

    if (from->dying)
        return -EINVAL;
    rc = p2m_get_own_page(from, GFN(idx), &mfn);
    return rc ? rc : gfn_replace(d, gfn, mfn, P2M_FOREIGN);
}

static long batch_run(struct domain *d, struct domain *from, const struct xen_add_to_physmap_batch *arg, uint64_t done)
{
    for (uint64_t i = done; i < arg->size; i++) {
        xen_ulong_t idx;
        xen_pfn_t gfn;
        int rc;

        if (i > done && hypercall_preempt())
            return memory_op_restart(XENMEM_add_to_physmap_batch, i);
        if (copy_from_guest(&idx, guest_element(arg->idxs.p, i, sizeof(idx)), sizeof(idx)) ||
            copy_from_guest(&gfn, guest_element(arg->gpfns.p, i, sizeof(gfn)), sizeof(gfn)))
            return -EFAULT;
        rc = add_foreign(d, from, idx, GFN(gfn));
        if (copy_to_guest(guest_element(arg->errs.p, i, sizeof(rc)), &rc, sizeof(rc)))
            return -EFAULT;
    }
    return 0;
}

/* Foreign memory is for dom0's own map only. */
long physmap_add_batch(struct domain *d, union memory_arg *arg, uint64_t done)
{
    struct domain *from;
    long rc;

    if (!d->privileged)
        return -EPERM;
    if (arg->batch.space != XENMAPSPACE_gmfn_foreign)
        return -ENOSYS;
    if (done > arg->batch.size)
        return -EINVAL;
    rc = domain_get_target(arg->batch.u.foreign_domid, &from);
    if (rc)
        return rc;
    rc = from == d ? -EINVAL : batch_run(d, from, &arg->batch, done);
    domain_put(from);
    return rc;
}

long physmap_remove(struct domain *d, union memory_arg *arg, uint64_t done)
{
    gfn_t gfn = GFN(arg->remove.gpfn);
    struct p2m_entry was;
    int rc = physmap_clear(d, gfn, ~P2M_GRANTS, &was);

    (void)done;
    /* What covered a parked frame of dom0 is gone: the frame comes back. */
    if (!rc && was.type != P2M_RAM && physmap_parked(d, gfn))
        rc = physmap_enter(d, gfn, MFN(gfn.n), 0, P2M_RAM);
    return rc;
}

/* A frame of the grant table of `of`; without a domain, of the stats page. */
static int resource_map_frame(struct domain *d, struct domain *of, unsigned frame, gfn_t gfn)
{
    mfn_t mfn;
    int rc;

    if (!of)
        return gfn_replace(d, gfn, stats_frame(frame), P2M_SHARED_RO);
    if (of->dying)
        return -EINVAL;
    rc = gnttab_frame(of, frame, &mfn);
    if (rc)
        return rc;
    /* dom0 may hold the map longer than the domain lives: FOREIGN takes a reference along. */
    if (!page_get_hv(mfn))
        return -EBUSY;
    return gfn_replace(d, gfn, mfn, P2M_FOREIGN);
}

static long resource_map(struct domain *d, struct domain *of, uint64_t frames,
                         const struct xen_mem_acquire_resource *arg, uint64_t done)
{
    /* In this order neither sum nor difference wraps. */
    if (arg->frame >= frames || arg->nr_frames > frames - arg->frame || done > arg->nr_frames)
        return -EINVAL;
    for (uint64_t i = done; i < arg->nr_frames; i++) {
        xen_pfn_t gfn;
        int rc;

        if (i > done && hypercall_preempt())
            return memory_op_restart(XENMEM_acquire_resource, i);
        if (copy_from_guest(&gfn, guest_element(arg->frame_list.p, i, sizeof(gfn)), sizeof(gfn)))
            return -EFAULT;
        rc = resource_map_frame(d, of, (unsigned)(arg->frame + i), GFN(gfn));
        if (rc)
            return i ? -EIO : rc;       /* memory.h: -EIO, some are mapped */
    }
    return 0;
}

/* Grant tables, and the stats page, which belongs to hv. Without a list of frames the size is what is asked. */
long physmap_acquire(struct domain *d, union memory_arg *arg, uint64_t done)
{
    struct xen_mem_acquire_resource *r = &arg->acquire;
    uint64_t frames = XS_STATS_FRAMES;
    struct domain *of = NULL;
    long rc = 0;

    if (r->type != XS_RESOURCE_STATS && r->type != XENMEM_resource_grant_table)
        return -EOPNOTSUPP;
    if (r->id || r->pad || (r->type == XS_RESOURCE_STATS && r->domid != DOMID_XEN))
        return -EINVAL;                 /* id 0: XENMEM_resource_grant_table_id_shared; stats have only 0 */
    if (r->type == XENMEM_resource_grant_table) {
        rc = domain_get_target(r->domid, &of);
        if (rc)
            return rc;
        frames = of->max_grant_frames;
    }
    if (r->frame_list.p)
        rc = resource_map(d, of, frames, r, done);
    else if (r->nr_frames)
        rc = -EINVAL;
    else
        r->nr_frames = (uint32_t)frames;
    if (of)
        domain_put(of);
    return rc;
}
