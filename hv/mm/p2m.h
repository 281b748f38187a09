/* A domain's physical map: its nested page table (APM 2 15.25), 4 KiB and 2 MiB leaves.
 *
 * Every present entry of type RAM, FOREIGN or GRANT_* holds one page reference; SHARED entries are frames that hv
 * keeps alive for the domain's whole life (shared_info, grant frames, the stats page) and hold none; MMIO holds none.
 * Guests' page-table reads count as writes (TCG and APM 15.25.5), so a read-only page must never hold a page table. */
#ifndef MM_P2M_H
#define MM_P2M_H

#include "hv/lib/spinlock.h"

struct domain;

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
int p2m_remove_if(struct domain *d, gfn_t gfn, unsigned types, struct p2m_entry *old) __must_check;
#define P2M_GRANTS (1u << P2M_GRANT_RW | 1u << P2M_GRANT_RO)
static inline int __must_check p2m_remove(struct domain *d, gfn_t gfn, struct p2m_entry *old)
{
    return p2m_remove_if(d, gfn, ~0u, old);
}
void p2m_entry_put(struct p2m_entry old);

/* Waits until no CPU can still use entries removed before: afterwards the old frames may be given away. */
void p2m_sync(struct domain *d);

/* What is at gfn now; P2M_NONE if nothing. No reference is taken: valid only under p2m->lock or for information. */
struct p2m_entry p2m_lookup(struct domain *d, gfn_t gfn);
struct p2m_entry p2m_lookup_locked(struct domain *d, gfn_t gfn);

/* The frame at gfn with a reference of its own (page_put it). write: refuse read-only types. Only RAM, FOREIGN and
 * GRANT types qualify. 0; -ENOENT; -EPERM. */
int p2m_get_page(struct domain *d, gfn_t gfn, bool write, mfn_t *mfn) __must_check;
/* The same, but only the domain's own RAM: what it may grant, share or have mapped by others. */
int p2m_get_own_page(struct domain *d, gfn_t gfn, mfn_t *mfn) __must_check;

#endif
