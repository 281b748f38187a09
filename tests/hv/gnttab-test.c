/* Grant tables: each operation, each refusal, the order in which things are let go; then a million random
 * operations of three domains against a model that predicts every status, every mark in the shared entries, every
 * reference of every frame. */
#include "hv/gnttab/gnttab.h"
#include "hv/gnttab/table.h"
#include "hv/lib/string.h"
#include "hv/mm/page.h"
#include "hv/sched/preempt.h"
#include "hv/stats/stats.h"
#include "tests/hv/harness.h"
#include "tests/hv/machine.h"

#include <pthread.h>

#define ARG 64u

static uint64_t counted[5];

void stats_count(struct domain *d, enum stats_counter which, uint64_t n)
{
    (void)d;
    __atomic_fetch_add(&counted[which], n, __ATOMIC_RELAXED);
}

static uint64_t arg_va(void)
{
    return ARG + 16384 * cpu_id();
}

static long call(struct domain *d, unsigned cmd, void *ops, size_t bytes, unsigned count)
{
    long rc;

    machine_run(d);
    memcpy(guest_bytes + arg_va(), ops, bytes * count);
    rc = do_grant_table_op(cmd, arg_va(), count);
    memcpy(ops, guest_bytes + arg_va(), bytes * count);
    return rc;
}

static int map(struct domain *d, domid_t from, grant_ref_t ref, unsigned gfn, uint32_t flags, grant_handle_t *handle)
{
    struct gnttab_map_grant_ref op = { .host_addr = (uint64_t)gfn << PAGE_SHIFT, .flags = flags, .ref = ref,
                                       .dom = from, .status = 99 };

    if (call(d, GNTTABOP_map_grant_ref, &op, sizeof(op), 1))
        return 100;
    *handle = op.handle;
    return op.status;
}

static int unmap(struct domain *d, unsigned gfn, grant_handle_t handle)
{
    struct gnttab_unmap_grant_ref op = { .host_addr = (uint64_t)gfn << PAGE_SHIFT, .handle = handle, .status = 99 };

    return call(d, GNTTABOP_unmap_grant_ref, &op, sizeof(op), 1) ? 100 : op.status;
}

/* One side of a copy: a reference of domain dom, or (dom DOMID_SELF, by_ref false) an own frame number. */
struct end {
    bool by_ref;
    domid_t dom;
    uint32_t number;
    uint16_t offset;
};

static int copy(struct domain *d, struct end from, struct end to, uint16_t len)
{
    struct gnttab_copy op = { .len = len, .status = 99 };

    op.source.domid = from.dom;
    op.source.offset = from.offset;
    op.dest.domid = to.dom;
    op.dest.offset = to.offset;
    if (from.by_ref)
        op.source.u.ref = from.number;
    else
        op.source.u.gmfn = from.number;
    if (to.by_ref)
        op.dest.u.ref = to.number;
    else
        op.dest.u.gmfn = to.number;
    op.flags = (from.by_ref ? GNTCOPY_source_gref : 0) | (to.by_ref ? GNTCOPY_dest_gref : 0);
    return call(d, GNTTABOP_copy, &op, sizeof(op), 1) ? 100 : op.status;
}

static struct grant_entry_v1 *entry(struct domain *d, grant_ref_t ref)
{
    mfn_t mfn;

    if (gnttab_frame(d, ref / GRANTS_PER_FRAME, &mfn))
        abort();
    return (struct grant_entry_v1 *)mfn_to_virt(mfn) + ref % GRANTS_PER_FRAME;
}

static void grant(struct domain *d, grant_ref_t ref, domid_t to, unsigned gfn, uint16_t flags)
{
    *entry(d, ref) = (struct grant_entry_v1){ .flags = GTF_permit_access | flags, .domid = to, .frame = gfn };
}

static uint16_t marks(struct domain *d, grant_ref_t ref)
{
    return entry(d, ref)->flags & (GTF_reading | GTF_writing);
}

static uint8_t *ram(struct domain *d, unsigned gfn)
{
    return mfn_to_virt(machine_mfn(d, gfn));
}

static struct domain *make(domid_t id)
{
    struct domain *d = machine_domain(id, 1);

    if (gnttab_init(d))
        abort();
    return d;
}

static void free_modules(struct domain *d)
{
    if (d->gnttab)
        gnttab_free(d);
}

static void end(struct domain *d)
{
    d->dying = true;
    while (!gnttab_release_maps(d, 7))
        ;
    machine_kill(d);
    machine_reap(free_modules);
}

static void test_map(void)
{
    struct domain *b = make(0), *f = make(1), *g = make(2);
    grant_handle_t h, h2;
    mfn_t mfn = machine_mfn(f, 5);

    grant(f, 8, 0, 5, 0);
    is(map(b, 1, 8, 300, GNTMAP_host_map, &h), GNTST_okay, "map");
    ok(machine_mfn(b, 300).n == mfn.n && pretend_of(b)->map[300].type == P2M_GRANT_RW, "the frame is in the p2m, writable");
    is(marks(f, 8), GTF_reading | GTF_writing, "the entry is marked as read and written");
    is(machine_refs(mfn), 2, "the frame has one reference more");
    is(map(b, 1, 8, 301, GNTMAP_host_map | GNTMAP_readonly, &h2), GNTST_okay, "map the same again, read-only");
    is(pretend_of(b)->map[301].type, P2M_GRANT_RO, "read-only in the p2m");
    entry(f, 8)->frame = 6;
    is(unmap(b, 300, h), GNTST_okay, "unmap the writable one");
    is(marks(f, 8), GTF_reading, "only being read now");
    is(map(b, 1, 8, 302, GNTMAP_host_map | GNTMAP_readonly, &h), GNTST_okay, "map it once more");
    is(machine_mfn(b, 302).n, mfn.n, "it is the frame of the first use, whatever the entry says meanwhile");
    is(gnttab_map_count(b), 2, "two maps");
    (void)unmap(b, 302, h);
    is(unmap(b, 301, h2), GNTST_okay, "unmap the last");
    is(marks(f, 8), 0, "the marks are gone");
    is(machine_refs(mfn), 1, "and the references");
    is(map(b, 1, 8, 300, GNTMAP_host_map, &h), GNTST_okay, "now the new frame is mapped");
    is(machine_mfn(b, 300).n, machine_mfn(f, 6).n, "indeed");
    is(counted[STATS_GRANT_MAPS], 4, "4 maps counted");
    is(counted[STATS_GRANT_UNMAPS], 3, "and 3 unmaps");
    end(g);
    end(b);
    is(marks(f, 8), 0, "a dying holder's maps end");
    end(f);
}

