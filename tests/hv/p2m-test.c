/* The nested page table against a flat array: half a million random entries, large and small, entered, looked up, held
 * and taken out; what each call answers, which frames are where, how often each is referenced, and that nothing is
 * left. */
#include <string.h>

#include "tests/hv/whole.h"
#include "tests/hv/harness.h"
#include "hv/stats/stats.h"

#define REGIONS 6u                      /* of 2 MiB, spread over the physical space */
#define SLOTS   (REGIONS * 512u)

static const uint64_t region_gfn[REGIONS] = { 0, 512, 1024, 1ull << 18, (1ull << 27) + 512, (1ull << 28) - 512 };
static struct p2m_entry model[SLOTS];
static struct domain *d;
static uint64_t seed = 0x5eed0005;
static void *shared;                    /* hv's frame, for entries that hold no reference */
static unsigned large_added, splits;

static unsigned pick(unsigned n)
{
    return random_below(&seed, n);
}

static gfn_t gfn_of(unsigned slot)
{
    return GFN(region_gfn[slot / 512] + slot % 512);
}

static bool region_empty(unsigned region)
{
    for (unsigned i = 0; i < 512; i++) {
        if (model[region * 512 + i].type != P2M_NONE)
            return false;
    }
    return true;
}

static bool add_ram(unsigned slot)
{
    mfn_t mfn;
    int rc;

    if (page_alloc_domain(d, 0, &mfn))
        return true;                    /* the domain has all that it may have */
    rc = p2m_add(d, gfn_of(slot), mfn, 0, P2M_RAM);
    if (model[slot].type == P2M_NONE) {
        model[slot] = (struct p2m_entry){ mfn, P2M_RAM };
        return rc == 0;
    }
    page_put(mfn);
    return rc == -EEXIST;
}

/* A frame that is in the map already, once more as if it came by grant; or hv's frame. */
static bool add_other(unsigned slot)
{
    static const enum p2m_type types[] = { P2M_GRANT_RW, P2M_GRANT_RO, P2M_FOREIGN, P2M_SHARED_RW, P2M_SHARED_RO };
    enum p2m_type type = types[pick(5)];
    bool counted = type != P2M_SHARED_RW && type != P2M_SHARED_RO;
    mfn_t mfn = virt_to_mfn(shared);
    int rc;

    if (counted && p2m_get_own_page(d, gfn_of(pick(SLOTS)), &mfn))
        return true;
    rc = p2m_add(d, gfn_of(slot), mfn, 0, type);
    if (model[slot].type == P2M_NONE) {
        model[slot] = (struct p2m_entry){ mfn, type };
        return rc == 0;
    }
    if (counted)
        page_put(mfn);
    return rc == -EEXIST;
}

static bool add_large(unsigned slot)
{
    unsigned region = slot / 512;
    mfn_t mfn;
    int rc;

    if (page_alloc_domain(d, PAGE_ORDER_2M, &mfn))
        return true;
    if (p2m_add(d, GFN(region_gfn[region] + 1), mfn, PAGE_ORDER_2M, P2M_RAM) != -EINVAL)
        return false;
    rc = p2m_add(d, GFN(region_gfn[region]), mfn, PAGE_ORDER_2M, P2M_RAM);
    if (rc == 0 && region_empty(region)) {
        for (unsigned i = 0; i < 512; i++)
            model[region * 512 + i] = (struct p2m_entry){ MFN(mfn.n + i), P2M_RAM };
        large_added++;
        return true;
    }
    for (unsigned i = 0; i < 512; i++)
        page_put(MFN(mfn.n + i));
    return rc == -EEXIST && !region_empty(region);
}

static bool take_out(unsigned slot)
{
    uint64_t tables = d->p2m.tables;
    struct p2m_entry old;
    int rc = p2m_remove(d, gfn_of(slot), ~0u, &old);

    splits += d->p2m.tables > tables;
    if (model[slot].type == P2M_NONE)
        return rc == -ENOENT;
    if (rc || old.mfn.n != model[slot].mfn.n || old.type != model[slot].type)
        return false;
    model[slot].type = P2M_NONE;
    p2m_sync(d);
    p2m_entry_put(old);
    return true;
}

static bool take_out_region(unsigned slot)
{
    bool good = true;

    if (pick(100))
        return true;
    for (unsigned i = 0; i < 512; i++)
        good &= take_out(slot / 512 * 512 + i);
    return good;
}

