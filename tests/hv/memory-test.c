/* memory_op: what a domain has and where, who may change it, and that no argument, however wild, does more than fail. */
#include <string.h>

#include "tests/hv/whole.h"
#include "tests/hv/harness.h"
#include "hv/arch/percpu.h"
#include "hv/gnttab/gnttab.h"
#include "hv/include/xs/stats.h"
#include "hv/stats/stats.h"

#define HOLE 0x9000ull                  /* a GFN where dom0 has nothing */

static struct domain *guest;            /* 600 pages, GFNs 0 to 511 populated */

static void guest_start(void)
{
    long id = guest_create(0, 1, 600);

    guest = domain_get((domid_t)id);
    is(guest_populate((domid_t)id, 0, 512), 512, "a guest gets its memory");
}

static void guest_end(void)
{
    whole_as(dom0);
    is(call_domctl_on(guest->id, XEN_DOMCTL_destroydomain), 0, "the guest is destroyed");
    domain_put(guest);
    domain_reap();
}

/* decrease and populate by the current domain, its GFNs listed in its own memory. */
static long reservation(unsigned cmd, domid_t id, unsigned order, uint64_t first, unsigned count)
{
    struct xen_memory_reservation r = { .nr_extents = count, .extent_order = order, .domid = id };
    xen_pfn_t *list = whole_at(current_vcpu()->domain, ARRAY_GPA);

    for (unsigned i = 0; i < count; i++)
        list[i] = first + ((uint64_t)i << order);
    r.extent_start.p = (xen_pfn_t *)ARRAY_GPA;
    return call_memory(cmd, &r, sizeof(r));
}

static void limits(void)
{
    is(reservation(XENMEM_populate_physmap, guest->id, 0, 512, 200), 88, "populate stops at the limit");
    is(reservation(XENMEM_decrease_reservation, guest->id, 0, 512, 88), 88, "what was too much is given back");
    is(guest->pages, 512, "and uncharged");
    is(reservation(XENMEM_decrease_reservation, guest->id, 0, 510, 10), 2, "a hole ends a decrease early");
    is(reservation(XENMEM_populate_physmap, guest->id, 0, 510, 2), 2, "the two come back");
    is(reservation(XENMEM_populate_physmap, guest->id, 0, 511, 1), 0, "what is there is not populated again");
    is(guest->pages, 512, "nor charged");
}

static void superpages(void)
{
    struct counts before = counts_now();
    long id = guest_create(0, 1, 1024);
    struct domain *d = domain_get((domid_t)id);

    is(reservation(XENMEM_populate_physmap, (domid_t)id, 9, 0, 1), 1, "a 2 MiB extent is given");
    is(d->pages, 512, "as 512 pages");
    is(reservation(XENMEM_populate_physmap, (domid_t)id, 18, 0, 1), 0, "a 1 GiB extent is not: zero are done");
    is(reservation(XENMEM_populate_physmap, (domid_t)id, 9, 1027, 1), 0, "nor an unaligned one");
    is(d->pages, 512, "which leaves nothing charged");
    is(reservation(XENMEM_decrease_reservation, (domid_t)id, 0, 100, 1), 1, "one page of it can go");
    is(d->pages, 511, "and only that");
    is(reservation(XENMEM_decrease_reservation, (domid_t)id, 9, 0, 1), 0, "the broken extent is no whole one");
    domain_put(d);
    is(call_domctl_on((domid_t)id, XEN_DOMCTL_destroydomain), 0, "destroyed");
    ok(counts_equal(before, counts_now()), "nothing leaked");
}

static void restarted(void)
{
    unsigned before = whole_restarts;

    whole_preempt_every = 3;
    is(reservation(XENMEM_decrease_reservation, guest->id, 0, 200, 100), 100, "a decrease in pieces is a whole one");
    is(guest->pages, 412, "of the right size");
    is(reservation(XENMEM_populate_physmap, guest->id, 0, 200, 100), 100, "a populate in pieces too");
    whole_preempt_every = 0;
    ok(guest->pages == 512 && whole_restarts - before > 50, "after %u restarts", whole_restarts - before);
}

static void forged_progress(void)
{
    struct xen_memory_reservation r = { .nr_extents = 4, .domid = guest->id };

    r.extent_start.p = (xen_pfn_t *)ARRAY_GPA;
    is(call_memory(XENMEM_populate_physmap | 5 << 6, &r, sizeof(r)), -EINVAL, "more done than asked for is refused");
    is(call_memory(XENMEM_populate_physmap | 4 << 6, &r, sizeof(r)), 4, "all done does nothing");
    r.nr_extents = ~0ul;
    is(call_memory(XENMEM_populate_physmap, &r, sizeof(r)), -EINVAL, "a count beyond all bounds is refused");
    is(guest->pages, 512, "the guest has what it had");
}

