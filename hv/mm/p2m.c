/* Nested page tables: ordinary long-mode tables whose "virtual" addresses are a guest's physical ones. The type of an
 * entry lives in bits 52-54, which the walker ignores (APM 2, 5.3.3). */
#include "hv/mm/p2m.h"
#include "hv/arch/irq.h"
#include "hv/arch/percpu.h"
#include "hv/domain/domain.h"

#define NPT_U    (1ull << 2)            /* nested walks are user accesses: APM 2, 15.25.5 */
#define TYPE_SHIFT 52

#define GFN_LIMIT (1ull << 28)          /* 40-bit guest-physical space, CPUID 8000_0008 as guests see it */
/* Tables are hv's memory, not charged to the domain: one for each 64 frames it may own (in one piece it needs one for
 * 512), and 64 for what it maps elsewhere. A guest that scatters its maps to eat hv's memory gets -ENOMEM. dom0 maps
 * devices, too. */
#define TABLES_MAX(d) ((d)->pages_max / 64 + ((d)->privileged ? 4096 : 64))

static const uint64_t type_rights[] = {
    [P2M_RAM] = NPT_W, [P2M_MMIO] = NPT_W, [P2M_FOREIGN] = NPT_W, [P2M_GRANT_RW] = NPT_W,
    [P2M_GRANT_RO] = 0, [P2M_SHARED_RW] = NPT_W, [P2M_SHARED_RO] = 0,
};

static uint64_t entry_make(mfn_t mfn, enum p2m_type type, unsigned order)
{
    return mfn.n << PAGE_SHIFT | NPT_P | NPT_U | type_rights[type] | (order ? NPT_PS : 0) |
           (type == P2M_MMIO ? 0 : NPT_MEMORY) | (uint64_t)type << TYPE_SHIFT;
}

static enum p2m_type entry_type(uint64_t e)
{
    return e & NPT_P ? (enum p2m_type)(e >> TYPE_SHIFT & 7) : P2M_NONE;
}

static bool type_counts(enum p2m_type type)
{
    return type == P2M_RAM || type == P2M_FOREIGN || type == P2M_GRANT_RW || type == P2M_GRANT_RO;
}

static uint64_t *table_of(uint64_t entry)
{
    return paddr_to_virt(entry & NPT_ADDR);
}

static unsigned index_at(gfn_t gfn, unsigned level)
{
    return gfn.n >> (9 * level) & 511;
}

int p2m_init(struct domain *d)
{
    void *root = page_alloc_hv(0);

    if (!root)
        return -ENOMEM;
    d->p2m = (struct p2m){ .root = virt_to_paddr(root), .tables = 1 };
    return 0;
}

static uint64_t *table_alloc(struct domain *d)
{
    uint64_t *t = d->p2m.tables < TABLES_MAX(d) ? page_alloc_hv(0) : NULL;

    if (t)
        d->p2m.tables++;
    return t;
}

/* A 2 MiB leaf becomes a table of 512 with the same rights and type. */
static int split(struct domain *d, uint64_t *entry)
{
    uint64_t *t = table_alloc(d), old = *entry & ~NPT_PS;

    if (!t)
        return -ENOMEM;
    for (unsigned i = 0; i < 512; i++)
        t[i] = old + ((uint64_t)i << PAGE_SHIFT);
    WRITE_ONCE(*entry, virt_to_paddr(t) | NPT_P | NPT_W | NPT_U);
    return 0;
}

/* The entry for gfn at `level` (0: 4 KiB, 1: 2 MiB). NULL with *rc: -ENOENT a table is missing and !make; -ENOMEM. */
static uint64_t *walk(struct domain *d, gfn_t gfn, unsigned level, bool make, int *rc)
{
    uint64_t *table = paddr_to_virt(d->p2m.root);

    for (unsigned l = 3; l > level; l--) {
        uint64_t *e = &table[index_at(gfn, l)];

        if (!(*e & NPT_P)) {
            uint64_t *t;

            *rc = make ? -ENOMEM : -ENOENT;
            t = make ? table_alloc(d) : NULL;
            if (!t)
                return NULL;
            WRITE_ONCE(*e, virt_to_paddr(t) | NPT_P | NPT_W | NPT_U);
        } else if (*e & NPT_PS) {
            *rc = split(d, e);
            if (*rc)
                return NULL;
        }
        table = table_of(*e);
    }
    return &table[index_at(gfn, level)];
}