static bool look(unsigned slot)
{
    struct p2m_entry e = p2m_lookup(d, gfn_of(slot));

    if (e.type != model[slot].type)
        return false;
    return e.type == P2M_NONE || e.mfn.n == model[slot].mfn.n;
}

static bool hold(unsigned slot)
{
    enum p2m_type type = model[slot].type;
    bool write = pick(2);
    bool counted = type == P2M_RAM || type == P2M_FOREIGN || type == P2M_GRANT_RW || type == P2M_GRANT_RO;
    int want = !counted ? -ENOENT : write && type == P2M_GRANT_RO ? -EPERM : 0;
    uint32_t refs = counted ? page_of(model[slot].mfn)->refs : 0;
    mfn_t mfn;
    int rc = p2m_get_page(d, gfn_of(slot), write, &mfn);

    if (rc != want || (!rc && (mfn.n != model[slot].mfn.n || page_of(mfn)->refs != refs + 1)))
        return false;
    if (!rc)
        page_put(mfn);
    rc = p2m_get_own_page(d, gfn_of(slot), &mfn);
    if (!rc)
        page_put(mfn);
    return rc == (type == P2M_RAM ? 0 : -ENOENT);
}

/* Of each frame of the domain's, one reference for each place where it is. */
static bool references_right(void)
{
    static uint32_t want[WHOLE_FRAMES];
    uint64_t foreign = 0;

    memset(want, 0, sizeof(want));
    for (unsigned i = 0; i < SLOTS; i++) {
        if (model[i].type != P2M_NONE)
            want[model[i].mfn.n]++;
        foreign += model[i].type == P2M_FOREIGN;
    }
    for (unsigned i = 0; i < WHOLE_FRAMES; i++) {
        if (page_owner(MFN(i)) == d->id && page_of(MFN(i))->refs != want[i])
            return false;
        if (want[i] && page_owner(MFN(i)) != d->id && MFN(i).n != virt_to_mfn(shared).n)
            return false;
    }
    return d->p2m.foreign_maps == foreign;
}

static void test_model(void)
{
    static bool (*const steps[])(unsigned) = { add_ram, add_ram, add_other, add_large, take_out, take_out,
                                               take_out_region, look, hold };
    unsigned step, kind = 0;
    bool good = true;

    for (step = 0; step < 500000 && good; step++) {
        kind = pick(9);
        good = steps[kind](pick(SLOTS));
        if (step % 5000 == 0)
            good = good && references_right();
    }
    for (unsigned i = 0; i < SLOTS; i++)
        good &= look(i);
    ok(good && references_right(), "half a million random steps agree with a flat array");
    if (!good)
        printf("# at step %u, kind %u\n", step, kind);
    ok(large_added > 100 && splits > 20, "with %u large entries and %u of them split", large_added, splits);
}

static void test_limits(void)
{
    struct p2m_entry old;
    mfn_t mfn = virt_to_mfn(shared), got;

    is(p2m_add(d, GFN(1ull << 28), mfn, 0, P2M_SHARED_RW), -EINVAL, "no entry beyond the physical space");
    is(p2m_add(d, GFN(~0ull), mfn, 0, P2M_SHARED_RW), -EINVAL, "nor at the highest number");
    is(p2m_add(d, GFN(0x900000), mfn, 3, P2M_SHARED_RW), -EINVAL, "nor of another size");
    is(p2m_remove(d, GFN(~0ull), ~0u, &old), -ENOENT, "nothing to take out there");
    is(p2m_get_page(d, GFN(~0ull), false, &got), -ENOENT, "nor to hold");
    is(p2m_lookup(d, GFN(1ull << 28)).type, P2M_NONE, "nor to see");
    whole_fail_alloc = 1;
    is(p2m_add(d, GFN(0xA000000), mfn, 0, P2M_SHARED_RW), -ENOMEM, "no memory for a table");
    whole_fail_alloc = 0;
    is(p2m_lookup(d, GFN(0xA000000)).type, P2M_NONE, "leaves nothing there");
}

int main(void)
{
    struct counts before;
    long id;

    whole_start();
    shared = page_alloc_hv(0);
    whole_as(dom0);
    before = counts_now();
    id = guest_create(0, 1, 4096);
    d = domain_get((domid_t)id);
    ok(d != NULL, "a guest");
    test_limits();
    test_model();
    domain_put(d);
    is(call_domctl_on((domid_t)id, XEN_DOMCTL_destroydomain), 0, "the guest is destroyed with all that is in its map");
    ok(counts_equal(before, counts_now()), "and nothing is left of it");
    return tap_end();
}