static void own_balloon(void)
{
    whole_as(guest);
    is(reservation(XENMEM_decrease_reservation, DOMID_SELF, 0, 300, 64), 64, "a guest's balloon inflates");
    is(guest->pages, 448, "its pages are hv's again");
    ok(whole_at(guest, 300ull << PAGE_SHIFT) == NULL, "and out of its map");
    is(reservation(XENMEM_populate_physmap, DOMID_SELF, 0, 300, 64), 64, "and deflates");
    ok(*(char *)whole_at(guest, 300ull << PAGE_SHIFT) == 0, "to clean pages");
    is(reservation(XENMEM_populate_physmap, 0, 0, 300, 1), -EPERM, "dom0's memory is not a guest's to change");
    whole_as(dom0);
    is(reservation(XENMEM_decrease_reservation, DOMID_SELF, 0, 500, 4), 0, "dom0's balloon gets nothing: it is 1:1");
    is(reservation(XENMEM_populate_physmap, DOMID_SELF, 0, HOLE, 1), 0, "nor may it have other frames");
}

static long add(domid_t id, unsigned space, uint64_t idx, uint64_t gfn)
{
    struct xen_add_to_physmap a = { .domid = id, .space = space, .idx = idx, .gpfn = gfn };

    return call_memory(XENMEM_add_to_physmap, &a, sizeof(a));
}

static long remove_gfn(domid_t id, uint64_t gfn)
{
    struct xen_remove_from_physmap r = { .domid = id, .gpfn = gfn };

    return call_memory(XENMEM_remove_from_physmap, &r, sizeof(r));
}

static void special_pages(void)
{
    mfn_t frame;

    whole_as(guest);
    is(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, 4), 0, "shared_info takes the place of RAM");
    ok(whole_at(guest, 4 << PAGE_SHIFT) == (void *)guest->shared_info, "and is what the guest sees there");
    is(guest->pages, 511, "the RAM is given back");
    is(add(DOMID_SELF, XENMAPSPACE_shared_info, 1, 5), -EINVAL, "there is one shared_info only");
    is(add(DOMID_SELF, XENMAPSPACE_grant_table, 3, 700), 0, "the last grant frame appears");
    ok(!gnttab_frame(guest, 3, &frame) && whole_at(guest, 700 << PAGE_SHIFT) == mfn_to_virt(frame), "where asked");
    is(add(DOMID_SELF, XENMAPSPACE_grant_table, 4, 701), -EINVAL, "beyond the limit there is none");
    is(add(DOMID_SELF, XENMAPSPACE_grant_table, 1ul << 31, 701), -EINVAL, "nor a status frame");
    is(add(DOMID_SELF, XENMAPSPACE_grant_table, 1ul << 32, 701), -EINVAL, "nor one by wrapping");
    is(add(DOMID_SELF, 9, 0, 701), -ENOSYS, "an unknown space is unknown");
    is(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, ~0ul), -EINVAL, "no GFN, no page");
    is(add(0, XENMAPSPACE_shared_info, 0, 4), -EPERM, "not into another's map");
    is(remove_gfn(DOMID_SELF, 4), 0, "shared_info can be taken out");
    is(remove_gfn(DOMID_SELF, 4), -ENOENT, "once");
    is(reservation(XENMEM_populate_physmap, DOMID_SELF, 0, 4, 1), 1, "and RAM put back");
    is(remove_gfn(DOMID_SELF, 700), 0, "the grant frame is taken out");
    is(guest->pages, 512, "the count is right after all");
    whole_as(dom0);
}

static void dom0_parks(void)
{
    uint64_t pages = dom0->pages, gfn = 900;
    void *ram = whole_at(dom0, gfn << PAGE_SHIFT);

    strcpy(ram, "dom0 was here");
    is(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, gfn), 0, "dom0's shared_info covers RAM");
    ok(whole_at(dom0, gfn << PAGE_SHIFT) == (void *)dom0->shared_info && dom0->pages == pages, "which stays dom0's");
    is(remove_gfn(DOMID_SELF, gfn), 0, "uncovered");
    ok(whole_at(dom0, gfn << PAGE_SHIFT) == ram && !strcmp(ram, "dom0 was here"), "it is back as it was");
    is(remove_gfn(DOMID_SELF, gfn), 0, "RAM of dom0's taken out");
    ok(!whole_at(dom0, gfn << PAGE_SHIFT) && dom0->pages == pages, "is parked, not freed");
    is(reservation(XENMEM_populate_physmap, DOMID_SELF, 0, gfn, 1), 1, "and comes back when populated");
    ok(whole_at(dom0, gfn << PAGE_SHIFT) == ram, "the same frame");
}

