/* The small hypercall families: vCPU, scheduling, console, platform, physical devices. ABI as in libxen-dev's vcpu.h,
 * sched.h, xen.h (console_io), platform.h, physdev.h. What is not listed in the .c file answers -ENOSYS. */
#ifndef HYPERCALL_HANDLERS_H
#define HYPERCALL_HANDLERS_H

#include "hv/lib/types.h"

struct vcpu;

/* v executed VMMCALL: runs the hypercall, sets RAX, moves RIP on (unless it restarts). */
void hypercall_dispatch(struct vcpu *v);

long do_vcpu_op(unsigned cmd, unsigned vcpu_id, uint64_t arg_va);
long do_sched_op(unsigned cmd, uint64_t arg_va);
long do_sched_op_narrow(unsigned cmd, uint64_t arg_va);      /* for 32-bit callers */
long do_console_io(unsigned cmd, unsigned count, uint64_t buffer_va);
long do_platform_op(uint64_t arg_va);
long do_physdev_op(unsigned cmd, uint64_t arg_va);

#endif
