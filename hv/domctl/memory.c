/* memory_op: how much a domain has and where. Long calls stop between extents and note in their first argument how many
 * are done (bits above the sub-op): a caller that forges the number cheats itself out of extents, no more. */
#include "hv/domctl/domctl.h"
#include "hv/arch/percpu.h"
#include "hv/arch/vcpu.h"
#include "hv/lib/string.h"
#include "hv/mm/guestcopy.h"
#include "hv/sched/preempt.h"
#include <xen/memory.h>

long memory_op_restart(unsigned op, uint64_t done)
{
    vcpu_hypercall_set_arg(current_vcpu(), 0, op | done << MEMORY_OP_BITS);
    return HYPERCALL_RESTART;
}

/* The count of extents done is the result, also when one fails: the caller goes on with smaller ones. */
static long each_extent(struct domain *d, const struct xen_memory_reservation *r, unsigned op, uint64_t done,
                        int (*run)(struct domain *d, gfn_t gfn, unsigned order))
{
    if (r->nr_extents > MEMORY_OP_DONE_MAX || done > r->nr_extents)
        return -EINVAL;
    for (uint64_t i = done; i < r->nr_extents; i++) {
        xen_pfn_t gfn;

        if (i > done && hypercall_preempt())
            return memory_op_restart(op, i);
        if (copy_from_guest(&gfn, guest_element(r->extent_start.p, i, sizeof(gfn)), sizeof(gfn)) ||
            run(d, GFN(gfn), r->extent_order))
            return (long)i;
    }
    return (long)r->nr_extents;
}

