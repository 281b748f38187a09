/* A buddy allocator over all RAM that hv manages. Free memory is zero but for the list node at the head of each free
 * block, which is cleared when the block is taken. What firmware left is zeroed at its first use: at boot it would cost
 * seconds, and memory that nobody uses need not be touched. */
#include "hv/mm/page.h"
#include "hv/mm/hostmap.h"
#include "hv/domain/domain.h"
#include "hv/stats/account.h"
#include "hv/arch/tsc.h"
#include "hv/console/printk.h"
#include "hv/lib/string.h"

#define ORDERS (PAGE_ORDER_MAX + 1)
#define REFS_MAX 0x7FFFFFFFu            /* a frame cannot be mapped so often that the count wraps */

static struct page *pages;              /* by frame number */
static uint64_t nr_frames;              /* one past the highest RAM frame */
static struct spinlock heap_lock;       /* free lists, owners, domain.pages; order 7 in LOCKING.md */
static struct list free_list[ORDERS];
uint64_t pages_total, pages_free, pages_hv;

static struct list *node_of(uint64_t frame)
{
    return mfn_to_virt(MFN(frame));
}

static uint64_t frame_of(const struct list *node)
{
    return virt_to_mfn(node).n;
}

static void block_link(uint64_t frame, unsigned order)
{
    pages[frame].order = (uint8_t)order;
    pages[frame].free_head = 1;
    list_add(node_of(frame), &free_list[order]);
}

static void block_unlink(uint64_t frame)
{
    list_del(node_of(frame));
    memset(node_of(frame), 0, sizeof(struct list));
    pages[frame].free_head = 0;
}

static void block_free_locked(uint64_t frame, unsigned order)
{
    for (uint64_t i = 0; i < 1ull << order; i++)
        pages[frame + i].owner = OWNER_FREE;
    pages_free += 1ull << order;
    for (; order < PAGE_ORDER_MAX; order++) {
        uint64_t buddy = frame ^ 1ull << order;

        if (buddy >= nr_frames || !pages[buddy].free_head || pages[buddy].order != order)
            break;
        block_unlink(buddy);
        frame = MIN(frame, buddy);
    }
    block_link(frame, order);
}

/* Zeroes what is still as firmware left it. No lock: the frames are the caller's alone. */
static void clean(uint64_t frame, unsigned order)
{
    for (uint64_t f = frame; f < frame + (1ull << order); f++) {
        if (pages[f].dirty) {
            memset(mfn_to_virt(MFN(f)), 0, PAGE_SIZE);
            pages[f].dirty = 0;
        }
    }
}

/* The first frame of a block, still to be cleaned, owner still OWNER_FREE; or 0 (frame 0 is never free). */
static uint64_t block_take_locked(unsigned order)
{
    unsigned have = order;
    uint64_t frame;

    while (have < ORDERS && list_empty(&free_list[have]))
        have++;
    if (have == ORDERS)
        return 0;
    frame = frame_of(free_list[have].next);
    block_unlink(frame);
    while (have > order) {
        have--;
        block_link(frame + (1ull << have), have);
    }
    pages_free -= 1ull << order;
    return frame;
}

static void set_owner_locked(uint64_t frame, unsigned order, uint16_t owner)
{
    for (uint64_t i = 0; i < 1ull << order; i++) {
        pages[frame + i].owner = owner;
        WRITE_ONCE(pages[frame + i].refs, 1);
    }
}

void *page_alloc_hv(unsigned order)
{
    uint64_t frame;

    spin_lock(&heap_lock);
    frame = block_take_locked(order);
    if (frame) {
        set_owner_locked(frame, order, OWNER_HV);
        pages_hv += 1ull << order;
        stats_pages_free(pages_free, pages_hv);
    }
    spin_unlock(&heap_lock);
    if (!frame)
        return NULL;
    clean(frame, order);
    return mfn_to_virt(MFN(frame));
}

void page_free_hv(void *p, unsigned order)
{
    uint64_t frame = virt_to_mfn(p).n;

    ASSERT(pages[frame].owner == OWNER_HV);
    if (order == 0 && __atomic_sub_fetch(&pages[frame].refs, 1, __ATOMIC_ACQ_REL))
        return;
    memset(p, 0, PAGE_SIZE << order);
    spin_lock(&heap_lock);
    for (uint64_t i = 0; i < 1ull << order; i++)
        pages[frame + i].refs = 0;
    pages_hv -= 1ull << order;
    block_free_locked(frame, order);
    stats_pages_free(pages_free, pages_hv);
    spin_unlock(&heap_lock);
}

static void charge_pages_locked(struct domain *d, int64_t change)
{
    uint64_t before = d->pages;

    d->pages += (uint64_t)change;
    stats_pages_changed(d, d->pages, now_ns());
    stats_pages_free(pages_free, pages_hv);
    if (!before)
        domain_ref(d);
}

