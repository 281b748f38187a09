/* hv's own page tables: its image with W^X, and all memory at DIRECTMAP_BASE, never executable; RAM write-back, the
 * rest uncached. Shared by all CPUs; fixed after boot. */
#ifndef MM_HOSTMAP_H
#define MM_HOSTMAP_H

#include "hv/lib/types.h"

struct e820_range {
    uint64_t start, bytes;
    uint32_t type;
};
#define E820_RAM      1
#define E820_ACPI     3
#define E820_NVS      4
#define E820_UNUSABLE 5
#define E820_MAX      128

extern struct e820_range e820[E820_MAX];
extern unsigned e820_count;

/* Builds the tables with frames from early_alloc and loads them. */
void hostmap_init(void);
void hostmap_drop_low(void);            /* when all CPUs have started: address 0 faults from then on */
extern paddr_t hostmap_root;

/* A page from the top of RAM below 4 GiB, before page_init: boot only. */
void *early_alloc(uint64_t bytes);
/* Where early_alloc has got to: frames at and above, in that range, are hv's. */
extern paddr_t early_floor, early_top;

#endif
