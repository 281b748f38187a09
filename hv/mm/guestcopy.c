/* The software walk. Reads go straight to the direct map; each frame is pinned by the p2m lock for the few
 * instructions that use it, never longer than one page's copy. Both caller and walker are the current vCPU's. */
#include "hv/mm/guestcopy.h"
#include "hv/mm/page.h"
#include "hv/mm/p2m.h"
#include "hv/arch/percpu.h"
#include "hv/arch/vcpu.h"
#include "hv/lib/string.h"

#define PTE_P  (1ull << 0)
#define PTE_W  (1ull << 1)
#define PTE_A  (1ull << 5)
#define PTE_D  (1ull << 6)
#define PTE_PS (1ull << 7)
#define PTE_ADDR 0x000FFFFFFFFFF000ull

static bool entry_writable(enum p2m_type type)
{
    return type == P2M_RAM || type == P2M_FOREIGN || type == P2M_GRANT_RW || type == P2M_SHARED_RW;
}

/* The direct-map address of a guest-physical one, or NULL. The p2m lock is held. */
static void *gpa_to_virt_locked(struct domain *d, uint64_t gpa, bool write)
{
    struct p2m_entry e = p2m_lookup_locked(d, GFN(gpa >> PAGE_SHIFT));

    if (e.type == P2M_NONE || e.type == P2M_MMIO || (write && !entry_writable(e.type)))
        return NULL;
    return (char *)mfn_to_virt(e.mfn) + (gpa & ~PAGE_MASK);
}

/* Sets A (and D on a leaf that is written) as the processor would: by CMPXCHG, since other vCPUs may change the
 * entry; if it changed, the walk starts again. */
static bool mark(uint64_t *entry, uint64_t seen, uint64_t bits)
{
    if ((seen & bits) == bits)
        return true;
    return __atomic_compare_exchange_n(entry, &seen, seen | bits, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}


/* Guest-virtual to guest-physical under the p2m lock. -EFAULT; -EAGAIN an entry changed under our hands. */
static int walk_once(struct vcpu *v, uint64_t va, bool write, uint64_t *gpa)
{
    struct vcpu_paging pg = vcpu_paging(v);
    uint64_t table = pg.root;

    if (!pg.enabled) {
        *gpa = (uint32_t)va;
        return 0;
    }
    if (pg.levels == 4 && (int64_t)(va << 16) >> 16 != (int64_t)va)
        return -EFAULT;
    if (pg.levels < 4)
        va = (uint32_t)va;
    for (int l = (int)pg.levels - 1; l >= 0; l--) {
        unsigned shift = 12 + (pg.levels == 2 ? 10 : 9) * (unsigned)l;
        unsigned index = (unsigned)(va >> shift) & (pg.levels == 2 ? 1023 : 511);
        unsigned bytes = pg.levels == 2 ? 4 : 8;
        bool pdpte = pg.levels == 3 && l == 2;
        uint64_t *at = gpa_to_virt_locked(v->domain, table + (uint64_t)(pdpte ? index & 3 : index) * bytes, true);
        uint64_t e, bits;
        bool leaf;

        if (!at)
            return -EFAULT;
        e = bytes == 4 ? READ_ONCE(*(uint32_t *)at) : READ_ONCE(*at);
        if (!(e & PTE_P))
            return -EFAULT;
        leaf = l == 0 || (e & PTE_PS && l <= 2 && !pdpte);
        /* PAE's PDPTEs have neither R/W nor A (APM 2, 5.2.3). CR0.WP is taken as set. */
        if (!pdpte) {
            if (write && !(e & PTE_W))
                return -EFAULT;
            bits = PTE_A | (leaf && write ? PTE_D : 0);
            if (bytes == 8 ? !mark(at, e, bits) : ((e & bits) != bits && !__sync_bool_compare_and_swap(
                    (uint32_t *)at, (uint32_t)e, (uint32_t)(e | bits))))
                return -EAGAIN;
        }
        if (leaf) {
            uint64_t low = (1ull << shift) - 1;

            *gpa = (e & PTE_ADDR & ~low) | (va & low);
            return 0;
        }
        table = e & PTE_ADDR;
    }
    return -EFAULT;
}

#define WALK_RETRIES 16

static int walk_va(struct vcpu *v, uint64_t va, bool write, uint64_t *gpa)
{
    int rc = -EAGAIN;

    for (unsigned i = 0; i < WALK_RETRIES && rc == -EAGAIN; i++)
        rc = walk_once(v, va, write, gpa);
    return rc ? -EFAULT : 0;
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
            at = gpa_to_virt_locked(v->domain, gpa, to_guest);
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
    spin_unlock(&v->domain->p2m.lock);
    if (rc)
        return rc;
    return p2m_get_page(v->domain, GFN(gpa >> PAGE_SHIFT), write, mfn) ? -EFAULT : 0;
}