int page_alloc_domain(struct domain *d, unsigned order, mfn_t *mfn)
{
    uint64_t frame = 0;
    int rc = 0;

    spin_lock(&heap_lock);
    if (d->dying)
        rc = -EINVAL;
    else if (d->pages + (1ull << order) > d->pages_max)
        rc = -E2BIG;
    else if (!(frame = block_take_locked(order)))
        rc = -ENOMEM;
    else {
        set_owner_locked(frame, order, d->id);
        charge_pages_locked(d, 1ll << order);
    }
    spin_unlock(&heap_lock);
    if (!rc) {
        clean(frame, order);
        *mfn = MFN(frame);
    }
    return rc;
}

struct page *page_of(mfn_t mfn)
{
    return mfn.n < nr_frames && pages[mfn.n].order != 0xFF ? &pages[mfn.n] : NULL;
}

uint16_t page_owner(mfn_t mfn)
{
    struct page *p = page_of(mfn);

    return p ? p->owner : OWNER_HV;
}

/* A count that is 0 belongs to a frame on its way to the free list and must stay 0. */
static bool refs_inc(struct page *p)
{
    uint32_t refs = READ_ONCE(p->refs);

    do {
        if (refs == 0 || refs >= REFS_MAX)
            return false;
    } while (!__atomic_compare_exchange_n(&p->refs, &refs, refs + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    return true;
}

bool page_get(mfn_t mfn)
{
    struct page *p = page_of(mfn);

    return p && p->owner != OWNER_HV && refs_inc(p);
}

bool page_get_hv(mfn_t mfn)
{
    struct page *p = page_of(mfn);

    BUG_ON(!p || p->owner != OWNER_HV);
    return refs_inc(p);
}

void page_put(mfn_t mfn)
{
    struct page *p = page_of(mfn);
    struct domain *d;
    bool last;

    BUG_ON(!p || p->owner == OWNER_FREE || !p->refs);
    if (p->owner == OWNER_HV) {
        page_free_hv(mfn_to_virt(mfn), 0);
        return;
    }
    if (__atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL))
        return;
    d = domain_of_owner(p->owner);
    memset(mfn_to_virt(mfn), 0, PAGE_SIZE);
    spin_lock(&heap_lock);
    block_free_locked(mfn.n, 0);
    charge_pages_locked(d, -1);
    last = d->pages == 0;
    spin_unlock(&heap_lock);
    if (last)
        domain_put(d);
}

mfn_t page_mfn_max(void)
{
    return MFN(nr_frames - 1);
}

/* Boot: everything that is RAM exists and is hv's until page_release_boot or page_claim_boot says otherwise. */
void page_init(void)
{
    for (unsigned i = 0; i < e820_count; i++) {
        if (e820[i].type == E820_RAM)
            nr_frames = MAX(nr_frames, (e820[i].start + e820[i].bytes) >> PAGE_SHIFT);
    }
    pages = early_alloc(nr_frames * sizeof(*pages));
    for (unsigned o = 0; o < ORDERS; o++)
        list_init(&free_list[o]);
    for (uint64_t f = 0; f < nr_frames; f++)
        pages[f] = (struct page){ .owner = OWNER_HV, .order = 0xFF };
    for (unsigned i = 0; i < e820_count; i++) {
        uint64_t end = (e820[i].start + e820[i].bytes) >> PAGE_SHIFT;

        if (e820[i].type != E820_RAM)
            continue;
        for (uint64_t f = (e820[i].start + PAGE_SIZE - 1) >> PAGE_SHIFT; f < end; f++) {
            pages[f].order = 0;
            pages[f].refs = 1;
            pages_total++;
        }
    }
    pages_hv = pages_total;
}

/* Frame by frame is slow for gigabytes: whole aligned 2 MiB blocks go in one piece. */
void page_release_boot(paddr_t start, paddr_t end)
{
    uint64_t f = (start + PAGE_SIZE - 1) >> PAGE_SHIFT, last = end >> PAGE_SHIFT;

    spin_lock(&heap_lock);
    while (f < last) {
        unsigned order = f % (1u << PAGE_ORDER_MAX) == 0 && f + (1u << PAGE_ORDER_MAX) <= last ? PAGE_ORDER_MAX : 0;
        uint64_t n = 1ull << order;

        if (f && page_of(MFN(f))) {
            for (uint64_t i = 0; i < n; i++) {
                pages[f + i].refs = 0;
                pages[f + i].dirty = 1;
            }
            block_free_locked(f, order);
            pages_hv -= n;
        }
        f += n;
    }
    spin_unlock(&heap_lock);
}

void page_claim_boot(struct domain *d, paddr_t start, paddr_t end)
{
    uint64_t claimed = 0;

    spin_lock(&heap_lock);
    for (uint64_t f = start >> PAGE_SHIFT; f < end >> PAGE_SHIFT; f++) {
        if (!page_of(MFN(f)))
            continue;
        BUG_ON(pages[f].owner != OWNER_HV || pages[f].free_head);
        pages[f].owner = d->id;
        pages[f].refs = 1;
        claimed++;
    }
    pages_hv -= claimed;
    charge_pages_locked(d, (int64_t)claimed);
    spin_unlock(&heap_lock);
}
