/* The software walk. Reads go straight to the direct map; each frame is pinned by the p2m lock for the few
 * instructions that use it, never longer than one page's copy. Both caller and walker are the current vCPU's.
 *
 * What was walked is remembered until the guest runs again (percpu.walks), as a TLB would: argument structs share
 * pages. Only guest-physical addresses are, so what is there now is looked up each time. */
#include "hv/mm/guestcopy.h"
#include "hv/arch/percpu.h"
#include "hv/arch/vcpu.h"
#include "hv/lib/string.h"

#define PTE_P  (1ull << 0)
#define PTE_W  (1ull << 1)
#define PTE_U  (1ull << 2)
#define PTE_A  (1ull << 5)
#define PTE_D  (1ull << 6)
#define PTE_PS (1ull << 7)
#define PTE_ADDR 0x000FFFFFFFFFF000ull

/* Sets A (and D on a leaf that is written) as the processor would: by CMPXCHG, since other vCPUs may change the
 * entry; if it changed, the walk starts again. */
static bool mark(void *entry, unsigned bytes, uint64_t seen, uint64_t bits)
{
    if (likely((seen & bits) == bits))
        return true;
    if (bytes == 4)
        return __sync_bool_compare_and_swap((uint32_t *)entry, (uint32_t)seen, (uint32_t)(seen | bits));
    return __sync_bool_compare_and_swap((uint64_t *)entry, seen, seen | bits);
}

/* Where a page of the current vCPU's address space lies. */
struct walk {
    uint64_t va, gpa;                   /* of the page; bit 0 of va: it may be written without another walk */
};

#define WALKS 4u

/* Each CPU's own; bits of percpu.walks say which are good. Of four levels the lower two are walked anew within the same
 * GiB: buffers lie together. */
static struct seen {
    struct walk walk[WALKS];
    uint64_t gib, table, rights;        /* va >> 30; its table of level 1; the AND of the entries above */
} seen[CPUS_MAX];
#define SEEN_GIB (1u << WALKS)

/* Guest-virtual to guest-physical under the p2m lock. -EFAULT; -EAGAIN an entry changed under our hands. Compiled once
 * for each number of levels. CR0.WP is taken as set. */
static inline __attribute__((always_inline)) int walk_levels(struct vcpu *v, struct vcpu_paging pg, const unsigned levels,
                                                             uint64_t va, bool write, struct walk *out)
{
    struct p2m *p2m = &v->domain->p2m;
    const unsigned bytes = levels == 2 ? 4 : 8, index_bits = levels == 2 ? 10 : 9;
    uint64_t need = PTE_P | (write ? PTE_W : 0) | (pg.user ? PTE_U : 0), table = pg.root, all = ~0ull;
    struct percpu *cpu = this_cpu();
    struct seen *s = &seen[cpu->id];
    bool near = levels == 4 && cpu->walks & SEEN_GIB && s->gib == va >> 30 && !(~s->rights & need);

    if (near) {
        table = s->table;
        all = s->rights;
    }
#pragma GCC unroll 4
    for (unsigned l = levels; l--;) {
        if (l >= 2 && near)
            continue;
        unsigned shift = 12 + index_bits * l;
        bool pdpte = levels == 3 && l == 2;         /* four of them, with neither R/W, U/S nor A (APM 2, 5.2.3) */
        uint64_t index = va >> shift & ((1u << (pdpte ? 2 : index_bits)) - 1);
        void *at = p2m_at_locked(p2m, table + index * bytes, true);
        uint64_t e;
        bool leaf;

        if (unlikely(!at))
            return -EFAULT;
        e = bytes == 4 ? READ_ONCE(*(uint32_t *)at) : READ_ONCE(*(uint64_t *)at);
        if (unlikely(~e & (pdpte ? PTE_P : need)))
            return -EFAULT;
        leaf = l == 0 || (e & PTE_PS && l <= 2 && !pdpte);
        if (!pdpte && unlikely(!mark(at, bytes, e, PTE_A | (leaf && write ? PTE_D : 0))))
            return -EAGAIN;
        table = e & PTE_ADDR;
        all &= e;
        if (levels == 4 && l == 2 && !leaf) {
            s->gib = va >> 30;
            s->table = table;
            s->rights = all;
            cpu->walks |= SEEN_GIB;
        }
        if (leaf) {
            uint64_t low = (1ull << shift) - 1;

            out->va = (va & PAGE_MASK) | (write || (levels == 4 && all & PTE_W && e & PTE_D));
            out->gpa = ((table & ~low) | (va & low)) & PAGE_MASK;
            return 0;
        }
    }
    return -EFAULT;
}

