/* A vCPU's state: reset, context records, switching in and out. */
#include "hv/arch/svm/svm.h"
#include "hv/arch/io.h"
#include "hv/arch/msr.h"
#include "hv/arch/percpu.h"
#include "hv/arch/tsc.h"
#include "hv/console/printk.h"
#include "hv/lib/string.h"

#include <xen/hvm/save.h>

#define PAT_RESET 0x0007040600070406ull         /* APM 2, 7.8.2 */
#define CR0_PE (1u << 0)
#define CR0_ET (1u << 4)
#define CR0_NW (1u << 29)
#define CR0_CD (1u << 30)
#define CR0_PG (1u << 31)
#define CR4_PAE (1u << 5)
#define CR4_VALID 0x003F0FFFul                  /* to SMAP; no PKE, no CET: none of it is shown in CPUID */

static void set_intercepts(struct vcpu *v)
{
    static const uint16_t codes[] = {
        /* #DB and #AC can recur for ever while being delivered, and only an exit ends that. #MC is the host's. */
        VMEXIT_EXCP_DB, VMEXIT_EXCP_AC, VMEXIT_EXCP_MC, VMEXIT_INTR, VMEXIT_NMI, VMEXIT_SMI, VMEXIT_INIT, VMEXIT_RDPMC,
        VMEXIT_CPUID, VMEXIT_INVD, VMEXIT_HLT, VMEXIT_INVLPGA, VMEXIT_IOIO, VMEXIT_MSR, VMEXIT_TASK_SWITCH,
        VMEXIT_SHUTDOWN, VMEXIT_VMRUN, VMEXIT_VMMCALL, VMEXIT_VMLOAD, VMEXIT_VMSAVE, VMEXIT_STGI, VMEXIT_CLGI,
        VMEXIT_SKINIT, VMEXIT_WBINVD, VMEXIT_MONITOR, VMEXIT_MWAIT, VMEXIT_MWAIT_ARMED, VMEXIT_XSETBV,
    };
    struct vmcb *b = svm_of(v)->vmcb;

    for (unsigned i = 0; i < ARRAY_SIZE(codes); i++)
        vmcb_intercept(b, codes[i], true);
    b->iopm_base_pa = v->domain->privileged ? svm_iopm_dom0 : svm_iopm_domu;
    b->msrpm_base_pa = svm_msrpm;
    b->np_enable = 1;
    b->n_cr3 = v->domain->p2m.root;
    b->vintr = VINTR_V_INTR_MASKING;
}

static struct vmcb_seg seg(uint16_t sel, uint16_t attr, uint32_t limit, uint64_t base)
{
    return (struct vmcb_seg){ sel, attr, limit, base };
}

/* APM 2, table 14-1. */
void svm_reset(struct vcpu *v)
{
    struct svm_vcpu *s = svm_of(v);
    struct vmcb *b = s->vmcb;

    memset(b, 0, sizeof(*b));
    memset(&s->regs, 0, sizeof(s->regs));
    set_intercepts(v);
    b->cs = seg(0xF000, 0x09B, 0xFFFF, 0xFFFF0000);
    b->ds = b->es = b->fs = b->gs = b->ss = seg(0, 0x093, 0xFFFF, 0);
    b->gdtr = b->idtr = seg(0, 0, 0xFFFF, 0);
    b->ldtr = seg(0, 0x082, 0xFFFF, 0);
    b->tr = seg(0, 0x08B, 0xFFFF, 0);
    b->efer = EFER_SVME;
    b->cr0 = CR0_ET;
    b->rflags = 2;
    b->rip = 0xFFF0;
    b->dr6 = 0xFFFF0FF0;
    b->dr7 = 0x400;
    b->g_pat = s->pat = PAT_RESET;
    s->regs.rdx = 0x600;
    s->xcr0 = 1;
    s->tsc_aux = 0;
    memset(s->dr, 0, sizeof(s->dr));
    s->nmi_pending = s->nmi_blocked = s->nmi_iret = s->exception_pending = s->halted_masked = false;
    s->asid_cpu = CPUS_MAX;             /* the tag in the VMCB is gone; 0 would be the host's */
    vlapic_reset(v);
}