/* dom0 maps `count` GFNs of `from`, from first on, at foreign_at; the result, per-index errors in errs. */
static uint64_t foreign_at = HOLE;

static long map_foreign(domid_t self, domid_t from, uint64_t first, unsigned count, int *errs)
{
    struct xen_add_to_physmap_batch b = { .domid = self, .space = XENMAPSPACE_gmfn_foreign, .size = (uint16_t)count,
                                          .u.foreign_domid = from };
    struct domain *caller = current_vcpu()->domain;
    uint64_t *idx = whole_at(caller, ARRAY_GPA), *gfn = whole_at(caller, ARRAY_GPA + PAGE_SIZE);
    long rc;

    for (unsigned i = 0; i < count; i++) {
        idx[i] = first + i;
        gfn[i] = foreign_at + i;
    }
    b.idxs.p = (xen_ulong_t *)ARRAY_GPA;
    b.gpfns.p = (xen_pfn_t *)(ARRAY_GPA + PAGE_SIZE);
    b.errs.p = (int *)(ARRAY_GPA + 2 * PAGE_SIZE);
    rc = call_memory(XENMEM_add_to_physmap_batch, &b, sizeof(b));
    memcpy(errs, whole_at(caller, ARRAY_GPA + 2 * PAGE_SIZE), count * sizeof(*errs));
    return rc;
}

static void foreign(void)
{
    uint64_t before = dom0->p2m.foreign_maps;
    int errs[8];
    void *at;

    whole_preempt_every = 2;
    is(map_foreign(DOMID_SELF, guest->id, 508, 8, errs), 0, "dom0 maps guest memory, some of it missing");
    whole_preempt_every = 0;
    ok(errs[0] == 0 && errs[3] == 0, "what is there is mapped");
    ok(errs[4] == -ENOENT && errs[7] == -ENOENT, "what is not has its own error");
    is(dom0->p2m.foreign_maps - before, 4, "four maps are counted");
    at = whole_at(dom0, HOLE << PAGE_SHIFT);
    ok(at == whole_at(guest, 508 << PAGE_SHIFT), "both see the same frame");
    foreign_at = 1ull << 50;
    is(map_foreign(DOMID_SELF, guest->id, 510, 1, errs), 0, "a GFN that cannot be");
    is(errs[0], -EINVAL, "is an error of its own");
    is(page_of(p2m_lookup(guest, GFN(510)).mfn)->refs, 2, "and keeps no reference");
    foreign_at = HOLE;
    is(map_foreign(DOMID_SELF, 0, 5, 1, errs), -EINVAL, "dom0 is not foreign to itself");
    is(map_foreign(DOMID_SELF, 4711, 5, 1, errs), -ESRCH, "nobody's memory is nowhere");
    is(map_foreign(DOMID_SELF, DOMID_XEN, 5, 1, errs), -ESRCH, "hv's memory cannot be had");
    is(map_foreign(guest->id, 0, 5, 1, errs), -EPERM, "guests map nobody's");
    whole_as(guest);
    is(map_foreign(DOMID_SELF, 0, 5, 1, errs), -EPERM, "also when they ask themselves");
    is(map_foreign(DOMID_SELF, DOMID_SELF, 5, 1, errs), -EPERM, "or for their own");
    is(reservation(XENMEM_decrease_reservation, DOMID_SELF, 0, 508, 1), 1, "a guest gives up a page that dom0 maps");
    is(guest->pages, 512, "it stays charged as long as dom0 has it");
    whole_as(dom0);
    ok(whole_at(dom0, HOLE << PAGE_SHIFT) == at, "and mapped");
    for (unsigned i = 0; i < 4; i++)
        (void)!remove_gfn(DOMID_SELF, HOLE + i);
    is(dom0->p2m.foreign_maps, before, "unmapped");
    is(guest->pages, 511, "and gone");
    is(reservation(XENMEM_populate_physmap, guest->id, 0, 508, 1), 1, "and replaced");
}

