/* memory_op: how much a domain has and where. Long calls stop between extents and note in their first argument how many
 * are done (bits above the sub-op): a caller that forges the number cheats itself out of extents, no more. */
#include "hv/domctl/domctl.h"
#include "hv/domctl/physmap.h"
#include "hv/arch/percpu.h"
#include "hv/arch/vcpu.h"
#include "hv/lib/string.h"
#include "hv/mm/guestcopy.h"
#include "hv/mm/page.h"
#include "hv/sched/preempt.h"
#include <xen/memory.h>

#define REMOVE_BATCH 32u                /* entries between two p2m_sync */

long memory_op_restart(unsigned op, uint64_t done)
{
    vcpu_hypercall_set_arg(current_vcpu(), 0, op | done << MEMORY_OP_BITS);
    return HYPERCALL_RESTART;
}

/* 0 on success, for d a reference. */
static long reservation_get(uint64_t arg_va, uint64_t done, struct xen_memory_reservation *r, struct domain **d)
{
    if (copy_from_guest(r, arg_va, sizeof(*r)))
        return -EFAULT;
    if (r->nr_extents > MEMORY_OP_DONE_MAX || done > r->nr_extents)
        return -EINVAL;
    return domain_get_target(r->domid, d);
}

static int populate_one(struct domain *d, gfn_t gfn, unsigned order)
{
    mfn_t mfn;
    int rc;

    if (d->privileged)                  /* 1:1: only its own frame may come back */
        return order == 0 && physmap_parked(d, gfn) ? physmap_enter(d, gfn, MFN(gfn.n), 0, P2M_RAM) : -EPERM;
    rc = page_alloc_domain(d, order, &mfn);
    if (rc)
        return rc;
    rc = physmap_enter(d, gfn, mfn, order, P2M_RAM);
    for (uint64_t i = 0; rc && i < 1ull << order; i++)
        page_put(MFN(mfn.n + i));
    return rc;
}

/* The count of extents done is the result, also when memory or room ends early: the caller goes on with smaller ones. */
static long populate_run(struct domain *d, const struct xen_memory_reservation *r, uint64_t done)
{
    if (r->extent_order != 0 && r->extent_order != PAGE_ORDER_2M)
        return (long)done;
    for (uint64_t i = done; i < r->nr_extents; i++) {
        xen_pfn_t gfn;

        if (i > done && hypercall_preempt())
            return memory_op_restart(XENMEM_populate_physmap, i);
        if (copy_from_guest(&gfn, guest_element(r->extent_start.p, i, sizeof(gfn)), sizeof(gfn)) ||
            populate_one(d, GFN(gfn), r->extent_order))
            return (long)i;
    }
    return (long)r->nr_extents;
}

static long populate_physmap(uint64_t arg_va, uint64_t done)
{
    struct xen_memory_reservation r;
    struct domain *d;
    long rc = reservation_get(arg_va, done, &r, &d);

    if (rc)
        return rc;
    rc = populate_run(d, &r, done);
    domain_put(d);
    return rc;
}

/* Frames of RAM taken out of d's map; they are given back once no CPU can reach them any more, many at a time. */
struct removed {
    struct domain *d;
    unsigned n;
    struct p2m_entry entry[REMOVE_BATCH];
};

static void removed_flush(struct removed *r)
{
    if (r->n)
        p2m_sync(r->d);
    while (r->n)
        p2m_entry_put(r->entry[--r->n]);
}

/* false: gfn holds no RAM. */
static bool remove_ram(struct removed *r, gfn_t gfn)
{
    struct p2m_entry *out;

    if (r->n == REMOVE_BATCH)
        removed_flush(r);
    out = &r->entry[r->n];
    if (p2m_lookup(r->d, gfn).type != P2M_RAM || p2m_remove(r->d, gfn, out))
        return false;
    /* Another vCPU may have changed it since we looked: back with it. */
    if (out->type != P2M_RAM && p2m_add(r->d, gfn, out->mfn, 0, out->type) == 0)
        return false;
    r->n++;
    return true;
}

static bool remove_extent(struct removed *r, gfn_t gfn, unsigned order)
{
    for (uint64_t i = 0; i < 1ull << order; i++) {
        if (!remove_ram(r, GFN(gfn.n + i)))
            return false;
    }
    return true;
}