static bool table_empty(const uint64_t *t)
{
    for (unsigned i = 0; i < 512; i++) {
        if (t[i])
            return false;
    }
    return true;
}

/* Puts a 2 MiB leaf over a table that has become empty. */
static void drop_empty_table(struct domain *d, uint64_t *entry)
{
    if ((*entry & NPT_P) && !(*entry & NPT_PS) && table_empty(table_of(*entry))) {
        void *t = table_of(*entry);

        WRITE_ONCE(*entry, 0);
        /* The walker may have cached the pointer: nobody may run with it once the frame is reused. */
        p2m_sync(d);
        page_free_hv(t, 0);
        d->p2m.tables--;
    }
}

int p2m_add(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned order, enum p2m_type type)
{
    uint64_t mask = (1ull << order) - 1, *e;
    int rc = 0;

    if ((order != 0 && order != PAGE_ORDER_2M) || (gfn.n | mfn.n) & mask || gfn.n + mask >= GFN_LIMIT ||
        gfn.n + mask < gfn.n)
        return -EINVAL;
    spin_lock(&d->p2m.lock);
    e = walk(d, gfn, order ? 1 : 0, true, &rc);
    if (e) {
        if (order)
            drop_empty_table(d, e);
        rc = 0;
        if (entry_type(*e) == P2M_MMIO && !order)
            d->p2m.flush_gen++;         /* replaced, so an old translation may be cached: p2m_sync below */
        else if (*e)
            rc = -EEXIST;
    }
    if (!rc) {
        bool replaced = *e != 0;

        WRITE_ONCE(*e, entry_make(mfn, type, order));
        if (type == P2M_FOREIGN)
            d->p2m.foreign_maps++;
        if (replaced)
            p2m_sync(d);
    }
    spin_unlock(&d->p2m.lock);
    return rc;
}

uint64_t *p2m_region_find_locked(struct p2m *p2m, uint64_t region)
{
    uint64_t *table = paddr_to_virt(p2m->root);
    unsigned slot = region % P2M_RECENT;

    if (region >= GFN_LIMIT >> 9)
        return NULL;
    for (unsigned l = 3; l > 1; l--) {
        uint64_t e = table[index_at(GFN(region << 9), l)];

        if (!(e & NPT_P))
            return NULL;
        table = table_of(e);
    }
    p2m->recent[slot] = region + 1;
    return p2m->recent_entry[slot] = &table[region & 511];
}

static inline struct p2m_entry lookup_locked(struct domain *d, gfn_t gfn)
{
    uint64_t *at = p2m_region_locked(&d->p2m, gfn.n >> 9), e = at ? *at : 0, below = gfn.n & 511;

    if (e & NPT_P && !(e & NPT_PS)) {
        e = table_of(e)[below];
        below = 0;
    }
    if (!(e & NPT_P))
        return (struct p2m_entry){ MFN_INVALID, P2M_NONE };
    return (struct p2m_entry){ MFN(((e & NPT_ADDR) >> PAGE_SHIFT) + below), entry_type(e) };
}

int p2m_remove(struct domain *d, gfn_t gfn, unsigned types, struct p2m_entry *old)
{
    uint64_t *e;
    int rc = -ENOENT;

    spin_lock(&d->p2m.lock);
    *old = lookup_locked(d, gfn);
    if (old->type != P2M_NONE && old->type != P2M_MMIO)
        rc = types & 1u << old->type ? 0 : -EBUSY;
    e = rc ? NULL : walk(d, gfn, 0, false, &rc);
    if (e) {
        WRITE_ONCE(*e, 0);
        if (old->type == P2M_FOREIGN)
            d->p2m.foreign_maps--;
    }
    spin_unlock(&d->p2m.lock);
    return rc;
}

void p2m_entry_put(struct p2m_entry old)
{
    if (type_counts(old.type))
        page_put(old.mfn);
}

/* A CPU's in_guest word counts entries and exits: odd while in the guest. Whoever enters after our increment of
 * flush_gen sees it (both sides have a full barrier between their store and their load: svm/enter.c is the partner)
 * and takes a fresh ASID; whoever was inside before must have left once. */