static long acquire(domid_t id, unsigned type, uint32_t which, uint64_t frame, uint32_t count, bool list,
                    struct xen_mem_acquire_resource *r)
{
    xen_pfn_t *gfns = whole_at(current_vcpu()->domain, ARRAY_GPA);

    for (unsigned i = 0; list && i < MIN(count, 512u); i++)
        gfns[i] = HOLE + i;
    *r = (struct xen_mem_acquire_resource){ .domid = id, .type = (uint16_t)type, .id = which, .nr_frames = count,
                                            .frame = frame };
    r->frame_list.p = list ? (xen_pfn_t *)ARRAY_GPA : NULL;
    return call_memory(XENMEM_acquire_resource, r, sizeof(*r));
}

static void grant_frames_in_dom0(void)
{
    struct xen_mem_acquire_resource r;
    struct counts before = counts_now();
    long id = guest_create(0, 1, 1);
    domid_t dom = (domid_t)id;
    char *seen;

    is(acquire(dom, XENMEM_resource_grant_table, 0, 0, 0, false, &r), 0, "the size of a grant table is told");
    is(r.nr_frames, 4, "its limit");
    is(acquire(dom, XENMEM_resource_grant_table, 0, 0, 2, false, &r), -EINVAL, "a count without a list is refused");
    is(acquire(dom, XENMEM_resource_grant_table, 1, 0, 1, true, &r), -EINVAL, "status frames do not exist");
    is(acquire(dom, XENMEM_resource_grant_table, 0, 4, 1, true, &r), -EINVAL, "nor frames beyond the limit");
    is(acquire(dom, XENMEM_resource_grant_table, 0, ~0ull, 2, true, &r), -EINVAL, "nor by wrapping");
    is(acquire(dom, XENMEM_resource_grant_table, 0, 3, ~0u, true, &r), -EINVAL, "nor by wrapping the count");
    is(acquire(dom, XENMEM_resource_ioreq_server, 0, 0, 1, true, &r), -EOPNOTSUPP, "no other resources");
    whole_preempt_every = 1;
    is(acquire(dom, XENMEM_resource_grant_table, 0, 0, 4, true, &r), 0, "dom0 maps all of it, in pieces");
    whole_preempt_every = 0;
    seen = whole_at(dom0, HOLE << PAGE_SHIFT);
    strcpy(seen + 100, "console");
    is(call_domctl_on(dom, XEN_DOMCTL_destroydomain), 0, "the domain is destroyed");
    ok(domain_get(dom) == NULL, "nothing keeps it");
    ok(whole_at(dom0, HOLE << PAGE_SHIFT) == seen && !strcmp(seen + 100, "console"), "the frames stay as long as mapped");
    for (unsigned i = 0; i < 4; i++)
        is(remove_gfn(DOMID_SELF, HOLE + i), 0, "unmapped");
    ok(counts_equal(before, counts_now()), "and freed with the last map");
}

static void stats_in_dom0(void)
{
    struct xen_mem_acquire_resource r;
    struct p2m_entry e;

    is(acquire(DOMID_XEN, XS_RESOURCE_STATS, 0, 0, 0, false, &r), 0, "the size of the stats page is told");
    is(r.nr_frames, XS_STATS_FRAMES, "all its frames");
    is(acquire(guest->id, XS_RESOURCE_STATS, 0, 0, 1, true, &r), -EINVAL, "it is hv's, no domain's");
    is(acquire(DOMID_XEN, XS_RESOURCE_STATS, 0, 0, XS_STATS_FRAMES, true, &r), 0, "dom0 maps it");
    e = p2m_lookup(dom0, GFN(HOLE));
    ok(e.type == P2M_SHARED_RO && e.mfn.n == stats_frame(0).n, "read-only");
    e = p2m_lookup(dom0, GFN(HOLE + XS_STATS_FRAMES - 1));
    is(e.mfn.n, stats_frame(XS_STATS_FRAMES - 1).n, "to the last frame");
    is(acquire(DOMID_XEN, XS_RESOURCE_STATS, 0, 1, XS_STATS_FRAMES, true, &r), -EINVAL, "no further");
    is(acquire(DOMID_XEN, XS_RESOURCE_STATS, 0, ~0ull, 1, true, &r), -EINVAL, "nor around the end");
    r.pad = 1;
    is(call_memory(XENMEM_acquire_resource, &r, sizeof(r)), -EINVAL, "padding must be zero");
    whole_as(guest);
    is(acquire(DOMID_XEN, XS_RESOURCE_STATS, 0, 0, 1, true, &r), -EPERM, "a guest has no business there");
    is(acquire(DOMID_SELF, XENMEM_resource_grant_table, 0, 0, 1, true, &r), -EPERM, "nor with resources at all");
    whole_as(dom0);
    for (unsigned i = 0; i < XS_STATS_FRAMES; i++)
        (void)!remove_gfn(DOMID_SELF, HOLE + i);
    ok(whole_at(dom0, HOLE << PAGE_SHIFT) == NULL, "unmapped again");
}

