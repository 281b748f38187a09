/* A toolstack for kernels that run as dom0. Calls answer as hypercalls do: negative errno, or the result. */
#ifndef TESTS_GUEST_TOOLSTACK_H
#define TESTS_GUEST_TOOLSTACK_H

#include "tests/guest/lib/guest.h"

#include <xen/domctl.h>
#include <xen/grant_table.h>
#include "xs/meter.h"
#include "xs/stats.h"

extern const struct xs_stats_header *stats;

void map_stats(void);                   /* a check of its own; `stats` is good then */
const struct xs_stats_slot *slot_of(uint32_t domid, uint32_t state);
long acknowledge(uint32_t domid);       /* the tombstone of a domain that is gone */
struct xs_meter_inventory inventory(void);

struct xen_domctl *domctl(uint32_t cmd, uint32_t domid);        /* one for all: fill in and call */
long domctl_on(uint32_t cmd, uint32_t domid);
long domain_create(void);               /* one vCPU, paused; its id */
long memory_give(uint32_t domid, unsigned pages);               /* from 0 on, at most 512; how many */

/* Others' pages at a page number of ours. */
long foreign_map(uint32_t domid, uint64_t gpa, uint64_t at_gfn);
long unmap(uint64_t gfn);
grant_entry_v1_t *map_grants(uint32_t domid);   /* the first page of its grant table; NULL */

#endif
