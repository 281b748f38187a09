/* The one table of what a guest sees of the CPU: the host's leaves through masks, and Xen's own at 0x40000000. */
#include "hv/arch/svm/svm.h"
#include "hv/arch/io.h"
#include "hv/arch/tsc.h"

#include <xen/arch-x86/cpuid.h>

#define XEN_BASE 0x40000000u
#define MAX_BASIC    0xDu
#define MAX_EXTENDED 0x80000008u

/* Bits that may pass, of the feature words (APM 3, appendix E). What is absent here is hidden. */
#define F1_ECX  ((1u << 0) | (1u << 1) | (1u << 9) | (1u << 12) | (1u << 13) | (1u << 19) | (1u << 20) | (1u << 22) | \
                 (1u << 23) | (1u << 25) | (1u << 26) | (1u << 28) | (1u << 29) | (1u << 30))
#define F1_EDX  (0x0 | (1u << 0) | (1u << 1) | (1u << 2) | (1u << 3) | (1u << 4) | (1u << 5) | (1u << 6) | (1u << 8) | \
                 (1u << 9) | (1u << 11) | (1u << 12) | (1u << 13) | (1u << 15) | (1u << 16) | (1u << 17) | (1u << 19) | \
                 (1u << 23) | (1u << 24) | (1u << 25) | (1u << 26))
#define F1_ECX_X2APIC     (1u << 21)
#define F1_ECX_OSXSAVE    (1u << 27)
#define F1_ECX_HYPERVISOR (1u << 31)
#define F6_EAX_ARAT       (1u << 2)
/* FSGSBASE BMI1 AVX2 SMEP BMI2 ERMS RDSEED ADX SMAP CLFLUSHOPT CLWB SHA */
#define F7_EBX  ((1u << 0) | (1u << 3) | (1u << 5) | (1u << 7) | (1u << 8) | (1u << 9) | (1u << 18) | (1u << 19) | \
                 (1u << 20) | (1u << 23) | (1u << 24) | (1u << 29))
#define F7_ECX  (1u << 2)                       /* UMIP */
#define FD1_EAX ((1u << 0) | (1u << 2))         /* XSAVEOPT, XGETBV1 */
/* LAHF ABM SSE4A MISALIGNSSE 3DNOWPREFETCH FMA4 TBM and so on; no CMP_LEGACY, SVM, OSVW, IBS, TOPOEXT, PERFCTR, MWAITX */
#define E1_ECX  ((1u << 0) | (1u << 4) | (1u << 5) | (1u << 6) | (1u << 7) | (1u << 8) | (1u << 11) | (1u << 16) | \
                 (1u << 21))
#define E1_EDX  (F1_EDX | (1u << 11) | (1u << 20) | (1u << 22) | (1u << 25) | (1u << 26) | (1u << 27) | (1u << 29))
#define E7_EDX  (1u << 8)                       /* invariant TSC */
#define PHYS_BITS 40u                           /* mm/p2m.c's space */

static struct cpuid_regs xen_leaf(const struct vcpu *v, uint32_t leaf, uint32_t sub)
{
    switch (leaf - XEN_BASE) {
    case 0:
        return (struct cpuid_regs){ XEN_BASE + 5, XEN_CPUID_SIGNATURE_EBX, XEN_CPUID_SIGNATURE_ECX,
                                    XEN_CPUID_SIGNATURE_EDX };
    case 1:
        return (struct cpuid_regs){ .eax = 4u << 16 | 17 };
    case 2:
        return (struct cpuid_regs){ .eax = 1, .ebx = XEN_BASE };
    case 3:
        if (sub == 0)
            return (struct cpuid_regs){ .eax = 1u << 1, .ecx = tsc_khz };
        return sub == 2 ? (struct cpuid_regs){ .eax = tsc_khz } : (struct cpuid_regs){ 0 };
    case 4:
        return (struct cpuid_regs){ XEN_HVM_CPUID_VCPU_ID_PRESENT | XEN_HVM_CPUID_DOMID_PRESENT, v->id, v->domain->id,
                                    0 };
    default:
        return (struct cpuid_regs){ 0 };
    }
}

/* The area for all that a guest may enable: legacy, header, AVX. The CPU's own figure counts what is hidden, too (APM 3,
 * Fn0000_000D). */
static uint32_t xsave_bytes_max(void)
{
    struct cpuid_regs avx = cpuid(0xD, 2);

    return svm_features.xcr0_mask & 4 ? avx.ebx + avx.eax : 512 + 64;
}

static struct cpuid_regs basic_leaf(const struct vcpu *v, uint32_t leaf, uint32_t sub)
{
    struct cpuid_regs r = cpuid(leaf, sub);
    uint32_t apic_id = svm_of(v)->lapic.id;

    switch (leaf) {
    case 0: r.eax = MIN(r.eax, MAX_BASIC); return r;
    case 1:
        r.ebx = (r.ebx & 0xFF00) | apic_id << 24 | 1u << 16;
        r.ecx = (r.ecx & F1_ECX) | F1_ECX_X2APIC | F1_ECX_HYPERVISOR;
        if (svm_of(v)->vmcb->cr4 & 1u << 18)
            r.ecx |= F1_ECX_OSXSAVE;
        r.edx &= F1_EDX;
        return r;
    case 2: return r;
    case 6:
        return (struct cpuid_regs){ .eax = F6_EAX_ARAT };
    case 7:
        return sub ? (struct cpuid_regs){ 0 } : (struct cpuid_regs){ .ebx = r.ebx & F7_EBX, .ecx = r.ecx & F7_ECX };
    case 0xD:
        if (sub == 0)
            r.eax &= (uint32_t)svm_features.xcr0_mask, r.ecx = xsave_bytes_max(), r.edx = 0;
        else if (sub == 1)
            r = (struct cpuid_regs){ .eax = r.eax & FD1_EAX };
        else if (sub >= 64 || !(svm_features.xcr0_mask >> sub & 1))
            r = (struct cpuid_regs){ 0 };
        return r;
    default:                            /* MONITOR, topology, performance counters, caches Intel's way */
        return (struct cpuid_regs){ 0 };
    }
}

static struct cpuid_regs extended_leaf(uint32_t leaf, uint32_t sub)
{
    struct cpuid_regs r = cpuid(leaf, sub);

    switch (leaf) {
    case 0x80000000: r.eax = MIN(r.eax, MAX_EXTENDED); return r;
    case 0x80000001:
        r.ecx &= E1_ECX;
        r.edx &= E1_EDX;
        return r;
    case 0x80000007:
        return (struct cpuid_regs){ .edx = r.edx & E7_EDX };
    case 0x80000008:
        return (struct cpuid_regs){ .eax = MIN(r.eax & 0xFF, PHYS_BITS) | (r.eax & 0xFF00) };
    default:                            /* names and caches */
        return r;
    }
}

void svm_cpuid(struct vcpu *v)
{
    struct svm_vcpu *s = svm_of(v);
    uint32_t leaf = (uint32_t)s->vmcb->rax, sub = (uint32_t)s->regs.rcx;
    struct cpuid_regs r = { 0 };

    if (leaf >= XEN_BASE && leaf <= XEN_BASE + 5)
        r = xen_leaf(v, leaf, sub);
    else if (leaf <= MAX_BASIC)
        r = basic_leaf(v, leaf, sub);
    else if (leaf >= 0x80000000 && leaf <= MAX_EXTENDED)
        r = extended_leaf(leaf, sub);
    s->vmcb->rax = r.eax;
    s->regs.rbx = r.ebx;
    s->regs.rcx = r.ecx;
    s->regs.rdx = r.edx;
}
