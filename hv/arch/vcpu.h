/* The seam to the processor's virtualisation: arch/svm implements it at link time. */
#ifndef ARCH_VCPU_H
#define ARCH_VCPU_H

#include "hv/domain/domain.h"

struct hvm_hw_cpu;

/* How v's guest-virtual addresses are mapped now. levels: 2 (32-bit), 3 (PAE) or 4, or 0: not at all; user: at CPL 3;
 * root: guest-physical. */
struct vcpu_paging {
    bool user;
    unsigned levels;
    uint64_t root;
};
struct vcpu_paging vcpu_paging(const struct vcpu *v);

int vcpu_arch_init(struct vcpu *v) __must_check;        /* reset state; 0, -ENOMEM */
void vcpu_arch_destroy(struct vcpu *v);                 /* also after a failed init, or none */

/* Architectural state as the ABI's HVM context records; v is not running. load checks everything VMRUN would
 * (EFER, CR0, CR4, segment attributes): -EINVAL names nothing, a printk_guest line does. */
int vcpu_context_load(struct vcpu *v, const struct hvm_hw_cpu *hw) __must_check;
void vcpu_context_save(struct vcpu *v, struct hvm_hw_cpu *hw);

/* The hypercall being handled (RAX; RDI RSI RDX R10 R8, from 32-bit code EAX; EBX ECX EDX ESI EDI). */
enum hypercall_from {
    HYPERCALL_NOBODY,                   /* CPL 1 and 2, 16-bit code, 32-bit user mode */
    HYPERCALL_WIDE,                     /* 64-bit code, CPL 0 */
    HYPERCALL_NARROW,                   /* 32-bit code, CPL 0 */
    HYPERCALL_USER,                     /* 64-bit code, CPL 3 */
};
struct hypercall {
    enum hypercall_from from;
    uint64_t number, args[5];
};
void vcpu_hypercall_read(const struct vcpu *v, struct hypercall *h);
void vcpu_hypercall_return(struct vcpu *v, long result); /* sets RAX and moves RIP past the VMMCALL */
void vcpu_hypercall_set_arg(struct vcpu *v, unsigned n, uint64_t value);       /* of a 64-bit caller */

/* v's state into this CPU and out of it: FPU, debug registers, TSC_AUX. Under the run queue's lock. */
void vcpu_switch_in(struct vcpu *v);
void vcpu_switch_out(struct vcpu *v);

/* Enters the guest once and handles the exit. Only called by the main loop. */
void vcpu_run(struct vcpu *v);

/* Is there something that ends a halt: INIT, NMI, or with IF set an interrupt? Own vCPU. */
bool vcpu_has_work(struct vcpu *v);

/* v has an event to look at: wakes it if it halts, makes it leave guest mode if it runs on another CPU. */
void vcpu_kick(struct vcpu *v);

void vcpu_nmi(struct vcpu *v);

/* Writes pvclock time into v->info (called at switch-in and when info moves). */
void vcpu_time_update(struct vcpu *v);
/* Writes the runstate area, if one is registered. */
void vcpu_runstate_update(struct vcpu *v);

#endif