static void test_map_refusals(void)
{
    struct domain *b = make(0), *f = make(1);
    grant_handle_t h;

    grant(f, 8, 0, 5, GTF_readonly);
    grant(f, 9, 2, 5, 0);
    grant(f, 10, 0, GFNS + 1, 0);
    grant(f, 11, 0, 400, 0);
    grant(f, 13, 0, 7, 0);
    entry(f, 12)->flags = GTF_transitive;
    is(map(b, 1, 8, 300, GNTMAP_host_map, &h), GNTST_general_error, "a read-only grant is not mapped writable");
    is(marks(f, 8), 0, "and not marked");
    is(map(b, 1, 9, 300, GNTMAP_host_map, &h), GNTST_general_error, "a grant to another domain");
    is(map(b, 1, 10, 300, GNTMAP_host_map, &h), GNTST_bad_page, "a frame number beyond its memory");
    is(map(b, 1, 11, 300, GNTMAP_host_map, &h), GNTST_bad_page, "a frame that is not there");
    is(marks(f, 10) | marks(f, 11), 0, "no marks stay from those");
    is(map(b, 1, 12, 300, GNTMAP_host_map, &h), GNTST_general_error, "transitive grants are off");
    is(map(b, 1, 14, 300, GNTMAP_host_map, &h), GNTST_general_error, "an empty entry");
    is(map(b, 1, GRANTS_PER_FRAME * f->gnttab->nr_frames, 300, GNTMAP_host_map, &h), GNTST_bad_gntref,
       "a reference beyond the table");
    is(map(b, 1, ~0u, 300, GNTMAP_host_map, &h), GNTST_bad_gntref, "reference 2^32-1");
    is(map(b, 7, 13, 300, GNTMAP_host_map, &h), GNTST_bad_domain, "no such domain");
    is(map(b, DOMID_SELF, 13, 300, GNTMAP_host_map, &h), GNTST_bad_domain, "DOMID_SELF names no granter");
    is(map(b, 1, 13, 300, GNTMAP_device_map, &h), GNTST_general_error, "a map for devices alone");
    is(map(b, 1, 13, 300, GNTMAP_host_map | GNTMAP_contains_pte, &h), GNTST_general_error, "page-table entries");
    is(map(b, 1, 13, 10, GNTMAP_host_map, &h), GNTST_bad_virt_addr, "where RAM is");
    is(map(b, 1, 13, GFNS, GNTMAP_host_map, &h), GNTST_bad_virt_addr, "beyond the physical space");
    (void)call(b, GNTTABOP_map_grant_ref, &(struct gnttab_map_grant_ref){ .host_addr = (300ul << PAGE_SHIFT) + 4,
               .flags = GNTMAP_host_map, .ref = 13, .dom = 1 }, sizeof(struct gnttab_map_grant_ref), 1);
    is(pretend_of(b)->map[300].type, P2M_NONE, "an address inside a page");
    is(marks(f, 13), 0, "no marks stay");
    is(machine_refs(machine_mfn(f, 7)), 1, "and no references");
    f->dying = true;
    is(map(b, 1, 13, 300, GNTMAP_host_map, &h), GNTST_bad_domain, "a dying granter");
    is(gnttab_map_count(b), 0, "nothing is mapped");
    end(f);
    end(b);
}

static void test_map_grantable(void)
{
    struct domain *b = make(0), *f = make(1), *g = make(2);
    grant_handle_t h, x;

    grant(f, 8, 0, 5, 0);
    is(map(b, 1, 8, 300, GNTMAP_host_map, &h), GNTST_okay, "map");
    grant(b, 8, 2, 300, 0);
    is(map(g, 0, 8, 300, GNTMAP_host_map, &x), GNTST_bad_page, "what is mapped by grant cannot be granted on");
    grant(f, 9, 1, 6, 0);
    is(map(f, 1, 9, 300, GNTMAP_host_map, &x), GNTST_okay, "a domain may map its own grant to itself");
    is(unmap(f, 300, x), GNTST_okay, "and unmap it");
    end(b);
    end(g);
    end(f);
}

static void test_unmap_refusals(void)
{
    struct domain *b = make(0), *f = make(1), *g = make(2);
    struct gnttab_unmap_grant_ref op;
    grant_handle_t h, other;

    grant(f, 8, 0, 5, 0);
    grant(f, 9, 2, 5, 0);
    (void)map(b, 1, 8, 300, GNTMAP_host_map, &h);
    (void)map(g, 1, 9, 310, GNTMAP_host_map, &other);
    is(unmap(b, 301, h), GNTST_bad_virt_addr, "at another address");
    op = (struct gnttab_unmap_grant_ref){ .host_addr = (300ul << PAGE_SHIFT) + 8, .handle = h };
    (void)call(b, GNTTABOP_unmap_grant_ref, &op, sizeof(op), 1);
    is(op.status, GNTST_bad_virt_addr, "at an address inside the page");
    is(unmap(b, 300, h + 1), GNTST_bad_handle, "a handle that is free");
    is(unmap(b, 300, ~0u), GNTST_bad_handle, "a handle that cannot be");
    is(unmap(b, 300, HANDLES_PER_PAGE), GNTST_bad_handle, "the first that does not exist");
    is(unmap(f, 300, h), GNTST_bad_handle, "the granter cannot unmap it");
    is(unmap(g, 300, other), GNTST_bad_virt_addr, "nor a third, with its own handle");
    is(unmap(b, 300, h), GNTST_okay, "the holder can");
    is(unmap(b, 300, h), GNTST_bad_handle, "once");
    end(b);
    end(g);
    end(f);
}