void p2m_sync(struct domain *d)
{
    __atomic_add_fetch(&d->p2m.flush_gen, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < cpus_online; i++) {
        uint32_t seq = __atomic_load_n(&percpu[i].in_guest, __ATOMIC_SEQ_CST);
        struct vcpu *v = READ_ONCE(percpu[i].current);

        if (i == this_cpu()->id || !(seq & 1) || !v || v->domain != d)
            continue;
        irq_ipi(i);
        while (__atomic_load_n(&percpu[i].in_guest, __ATOMIC_ACQUIRE) == seq)
            __builtin_ia32_pause();
    }
}

struct p2m_entry p2m_lookup(struct domain *d, gfn_t gfn)
{
    struct p2m_entry e;

    spin_lock(&d->p2m.lock);
    e = lookup_locked(d, gfn);
    spin_unlock(&d->p2m.lock);
    return e;
}

static inline int get_page_locked(struct domain *d, gfn_t gfn, bool own, bool write, mfn_t *mfn)
{
    struct p2m_entry e = lookup_locked(d, gfn);

    if (own ? e.type != P2M_RAM : !type_counts(e.type))
        return -ENOENT;
    if (write && e.type == P2M_GRANT_RO)
        return -EPERM;
    if (!page_get(e.mfn))
        return -ENOENT;
    *mfn = e.mfn;
    return 0;
}

int p2m_get_page_locked(struct domain *d, gfn_t gfn, bool write, mfn_t *mfn)
{
    return get_page_locked(d, gfn, false, write, mfn);
}

static inline int get_page(struct domain *d, gfn_t gfn, bool own, bool write, mfn_t *mfn)
{
    int rc;

    spin_lock(&d->p2m.lock);
    rc = get_page_locked(d, gfn, own, write, mfn);
    spin_unlock(&d->p2m.lock);
    return rc;
}

int p2m_get_page(struct domain *d, gfn_t gfn, bool write, mfn_t *mfn)
{
    return get_page(d, gfn, false, write, mfn);
}

int p2m_get_own_page(struct domain *d, gfn_t gfn, mfn_t *mfn)
{
    return get_page(d, gfn, true, true, mfn);
}

static void put_leaf(struct domain *d, uint64_t e, unsigned level)
{
    uint64_t mfn = (e & NPT_ADDR) >> PAGE_SHIFT;

    if (entry_type(e) == P2M_FOREIGN)
        d->p2m.foreign_maps--;
    if (!type_counts(entry_type(e)))
        return;
    for (uint64_t i = 0; i < 1ull << 9 * level; i++)
        page_put(MFN(mfn + i));
}

/* Empties the table below e, leaf by leaf, until the budget is used up; frees it when it is empty. The depth is the
 * table's, at most three. */
static bool teardown_table(struct domain *d, uint64_t *table, unsigned level, int64_t *budget)
{
    for (unsigned i = 0; i < 512; i++) {
        uint64_t e = table[i];

        if (!(e & NPT_P))
            continue;
        if (*budget <= 0)
            return false;
        if (level == 0 || e & NPT_PS) {
            WRITE_ONCE(table[i], 0);
            put_leaf(d, e, level);
            *budget -= 1ll << 9 * level;
            continue;
        }
        if (!teardown_table(d, table_of(e), level - 1, budget))
            return false;
        WRITE_ONCE(table[i], 0);
        page_free_hv(table_of(e), 0);
        d->p2m.tables--;
        *budget -= 1;
    }
    return true;
}

/* No vCPU of d runs any more and no other domain walks this table but to look for pages, under no lock of ours held
 * across frames: the lock is taken so that a late p2m_get_page sees either an entry with its reference or nothing. */
bool p2m_teardown(struct domain *d, unsigned budget)
{
    int64_t left = budget;
    bool done;

    spin_lock(&d->p2m.lock);
    for (unsigned i = 0; i < P2M_RECENT; i++)
        d->p2m.recent[i] = 0;
    done = teardown_table(d, paddr_to_virt(d->p2m.root), 3, &left);
    spin_unlock(&d->p2m.lock);
    return done;
}

void p2m_free(struct domain *d)
{
    page_free_hv(paddr_to_virt(d->p2m.root), 0);
    d->p2m.tables = 0;
}
