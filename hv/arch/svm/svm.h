/* What the files of this room share: a vCPU's AMD-V state. Generic code sees arch/vcpu.h only. */
#ifndef ARCH_SVM_SVM_H
#define ARCH_SVM_SVM_H

#include "hv/arch/svm/vmcb.h"
#include "hv/arch/vcpu.h"
#include "hv/lib/bitmap.h"

/* General registers that VMRUN does not switch; RAX and RSP are in the VMCB. Offsets are known to run.S. */
struct svm_regs {
    uint64_t rbx, rcx, rdx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15;
};

#define LAPIC_REGS 0x40

struct vlapic {                         /* vlapic.c; x2APIC only */
    uint64_t irr[4], isr[4], tmr[4];    /* irr: atomic, any CPU; the rest: own vCPU */
    uint32_t id;
    uint32_t reg[LAPIC_REGS];           /* those that are more than a value have no use for theirs */
    uint64_t icr, base;
};

#define SIPI_PENDING 0x100u

struct svm_vcpu {
    struct vmcb *vmcb;
    paddr_t vmcb_pa;
    struct svm_regs regs;
    struct vlapic lapic;

    uint64_t xcr0, tsc_aux, pat;
    uint64_t dr[4];
    uint8_t *xsave;

    /* TLB tags: a fresh ASID whenever v moves to another CPU or its p2m lost an entry (enter.c). */
    unsigned asid_cpu;
    uint64_t asid_generation, flush_gen;

    bool nmi_pending;                   /* set by any CPU */
    bool nmi_blocked;                   /* until the IRET at nmi_iret_rip, once seen, is done */
    bool nmi_iret;
    uint64_t nmi_iret_rip;
    bool lapic_injected;                /* the interrupt in EVENTINJ came from the local APIC */
    uint8_t as_intn;                    /* its vector if it stands there as INTn, else 0 */
    bool exception_pending;
    uint64_t exception;                 /* EVENTINJ form */
    /* INIT and SIPI, under domain.lock. Others only leave a note: the VMCB is touched by who runs v alone (enter.c). */
    bool wait_sipi;
    bool init_pending;
    uint16_t sipi;                      /* SIPI_PENDING | vector */
    bool halted_masked;                 /* in HLT with interrupts off: nothing but an NMI ends it */
    bool halt_in_shadow;                /* RIP is at a HLT right behind an STI (inject.c) */
};

static inline struct svm_vcpu *svm_of(const struct vcpu *v)
{
    return v->arch;
}

struct svm_features {
    bool nrips;
    bool tcg;                           /* QEMU's emulation, with a fault to step round */
    uint32_t asids;
    uint64_t xcr0_mask;                 /* what guests may enable */
};
extern struct svm_features svm_features;
extern paddr_t svm_msrpm, svm_iopm_dom0, svm_iopm_domu;

/* svm.c: this CPU into host mode with SVM on. A CPU that cannot is told about on the console by name, and panic. */
void svm_check(void);                   /* before anything else: can this CPU do it? */
void svm_init(void);                    /* once: features, permission maps */
void svm_init_cpu(void);

/* vmcb.c */
void svm_reset(struct vcpu *v);         /* architectural reset values with our intercepts */

/* run.S: saves host state that VMRUN does not, runs until #VMEXIT. GIF and IF are as before on return. */
void svm_run(struct svm_regs *regs, paddr_t vmcb, paddr_t host_vmcb);

/* exit.c */
void svm_exit(struct vcpu *v);
void svm_skip(struct vcpu *v, unsigned length);         /* RIP past an instruction; nRIP when the CPU gives it */

/* inject.c */
void svm_inject(struct vcpu *v);                        /* last thing before VMRUN */
void svm_note_shadow(struct vcpu *v);
void svm_note_iret(struct vcpu *v);
void svm_requeue_event(struct vcpu *v, uint64_t event);
/* First thing after: an event whose delivery was interrupted is pending again. */
static inline void svm_requeue(struct vcpu *v)
{
    struct svm_vcpu *s = svm_of(v);

    s->vmcb->eventinj = 0;
    if (unlikely(s->vmcb->exitintinfo & EVENT_VALID))
        svm_requeue_event(v, s->vmcb->exitintinfo);
    s->as_intn = 0;
}
void svm_raise_exception(struct vcpu *v, unsigned vector, bool has_error, uint32_t error);
#define EXC_DB 1
#define EXC_BP 3
#define EXC_OF 4
#define EXC_UD 6
#define EXC_GP 13
#define EXC_AC 17

/* cpuid.c, msr.c, io.c, npf.c */
void svm_cpuid(struct vcpu *v);
void svm_msr(struct vcpu *v);
void svm_ioio(struct vcpu *v);
void svm_npf(struct vcpu *v);

/* vlapic.c */
void vlapic_reset(struct vcpu *v);
int vlapic_read(struct vcpu *v, uint32_t msr, uint64_t *value) __must_check;    /* -EPERM: #GP */
int vlapic_write(struct vcpu *v, uint32_t msr, uint64_t value) __must_check;
int vlapic_highest(const struct vcpu *v);               /* vector that may be delivered, or -1 */
void vlapic_accept(struct vcpu *v, uint8_t vector);     /* IRR to ISR */
void vlapic_unaccept(struct vcpu *v, uint8_t vector);   /* and back: it was not delivered */
void vlapic_raise(struct vcpu *v, uint8_t vector, bool level);

/* ioapic.c: dom0's IO-APICs. Boot tells which there are (from the MADT), dom0 programs them. */
void ioapic_add(uint64_t base);                         /* all pins masked */
bool ioapic_covers(uint64_t gpa);
uint32_t ioapic_mmio_read(uint64_t gpa);
void ioapic_mmio_write(uint64_t gpa, uint32_t value);
/* A level interrupt begins, and is masked until dom0 ends it. True: it came from a pin. */
bool ioapic_hold(uint8_t vector, bool begins);

/* mmio.c: one MOV to or from memory that is not there, or is a device of ours. */
struct mmio_insn {
    bool write, sign_extend;
    unsigned bytes, reg_bytes;
    unsigned reg;                       /* 0-15; with_imm: none */
    bool high_byte, with_imm;
    uint64_t imm;
    unsigned length;
};
/* 0; -EINVAL not one of the forms. Pure: tests/hv runs it on the host. */
int mmio_decode(const uint8_t *bytes, unsigned n, bool long_mode, bool default_32, struct mmio_insn *insn) __must_check;

#endif
