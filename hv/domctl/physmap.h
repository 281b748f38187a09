/* XENMEM sub-ops that change where frames appear (physmap.c); memory.c copies nothing for them but the command. `done`
 * is how many elements earlier passes of a restarted call have finished. */
#ifndef DOMCTL_PHYSMAP_H
#define DOMCTL_PHYSMAP_H

#include "hv/domain/domain.h"

long physmap_add(uint64_t arg_va);
long physmap_add_batch(uint64_t arg_va, uint64_t done);
long physmap_remove(uint64_t arg_va);
long physmap_acquire(uint64_t arg_va, uint64_t done);

/* Restarts the running memory_op, sub-op `op`, with `done` elements finished: HYPERCALL_RESTART. */
#define MEMORY_OP_BITS 6
#define MEMORY_OP_DONE_MAX (UINT32_MAX >> MEMORY_OP_BITS)
long memory_op_restart(unsigned op, uint64_t done);

/* Guest-virtual address of element i of an array; a sum that wraps is no address of the guest's and faults. */
static inline uint64_t guest_element(const void *array, uint64_t i, size_t bytes)
{
    return (uint64_t)array + i * bytes;
}

/* Enters a frame into d's map unless d is dying: then nobody would take it out again. The reference that the type needs
 * passes to the entry. 0; -EINVAL d is dying; else as p2m_add. */
int physmap_enter(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned order, enum p2m_type type) __must_check;

/* Is the frame that dom0 has by identity at gfn out of its map for now (something else lies or lay there)? */
bool physmap_parked(struct domain *d, gfn_t gfn);

#endif
