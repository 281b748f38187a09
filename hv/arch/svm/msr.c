/* RDMSR and WRMSR of what is not passed through. A register that is in no list is #GP, for dom0 as for guests. */
#include "hv/arch/svm/svm.h"
#include "hv/arch/io.h"
#include "hv/arch/msr.h"
#include "hv/arch/percpu.h"
#include "hv/arch/tsc.h"
#include "hv/console/printk.h"

#define MSR_HYPERCALL 0x40000000u       /* CPUID leaf 0x40000002 names it */
#define MTRR_DEF_TYPE_WB 0x806          /* enabled, default write-back; there are no others */
#define CR0_PG (1u << 31)

/* Read as 0, writes dropped: what Linux looks at on any AMD CPU (profile 2.3). */
static bool is_plain_zero(uint32_t msr)
{
    static const uint32_t zero[] = {
        MSR_PATCH_LEVEL, MSR_TSC_ADJUST, MSR_MCG_CAP, MSR_MCG_STATUS, MSR_MCG_CTL, MSR_DEBUGCTL, MSR_SYSCFG, MSR_HWCR,
        0x17,                           /* PLATFORM_ID */
        0xC0011029,                     /* DE_CFG */
        0xC0011020, 0xC0011021, 0xC0011022, 0xC0011023,         /* LS_CFG, IC_CFG, DC_CFG, BU_CFG */
        0xC001102A, 0xC001102B, 0xC0011028,                     /* BU_CFG2, BU_CFG3, FP_CFG */
        0xC001100C,                     /* NODE_ID */
        0xC0010140, 0xC0010141,         /* OSVW */
        0xC001001A, 0xC001001D,         /* TOP_MEM, TOP_MEM2 */
        0xC001001F,                     /* NB_CFG */
        0xC0010055,                     /* INT_PENDING */
        0xC0010112, 0xC0010113,         /* TSEG */
        0xC0010064, 0xC0010061, 0xC0010062, 0xC0010063,         /* P-states */
        0xC0010299, 0xC001029B,         /* RAPL */
    };

    for (unsigned i = 0; i < ARRAY_SIZE(zero); i++) {
        if (zero[i] == msr)
            return true;
    }
    return msr >= 0x200 && msr <= 0x26F && msr != MSR_PAT;      /* variable and fixed MTRRs */
}

static int read_msr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
    struct svm_vcpu *s = svm_of(v);

    if (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST)
        return vlapic_read(v, msr, value);
    switch (msr) {
    case MSR_EFER: *value = s->vmcb->efer & ~EFER_SVME; return 0;
    case MSR_APIC_BASE: *value = s->lapic.base; return 0;
    case MSR_TSC: *value = rdtsc(); return 0;
    case MSR_TSC_AUX: *value = s->tsc_aux; return 0;
    case MSR_PAT: *value = s->pat; return 0;
    case MSR_MTRR_CAP: *value = 0; return 0;
    case MSR_MTRR_DEF_TYPE: *value = MTRR_DEF_TYPE_WB; return 0;
    default: *value = 0; return is_plain_zero(msr) ? 0 : -EPERM;
    }
}

/* APM 2, 3.1.7: LME may not change while paging is on; unknown bits are #GP. LMA is the processor's to set. */
static int write_efer(struct svm_vcpu *s, uint64_t value)
{
    uint64_t old = s->vmcb->efer;

    value &= ~EFER_LMA;
    if (value & ~(EFER_SCE | EFER_LME | EFER_NXE | EFER_FFXSR))
        return -EPERM;
    if (s->vmcb->cr0 & CR0_PG && (value ^ old) & EFER_LME)
        return -EPERM;
    if ((value ^ old) & EFER_NXE)
        s->asid_cpu = CPUS_MAX;         /* cached translations had the other meaning of bit 63: a fresh tag */
    s->vmcb->efer = value | EFER_SVME | (old & EFER_LMA);
    return 0;
}

static bool pat_valid(uint64_t pat)
{
    for (unsigned i = 0; i < 8; i++, pat >>= 8) {
        unsigned type = pat & 0xFF;

        if (type > 7 || type == 2 || type == 3)         /* APM 2, 7.8.1 */
            return false;
    }
    return true;
}

/* The page of stubs for guests that want one (xen.h): 32 bytes a call, MOV EAX,n; VMMCALL; RET. */
static int write_hypercall_page(struct vcpu *v, uint64_t value)
{
    mfn_t mfn;
    uint8_t *page;

    if (value & ~PAGE_MASK)
        return -EPERM;
    if (p2m_get_own_page(v->domain, GFN(value >> PAGE_SHIFT), &mfn))
        return -EPERM;
    page = mfn_to_virt(mfn);
    for (unsigned n = 0; n < PAGE_SIZE / 32; n++) {
        const uint8_t stub[] = { 0xB8, (uint8_t)n, 0, 0, 0, 0x0F, 0x01, 0xD9, 0xC3 };

        for (unsigned i = 0; i < sizeof(stub); i++)
            page[n * 32 + i] = stub[i];
    }
    page_put(mfn);
    return 0;
}

static int write_msr(struct vcpu *v, uint32_t msr, uint64_t value)
{
    struct svm_vcpu *s = svm_of(v);

    if (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST)
        return vlapic_write(v, msr, value);
    switch (msr) {
    case MSR_EFER: return write_efer(s, value);
    case MSR_APIC_BASE:
        /* Always on, always x2APIC: a write may only say so again. */
        return (value ^ s->lapic.base) & (APIC_BASE_EN | APIC_BASE_EXTD) ? -EPERM : 0;
    case MSR_TSC: return 0;
    case MSR_TSC_AUX:
        if (value >> 32)
            return -EPERM;
        s->tsc_aux = value;
        wrmsr(MSR_TSC_AUX, value);
        return 0;
    case MSR_PAT:
        if (!pat_valid(value))
            return -EPERM;
        s->pat = s->vmcb->g_pat = value;
        return 0;
    case MSR_MTRR_DEF_TYPE: return 0;
    case MSR_HYPERCALL: return write_hypercall_page(v, value);
    default: return is_plain_zero(msr) ? 0 : -EPERM;
    }
}

void svm_msr(struct vcpu *v)
{
    struct svm_vcpu *s = svm_of(v);
    bool write = s->vmcb->exitinfo1 & 1;
    uint32_t msr = (uint32_t)s->regs.rcx;
    uint64_t value = (uint32_t)s->vmcb->rax | s->regs.rdx << 32;
    int rc;

    rc = write ? write_msr(v, msr, value) : read_msr(v, msr, &value);
    if (rc) {
        printk_guest("d%uv%u: %s of MSR %x refused\n", v->domain->id, v->id, write ? "write" : "read", msr);
        svm_raise_exception(v, EXC_GP, true, 0);
        return;
    }
    if (!write) {
        s->vmcb->rax = (uint32_t)value;
        s->regs.rdx = value >> 32;
    }
    svm_skip(v, 2);
}
