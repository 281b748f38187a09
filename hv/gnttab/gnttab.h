/* Grant tables, version 1 (xen/grant_table.h): map, unmap, copy; query_size, set_version (1 only).
 * Other sub-ops -ENOSYS. map/unmap take guest-physical host addresses (the caller is PVH).
 * Per-op status in each struct; the call itself returns 0, or -EFAULT, or restarts itself after a while
 * (sched/preempt.h). */
#ifndef GNTTAB_GNTTAB_H
#define GNTTAB_GNTTAB_H

#include "hv/domain/domain.h"
#include <xen/grant_table.h>

int gnttab_init(struct domain *d) __must_check;         /* 0, -ENOMEM; frame 0 exists at once */
/* Drops every map that d holds of others (budget ops at a time; false: call again). d does not run. */
bool gnttab_release_maps(struct domain *d, unsigned budget);
void gnttab_free(struct domain *d);                     /* no reference to d is left */

/* Takes grant `ref` of d for `grantee`: marks the shared entry, counts, and references the frame (page_put it).
 * GNTST_okay; bad_gntref; general_error not granted so, to it, or its count is at the limit; bad_page. */
int16_t gnttab_acquire(struct domain *d, grant_ref_t ref, domid_t grantee, bool write, mfn_t *mfn) __must_check;
void gnttab_release(struct domain *d, grant_ref_t ref, bool write);

long do_grant_table_op(unsigned cmd, uint64_t arg_va, unsigned count);

/* Frame idx of d's table, grown on demand up to max_grant_frames: for add_to_physmap and acquire_resource.
 * hv's frame, alive as long as d. -EINVAL beyond the limit; -ENOMEM. */
int gnttab_frame(struct domain *d, unsigned idx, mfn_t *mfn) __must_check;
unsigned gnttab_map_count(struct domain *d);            /* live handles, for the inventory */

#endif