int vcpu_arch_init(struct vcpu *v)
{
    struct svm_vcpu *s;

    _Static_assert(sizeof(*s) <= PAGE_SIZE, "one page");
    s = v->arch = page_alloc_hv(0);
    if (!s)
        return -ENOMEM;
    s->vmcb = page_alloc_hv(0);
    s->xsave = page_alloc_hv(0);
    if (!s->vmcb || !s->xsave) {
        vcpu_arch_destroy(v);
        return -ENOMEM;
    }
    s->vmcb_pa = virt_to_paddr(s->vmcb);
    /* FCW and MXCSR of the legacy area (APM 2, figure 11-11); XSTATE_BV 0 makes XRSTOR use the initial state. */
    *(uint16_t *)s->xsave = 0x037F;
    *(uint32_t *)(s->xsave + 24) = 0x1F80;
    svm_reset(v);
    s->wait_sipi = v->id != 0;
    return 0;
}

void vcpu_arch_destroy(struct vcpu *v)
{
    struct svm_vcpu *s = v->arch;

    if (!s)
        return;
    if (s->vmcb)
        page_free_hv(s->vmcb, 0);
    if (s->xsave)
        page_free_hv(s->xsave, 0);
    page_free_hv(s, 0);
    v->arch = NULL;
}

/* XSAVE and XRSTOR act on what XCR0 enables: the whole mask for both, so that nothing of one guest stays. */
static void xcr0_write(uint64_t v)
{
    __asm__ volatile("xsetbv" :: "a"((uint32_t)v), "d"((uint32_t)(v >> 32)), "c"(0));
}

static void fpu_save(struct svm_vcpu *s)
{
    uint32_t lo, hi;

    /* TCG has no XSETBV intercept: what the guest set is in the register, not with us. */
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    s->xcr0 = (uint64_t)hi << 32 | lo;
    xcr0_write(svm_features.xcr0_mask);
    __asm__ volatile("xsave64 (%0)" :: "r"(s->xsave), "a"((uint32_t)svm_features.xcr0_mask), "d"(0) : "memory");
}

static void fpu_restore(struct svm_vcpu *s)
{
    __asm__ volatile("xrstor64 (%0)" :: "r"(s->xsave), "a"((uint32_t)svm_features.xcr0_mask), "d"(0) : "memory");
    xcr0_write(s->xcr0);
}

void vcpu_switch_in(struct vcpu *v)
{
    struct svm_vcpu *s = svm_of(v);

    fpu_restore(s);
    __asm__ volatile("mov %0, %%dr0; mov %1, %%dr1; mov %2, %%dr2; mov %3, %%dr3"
                     :: "r"(s->dr[0]), "r"(s->dr[1]), "r"(s->dr[2]), "r"(s->dr[3]));
    wrmsr(MSR_TSC_AUX, s->tsc_aux);
    vcpu_time_update(v);
    vcpu_runstate_update(v);
}

void vcpu_switch_out(struct vcpu *v)
{
    struct svm_vcpu *s = svm_of(v);

    fpu_save(s);
    __asm__ volatile("mov %%dr0, %0; mov %%dr1, %1; mov %%dr2, %2; mov %%dr3, %3"
                     : "=r"(s->dr[0]), "=r"(s->dr[1]), "=r"(s->dr[2]), "=r"(s->dr[3]));
    vcpu_runstate_update(v);
}

struct vcpu_paging vcpu_paging(const struct vcpu *v)
{
    const struct vmcb *b = svm_of(v)->vmcb;
    bool user = b->cpl == 3;