/* Each map needs tables of hv's, up to three when it is far from all others. */
static void scattered_maps(void)
{
    uint64_t hv_before = pages_hv, gfn = 1ull << 18;
    long rc = 0;

    whole_as(guest);
    for (; rc == 0 && gfn < 1ull << 28; gfn += 1ull << 18)
        rc = add(DOMID_SELF, XENMAPSPACE_shared_info, 0, gfn);
    is(rc, -ENOMEM, "a guest that scatters its maps is stopped");
    ok(pages_hv - hv_before <= 100, "after %lu pages of hv's memory", pages_hv - hv_before);
    while ((gfn -= 1ull << 18) > 0)
        remove_gfn(DOMID_SELF, gfn);
    whole_as(dom0);
}

static void memory_map(void)
{
    struct memory_map_entry *map = whole_at(dom0, ARRAY_GPA), *seen;
    struct xen_foreign_memory_map set = { .domid = guest->id, .map.nr_entries = 2 };
    struct xen_memory_map get = { .nr_entries = 10 };

    set.map.buffer.p = (void *)ARRAY_GPA;
    get.buffer.p = (void *)ARRAY_GPA;
    map[0] = (struct memory_map_entry){ 0, 0x200000, 1 };
    map[1] = (struct memory_map_entry){ 0xFC000000, 0x1000, 3 };
    whole_as(guest);
    is(call_memory(XENMEM_memory_map, &get, sizeof(get)), -ENOSYS, "without a map there is none");
    is(call_memory(XENMEM_set_memory_map, &set, sizeof(set)), -EPERM, "a guest does not set one");
    whole_as(dom0);
    is(call_memory(XENMEM_set_memory_map, &set, sizeof(set)), 0, "dom0 does");
    set.map.nr_entries = MEMORY_MAP_MAX + 1;
    is(call_memory(XENMEM_set_memory_map, &set, sizeof(set)), -EINVAL, "of a sensible length");
    whole_as(guest);
    is(call_memory(XENMEM_memory_map, &get, sizeof(get)), 0, "the guest reads it");
    seen = whole_at(guest, ARRAY_GPA);
    ok(get.nr_entries == 2 && seen[1].start == 0xFC000000 && seen[1].type == 3, "as it was set");
    whole_as(dom0);
}

/* The structs as 32-bit code lays them out. */
static void narrow(void)
{
    struct {
        uint32_t nr_entries, buffer;
    } *map = whole_at(guest, ARG_GPA);
    struct {
        uint16_t domid, size;
        uint32_t space, idx, gpfn;
    } *add_arg = whole_at(guest, ARG_GPA);
    struct memory_map_entry *seen = whole_at(guest, ARRAY_GPA);

    whole_as(guest);
    memset(seen, 0, 2 * sizeof(*seen));
    map->nr_entries = 10;
    map->buffer = ARRAY_GPA;
    is(do_memory_op_narrow(XENMEM_memory_map, ARG_GPA), 0, "32-bit code reads the map");
    ok(map->nr_entries == 2 && map->buffer == ARRAY_GPA && seen[1].start == 0xFC000000, "in its own layout");
    add_arg->domid = DOMID_SELF;
    add_arg->space = XENMAPSPACE_grant_table;
    add_arg->idx = 0;
    add_arg->gpfn = 511;
    is(do_memory_op_narrow(XENMEM_add_to_physmap, ARG_GPA), 0, "and maps its grant table");
    is(p2m_lookup(guest, GFN(511)).type, P2M_SHARED_RW, "where it asked for it");
    is(remove_gfn(DOMID_SELF, 511), 0, "until it is removed");
    add_arg->domid = dom0->id;
    is(do_memory_op_narrow(XENMEM_add_to_physmap, ARG_GPA), -EPERM, "not into another domain");
    is(do_memory_op_narrow(XENMEM_add_to_physmap, 0xC0000000), -EFAULT, "not from nowhere");
    is(do_memory_op_narrow(XENMEM_populate_physmap, ARG_GPA), -ENOSYS, "and nothing else");
    whole_as(dom0);
}

