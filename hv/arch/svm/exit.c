/* One switch over the reasons for which a guest stops. */
#include "hv/arch/svm/svm.h"
#include "hv/console/printk.h"
#include "hv/hypercall/handlers.h"
#include "hv/sched/sched.h"

#include <xen/sched.h>

#define CR4_OSXSAVE (1u << 18)
#define DR7_GD      (1ull << 13)

/* Without nRIP the length is the opcode's: a guest that adds prefixes moves its own RIP wrongly and harms nobody else.
 * In 16- and 32-bit code RIP wraps at 4 GiB. */
void svm_skip(struct vcpu *v, unsigned length)
{
    struct vmcb *b = svm_of(v)->vmcb;

    b->rip = svm_features.nrips && b->nrip ? b->nrip : b->rip + length;
    if (!(b->cs.attr & 1u << 9))
        b->rip = (uint32_t)b->rip;
    b->interrupt_shadow = 0;
}

/* All vCPUs halted with interrupts off can never run again: this is how a PVH guest without ACPI S5 powers off. The
 * fence orders our own flag before the looks at the others': of two that halt at once, one sees both. */
static void check_halted_for_good(struct domain *d)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < d->nr_vcpus; i++) {
        const struct svm_vcpu *s = svm_of(d->vcpu[i]);

        if (READ_ONCE(d->vcpu[i]->up) && (!READ_ONCE(s->halted_masked) || READ_ONCE(s->nmi_pending)))
            return;
    }
    domain_shutdown(d, SHUTDOWN_poweroff);
}

static void halt(struct vcpu *v)
{
    struct svm_vcpu *s = svm_of(v);
    bool interrupts = s->vmcb->rflags & 1u << 9;

    svm_skip(v, 1);
    sched_block_prepare(v);
    if (vcpu_has_work(v))
        return;
    WRITE_ONCE(s->halted_masked, !interrupts);
    sched_block(v);
    if (!interrupts)
        check_halted_for_good(v->domain);
}

/* On hardware only: TCG runs XSETBV in the guest. */
static void xsetbv(struct vcpu *v)
{
    struct svm_vcpu *s = svm_of(v);
    uint64_t value = (uint32_t)s->vmcb->rax | s->regs.rdx << 32;

    if (s->vmcb->cpl || s->regs.rcx & UINT32_MAX || !(value & 1) || value & ~svm_features.xcr0_mask ||
        (value & 6) == 4 || !(s->vmcb->cr4 & CR4_OSXSAVE)) {
        svm_raise_exception(v, EXC_GP, true, 0);
        return;
    }
    __asm__ volatile("xsetbv" :: "a"((uint32_t)value), "d"(0), "c"(0));
    svm_skip(v, 3);
}

static void unexpected(struct vcpu *v)
{
    const struct vmcb *b = svm_of(v)->vmcb;

    domain_crash(v->domain, "d%uv%u: exit %lx info %lx %lx at %lx", v->domain->id, v->id, (unsigned long)b->exitcode,
                 (unsigned long)b->exitinfo1, (unsigned long)b->exitinfo2, (unsigned long)b->rip);
}

void svm_exit(struct vcpu *v)
{
    struct vmcb *b = svm_of(v)->vmcb;

    switch (b->exitcode) {
    case VMEXIT_INTR:
    case VMEXIT_NMI:
    case VMEXIT_SMI:                    /* taken in the window, or by hv's own NMI handler with GIF set */
    case VMEXIT_VINTR:                  /* svm_inject finds the window open */
        break;
    case VMEXIT_VMMCALL: hypercall_dispatch(v); break;
    case VMEXIT_HLT: halt(v); break;
    case VMEXIT_CPUID:
        svm_cpuid(v);
        svm_skip(v, 2);
        break;
    case VMEXIT_MSR: svm_msr(v); break;
    case VMEXIT_IOIO: svm_ioio(v); break;
    case VMEXIT_NPF: svm_npf(v); break;
    case VMEXIT_IRET: svm_note_iret(v); break;
    case VMEXIT_XSETBV: xsetbv(v); break;
    case VMEXIT_INVD:
    case VMEXIT_WBINVD:
        svm_skip(v, 2);                 /* caches are coherent and shared: nothing to do for one guest */
        break;
    case VMEXIT_EXCP_DB:
        b->dr7 &= ~DR7_GD;              /* as delivery does (APM 2, 13.1.1.4), or the handler's MOV DR faults for ever */
        svm_raise_exception(v, EXC_DB, false, 0);
        break;
    case VMEXIT_EXCP_AC: svm_raise_exception(v, EXC_AC, true, 0); break;
    case VMEXIT_RDPMC: svm_raise_exception(v, EXC_GP, true, 0); break;
    case VMEXIT_VMRUN:
    case VMEXIT_VMLOAD ... VMEXIT_SKINIT:       /* VMSAVE, STGI and CLGI between them */
    case VMEXIT_INVLPGA:
    case VMEXIT_MONITOR ... VMEXIT_MWAIT_ARMED:
        svm_raise_exception(v, EXC_UD, false, 0);       /* hidden in CPUID */
        break;
    case VMEXIT_SHUTDOWN:
        domain_crash(v->domain, "d%uv%u: triple fault at %lx", v->domain->id, v->id, (unsigned long)b->rip);
        break;
    case VMEXIT_EXCP_MC:
        panic("machine check while d%uv%u ran", v->domain->id, v->id);
    default: unexpected(v);
    }
}
