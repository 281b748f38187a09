/* Hypercall 54, build_op: fill a new domain's memory without mapping it.
 *
 * A toolstack that maps guest pages needs one hypercall per page for the map,
 * one for the unmap, and leaves guest memory visible in dom0. This copies the
 * image straight from the caller's buffer into the guest: no guest page is
 * ever mapped in dom0.
 *
 * Called as HYPERVISOR(54, cmd, arg). Only dom0 may call: others get -EPERM.
 */
#ifndef XS_BUILD_H
#define XS_BUILD_H

#include <stdint.h>

#define XS_HC_BUILD_OP  54

/* XS_BUILD_write: copy `bytes` from buffer `from` (guest-virtual, caller) to
 * guest-physical `gpa` of paused domain `domid`. Pages of the target must be
 * its own RAM. Long copies are preempted and resumed inside hv: the struct is
 * updated (from, gpa, bytes) as the copy proceeds, so after an error it tells
 * where it stopped.
 * 0; -ESRCH no such domain, or it is dom0 or dying; -EBUSY it is not paused;
 * -EINVAL bytes > XS_BUILD_WRITE_MAX or gpa + bytes wraps; -EFAULT a page of
 * either side is not there. */
#define XS_BUILD_write      1
#define XS_BUILD_WRITE_MAX  (64u << 20)
struct xs_build_write {
    uint32_t domid;
    uint32_t pad;                   /* 0 */
    uint64_t gpa;
    uint64_t from;
    uint64_t bytes;
};

#endif