static void test_unmap_batch(void)
{
    struct domain *b = make(0), *f = make(1);
    struct gnttab_unmap_grant_ref ops[40];
    grant_handle_t h;
    bool good = true;
    unsigned syncs;

    for (unsigned i = 0; i < 40; i++) {
        grant(f, 8 + i, 0, i, 0);
        good &= map(b, 1, 8 + i, 300 + i, GNTMAP_host_map, &h) == GNTST_okay;
        ops[i] = (struct gnttab_unmap_grant_ref){ .host_addr = (300ul + i) << PAGE_SHIFT, .handle = h, .status = 99 };
    }
    ops[20].handle = ops[19].handle;        /* the same twice in one batch */
    syncs = p2m_syncs;
    is(call(b, GNTTABOP_unmap_grant_ref, ops, sizeof(ops[0]), 40), 0, "40 unmaps in one call");
    for (unsigned i = 0; i < 40; i++)
        good &= ops[i].status == (i == 20 ? GNTST_bad_handle : GNTST_okay) && marks(f, 8 + i) == (i == 20 ? 3u << 3 : 0);
    ok(good, "each has its status; the one named twice is refused the second time, and its true one stays");
    is(p2m_syncs - syncs, 3, "other CPUs are waited for once in 16");
    end(b);
    end(f);
}

static void test_granter_dies_first(void)
{
    unsigned before = machine_frames_used();
    struct domain *b = make(0), *f = make(1);
    grant_handle_t h;

    grant(f, 8, 0, 5, 0);
    (void)map(b, 1, 8, 300, GNTMAP_host_map, &h);
    memset(mfn_to_virt(machine_mfn(b, 300)), 0x5A, PAGE_SIZE);
    end(f);
    is(f->pages, 1, "a dead granter keeps the frame that is still mapped, and itself");
    is(((uint8_t *)mfn_to_virt(machine_mfn(b, 300)))[100], 0x5A, "the holder still sees it");
    is(unmap(b, 300, h), GNTST_okay, "unmap");
    is(machine_reap(free_modules), 1, "and now the granter goes");
    end(b);
    is(machine_frames_used(), before, "nothing is left");
}

static void test_handles_run_out(void)
{
    struct domain *b, *f = make(1);
    grant_handle_t h, first = 0;
    unsigned n = 0;

    b = machine_domain(0, 1);
    b->max_maptrack = 0;
    if (gnttab_init(b))
        abort();
    grant(f, 8, 0, 5, 0);
    is(map(b, 1, 8, 300, GNTMAP_host_map, &h), GNTST_no_space, "with max_maptrack 0 nothing is mapped");
    end(b);
    b = machine_domain(0, 1);
    b->max_maptrack = 1;
    if (gnttab_init(b))
        abort();
    machine_fail_after(0);
    is(map(b, 1, 8, 300, GNTMAP_host_map, &h), GNTST_no_space, "no memory for handles");
    machine_fail_after(~0u);
    while (n < GFNS - 300 && map(b, 1, 8, 300 + n, GNTMAP_host_map, &h) == GNTST_okay)
        n++;
    is(n, GFNS - 300, "with 1 there are handles enough for %u maps", n);
    (void)unmap(b, 300, first);
    is(map(b, 1, 8, 300, GNTMAP_host_map, &h), GNTST_okay, "a handle that was freed");
    is(h, first, "is used again");
    is(marks(f, 8), GTF_reading | GTF_writing, "all of one grant");
    (void)unmap(b, 300, h);
    machine_fail_after(0);
    is(map(b, 1, 8, 300, GNTMAP_host_map, &h), GNTST_no_space, "no memory for the p2m");
    machine_fail_after(~0u);
    end(b);
    is(marks(f, 8), 0, "the marks are gone with the holder");
    end(f);
}

static void fill(struct domain *d, unsigned gfn, uint8_t with)
{
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        ram(d, gfn)[i] = (uint8_t)(with + i);
}

static void test_copy(void)
{
    struct domain *b = make(0), *f = make(1);
    uint8_t want[PAGE_SIZE];

    fill(f, 5, 1);
    fill(b, 6, 77);
    memcpy(want, ram(b, 6), PAGE_SIZE);
    grant(f, 8, 0, 5, GTF_readonly);
    grant(f, 9, 0, 5, 0);
    is(copy(b, (struct end){ true, 1, 8, 100 }, (struct end){ false, DOMID_SELF, 6, 3000 }, 1096), GNTST_okay,
       "from a read-only grant to an own frame");
    memcpy(want + 3000, ram(f, 5) + 100, 1096);
    ok(memcmp(ram(b, 6), want, PAGE_SIZE) == 0, "exactly those bytes changed");
    is(copy(b, (struct end){ false, DOMID_SELF, 6, 0 }, (struct end){ true, 1, 9, 0 }, PAGE_SIZE), GNTST_okay,
       "a whole page to a grant");
    ok(memcmp(ram(f, 5), want, PAGE_SIZE) == 0, "arrived");
    is(copy(b, (struct end){ true, 1, 9, 10 }, (struct end){ true, 1, 9, 0 }, 4000), GNTST_okay,
       "within one granted page, overlapping");
    ok(memcmp(ram(f, 5), want + 10, 4000) == 0, "as memmove would");
    is(copy(b, (struct end){ false, DOMID_SELF, 6, 0 }, (struct end){ false, DOMID_SELF, 7, 0 }, 0), GNTST_okay,
       "no bytes at all");
    is(marks(f, 8) | marks(f, 9), 0, "no marks stay");
    is(machine_refs(machine_mfn(f, 5)) + machine_refs(machine_mfn(b, 6)), 2, "and no references");
    is(counted[STATS_GRANT_COPIES], 4, "4 copies counted");
    end(b);
    end(f);
}

