/* Frames: who owns each 4 KiB of RAM and how many hold it; a buddy allocator for the free ones.
 *
 * A frame is free (scrubbed, always zero), hv's own, or a domain's. A domain's frame has one reference for being
 * allocated (its place in the p2m), one for each foreign map, grant map or registered area. The last put scrubs and
 * frees it and lets go of the owner. */
#ifndef MM_PAGE_H
#define MM_PAGE_H

#include "hv/lib/types.h"

#define PAGE_ORDER_2M  9
#define PAGE_ORDER_MAX 9

#define OWNER_HV    0x7FF2u             /* DOMID_XEN */
#define OWNER_FREE  0x7FFFu

struct page {
    uint32_t refs;
    uint16_t owner;                     /* domid, OWNER_HV or OWNER_FREE */
    uint8_t order;                      /* of the free block that starts here */
    uint8_t free_head : 1;              /* a free block starts here */
    uint8_t dirty : 1;                  /* free since boot, not zeroed yet: done when it is taken */
};

struct domain;

/* The direct map: all RAM at one offset. The host tests have theirs elsewhere. */
#ifndef DIRECTMAP_BASE
#define DIRECTMAP_BASE 0xFFFF800000000000ull
#endif
static inline void *mfn_to_virt(mfn_t mfn)
{
    return (void *)(DIRECTMAP_BASE + (mfn.n << PAGE_SHIFT));
}

static inline void *paddr_to_virt(paddr_t pa)
{
    return (void *)(DIRECTMAP_BASE + pa);
}

static inline mfn_t virt_to_mfn(const void *p)      /* of a direct-map address */
{
    return MFN(((uint64_t)p - DIRECTMAP_BASE) >> PAGE_SHIFT);
}

static inline paddr_t virt_to_paddr(const void *p)
{
    return (uint64_t)p - DIRECTMAP_BASE;
}

/* Frames for hv itself: zeroed, physically contiguous, 2^order. NULL: out of memory. Owner OWNER_HV. */
void *page_alloc_hv(unsigned order);
void page_free_hv(void *p, unsigned order);
/* Another reference to a single frame (order 0) of hv's that is mapped into a domain which may outlive its user: a grant
 * frame in dom0. page_put drops it; page_free_hv(p, 0) drops the first; whoever comes last frees the frame. false: its
 * count is at the limit. */
bool page_get_hv(mfn_t mfn) __must_check;

/* 2^order zeroed frames for d, each with one reference, charged to d->pages (and the stats slot) at once.
 * 0; -ENOMEM none free; -E2BIG above d->pages_max; -EINVAL d is dying. */
int page_alloc_domain(struct domain *d, unsigned order, mfn_t *mfn) __must_check;

/* Another reference to a frame that is RAM and in use. false: not RAM, free, hv's own, or its count is at the limit. */
bool page_get(mfn_t mfn) __must_check;
void page_put(mfn_t mfn);
struct page *page_of(mfn_t mfn);        /* NULL: not RAM */
uint16_t page_owner(mfn_t mfn);         /* OWNER_HV for what is not RAM */

/* Boot. page_init: all RAM of the e820 map is hv's. page_release_boot: these frames are free now (zeroed when taken);
 * what is not RAM is skipped. page_claim_boot: these frames are d's, one reference each. */
void page_init(void);
void page_release_boot(paddr_t start, paddr_t end);
void page_claim_boot(struct domain *d, paddr_t start, paddr_t end);

extern uint64_t pages_total, pages_free, pages_hv;      /* counts; written under the heap's lock, read without */
mfn_t page_mfn_max(void);               /* the highest frame that is RAM */

#endif
