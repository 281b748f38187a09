/* The control domain's hypercalls and the guests' memory, parameter and version calls: ABI as in libxen-dev's domctl.h,
 * sysctl.h, memory.h, hvm/hvm_op.h, version.h, and hv/include/xs/build.h. Each argument struct is copied once and only
 * the copy is looked at; numbers that are not listed in the .c file answer -ENOSYS. All may return HYPERCALL_RESTART.
 *
 * -EPERM the caller may not; -EACCES wrong interface_version (domctl, sysctl); -ESRCH no such domain; -EFAULT. */
#ifndef DOMCTL_DOMCTL_H
#define DOMCTL_DOMCTL_H

#include "hv/domain/domain.h"
#include <xen/domctl.h>
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

#endif