static void test_copy_refusals(void)
{
    struct domain *b = make(0), *f = make(1);
    struct end own = { false, DOMID_SELF, 6, 0 }, ro = { true, 1, 8, 0 };
    grant_handle_t h;
    uint8_t before[PAGE_SIZE];

    fill(f, 5, 1);
    memcpy(before, ram(f, 5), PAGE_SIZE);
    grant(f, 8, 0, 5, GTF_readonly);
    is(copy(b, own, ro, 8), GNTST_general_error, "to a read-only grant");
    is(copy(b, (struct end){ true, 1, 8, 4090 }, own, 7), GNTST_bad_copy_arg, "over the end of the source's page");
    is(copy(b, ro, (struct end){ false, DOMID_SELF, 6, 4095 }, 2), GNTST_bad_copy_arg, "over the end of the other");
    is(copy(b, (struct end){ true, 1, 8, 65535 }, own, 65535), GNTST_bad_copy_arg, "the largest numbers");
    is(copy(b, (struct end){ false, 1, 5, 0 }, own, 8), GNTST_permission_denied, "another domain's frame by number");
    is(copy(b, (struct end){ false, 0, 5, 0 }, own, 8), GNTST_permission_denied, "only DOMID_SELF goes by number");
    is(copy(b, (struct end){ false, DOMID_SELF, GFNS, 0 }, own, 8), GNTST_bad_page, "no such frame");
    is(copy(b, (struct end){ true, 1, 99, 0 }, own, 8), GNTST_general_error, "an empty entry");
    is(copy(b, (struct end){ true, 9, 8, 0 }, own, 8), GNTST_bad_domain, "no such domain");
    is(copy(f, (struct end){ true, 1, 8, 0 }, own, 8), GNTST_general_error, "a grant to another");
    (void)map(b, 1, 8, 300, GNTMAP_host_map | GNTMAP_readonly, &h);
    is(copy(b, own, (struct end){ false, DOMID_SELF, 300, 0 }, 8), GNTST_bad_page, "into a frame mapped read-only");
    is(copy(b, (struct end){ false, DOMID_SELF, 300, 0 }, own, 8), GNTST_okay, "from it");
    is(marks(f, 8), GTF_reading, "and the map's mark stays");
    ok(memcmp(before, ram(f, 5), PAGE_SIZE) == 0, "nothing read-only was written");
    f->dying = true;
    is(copy(b, ro, own, 8), GNTST_bad_domain, "a dying granter");
    end(b);
    end(f);
}

static void test_tables(void)
{
    struct domain *b = make(0), *f = make(1);
    struct gnttab_query_size size = { .dom = DOMID_SELF };
    struct gnttab_set_version version = { 1 };
    mfn_t mfn, again;

    is(call(f, GNTTABOP_query_size, &size, sizeof(size), 1), 0, "query_size");
    ok(size.status == GNTST_okay && size.nr_frames == 1 && size.max_nr_frames == 4, "one frame of at most four");
    size.dom = 0;
    (void)call(f, GNTTABOP_query_size, &size, sizeof(size), 1);
    is(size.status, GNTST_permission_denied, "of dom0: refused");
    is(gnttab_frame(f, 2, &mfn), 0, "frame 2 on demand");
    is(f->gnttab->nr_frames, 3, "grows the table");
    is(gnttab_frame(f, 2, &again), 0, "again");
    is(again.n, mfn.n, "is the same");
    is(gnttab_frame(f, 4, &mfn), -EINVAL, "beyond the limit");
    is(gnttab_frame(f, ~0u, &mfn), -EINVAL, "far beyond");
    for (unsigned n = 0; n < 2; n++) {
        machine_fail_after(n);
        is(gnttab_frame(f, 3, &mfn), -ENOMEM, "no memory for frame 3 or its records (allocation %u)", n + 1);
    }
    machine_fail_after(~0u);
    is(gnttab_frame(f, 3, &mfn), 0, "later it works");
    is(call(f, GNTTABOP_set_version, &version, sizeof(version), 1), 0, "version 1");
    version.version = 2;
    is(call(f, GNTTABOP_set_version, &version, sizeof(version), 1), -ENOSYS, "version 2 is not there");
    is(version.version, 1, "the answer names the one in force");
    version.version = 3;
    is(call(f, GNTTABOP_set_version, &version, sizeof(version), 1), -EINVAL, "version 3 does not exist");
    is(do_grant_table_op(GNTTABOP_query_size, ARG, 2), -EINVAL, "one at a time");
    size.dom = 9;
    (void)call(b, GNTTABOP_query_size, &size, sizeof(size), 1);
    is(size.status, GNTST_bad_domain, "the table of no domain");
    end(b);
    end(f);
}

