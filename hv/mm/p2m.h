/* A domain's physical map: its nested page table (APM 2 15.25), 4 KiB and 2 MiB leaves.
 *
 * Every present entry of type RAM, FOREIGN or GRANT_* holds one page reference; SHARED entries are frames that hv
 * keeps alive for the domain's whole life (shared_info, grant frames, the stats page) and hold none; MMIO holds none.
 * Guests' page-table reads count as writes (TCG and APM 15.25.5), so a read-only page must never hold a page table. */
#ifndef MM_P2M_H
#define MM_P2M_H

#include "hv/lib/spinlock.h"
#include "hv/mm/page.h"

struct domain;

#define NPT_P      (1ull << 0)
#define NPT_W      (1ull << 1)
#define NPT_PS     (1ull << 7)
#define NPT_MEMORY (1ull << 9)          /* ours: hv may touch it, too; all leaves but those of devices */
#define NPT_ADDR   0x000FFFFFFFFFF000ull

enum p2m_type {
    P2M_NONE = 0,
    P2M_RAM,            /* the domain's own frame */
    P2M_MMIO,           /* dom0 only: identity-mapped device space */
    P2M_FOREIGN,        /* another domain's frame, or hv's with a reference (page_get_hv), mapped by the control domain */
    P2M_GRANT_RW,
    P2M_GRANT_RO,
    P2M_SHARED_RW,      /* hv's frame, writable */
    P2M_SHARED_RO,      /* hv's frame, read-only (the stats page) */
};

#define P2M_RECENT 8

struct p2m {
    struct spinlock lock;               /* tables and entries; nests inside evtchn and gnttab locks, outside the heap's */
    paddr_t root;
    uint64_t tables;                    /* frames used for tables */
    uint64_t foreign_maps;              /* P2M_FOREIGN entries now */
    /* Bumped whenever an entry is removed or loses rights; a CPU flushes before it enters with an older one
     * (arch/vcpu.h, vcpu_tlb_sync). */
    uint64_t flush_gen;
    /* Where lookups ended last: region (GFN / 512) + 1 and its entry of level 1. Tables of that level stay to the end. */
    uint64_t recent[P2M_RECENT];
    uint64_t *recent_entry[P2M_RECENT];
};

struct p2m_entry {
    mfn_t mfn;
    enum p2m_type type;
};

int p2m_init(struct domain *d) __must_check;

/* Frees tables and drops every reference, `budget` entries at a time. false: call again. */
bool p2m_teardown(struct domain *d, unsigned budget);
void p2m_free(struct domain *d);

/* Enters 2^order frames (0 or 9). The reference that the type needs is the caller's and passes to the entry.
 * MMIO is replaced: Linux maps foreign frames into holes of the machine.
 * 0; -EEXIST something other than MMIO is there; -ENOMEM; -EINVAL unaligned or beyond the physical space. */
int p2m_add(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned order, enum p2m_type type) __must_check;

/* Takes out one 4 KiB entry if its type is one of `types` (1 << type each), splitting a 2 MiB one. The entry's reference
 * passes to the caller in *old; the caller drops it with p2m_entry_put after p2m_sync.
 * 0; -ENOENT nothing or MMIO is there; -EBUSY another type; -ENOMEM no table for the split. */
int p2m_remove(struct domain *d, gfn_t gfn, unsigned types, struct p2m_entry *old) __must_check;
#define P2M_GRANTS (1u << P2M_GRANT_RW | 1u << P2M_GRANT_RO)
void p2m_entry_put(struct p2m_entry old);

/* Waits until no CPU can still use entries removed before: afterwards the old frames may be given away. */
void p2m_sync(struct domain *d);

/* What is at gfn now; P2M_NONE if nothing. No reference is taken: valid only under p2m->lock or for information. */
struct p2m_entry p2m_lookup(struct domain *d, gfn_t gfn);
/* The frame at gfn with a reference of its own (page_put it). write: refuse read-only types. Only RAM, FOREIGN and
 * GRANT types qualify. 0; -ENOENT; -EPERM. */
int p2m_get_page(struct domain *d, gfn_t gfn, bool write, mfn_t *mfn) __must_check;
int p2m_get_page_locked(struct domain *d, gfn_t gfn, bool write, mfn_t *mfn) __must_check;
/* The same, but only the domain's own RAM: what it may grant, share or have mapped by others. */
int p2m_get_own_page(struct domain *d, gfn_t gfn, mfn_t *mfn) __must_check;

/* The level-1 entry of a region of 512 frames, or NULL: by the tables, or where it was found last. */
uint64_t *p2m_region_find_locked(struct p2m *p2m, uint64_t region);
static inline uint64_t *p2m_region_locked(struct p2m *p2m, uint64_t region)
{
    unsigned slot = region % P2M_RECENT;

    return likely(p2m->recent[slot] == region + 1) ? p2m->recent_entry[slot] : p2m_region_find_locked(p2m, region);
}

/* The direct-map address of a guest-physical one, to read or write up to the end of its page; NULL: nothing is there, a
 * device, or (write) what is read-only. Inline, since a software walk looks up each table. */
static inline void *p2m_at_locked(struct p2m *p2m, uint64_t gpa, bool write)
{
    uint64_t *at = p2m_region_locked(p2m, gpa >> (PAGE_SHIFT + 9)), e, low = (PAGE_SIZE << PAGE_ORDER_2M) - 1;

    if (unlikely(!at))
        return NULL;
    e = *at;
    if (!(e & NPT_PS)) {
        if (unlikely(!(e & NPT_P)))
            return NULL;
        e = ((uint64_t *)paddr_to_virt(e & NPT_ADDR))[gpa >> PAGE_SHIFT & 511];
        low = PAGE_SIZE - 1;
    }
    if (unlikely(~e & (NPT_P | NPT_MEMORY | (write ? NPT_W : 0))))
        return NULL;
    return (char *)paddr_to_virt(e & NPT_ADDR) + (gpa & low);
}

#endif
