/* Where frames appear in a domain's map: shared_info, grant frames, another domain's memory, resources.
 *
 * What was at a GFN before makes room. A guest's RAM is given back; dom0's RAM is parked instead: since its map is the
 * identity, the frame can serve nobody else, stays dom0's and returns when the GFN is cleared. Grant maps are left to
 * the grant table (gnttab/), which counts them. */
#include "hv/domctl/physmap.h"
#include "hv/domctl/domctl.h"
#include "hv/arch/percpu.h"
#include "hv/gnttab/gnttab.h"
#include "hv/include/xs/stats.h"
#include "hv/mm/guestcopy.h"
#include "hv/mm/page.h"
#include "hv/sched/preempt.h"
#include "hv/stats/stats.h"
#include <xen/memory.h>

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

/* The entry that was taken out, after p2m_sync. */
static void entry_release(struct domain *d, struct p2m_entry old)
{
    if (d->privileged && old.type == P2M_RAM)
        return;                         /* parked */
    p2m_entry_put(old);
}

/* Clears gfn. *was says what it held. 0 also if there was nothing; -EBUSY a grant is mapped there; -ENOMEM. */
static int gfn_clear(struct domain *d, gfn_t gfn, enum p2m_type *was)
{
    struct p2m_entry old = p2m_lookup(d, gfn);
    int rc;

    *was = old.type;
    if (old.type == P2M_NONE || old.type == P2M_MMIO)
        return 0;
    if (old.type == P2M_GRANT_RO || old.type == P2M_GRANT_RW)
        return -EBUSY;
    rc = p2m_remove(d, gfn, &old);
    if (rc == -ENOENT)                  /* another vCPU of d was faster */
        return 0;
    if (rc)
        return rc;
    *was = old.type;
    if ((old.type == P2M_GRANT_RO || old.type == P2M_GRANT_RW) && p2m_add(d, gfn, old.mfn, 0, old.type) == 0)
        return -EBUSY;                  /* it came since we looked: back with it */
    p2m_sync(d);
    entry_release(d, old);
    return 0;
}

static bool type_has_reference(enum p2m_type type)
{
    return type == P2M_RAM || type == P2M_FOREIGN;
}

/* Puts the frame at gfn in place of what was there. The reference is used up, also on failure. */
static int gfn_replace(struct domain *d, gfn_t gfn, mfn_t mfn, enum p2m_type type)
{
    enum p2m_type was;
    int rc = gfn_clear(d, gfn, &was);

    if (!rc)
        rc = physmap_enter(d, gfn, mfn, 0, type);
    if (rc && type_has_reference(type))
        page_put(mfn);
    return rc;
}

static int add_shared_info(struct domain *d, uint64_t idx, gfn_t gfn)
{
    if (idx)
        return -EINVAL;
    return gfn_replace(d, gfn, virt_to_mfn(d->shared_info), P2M_SHARED_RW);
}

static int add_grant_frame(struct domain *d, uint64_t idx, gfn_t gfn)
{
    mfn_t mfn;
    int rc;

    /* Also refuses XENMAPIDX_grant_table_status: version 1 has no status frames. */
    if (idx >= d->max_grant_frames)
        return -EINVAL;
    rc = gnttab_frame(d, (unsigned)idx, &mfn);
    if (rc)
        return rc;
    return gfn_replace(d, gfn, mfn, P2M_SHARED_RW);
}

/* Moves a frame of d's own from GFN idx to gfn. */
static int move_own(struct domain *d, uint64_t idx, gfn_t gfn)
{
    struct p2m_entry moved;
    int rc;

    if (d->privileged)
        return -EPERM;                  /* its map is the identity */
    if (idx == gfn.n)
        return p2m_lookup(d, gfn).type == P2M_RAM ? 0 : -EINVAL;
    if (p2m_lookup(d, GFN(idx)).type != P2M_RAM)
        return -EINVAL;
    rc = p2m_remove(d, GFN(idx), &moved);
    if (rc)
        return rc;
    p2m_sync(d);
    if (moved.type == P2M_RAM)
        return gfn_replace(d, gfn, moved.mfn, P2M_RAM);
    if (p2m_add(d, GFN(idx), moved.mfn, 0, moved.type))
        p2m_entry_put(moved);
    return -EINVAL;
}