static void test_bad_calls(void)
{
    static const unsigned unknown[] = { GNTTABOP_dump_table, GNTTABOP_transfer, GNTTABOP_unmap_and_replace,
                                        GNTTABOP_get_status_frames, GNTTABOP_swap_grant_ref, GNTTABOP_cache_flush, GNTTABOP_get_version,
                                        GNTTABOP_setup_table, 13,
                                        ~0u };
    static const unsigned known[] = { GNTTABOP_map_grant_ref, GNTTABOP_unmap_grant_ref, GNTTABOP_copy,
                                      GNTTABOP_query_size, GNTTABOP_set_version };
    struct domain *b = make(0);
    bool all = true;

    machine_run(b);
    for (unsigned i = 0; i < ARRAY_SIZE(unknown); i++)
        all &= do_grant_table_op(unknown[i], ARG, 1) == -ENOSYS;
    ok(all, "operations that are not offered answer -ENOSYS");
    for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
        all &= do_grant_table_op(known[i], GUEST_BYTES - 1, 1) == -EFAULT;
    ok(all, "an argument that cannot be read: -EFAULT of each");
    is(do_grant_table_op(GNTTABOP_copy, ARG, 0), 0, "none to do");
    is(do_grant_table_op(GNTTABOP_copy, GUEST_BYTES - 4 * sizeof(struct gnttab_copy), ~0u), -EFAULT,
       "four billion copies end where the guest's memory does");
    end(b);
}

static void test_restart(void)
{
    struct domain *b = make(0), *f = make(1);
    struct gnttab_copy ops[50];
    bool good = true;
    long rc;

    grant(f, 8, 0, 5, 0);
    fill(f, 5, 9);
    for (unsigned i = 0; i < 50; i++) {
        ops[i] = (struct gnttab_copy){ .len = 16, .flags = GNTCOPY_source_gref, .status = 99 };
        ops[i].source.u.ref = 8;
        ops[i].source.domid = 1;
        ops[i].source.offset = (uint16_t)i;
        ops[i].dest.u.gmfn = i;
        ops[i].dest.domid = DOMID_SELF;
    }
    preempt_after = 1;
    rc = call(b, GNTTABOP_copy, ops, sizeof(ops[0]), 50);
    is(rc, HYPERCALL_RESTART, "a long call makes way");
    is(hypercall_args[2], 34, "with 34 of 50 still to do");
    is(hypercall_args[1], ARG + 16 * sizeof(ops[0]), "from the 17th on");
    ok(ops[15].status == GNTST_okay && ops[16].status == 99, "16 are done, the rest untouched");
    while (rc == HYPERCALL_RESTART)
        rc = do_grant_table_op(GNTTABOP_copy, hypercall_args[1], (unsigned)hypercall_args[2]);
    preempt_after = 0;
    for (unsigned i = 0; i < 50; i++)
        good &= ram(b, i)[0] == ram(f, 5)[i];
    ok(rc == 0 && good, "and they are done when it goes on");
    end(b);
    end(f);
}

/* Maps and unmaps: every op is done once, however often the call stops. */
static void test_restart_maps(void)
{
    struct domain *b = make(0), *f = make(1);
    struct gnttab_map_grant_ref maps_ops[50];
    struct gnttab_unmap_grant_ref ends[50];
    unsigned restarts = 0;
    bool good = true;
    long rc;

    for (unsigned i = 0; i < 50; i++) {
        grant(f, 8 + i, 0, i, 0);
        maps_ops[i] = (struct gnttab_map_grant_ref){ .host_addr = (300ul + i) << PAGE_SHIFT, .ref = 8 + i, .dom = 1,
                                                     .flags = GNTMAP_host_map | GNTMAP_device_map };
    }
    preempt_after = 1;
    rc = call(b, GNTTABOP_map_grant_ref, maps_ops, sizeof(maps_ops[0]), 50);
    for (; rc == HYPERCALL_RESTART; restarts++)
        rc = do_grant_table_op(GNTTABOP_map_grant_ref, hypercall_args[1], (unsigned)hypercall_args[2]);
    ok(rc == 0 && restarts == 3 && gnttab_map_count(b) == 50, "50 maps that stop after each 16");
    memcpy(maps_ops, guest_bytes + arg_va(), sizeof(maps_ops));
    for (unsigned i = 0; i < 50; i++) {
        good &= maps_ops[i].dev_bus_addr == machine_mfn(f, i).n << PAGE_SHIFT;
        ends[i] = (struct gnttab_unmap_grant_ref){ .host_addr = maps_ops[i].host_addr, .handle = maps_ops[i].handle };
    }
    ok(good, "dom0 learns the machine address of what it maps for devices");
    rc = call(b, GNTTABOP_unmap_grant_ref, ends, sizeof(ends[0]), 50);
    for (restarts = 0; rc == HYPERCALL_RESTART; restarts++)
        rc = do_grant_table_op(GNTTABOP_unmap_grant_ref, hypercall_args[1], (unsigned)hypercall_args[2]);
    preempt_after = 0;
    ok(rc == 0 && restarts == 3 && gnttab_map_count(b) == 0, "50 unmaps that stop after each 16");
    grant(b, 8, 1, 5, 0);
    maps_ops[0].dom = 0;
    maps_ops[0].ref = 8;
    (void)call(f, GNTTABOP_map_grant_ref, maps_ops, sizeof(maps_ops[0]), 1);
    ok(maps_ops[0].status == GNTST_okay && maps_ops[0].dev_bus_addr == 0, "a guest does not");
    end(f);
    end(b);
}