static int walk_once(struct vcpu *v, uint64_t va, bool write, struct walk *out)
{
    struct vcpu_paging pg = vcpu_paging(v);

    if (likely(pg.levels == 4))
        return (int64_t)(va << 16) >> 16 == (int64_t)va ? walk_levels(v, pg, 4, va, write, out) : -EFAULT;
    if (pg.levels == 3)
        return walk_levels(v, pg, 3, (uint32_t)va, write, out);
    if (pg.levels == 2)
        return walk_levels(v, pg, 2, (uint32_t)va, write, out);
    *out = (struct walk){ (va & PAGE_MASK) | 1, (uint32_t)va & PAGE_MASK };
    return 0;
}

#define WALK_RETRIES 16

static __attribute__((noinline)) int walk_anew(struct vcpu *v, uint64_t va, bool write, struct walk *out)
{
    int rc = -EAGAIN;

    for (unsigned i = 0; i < WALK_RETRIES && rc == -EAGAIN; i++)
        rc = walk_once(v, va, write, out);
    if (rc)
        return -EFAULT;
    this_cpu()->walks |= 1u << (va >> PAGE_SHIFT & (WALKS - 1));
    return 0;
}

static inline int walk_va(struct vcpu *v, uint64_t va, bool write, uint64_t *gpa)
{
    struct percpu *cpu = this_cpu();
    unsigned slot = va >> PAGE_SHIFT & (WALKS - 1);
    struct walk *walk = &seen[cpu->id].walk[slot];

    if (!(cpu->walks >> slot & 1) || (walk->va ^ va) & PAGE_MASK || (walk->va & 1) < write) {
        if (walk_anew(v, va, write, walk))
            return -EFAULT;
    }
    *gpa = walk->gpa | (va & ~PAGE_MASK);
    return 0;
}

static int copy_guest(uint64_t va, void *buffer, size_t bytes, bool to_guest)
{
    struct vcpu *v = current_vcpu();
    char *local = buffer;

    while (bytes) {
        size_t n = MIN(bytes, PAGE_SIZE - (va & ~PAGE_MASK));
        uint64_t gpa;
        void *at = NULL;

        spin_lock(&v->domain->p2m.lock);
        if (walk_va(v, va, to_guest, &gpa) == 0)
            at = p2m_at_locked(&v->domain->p2m, gpa, to_guest);
        if (at && to_guest)
            memcpy(at, local, n);
        else if (at)
            memcpy(local, at, n);
        spin_unlock(&v->domain->p2m.lock);
        if (!at)
            return -EFAULT;
        va += n;
        local += n;
        bytes -= n;
    }
    return 0;
}

int copy_from_guest(void *to, uint64_t from_va, size_t bytes)
{
    return copy_guest(from_va, to, bytes, false);
}

int copy_to_guest(uint64_t to_va, const void *from, size_t bytes)
{
    return copy_guest(to_va, (void *)(uintptr_t)from, bytes, true);
}

int guest_va_to_page(uint64_t va, bool write, mfn_t *mfn)
{
    struct vcpu *v = current_vcpu();
    uint64_t gpa;
    int rc;

    spin_lock(&v->domain->p2m.lock);
    rc = walk_va(v, va, write, &gpa);
    if (!rc && p2m_get_page_locked(v->domain, GFN(gpa >> PAGE_SHIFT), write, mfn))
        rc = -EFAULT;
    spin_unlock(&v->domain->p2m.lock);
    return rc;
}