static int add_foreign(struct domain *d, struct domain *from, uint64_t idx, gfn_t gfn)
{
    mfn_t mfn;
    int rc;

    if (from->dying)
        return -EINVAL;
    rc = p2m_get_own_page(from, GFN(idx), &mfn);
    if (rc)
        return rc;
    return gfn_replace(d, gfn, mfn, P2M_FOREIGN);
}

static int add_one(struct domain *d, struct domain *from, unsigned space, uint64_t idx, gfn_t gfn)
{
    switch (space) {
    case XENMAPSPACE_shared_info:
        return add_shared_info(d, idx, gfn);
    case XENMAPSPACE_grant_table:
        return add_grant_frame(d, idx, gfn);
    case XENMAPSPACE_gmfn:
        return move_own(d, idx, gfn);
    case XENMAPSPACE_gmfn_foreign:
        return add_foreign(d, from, idx, gfn);
    default:
        return -ENOSYS;
    }
}

long physmap_add(uint64_t arg_va)
{
    struct xen_add_to_physmap arg;
    struct domain *d;
    long rc;

    if (copy_from_guest(&arg, arg_va, sizeof(arg)))
        return -EFAULT;
    if (arg.space == XENMAPSPACE_gmfn_foreign)
        return -EINVAL;                 /* names no domain here: only the batch can */
    rc = domain_get_target(arg.domid, &d);
    if (rc)
        return rc;
    rc = add_one(d, NULL, arg.space, arg.idx, GFN(arg.gpfn));
    domain_put(d);
    return rc;
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
        rc = add_one(d, from, arg->space, idx, GFN(gfn));
        if (copy_to_guest(guest_element(arg->errs.p, i, sizeof(rc)), &rc, sizeof(rc)))
            return -EFAULT;
    }
    return 0;
}

/* Foreign memory is for dom0's own map only. */
static long batch_foreign(struct domain *d, const struct xen_add_to_physmap_batch *arg, uint64_t done)
{
    struct domain *from;
    long rc;

    if (!d->privileged)
        return -EPERM;
    rc = domain_get_target(arg->u.foreign_domid, &from);
    if (rc)
        return rc;
    rc = from == d ? -EINVAL : batch_run(d, from, arg, done);
    domain_put(from);
    return rc;
}

long physmap_add_batch(uint64_t arg_va, uint64_t done)
{
    struct xen_add_to_physmap_batch arg;
    struct domain *d;
    long rc;

    if (copy_from_guest(&arg, arg_va, sizeof(arg)))
        return -EFAULT;
    if (done > arg.size)
        return -EINVAL;
    rc = domain_get_target(arg.domid, &d);
    if (rc)
        return rc;
    if (arg.space == XENMAPSPACE_gmfn_foreign)
        rc = batch_foreign(d, &arg, done);
    else
        rc = arg.u.res0 ? -EINVAL : batch_run(d, NULL, &arg, done);
    domain_put(d);
    return rc;
}

/* What covered a parked frame of dom0 is gone: the frame comes back. */
static int unpark(struct domain *d, gfn_t gfn)
{
    return physmap_parked(d, gfn) ? physmap_enter(d, gfn, MFN(gfn.n), 0, P2M_RAM) : 0;
}