/* Ops that cannot be read are not done; results that cannot be written leave everything consistent. */
static void test_unreachable_arguments(void)
{
    struct domain *b = make(0), *f = make(1);
    uint64_t last = GUEST_BYTES - sizeof(struct gnttab_unmap_grant_ref);
    struct gnttab_unmap_grant_ref op = { .host_addr = 300ul << PAGE_SHIFT };

    grant(f, 8, 0, 5, 0);
    (void)map(b, 1, 8, 300, GNTMAP_host_map, &op.handle);
    memcpy(guest_bytes + last, &op, sizeof(op));
    is(do_grant_table_op(GNTTABOP_unmap_grant_ref, last, 2), -EFAULT, "the second of two unmaps cannot be read");
    is(gnttab_map_count(b), 1, "then neither is done");
    guest_unwritable = true;
    is(do_grant_table_op(GNTTABOP_unmap_grant_ref, last, 1), -EFAULT, "a status that cannot be written");
    guest_unwritable = false;
    ok(gnttab_map_count(b) == 0 && marks(f, 8) == 0 && machine_refs(machine_mfn(f, 5)) == 1, "the unmap is done wholly");
    end(b);
    end(f);
}

/* Something else took a map's place in the p2m, against the rules of physmap.c: the map is kept until its holder dies. */
static void test_place_taken(void)
{
    struct domain *b = make(0), *f = make(1);
    struct p2m_entry *place = &pretend_of(b)->map[300];
    grant_handle_t h;

    grant(f, 8, 0, 5, 0);
    (void)map(b, 1, 8, 300, GNTMAP_host_map, &h);
    page_put(place->mfn);
    place->type = P2M_NONE;
    is(unmap(b, 300, h), GNTST_general_error, "unmap of what is not there");
    ok(marks(f, 8) == (GTF_reading | GTF_writing) && gnttab_map_count(b) == 1, "changes nothing");
    end(b);
    is(marks(f, 8), 0, "the holder's death ends the use");
    end(f);
}

/* A use too many would make a count wrap; the guest gets an error instead. */
static void test_use_counts_end(void)
{
    struct domain *b = make(0), *f = make(1);
    struct active *act = &f->gnttab->active[0][8];
    grant_handle_t h, x;

    grant(f, 8, 0, 5, 0);
    (void)map(b, 1, 8, 300, GNTMAP_host_map, &h);
    act->writers = UINT16_MAX;
    is(map(b, 1, 8, 301, GNTMAP_host_map, &x), GNTST_general_error, "65,536 writers of one grant are too many");
    act->writers = 1;
    act->readers = UINT16_MAX;
    is(map(b, 1, 8, 301, GNTMAP_host_map | GNTMAP_readonly, &x), GNTST_general_error, "and as many readers");
    act->readers = 0;
    is(unmap(b, 300, h), GNTST_okay, "the one there was ends as usual");
    end(b);
    end(f);
}

static void test_no_memory(void)
{
    unsigned before = machine_frames_used(), fails = 0;

    for (unsigned n = 0; n < 5; n++) {
        struct domain *d = machine_domain(3, 1);

        machine_fail_after(n);
        fails += gnttab_init(d) == -ENOMEM;
        machine_fail_after(~0u);
        machine_kill(d);
        machine_reap(free_modules);
    }
    is(fails, 3, "each of the 3 allocations of a table failed in turn: -ENOMEM");
    is(machine_frames_used(), before, "and nothing leaked");
}

/* The model: grants, uses, maps of three domains. Few references and frames, so that everything collides. */
#define DOMS  3u
#define REFS  6u                        /* used as references 8 to 8 + REFS - 1 */
#define BASE  8u
#define WIN   8u                        /* maps go to frame numbers 300 to 300 + WIN - 1 */
#define MAPS  256u

struct model_grant {
    uint16_t flags;                     /* what the guest wrote, without marks */
    domid_t to;
    unsigned gfn;
    unsigned readers, writers;
    domid_t used_by;
    mfn_t mfn;                          /* while in use */
};

struct model_map {
    bool live, write;
    unsigned granter, ref, gfn;
    grant_handle_t handle;
};

static struct domain *doms[DOMS];
static struct model_grant grants[DOMS][REFS];
static struct model_map maps[DOMS][WIN];        /* by place */
static uint64_t seed = 0x5eed0003;

static unsigned pick(unsigned n)
{
    return random_below(&seed, n);
}

static bool in_use(const struct model_grant *g)
{
    return g->readers || g->writers;
}

/* What taking it should answer, and, if it is to be taken, the frame. */
static int model_take(struct model_grant *g, unsigned granter, unsigned taker, bool write)
{
    bool granted = (g->flags & GTF_type_mask) == GTF_permit_access && g->to == taker &&
                   !(write && g->flags & GTF_readonly);

    if (in_use(g)) {
        if (g->used_by != taker || (write && !g->writers && !granted))
            return GNTST_general_error;
    } else {
        if (!granted)
            return GNTST_general_error;
        if (g->gfn >= RAM_GFNS)
            return GNTST_bad_page;
        g->used_by = (domid_t)taker;
        g->mfn = machine_mfn(doms[granter], g->gfn);
    }
    g->writers += write;
    g->readers += !write;
    return GNTST_okay;
}

static bool step_grant(unsigned d)
{
    static const uint16_t types[] = { GTF_permit_access, GTF_permit_access, GTF_permit_access | GTF_readonly,
                                      GTF_invalid, GTF_accept_transfer, GTF_transitive };
    unsigned r = pick(REFS);
    struct model_grant *g = &grants[d][r];
    struct grant_entry_v1 *e = entry(doms[d], BASE + r);

    g->flags = types[pick(6)];
    g->to = (domid_t)pick(DOMS);
    g->gfn = pick(8) ? pick(4) : RAM_GFNS + pick(400);
    /* A guest may rewrite its entry at any time; marks it leaves alone, as a decent one would. */
    e->domid = g->to;
    e->frame = g->gfn;
    e->flags = g->flags | (e->flags & (GTF_reading | GTF_writing));
    return true;
}