static void faults(void)
{
    struct xen_memory_reservation r = { .nr_extents = 4, .domid = guest->id };

    is(do_memory_op(XENMEM_populate_physmap, 0xDEAD0000000ull), -EFAULT, "an argument that is nowhere");
    is(do_memory_op(XENMEM_populate_physmap, HOLE << PAGE_SHIFT), -EFAULT, "or in a hole");
    r.extent_start.p = (xen_pfn_t *)(HOLE << PAGE_SHIFT);
    is(call_memory(XENMEM_populate_physmap, &r, sizeof(r)), 0, "a list in a hole: no extent is done");
    is(call_memory(XENMEM_exchange, &r, sizeof(r)), -ENOSYS, "what we do not have is -ENOSYS");
    r.nr_extents = 0;
    is(call_memory(XENMEM_claim_pages, &r, sizeof(r)), 0, "no claim is kept easily");
    r.nr_extents = 5;
    is(call_memory(XENMEM_claim_pages, &r, sizeof(r)), -ENOSYS, "another is not offered");
}

/* Calls made of random bits from a few good values, by dom0 and by the guest, on the guest. */
static void wild_calls(void)
{
    static const unsigned ops[] = { 1, 6, 7, 9, 13, 15, 23, 24, 28, 2, 63 };
    static const uint64_t odd[] = { 0, 1, 3, 9, 18, 511, 512, HOLE, ARRAY_GPA, ARRAY_GPA + 0x1000, 0xFFFFFFFFull,
                                    DOMID_SELF, DOMID_XEN, 1ull << 28, 1ull << 52, ~0ull, ~0ull - 4095, 1ull << 63 };
    uint64_t seed = 20261123, arg[8];
    unsigned calls = 0;

    for (unsigned i = 0; i < 100000; i++) {
        bool by_guest = random_below(&seed, 2);

        whole_as(by_guest ? guest : dom0);
        for (unsigned w = 0; w < 8; w++)
            arg[w] = odd[random_below(&seed, sizeof(odd) / sizeof(*odd))] ^ random_below(&seed, 4);
        /* The domid words are small structs' first field or behind the list: dom0's own memory is not for wild calls. */
        if (!by_guest)
            arg[0] = (arg[0] & ~0xFFFFull) | guest->id, arg[3] = guest->id;
        whole_preempt_every = random_below(&seed, 4);
        call_memory(ops[random_below(&seed, sizeof(ops) / sizeof(*ops))] | random_below(&seed, 3) << 6, arg, sizeof(arg));
        calls++;
    }
    whole_preempt_every = 0;
    whole_as(dom0);
    is(calls, 100000, "calls of random arguments all return");
    ok(guest->pages <= 600, "the guest is within its limit");
}

/* dom0 runs mad on its own map; the last thing a machine sees. */
static void wild_dom0(void)
{
    static const unsigned ops[] = { 1, 6, 7, 13, 15, 23, 28 };
    uint64_t seed = 4711, arg[8];
    unsigned calls;

    for (calls = 0; calls < 50000; calls++) {
        for (unsigned w = 0; w < 8; w++)
            arg[w] = random_next(&seed) >> random_below(&seed, 64);
        arg[0] = (arg[0] & ~0xFFFFull) | (random_below(&seed, 2) ? DOMID_SELF : guest->id);
        call_memory(ops[random_below(&seed, sizeof(ops) / sizeof(*ops))], arg, sizeof(arg));
    }
    is(calls, 50000, "a mad dom0 brings nothing down");
}

int main(void)
{
    struct counts before;

    whole_start();
    guest_start();
    limits();
    superpages();
    restarted();
    forged_progress();
    own_balloon();
    special_pages();
    dom0_parks();
    foreign();
    grant_frames_in_dom0();
    stats_in_dom0();
    scattered_maps();
    memory_map();
    narrow();
    faults();
    guest_end();

    before = counts_now();
    guest_start();
    wild_calls();
    for (unsigned i = 0; i < 0x20; i++)
        (void)!remove_gfn(DOMID_SELF, HOLE + i);
    guest_end();
    ok(before.slots == counts_now().slots && before.domains == counts_now().domains, "no domain is left");
    is(counts_now().pages_free + counts_now().pages_hv, before.pages_free + before.pages_hv, "no frame is lost");
    guest_start();
    wild_dom0();
    return tap_end();
}