    if (!(b->cr0 & CR0_PG))
        return (struct vcpu_paging){ 0 };
    if (b->efer & EFER_LMA)
        return (struct vcpu_paging){ user, 4, b->cr3 & 0x000FFFFFFFFFF000ull };
    if (b->cr4 & CR4_PAE)
        return (struct vcpu_paging){ user, 3, b->cr3 & 0xFFFFFFE0ull };
    return (struct vcpu_paging){ user, 2, b->cr3 & 0xFFFFF000ull };
}

static int context_check(const struct hvm_hw_cpu *hw)
{
    bool lma = (hw->cr0 & CR0_PG) && (hw->msr_efer & EFER_LME);

    /* APM 2, 15.5.1, "canonicalisation and consistency checks". */
    if ((hw->cr0 & CR0_NW && !(hw->cr0 & CR0_CD)) || hw->cr0 >> 32 || hw->cr4 & ~CR4_VALID || hw->dr6 >> 32 ||
        hw->dr7 >> 32)
        return -EINVAL;
    if (hw->cr0 & CR0_PG && !(hw->cr0 & CR0_PE))
        return -EINVAL;
    if (hw->msr_efer & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_FFXSR))
        return -EINVAL;
    if (!!(hw->msr_efer & EFER_LMA) != lma || (lma && (!(hw->cr4 & CR4_PAE) || !(hw->cr0 & CR0_PE))))
        return -EINVAL;
    if (lma && hw->cs_arbytes & 1u << 9 && hw->cs_arbytes & 1u << 10)       /* L and D together */
        return -EINVAL;
    if (hw->pending_event && hw->pending_type != EVENT_INTR && hw->pending_type != EVENT_NMI &&
        hw->pending_type != EVENT_EXC)
        return -EINVAL;
    return 0;
}

