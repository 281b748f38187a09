/* The control domain's hypercalls and the guests' memory, parameter and version calls: ABI as in libxen-dev's domctl.h,
 * sysctl.h, memory.h, hvm/hvm_op.h, version.h, and hv/include/xs/build.h. Each argument struct is copied once and only
 * the copy is looked at; numbers that are not listed in the .c file answer -ENOSYS. All may return HYPERCALL_RESTART.
 *
 * -EPERM the caller may not; -EACCES wrong interface_version (domctl, sysctl); -ESRCH no such domain; -EFAULT. */
#ifndef DOMCTL_DOMCTL_H
#define DOMCTL_DOMCTL_H

#include "hv/domain/domain.h"
#include <xen/domctl.h>
#include <xen/memory.h>
#include <xen/sysctl.h>

long do_domctl(uint64_t arg_va);
long do_sysctl(uint64_t arg_va);
long do_memory_op(unsigned cmd_with_progress, uint64_t arg_va);     /* sub-op in bits 5:0, extents done above */
long do_memory_op_narrow(unsigned op, uint64_t arg_va);              /* for 32-bit callers */
long do_hvm_op(unsigned cmd, uint64_t arg_va);
long do_xen_version(unsigned cmd, uint64_t arg_va);
long do_build_op(unsigned cmd, uint64_t arg_va);

/* Where d wants its event upcalls (HVM_PARAM_CALLBACK_IRQ, vector form; hvm_op.c); 0: it has not said. */
uint8_t hvm_callback_vector(const struct domain *d);

/* What getdomaininfo says of d (domctl.c), for both the domctl and the sysctl. */
void domain_info(struct domain *d, struct xen_domctl_getdomaininfo *info);

/* wallclock.c: UTC as guests see it, the RTC at boot, then what dom0 sets (it has NTP). set: UTC ns at now_ns() == 0, for
 * all domains that exist and those to come; update fills in d's shared_info (xen.h, wc_*). */
void wallclock_set(uint64_t boot_ns);
void wallclock_update(struct domain *d);

/* HVM context records (context.c): XEN_DOMCTL_gethvmcontext and sethvmcontext. */
long context_get(struct domain *d, struct xen_domctl *op);
long context_set(struct domain *d, struct xen_domctl *op);

/* XENMEM sub-ops that change where frames appear (physmap.c). memory.c copies the argument and finds the domain; `done` is
 * how many elements earlier passes of a restarted call have finished. */
union memory_arg {
    struct xen_memory_reservation reservation;
    struct xen_add_to_physmap add;
    struct xen_add_to_physmap_batch batch;
    struct xen_remove_from_physmap remove;
    struct xen_memory_map map;
    struct xen_foreign_memory_map foreign_map;
    struct xen_mem_acquire_resource acquire;
};

long physmap_add(struct domain *d, union memory_arg *arg, uint64_t done);
long physmap_add_batch(struct domain *d, union memory_arg *arg, uint64_t done);
long physmap_remove(struct domain *d, union memory_arg *arg, uint64_t done);
long physmap_acquire(struct domain *d, union memory_arg *arg, uint64_t done);

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

/* Clears gfn if what is there is one of `types`; *was, if wanted, says what it was. 0; -ENOENT nothing or MMIO; -EBUSY
 * another type; -ENOMEM. */
int physmap_clear(struct domain *d, gfn_t gfn, unsigned types, struct p2m_entry *was) __must_check;

/* Is the frame that dom0 has by identity at gfn out of its map for now (something else lies or lay there)? */
bool physmap_parked(struct domain *d, gfn_t gfn);

#endif