static bool step_map(unsigned d)
{
    unsigned granter = pick(DOMS), r = pick(REFS), w = pick(WIN);
    bool write = pick(2), taken = maps[d][w].live;
    struct model_grant *g = &grants[granter][r], was = *g;
    grant_handle_t h;
    int want = model_take(g, granter, d, write);
    int got = map(doms[d], (domid_t)granter, BASE + r, 300 + w, GNTMAP_host_map | (write ? 0 : GNTMAP_readonly), &h);

    if (want == GNTST_okay && taken) {
        *g = was;
        return got == GNTST_bad_virt_addr;
    }
    if (want == GNTST_okay)
        maps[d][w] = (struct model_map){ true, write, granter, r, 300 + w, h };
    return got == want && (want != GNTST_okay || machine_mfn(doms[d], 300 + w).n == g->mfn.n);
}

static void model_drop(struct model_map *m)
{
    struct model_grant *g = &grants[m->granter][m->ref];

    m->live = false;
    if (m->write)
        g->writers--;
    else
        g->readers--;
}

/* A handle, perhaps stale and in use again elsewhere, and a place, perhaps not its own. */
static bool step_unmap(unsigned d)
{
    unsigned w = pick(WIN), gfn = pick(8) ? maps[d][w].gfn : 300 + pick(WIN);
    int got = unmap(doms[d], gfn, maps[d][w].handle);

    for (unsigned i = 0; i < WIN; i++) {
        struct model_map *m = &maps[d][i];

        if (!m->live || m->handle != maps[d][w].handle)
            continue;
        if (m->gfn != gfn)
            return got == GNTST_bad_virt_addr;
        model_drop(m);
        return got == GNTST_okay;
    }
    return got == GNTST_bad_handle;
}

static int model_side(unsigned d, struct end e, bool write, struct model_grant **used)
{
    *used = NULL;
    if (!e.by_ref) {
        if (e.number < RAM_GFNS)
            return GNTST_okay;
        if (e.number < 300 || e.number >= 300 + WIN || !maps[d][e.number - 300].live)
            return GNTST_bad_page;
        return write && !maps[d][e.number - 300].write ? GNTST_bad_page : GNTST_okay;
    }
    *used = &grants[e.dom][e.number - BASE];
    return model_take(*used, e.dom, d, write);
}

static uint8_t *side_bytes(unsigned d, struct end e, const struct model_grant *used)
{
    return (uint8_t *)mfn_to_virt(used ? used->mfn : machine_mfn(doms[d], e.number)) + e.offset;
}

static struct end random_end(void)
{
    if (pick(2))
        return (struct end){ true, (domid_t)pick(DOMS), BASE + pick(REFS), (uint16_t)pick(PAGE_SIZE) };
    return (struct end){ false, DOMID_SELF, pick(3) ? pick(4) : 300 + pick(WIN), (uint16_t)pick(PAGE_SIZE) };
}

static bool step_copy(unsigned d)
{
    struct end from = random_end(), to = random_end();
    uint16_t len = (uint16_t)pick(600);
    struct model_grant *src = NULL, *dst = NULL;
    uint8_t want[600];
    int status;

    if (from.offset + len > (int)PAGE_SIZE || to.offset + len > (int)PAGE_SIZE)
        return copy(doms[d], from, to, len) == GNTST_bad_copy_arg;
    status = model_side(d, from, false, &src);
    if (status != GNTST_okay)
        return copy(doms[d], from, to, len) == status;
    status = model_side(d, to, true, &dst);
    if (src)
        src->readers--;
    if (status != GNTST_okay)
        return copy(doms[d], from, to, len) == status;
    if (dst)
        dst->writers--;
    side_bytes(d, from, src)[0] ^= len ? (uint8_t)pick(256) : 0;
    memcpy(want, side_bytes(d, from, src), len);
    return copy(doms[d], from, to, len) == GNTST_okay && memcmp(side_bytes(d, to, dst), want, len) == 0;
}

/* The domain dies with all its maps; who maps its grants keeps the frames. A new one takes the id when it is gone. */
static bool step_rebirth(unsigned d)
{
    if (d == 0 || pick(100))
        return true;
    for (unsigned r = 0; r < REFS; r++) {
        if (in_use(&grants[d][r]))
            return true;                /* the id would not be free: test_granter_dies_first has this case */
    }
    for (unsigned w = 0; w < WIN; w++) {
        if (maps[d][w].live)
            model_drop(&maps[d][w]);
        maps[d][w] = (struct model_map){ .live = false };
    }
    memset(grants[d], 0, sizeof(grants[d]));
    end(doms[d]);
    doms[d] = make((domid_t)d);
    return true;
}

static bool marks_right(unsigned d)
{
    for (unsigned r = 0; r < REFS; r++) {
        const struct model_grant *g = &grants[d][r];
        uint16_t want = (in_use(g) ? GTF_reading : 0) | (g->writers ? GTF_writing : 0);

        if (marks(doms[d], BASE + r) != want)
            return false;
    }
    return true;
}

/* Each of the frames that are ever granted has one reference of its own and one for each map. */
static bool refs_right(unsigned d)
{
    for (unsigned gfn = 0; gfn < 4; gfn++) {
        unsigned want = 1;

        for (unsigned r = 0; r < REFS; r++) {
            if (in_use(&grants[d][r]) && grants[d][r].mfn.n == machine_mfn(doms[d], gfn).n)
                want += grants[d][r].readers + grants[d][r].writers;
        }
        if (machine_refs(machine_mfn(doms[d], gfn)) != want)
            return false;
    }
    return true;
}

static bool places_right(unsigned d)
{
    unsigned live = 0;

    for (unsigned w = 0; w < WIN; w++) {
        enum p2m_type want = !maps[d][w].live ? P2M_NONE : maps[d][w].write ? P2M_GRANT_RW : P2M_GRANT_RO;

        live += maps[d][w].live;
        if (pretend_of(doms[d])->map[300 + w].type != want)
            return false;
    }
    return gnttab_map_count(doms[d]) == live;
}