/* The registers of a context record, each with where it is kept. */
#define CONTEXT_SEGMENT(X, seg) \
    X(seg##_sel, b->seg.sel) X(seg##_base, b->seg.base) X(seg##_limit, b->seg.limit) X(seg##_arbytes, b->seg.attr)
#define CONTEXT_REGISTERS(X) \
    X(rax, b->rax) X(rbx, s->regs.rbx) X(rcx, s->regs.rcx) X(rdx, s->regs.rdx) X(rbp, s->regs.rbp) \
    X(rsi, s->regs.rsi) X(rdi, s->regs.rdi) X(rsp, b->rsp) X(r8, s->regs.r8) X(r9, s->regs.r9) X(r10, s->regs.r10) \
    X(r11, s->regs.r11) X(r12, s->regs.r12) X(r13, s->regs.r13) X(r14, s->regs.r14) X(r15, s->regs.r15) \
    X(rip, b->rip) X(rflags, b->rflags) X(cr0, b->cr0) X(cr2, b->cr2) X(cr3, b->cr3) X(cr4, b->cr4) \
    X(dr0, s->dr[0]) X(dr1, s->dr[1]) X(dr2, s->dr[2]) X(dr3, s->dr[3]) X(dr6, b->dr6) X(dr7, b->dr7) \
    CONTEXT_SEGMENT(X, cs) CONTEXT_SEGMENT(X, ds) CONTEXT_SEGMENT(X, es) CONTEXT_SEGMENT(X, fs) \
    CONTEXT_SEGMENT(X, gs) CONTEXT_SEGMENT(X, ss) CONTEXT_SEGMENT(X, tr) CONTEXT_SEGMENT(X, ldtr) \
    X(idtr_base, b->idtr.base) X(idtr_limit, b->idtr.limit) X(gdtr_base, b->gdtr.base) X(gdtr_limit, b->gdtr.limit) \
    X(sysenter_cs, b->sysenter_cs) X(sysenter_esp, b->sysenter_esp) X(sysenter_eip, b->sysenter_eip) \
    X(shadow_gs, b->kernel_gs_base) X(msr_star, b->star) X(msr_lstar, b->lstar) X(msr_cstar, b->cstar) \
    X(msr_syscall_mask, b->sfmask) X(msr_efer, b->efer) X(msr_tsc_aux, s->tsc_aux)
#define CONTEXT_LOAD(reg, place) place = (__typeof__(place + 0))hw->reg;
#define CONTEXT_SAVE(reg, place) hw->reg = (__typeof__(hw->reg))place;

int vcpu_context_load(struct vcpu *v, const struct hvm_hw_cpu *hw)
{
    struct svm_vcpu *s = svm_of(v);
    struct vmcb *b = s->vmcb;

    if (context_check(hw)) {
        printk_guest("d%uv%u: context refused: cr0 %lx cr4 %lx efer %lx cs %x\n", v->domain->id, v->id,
                     (unsigned long)hw->cr0, (unsigned long)hw->cr4, (unsigned long)hw->msr_efer, hw->cs_arbytes);
        return -EINVAL;
    }
    CONTEXT_REGISTERS(CONTEXT_LOAD)
    b->rflags = (b->rflags & 0x3F7FD7) | 2;
    b->dr6 = (b->dr6 & 0x1E00F) | 0xFFFE0FF0;
    b->dr7 = (b->dr7 & 0xFFFF23FF) | 0x400;
    b->efer |= EFER_SVME;
    b->cpl = b->ss.attr >> 5 & 3;
    s->exception_pending = hw->pending_event != 0;
    s->exception = hw->pending_event | (uint64_t)hw->error_code << 32;
    s->wait_sipi = s->init_pending = s->halted_masked = false;
    s->sipi = 0;
    return 0;
}

void vcpu_context_save(struct vcpu *v, struct hvm_hw_cpu *hw)
{
    const struct svm_vcpu *s = svm_of(v);
    const struct vmcb *b = s->vmcb;

    memset(hw, 0, sizeof(*hw));
    CONTEXT_REGISTERS(CONTEXT_SAVE)
    hw->msr_efer &= ~EFER_SVME;
    hw->tsc = rdtsc();
}

/* CS.L and CS.D as the VMCB packs them; 16-bit code has neither. */
#define CS_LONG (1u << 9)
#define CS_32   (1u << 10)

static enum hypercall_from hypercall_from(const struct vmcb *b)
{
    if (b->cs.attr & CS_LONG)
        return b->cpl == 0 ? HYPERCALL_WIDE : b->cpl == 3 ? HYPERCALL_USER : HYPERCALL_NOBODY;
    return b->cpl == 0 && b->cs.attr & CS_32 ? HYPERCALL_NARROW : HYPERCALL_NOBODY;
}

void vcpu_hypercall_read(const struct vcpu *v, struct hypercall *h)
{
    const struct svm_vcpu *s = svm_of(v);
    const struct svm_regs *r = &s->regs;

    *h = (struct hypercall){ hypercall_from(s->vmcb), s->vmcb->rax, { r->rdi, r->rsi, r->rdx, r->r10, r->r8 } };
    if (unlikely(h->from == HYPERCALL_NARROW))
        *h = (struct hypercall){ h->from, (uint32_t)s->vmcb->rax, { (uint32_t)r->rbx, (uint32_t)r->rcx, (uint32_t)r->rdx,
                                                                    (uint32_t)r->rsi, (uint32_t)r->rdi } };
}

void vcpu_hypercall_set_arg(struct vcpu *v, unsigned n, uint64_t value)
{
    struct svm_regs *r = &svm_of(v)->regs;
    uint64_t *const args[5] = { &r->rdi, &r->rsi, &r->rdx, &r->r10, &r->r8 };

    BUG_ON(n >= 5);
    *args[n] = value;
}

void vcpu_hypercall_return(struct vcpu *v, long result)
{
    svm_of(v)->vmcb->rax = (uint64_t)result;
    svm_skip(v, 3);
}