long physmap_remove(uint64_t arg_va)
{
    struct xen_remove_from_physmap arg;
    enum p2m_type was;
    struct domain *d;
    long rc;

    if (copy_from_guest(&arg, arg_va, sizeof(arg)))
        return -EFAULT;
    rc = domain_get_target(arg.domid, &d);
    if (rc)
        return rc;
    rc = gfn_clear(d, GFN(arg.gpfn), &was);
    if (!rc && (was == P2M_NONE || was == P2M_MMIO))
        rc = -ENOENT;
    else if (!rc && was != P2M_RAM)
        rc = unpark(d, GFN(arg.gpfn));
    domain_put(d);
    return rc;
}

/* A thing that dom0 may map in frames. `of` is the domain it belongs to, NULL for hv. */
struct resource {
    struct domain *of;
    uint16_t type;
    uint64_t frames;
};

/* With a reference to the domain. */
static long resource_find(const struct xen_mem_acquire_resource *arg, struct resource *r)
{
    long rc;

    *r = (struct resource){ .type = arg->type };
    if (arg->id != 0)                   /* XENMEM_resource_grant_table_id_shared; stats have only 0 */
        return -EINVAL;
    if (arg->type == XS_RESOURCE_STATS) {
        r->frames = XS_STATS_FRAMES;
        return arg->domid == DOMID_XEN ? 0 : -EINVAL;
    }
    if (arg->type != XENMEM_resource_grant_table)
        return -EOPNOTSUPP;
    rc = domain_get_target(arg->domid, &r->of);
    if (rc)
        return rc;
    r->frames = r->of->max_grant_frames;
    return 0;
}

static int resource_map_frame(struct domain *d, const struct resource *r, unsigned frame, gfn_t gfn)
{
    mfn_t mfn;
    int rc;

    if (r->type == XS_RESOURCE_STATS)
        return gfn_replace(d, gfn, stats_frame(frame), P2M_SHARED_RO);
    if (r->of->dying)
        return -EINVAL;
    rc = gnttab_frame(r->of, frame, &mfn);
    if (rc)
        return rc;
    /* dom0 may hold the map longer than the domain lives: FOREIGN takes a reference along. */
    if (!page_get_hv(mfn))
        return -EBUSY;
    return gfn_replace(d, gfn, mfn, P2M_FOREIGN);
}

static long resource_map(struct domain *d, const struct resource *r, const struct xen_mem_acquire_resource *arg,
                         uint64_t done)
{
    /* In this order neither sum nor difference wraps. */
    if (arg->frame >= r->frames || arg->nr_frames > r->frames - arg->frame || done > arg->nr_frames)
        return -EINVAL;
    for (uint64_t i = done; i < arg->nr_frames; i++) {
        xen_pfn_t gfn;
        int rc;

        if (i > done && hypercall_preempt())
            return memory_op_restart(XENMEM_acquire_resource, i);
        if (copy_from_guest(&gfn, guest_element(arg->frame_list.p, i, sizeof(gfn)), sizeof(gfn)))
            return -EFAULT;
        rc = resource_map_frame(d, r, (unsigned)(arg->frame + i), GFN(gfn));
        if (rc)
            return i ? -EIO : rc;       /* memory.h: -EIO, some are mapped */
    }
    return 0;
}

static long resource_size(const struct resource *r, struct xen_mem_acquire_resource *arg, uint64_t arg_va)
{
    if (arg->nr_frames)
        return -EINVAL;
    arg->nr_frames = (uint32_t)r->frames;
    return copy_to_guest(arg_va, arg, sizeof(*arg));
}

long physmap_acquire(uint64_t arg_va, uint64_t done)
{
    struct domain *own = current_vcpu()->domain;
    struct xen_mem_acquire_resource arg;
    struct resource r;
    long rc;

    if (!own->privileged)
        return -EPERM;
    if (copy_from_guest(&arg, arg_va, sizeof(arg)))
        return -EFAULT;
    if (arg.pad)
        return -EINVAL;
    rc = resource_find(&arg, &r);
    if (!rc)
        rc = arg.frame_list.p ? resource_map(own, &r, &arg, done) : resource_size(&r, &arg, arg_va);
    if (r.of)
        domain_put(r.of);
    return rc;
}
