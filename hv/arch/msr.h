/* MSR numbers and bits, in the manual's spelling (APM 2, appendix A). */
#ifndef ARCH_MSR_H
#define ARCH_MSR_H

#define MSR_TSC              0x00000010
#define MSR_APIC_BASE        0x0000001B
#define   APIC_BASE_BSP      (1u << 8)
#define   APIC_BASE_EXTD     (1u << 10)
#define   APIC_BASE_EN       (1u << 11)
#define MSR_TSC_ADJUST       0x0000003B
#define MSR_PATCH_LEVEL      0x0000008B
#define MSR_MTRR_CAP         0x000000FE
#define MSR_SYSENTER_CS      0x00000174
#define MSR_SYSENTER_ESP     0x00000175
#define MSR_SYSENTER_EIP     0x00000176
#define MSR_MCG_CAP          0x00000179
#define MSR_MCG_STATUS       0x0000017A
#define MSR_MCG_CTL          0x0000017B
#define MSR_DEBUGCTL         0x000001D9
#define MSR_PAT              0x00000277
#define MSR_MTRR_DEF_TYPE    0x000002FF
#define MSR_X2APIC_FIRST     0x00000800
#define MSR_X2APIC_LAST      0x000008FF
#define MSR_EFER             0xC0000080
#define   EFER_SCE           (1ull << 0)
#define   EFER_LME           (1ull << 8)
#define   EFER_LMA           (1ull << 10)
#define   EFER_NXE           (1ull << 11)
#define   EFER_SVME          (1ull << 12)
#define   EFER_FFXSR         (1ull << 14)
#define MSR_STAR             0xC0000081
#define MSR_LSTAR            0xC0000082
#define MSR_CSTAR            0xC0000083
#define MSR_SFMASK           0xC0000084
#define MSR_FS_BASE          0xC0000100
#define MSR_GS_BASE          0xC0000101
#define MSR_KERNEL_GS_BASE   0xC0000102
#define MSR_TSC_AUX          0xC0000103
#define MSR_SYSCFG           0xC0010010
#define MSR_HWCR             0xC0010015
#define MSR_VM_CR            0xC0010114
#define   VM_CR_SVMDIS       (1ull << 4)
#define MSR_VM_HSAVE_PA      0xC0010117

#endif