static void test_model(void)
{
    static bool (*const steps[])(unsigned) = { step_grant, step_map, step_map, step_unmap, step_unmap, step_copy,
                                               step_copy, step_rebirth };
    unsigned step, kind = 0, before = machine_frames_used();
    bool good = true;

    for (unsigned d = 0; d < DOMS; d++)
        doms[d] = make((domid_t)d);
    for (step = 0; step < 1000000 && good; step++) {
        unsigned d = pick(DOMS);

        kind = pick(ARRAY_SIZE(steps));
        good = steps[kind](d) && marks_right(step % DOMS) && refs_right(step % DOMS) && places_right(d);
    }
    ok(good, "a million random operations of three domains agree with the model");
    if (!good)
        printf("# at step %u, kind %u\n", step, kind);
    for (unsigned d = DOMS; d-- > 0;)
        end(doms[d]);
    is(machine_frames_used(), before, "and leave nothing behind");
}

static void test_hostile_arguments(void)
{
    unsigned before = machine_frames_used(), done = 0, mapped = 0;
    bool good = true;

    for (unsigned d = 0; d < DOMS; d++)
        doms[d] = make((domid_t)d);
    for (unsigned i = 0; i < 500000; i++) {
        unsigned d = pick(DOMS);
        long rc;

        machine_run(doms[d]);
        random_hostile(&seed, guest_bytes + ARG, 256);
        random_hostile(&seed, entry(doms[d], pick(10)), sizeof(struct grant_entry_v1));
        grant(doms[d], pick(10), (domid_t)pick(DOMS), pick(RAM_GFNS + 10), (uint16_t)(pick(4) ? 0 : pick(256)));
        if (pick(2))            /* something that could be mapped: a place and flags that make sense */
            *(struct gnttab_map_grant_ref *)(guest_bytes + ARG) = (struct gnttab_map_grant_ref){
                .host_addr = (300ul + pick(64)) << PAGE_SHIFT, .flags = pick(8), .ref = pick(10), .dom = (domid_t)pick(4) };
        preempt_after = pick(4);
        rc = do_grant_table_op(pick(14), pick(50) ? ARG : GUEST_BYTES - pick(200), pick(6));
        good &= rc <= 0 && rc >= -ENOTCONN;
        done += rc == 0;
        mapped = MAX(mapped, gnttab_map_count(doms[d]));
    }
    preempt_after = 0;
    ok(good && done > 50000 && mapped > 5, "half a million calls with hostile arguments and entries (%u succeed,"
       " up to %u maps)", done, mapped);
    for (unsigned d = DOMS; d-- > 0;)
        end(doms[d]);
    is(machine_frames_used(), before, "nothing leaks");
}

/* Two CPUs copy through grants while the granter's side rewrites its entries as fast as it can. */
static volatile bool race_over;

static void *rewriter(void *arg)
{
    uint64_t state = 0x5eed0300;
    struct grant_entry_v1 *e = arg;

    while (!race_over) {
        unsigned i = random_below(&state, 4);
        union {
            struct grant_entry_v1 entry;
            uint64_t word;
        } u = { .entry = { .flags = random_below(&state, 4) ? GTF_permit_access : GTF_permit_access | GTF_readonly,
                           .domid = (domid_t)random_below(&state, 2), .frame = random_below(&state, 4) } };

        __atomic_store_n((uint64_t *)&e[i], u.word, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void *copier(void *arg)
{
    uint64_t state = 0x5eed0310 + (uintptr_t)arg;
    uintptr_t done = 0;

    machine_be_cpu((unsigned)(uintptr_t)arg);
    for (unsigned i = 0; i < 100000; i++) {
        struct end grantee = { true, 1, BASE + random_below(&state, 4), 0 }, own = { false, DOMID_SELF, 10, 0 };
        int got = random_below(&state, 2) ? copy(doms[0], grantee, own, 8) : copy(doms[0], own, grantee, 8);

        done += got == GNTST_okay;
        if (got != GNTST_okay && got != GNTST_general_error)
            return NULL;
    }
    return (void *)done;
}

static void test_race(void)
{
    pthread_t copiers[2], writer;
    void *done[2];
    bool good = true;

    doms[0] = make(0);
    doms[1] = make(1);
    good &= pthread_create(&writer, NULL, rewriter, entry(doms[1], BASE)) == 0;
    for (unsigned i = 0; i < 2; i++)
        good &= pthread_create(&copiers[i], NULL, copier, (void *)(uintptr_t)(i + 1)) == 0;
    for (unsigned i = 0; i < 2; i++)
        good &= pthread_join(copiers[i], &done[i]) == 0 && done[i];
    race_over = true;
    good &= pthread_join(writer, NULL) == 0;
    ok(good, "two CPUs copy while the granter rewrites its entries: only good answers (%lu of 200000 done)",
       (unsigned long)done[0] + (unsigned long)done[1]);
    for (unsigned gfn = 0; gfn < 4; gfn++)
        good &= machine_refs(machine_mfn(doms[1], gfn)) == 1;
    ok(good, "and no reference is left over");
    end(doms[1]);
    end(doms[0]);
}

int main(void)
{
    machine_init();
    test_map();
    test_map_refusals();
    test_map_grantable();
    test_unmap_refusals();
    test_unmap_batch();
    test_granter_dies_first();
    test_handles_run_out();
    test_copy();
    test_copy_refusals();
    test_tables();
    test_bad_calls();
    test_restart();
    test_restart_maps();
    test_unreachable_arguments();
    test_place_taken();
    test_use_counts_end();
    test_no_memory();
    test_model();
    test_hostile_arguments();
    test_race();
    return tap_end();
}