static long decrease_run(struct removed *removed, const struct xen_memory_reservation *r, uint64_t done)
{
    for (uint64_t i = done; i < r->nr_extents; i++) {
        xen_pfn_t gfn;

        if (i > done && hypercall_preempt())
            return memory_op_restart(XENMEM_decrease_reservation, i);
        if (copy_from_guest(&gfn, guest_element(r->extent_start.p, i, sizeof(gfn)), sizeof(gfn)) ||
            !remove_extent(removed, GFN(gfn), r->extent_order))
            return (long)i;
    }
    return (long)r->nr_extents;
}

static long decrease_reservation(uint64_t arg_va, uint64_t done)
{
    struct xen_memory_reservation r;
    struct domain *d;
    long rc = reservation_get(arg_va, done, &r, &d);
    struct removed removed;

    if (rc)
        return rc;
    removed.d = d;
    removed.n = 0;
    if (r.extent_order > PAGE_ORDER_2M)
        rc = -EINVAL;
    else if (d->privileged)
        rc = (long)done;                /* its frames can serve nobody else (physmap.c) */
    else
        rc = decrease_run(&removed, &r, done);
    removed_flush(&removed);
    domain_put(d);
    return rc;
}

/* A claim that would have to be kept is not offered; callers go on without when they hear -ENOSYS. */
static long claim_pages(uint64_t arg_va)
{
    struct xen_memory_reservation r;

    if (!current_vcpu()->domain->privileged)
        return -EPERM;
    if (copy_from_guest(&r, arg_va, sizeof(r)))
        return -EFAULT;
    return r.nr_extents ? -ENOSYS : 0;
}

static long memory_map_get(uint64_t arg_va)
{
    struct memory_map_entry map[MEMORY_MAP_MAX];
    struct domain *d = current_vcpu()->domain;
    struct xen_memory_map arg;
    unsigned n;

    if (copy_from_guest(&arg, arg_va, sizeof(arg)))
        return -EFAULT;
    spin_lock(&d->lock);
    n = MIN(arg.nr_entries, d->memory_map_entries);
    memcpy(map, d->memory_map, n * sizeof(*map));
    spin_unlock(&d->lock);
    if (!n)
        return d->memory_map_entries ? -EINVAL : -ENOSYS;
    arg.nr_entries = n;
    if (copy_to_guest((uint64_t)arg.buffer.p, map, n * sizeof(*map)) || copy_to_guest(arg_va, &arg, sizeof(arg)))
        return -EFAULT;
    return 0;
}

static long memory_map_set(uint64_t arg_va)
{
    struct memory_map_entry map[MEMORY_MAP_MAX];
    struct xen_foreign_memory_map arg;
    struct domain *d;
    long rc;

    if (!current_vcpu()->domain->privileged)
        return -EPERM;
    if (copy_from_guest(&arg, arg_va, sizeof(arg)))
        return -EFAULT;
    if (arg.map.nr_entries > MEMORY_MAP_MAX)
        return -EINVAL;
    if (copy_from_guest(map, (uint64_t)arg.map.buffer.p, arg.map.nr_entries * sizeof(*map)))
        return -EFAULT;
    rc = domain_get_target(arg.domid, &d);
    if (rc)
        return rc;
    spin_lock(&d->lock);
    memcpy(d->memory_map, map, arg.map.nr_entries * sizeof(*map));
    d->memory_map_entries = arg.map.nr_entries;
    spin_unlock(&d->lock);
    domain_put(d);
    return 0;
}

long do_memory_op(unsigned cmd_with_progress, uint64_t arg_va)
{
    unsigned op = cmd_with_progress & ((1u << MEMORY_OP_BITS) - 1);
    uint64_t done = cmd_with_progress >> MEMORY_OP_BITS;

    switch (op) {
    case XENMEM_populate_physmap:
        return populate_physmap(arg_va, done);
    case XENMEM_decrease_reservation:
        return decrease_reservation(arg_va, done);
    case XENMEM_add_to_physmap:
        return physmap_add(arg_va);
    case XENMEM_add_to_physmap_batch:
        return physmap_add_batch(arg_va, done);
    case XENMEM_remove_from_physmap:
        return physmap_remove(arg_va);
    case XENMEM_acquire_resource:
        return physmap_acquire(arg_va, done);
    case XENMEM_claim_pages:
        return claim_pages(arg_va);
    case XENMEM_memory_map:
        return memory_map_get(arg_va);
    case XENMEM_set_memory_map:
        return memory_map_set(arg_va);
    default:
        return -ENOSYS;
    }
}
