/* The VMCB: APM 2, appendix B. Field names are the manual's. */
#ifndef ARCH_SVM_VMCB_H
#define ARCH_SVM_VMCB_H

#include "hv/lib/types.h"

struct vmcb_seg {
    uint16_t sel;
    uint16_t attr : 12, : 4;            /* bits 55:52 and 47:40 of the descriptor, packed */
    uint32_t limit;
    uint64_t base;
};

struct vmcb {
    /* Control area, 0x000 */
    uint32_t intercept[6];              /* a bit for each exit code below 0xC0 (appendix C) */
    uint8_t reserved_018[0x3C - 0x18];
    uint16_t pause_filter_threshold, pause_filter_count;
    uint64_t iopm_base_pa, msrpm_base_pa;
    uint64_t tsc_offset;
    uint32_t asid;
    uint8_t tlb_control;
    uint8_t reserved_05d[3];
    uint64_t vintr;                     /* VINTR_* */
    uint64_t interrupt_shadow;
    uint64_t exitcode, exitinfo1, exitinfo2, exitintinfo;
    uint64_t np_enable;
    uint64_t avic_apic_bar, ghcb_pa;
    uint64_t eventinj;                  /* EVENT_* */
    uint64_t n_cr3;
    uint64_t lbr_virt;
    uint32_t clean_bits, reserved_0c4;
    uint64_t nrip;
    uint8_t bytes_fetched, instruction_bytes[15];
    uint8_t reserved_0e0[0x400 - 0xE0];
    /* State save area, 0x400 */
    struct vmcb_seg es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
    uint8_t reserved_4a0[0x4CB - 0x4A0];
    uint8_t cpl;
    uint32_t reserved_4cc;
    uint64_t efer;
    uint8_t reserved_4d8[0x548 - 0x4D8];
    uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
    uint8_t reserved_580[0x5D8 - 0x580];
    uint64_t rsp;
    uint64_t s_cet, ssp, isst_addr;
    uint64_t rax, star, lstar, cstar, sfmask, kernel_gs_base, sysenter_cs, sysenter_esp, sysenter_eip, cr2;
    uint8_t reserved_648[0x668 - 0x648];
    uint64_t g_pat, dbgctl, br_from, br_to, lastexcpfrom, lastexcpto;
    uint8_t reserved_698[0x1000 - 0x698];
};
_Static_assert(sizeof(struct vmcb) == 4096, "one page");
_Static_assert(offsetof(struct vmcb, iopm_base_pa) == 0x40, "APM 2, table B-1");
_Static_assert(offsetof(struct vmcb, exitcode) == 0x70, "APM 2, table B-1");
_Static_assert(offsetof(struct vmcb, nrip) == 0xC8, "APM 2, table B-1");
_Static_assert(offsetof(struct vmcb, efer) == 0x4D0, "APM 2, table B-2");
_Static_assert(offsetof(struct vmcb, cr4) == 0x548, "APM 2, table B-2");
_Static_assert(offsetof(struct vmcb, rax) == 0x5F8, "APM 2, table B-2");
_Static_assert(offsetof(struct vmcb, g_pat) == 0x668, "APM 2, table B-2");

#define VINTR_TPR_MASK     0xFFull
#define VINTR_V_IRQ        (1ull << 8)
#define VINTR_V_INTR_PRIO  (0xFull << 16)
#define VINTR_V_IGN_TPR    (1ull << 20)
#define VINTR_V_INTR_MASKING (1ull << 24)

#define EVENT_VALID      (1ull << 31)
#define EVENT_EV         (1ull << 11)
#define EVENT_TYPE(t)    ((uint64_t)(t) << 8)
#define EVENT_TYPE_OF(e) ((e) >> 8 & 7)
#define EVENT_INTR 0
#define EVENT_NMI  2
#define EVENT_EXC  3
#define EVENT_INTN 4

enum exitcode {                         /* APM 2, appendix C */
    VMEXIT_EXCP_DB = 0x41, VMEXIT_EXCP_AC = 0x51, VMEXIT_EXCP_MC = 0x52,
    VMEXIT_INTR = 0x60, VMEXIT_NMI = 0x61, VMEXIT_SMI = 0x62, VMEXIT_INIT = 0x63, VMEXIT_VINTR = 0x64,
    VMEXIT_RDPMC = 0x6F, VMEXIT_CPUID = 0x72, VMEXIT_IRET = 0x74, VMEXIT_INVD = 0x76, VMEXIT_HLT = 0x78,
    VMEXIT_INVLPGA = 0x7A, VMEXIT_IOIO = 0x7B, VMEXIT_MSR = 0x7C, VMEXIT_TASK_SWITCH = 0x7D, VMEXIT_SHUTDOWN = 0x7F,
    VMEXIT_VMRUN = 0x80, VMEXIT_VMMCALL = 0x81, VMEXIT_VMLOAD = 0x82, VMEXIT_VMSAVE = 0x83, VMEXIT_STGI = 0x84,
    VMEXIT_CLGI = 0x85, VMEXIT_SKINIT = 0x86, VMEXIT_WBINVD = 0x89, VMEXIT_MONITOR = 0x8A, VMEXIT_MWAIT = 0x8B,
    VMEXIT_MWAIT_ARMED = 0x8C, VMEXIT_XSETBV = 0x8D,
    VMEXIT_NPF = 0x400,
};

static inline bool vmcb_intercepts(const struct vmcb *b, enum exitcode code)
{
    return b->intercept[code / 32] >> code % 32 & 1;
}

static inline void vmcb_intercept(struct vmcb *b, enum exitcode code, bool on)
{
    b->intercept[code / 32] = (b->intercept[code / 32] & ~(1u << code % 32)) | (uint32_t)on << code % 32;
}

#endif
