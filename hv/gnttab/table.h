/* Inside gnttab/: one domain's table of the grants it makes (entry.c) and of the maps it holds of others (map.c). */
#ifndef GNTTAB_TABLE_H
#define GNTTAB_TABLE_H

#include "hv/domain/domain.h"
#include <xen/grant_table.h>

#define GRANTS_PER_FRAME  ((unsigned)(PAGE_SIZE / sizeof(struct grant_entry_v1)))
#define HANDLES_PER_PAGE  ((unsigned)(PAGE_SIZE / sizeof(struct map_handle)))
#define HANDLES_PER_TRACK 256u          /* what one unit of createdomain's max_maptrack_frames stands for */

/* hv's own record of one grant while it is in use: what was true when it was first taken. What the guest writes into
 * the shared entry afterwards concerns only later takers. */
struct active {
    mfn_t mfn;
    domid_t grantee;
    uint16_t readers, writers;          /* maps and copies under way; both 0: not in use */
};

enum map_state { MAP_FREE = 0, MAP_LIVE, MAP_ENDING };

struct map_handle {
    struct domain *granter;             /* with a reference */
    uint64_t gfn;                       /* where the holder sees it */
    grant_ref_t ref;                    /* free: the next free handle */
    uint8_t state;                      /* enum map_state */
    bool write;
};

struct gnttab {
    struct spinlock lock;               /* order 5 in LOCKING.md; everything below */

    unsigned nr_frames, max_frames;
    struct grant_entry_v1 **shared;     /* a frame each, seen and written by the guest at any time */
    struct active **active;

    unsigned nr_handles, max_handles;   /* that exist; that may */
    unsigned free_handle;               /* head of the free list; nr_handles: empty */
    unsigned live_handles;
    unsigned release_next;              /* where gnttab_release_maps goes on */
    struct map_handle **handles;        /* a page each */

    unsigned order;                     /* of the run that holds this struct and the three arrays */
};

/* One op each; the status. */
int16_t map_one(struct domain *self, struct gnttab_map_grant_ref *op);
int16_t copy_one(struct domain *self, const struct gnttab_copy *op);

/* Maps that end together: taken out of the p2m one by one, then one p2m_sync for all, and only then are frames and
 * grants let go, since until then a CPU may still use the old translations. */
#define ENDING_MAX 16u
struct ending {
    unsigned count;
    struct {
        unsigned handle;
        struct p2m_entry old;
    } map[ENDING_MAX];
};

int16_t unmap_begin(struct domain *self, const struct gnttab_unmap_grant_ref *op, struct ending *ending);
void unmap_finish(struct domain *self, struct ending *ending);

#endif