static int populate_one(struct domain *d, gfn_t gfn, unsigned order)
{
    mfn_t mfn;
    int rc;

    if (order != 0 && order != PAGE_ORDER_2M)
        return -EINVAL;
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

static long populate_physmap(struct domain *d, union memory_arg *arg, uint64_t done)
{
    return each_extent(d, &arg->reservation, XENMEM_populate_physmap, done, populate_one);
}

/* dom0's frames can serve nobody else (physmap.c): it keeps them. */
static int decrease_one(struct domain *d, gfn_t gfn, unsigned order)
{
    int rc = d->privileged || order > PAGE_ORDER_2M ? -EINVAL : 0;

    for (uint64_t i = 0; !rc && i < 1ull << order; i++)
        rc = physmap_clear(d, GFN(gfn.n + i), 1u << P2M_RAM, NULL);
    return rc;
}

static long decrease_reservation(struct domain *d, union memory_arg *arg, uint64_t done)
{
    return each_extent(d, &arg->reservation, XENMEM_decrease_reservation, done, decrease_one);
}

/* A claim that would have to be kept is not offered; callers go on without when they hear -ENOSYS. */
static long claim_pages(struct domain *d, union memory_arg *arg, uint64_t done)
{
    (void)d, (void)done;
    return arg->reservation.nr_extents ? -ENOSYS : 0;
}

static long memory_map_get(struct domain *d, union memory_arg *arg, uint64_t done)
{
    struct memory_map_entry map[MEMORY_MAP_MAX];
    unsigned n;

    (void)done;
    spin_lock(&d->lock);
    n = MIN(arg->map.nr_entries, d->memory_map_entries);
    memcpy(map, d->memory_map, n * sizeof(*map));
    spin_unlock(&d->lock);
    if (!n)
        return d->memory_map_entries ? -EINVAL : -ENOSYS;
    arg->map.nr_entries = n;
    return copy_to_guest((uint64_t)arg->map.buffer.p, map, n * sizeof(*map));
}

static long memory_map_set(struct domain *d, union memory_arg *arg, uint64_t done)
{
    const struct xen_memory_map *from = &arg->foreign_map.map;
    struct memory_map_entry map[MEMORY_MAP_MAX];

    (void)done;
    if (from->nr_entries > MEMORY_MAP_MAX)
        return -EINVAL;
    if (copy_from_guest(map, (uint64_t)from->buffer.p, from->nr_entries * sizeof(*map)))
        return -EFAULT;
    spin_lock(&d->lock);
    memcpy(d->memory_map, map, from->nr_entries * sizeof(*map));
    d->memory_map_entries = from->nr_entries;
    spin_unlock(&d->lock);
    return 0;
}

enum {
    DOM0_ONLY = 1,
    ANSWERS = 2,                        /* the struct goes back */
    OWN = 4,                            /* on the caller itself; else on the domain whose id is at domid_at */
};

#define ARG(member) sizeof(((union memory_arg *)0)->member)
#define ARG_DOMID(member) sizeof(((union memory_arg *)0)->member), offsetof(union memory_arg, member.domid)

static const struct row {
    long (*run)(struct domain *d, union memory_arg *arg, uint64_t done);
    uint8_t needs, bytes, domid_at;
} rows[] = {
    [XENMEM_decrease_reservation] = { decrease_reservation, 0, ARG_DOMID(reservation) },
    [XENMEM_populate_physmap] = { populate_physmap, 0, ARG_DOMID(reservation) },
    [XENMEM_add_to_physmap] = { physmap_add, 0, ARG_DOMID(add) },
    [XENMEM_memory_map] = { memory_map_get, OWN | ANSWERS, ARG(map), 0 },
    [XENMEM_set_memory_map] = { memory_map_set, DOM0_ONLY, ARG_DOMID(foreign_map) },
    [XENMEM_remove_from_physmap] = { physmap_remove, 0, ARG_DOMID(remove) },
    [XENMEM_add_to_physmap_batch] = { physmap_add_batch, 0, ARG_DOMID(batch) },
    [XENMEM_claim_pages] = { claim_pages, DOM0_ONLY, ARG_DOMID(reservation) },
    [XENMEM_acquire_resource] = { physmap_acquire, DOM0_ONLY | OWN | ANSWERS, ARG(acquire), 0 },
};

long do_memory_op(unsigned cmd_with_progress, uint64_t arg_va)
{
    unsigned op = cmd_with_progress & ((1u << MEMORY_OP_BITS) - 1);
    const struct row *row = &rows[index_nospec(op, ARRAY_SIZE(rows))];
    domid_t domid = DOMID_SELF;
    union memory_arg arg;
    struct domain *d;
    long rc;

    if (op >= ARRAY_SIZE(rows) || !row->run)
        return -ENOSYS;
    if (row->needs & DOM0_ONLY && !current_vcpu()->domain->privileged)
        return -EPERM;
    if (copy_from_guest(&arg, arg_va, row->bytes))
        return -EFAULT;
    if (!(row->needs & OWN))
        memcpy(&domid, (char *)&arg + row->domid_at, sizeof(domid));
    rc = domain_get_target(domid, &d);
    if (rc)
        return rc;
    rc = row->run(d, &arg, cmd_with_progress >> MEMORY_OP_BITS);
    domain_put(d);
    return !rc && row->needs & ANSWERS ? copy_to_guest(arg_va, &arg, row->bytes) : rc;
}

/* memory_op of 32-bit callers: what a boot loader needs to reach its tables. Their xen_ulong_t, xen_pfn_t and handles are
 * 4 bytes wide (xen/arch-x86/xen-x86_32.h). */
struct narrow_add {
    domid_t domid;
    uint16_t size;
    uint32_t space, idx, gpfn;
};

struct narrow_map {
    uint32_t nr_entries, buffer;
};

static long narrow_add(struct domain *d, uint64_t arg_va)
{
    struct narrow_add a;
    union memory_arg arg;

    if (copy_from_guest(&a, arg_va, sizeof(a)))
        return -EFAULT;
    if (a.domid != DOMID_SELF)
        return -EPERM;
    arg.add = (struct xen_add_to_physmap){ .domid = a.domid, .space = a.space, .idx = a.idx, .gpfn = a.gpfn };
    return physmap_add(d, &arg, 0);
}

static long narrow_map_get(struct domain *d, uint64_t arg_va)
{
    struct narrow_map m;
    union memory_arg arg;
    long rc;

    if (copy_from_guest(&m, arg_va, sizeof(m)))
        return -EFAULT;
    arg.map = (struct xen_memory_map){ .nr_entries = m.nr_entries, .buffer.p = (void *)(uintptr_t)m.buffer };
    rc = memory_map_get(d, &arg, 0);
    return rc ? rc : copy_to_guest(arg_va, &arg.map.nr_entries, sizeof(m.nr_entries));
}

long do_memory_op_narrow(unsigned op, uint64_t arg_va)
{
    struct domain *d = current_vcpu()->domain;

    switch (op) {
    case XENMEM_add_to_physmap: return narrow_add(d, arg_va);
    case XENMEM_memory_map: return narrow_map_get(d, arg_va);
    default: return -ENOSYS;
    }
}
