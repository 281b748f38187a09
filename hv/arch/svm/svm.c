/* Turning AMD-V on, and the permission maps that all vCPUs share. */
#include "hv/arch/svm/svm.h"
#include "hv/arch/io.h"
#include "hv/arch/msr.h"
#include "hv/arch/percpu.h"
#include "hv/console/printk.h"
#include "hv/lib/string.h"

struct svm_features svm_features;
paddr_t svm_msrpm, svm_iopm_dom0, svm_iopm_domu;

#define XCR0_X87_SSE_AVX 7ull
#define MSRPM_ORDER 1                   /* 8 KiB: APM 2, 15.11 */
#define IOPM_ORDER  2                   /* 12 KiB, rounded up: APM 2, 15.10.1 */

/* Offset of an MSR's two bits (read, write) in the map; the three ranges of APM 2, 15.11. */
static void msrpm_allow(uint8_t *map, uint32_t msr)
{
    uint32_t base = msr < 0x2000 ? 0 : msr >= 0xC0010000 ? 0x1000 : 0x800;
    uint32_t bit = base * 8 + (msr & 0x1FFF) * 2;

    map[bit / 8] &= (uint8_t)~(3u << bit % 8);
}

static void iopm_intercept(uint8_t *map, unsigned first, unsigned last)
{
    for (unsigned port = first; port <= last; port++)
        map[port / 8] |= (uint8_t)(1u << port % 8);
}

/* dom0 owns the machine's ports but for: the console's UART, and the legacy PICs and PIT, which it must believe
 * absent (io.c says what they read as). */
static void build_maps(void)
{
    static const uint32_t state_msrs[] = {      /* switched by VMLOAD/VMSAVE */
        MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK,
        MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
    };
    uint8_t *msrpm = page_alloc_hv(MSRPM_ORDER), *dom0_map = page_alloc_hv(IOPM_ORDER),
            *domu_map = page_alloc_hv(IOPM_ORDER);

    BUG_ON(!msrpm || !dom0_map || !domu_map);
    memset(msrpm, 0xFF, PAGE_SIZE << MSRPM_ORDER);
    for (unsigned i = 0; i < ARRAY_SIZE(state_msrs); i++)
        msrpm_allow(msrpm, state_msrs[i]);
    memset(domu_map, 0xFF, PAGE_SIZE << IOPM_ORDER);
    iopm_intercept(dom0_map, 0x20, 0x21);
    iopm_intercept(dom0_map, 0xA0, 0xA1);
    iopm_intercept(dom0_map, 0x40, 0x43);
    iopm_intercept(dom0_map, 0x61, 0x61);
    iopm_intercept(dom0_map, 0x3F8, 0x3FF);
    svm_msrpm = virt_to_paddr(msrpm);
    svm_iopm_dom0 = virt_to_paddr(dom0_map);
    svm_iopm_domu = virt_to_paddr(domu_map);
}

static void require(bool has, const char *what)
{
    if (!has)
        panic("this CPU lacks %s; XenoServer needs an AMD CPU with SVM and nested paging (QEMU: -cpu EPYC)", what);
}

void svm_check(void)
{
    struct cpuid_regs leaf = cpuid(0x80000000, 0);

    require(leaf.eax >= 0x8000000A, "SVM (CPUID 8000_000A)");
    require(cpuid(0x80000001, 0).ecx & 1u << 2, "SVM");
    require(cpuid(0x80000001, 0).edx & 1u << 20, "NX");
    require(cpuid(0x80000001, 0).edx & 1u << 27, "RDTSCP");
    require(cpuid(1, 0).ecx & 1u << 26, "XSAVE");
    leaf = cpuid(0x8000000A, 0);
    require(leaf.edx & 1u << 0, "nested paging");
    require(!(rdmsr(MSR_VM_CR) & VM_CR_SVMDIS), "SVM that the firmware has left enabled (VM_CR.SVMDIS)");
    require(leaf.ebx >= 2, "address space identifiers");
}

void svm_init(void)
{
    struct cpuid_regs leaf = cpuid(0x8000000A, 0);

    svm_features.nrips = leaf.edx & 1u << 3;
    svm_features.asids = leaf.ebx;
    svm_features.xcr0_mask = cpuid(0xD, 0).eax & XCR0_X87_SSE_AVX;
    /* Leaf 4000_0000 is a hypervisor's where ECX[31] of leaf 1 says that there is one. This one's EBX reads "TCGT". */
    svm_features.tcg = cpuid(1, 0).ecx >> 31 && cpuid(0x40000000, 0).ebx == 0x54474354;
    printk("svm: %u ASIDs,%s XCR0 mask %lx%s\n", svm_features.asids, svm_features.nrips ? " NRIPS" : "",
           svm_features.xcr0_mask, svm_features.tcg ? ", TCG" : "");
    build_maps();
}

void svm_init_cpu(void)
{
    struct percpu *cpu = this_cpu();
    void *hsave = page_alloc_hv(0), *host = page_alloc_hv(0);
    uint64_t cr4;

    BUG_ON(!hsave || !host);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME | EFER_SCE);
    wrmsr(MSR_VM_HSAVE_PA, virt_to_paddr(hsave));
    cpu->host_vmcb = virt_to_paddr(host);
    __asm__ volatile("vmsave %0" :: "a"(cpu->host_vmcb) : "memory");
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    cr4 |= 1u << 7 | 1u << 18;          /* PGE, OSXSAVE */
    __asm__ volatile("mov %0, %%cr4" :: "r"(cr4));
    __asm__ volatile("xsetbv" :: "a"((uint32_t)svm_features.xcr0_mask), "d"(0), "c"(0));
    __asm__ volatile("clts; fninit");
}
