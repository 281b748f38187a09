/* The physical local APIC: hv's timer, IPIs, end of interrupt. xAPIC by MMIO, x2APIC by MSR where firmware or the CPU
 * has it (APM 2, chapter 16). */
#ifndef ARCH_LAPIC_H
#define ARCH_LAPIC_H

#include "hv/lib/types.h"

#define LAPIC_PHYS 0xFEE00000ull

/* Registers: x2APIC MSR 0x800 + n, or xAPIC page offset n * 16 (APM 2, tables 16-2 and 16-6). */
enum {
    LAPIC_ID = 0x02, LAPIC_VERSION = 0x03, LAPIC_TPR = 0x08, LAPIC_PPR = 0x0A, LAPIC_EOI = 0x0B, LAPIC_LDR = 0x0D, LAPIC_SVR = 0x0F,
    LAPIC_ISR = 0x10, LAPIC_TMR = 0x18, LAPIC_IRR = 0x20, LAPIC_ESR = 0x28, LAPIC_LVT_CMCI = 0x2F, LAPIC_ICR = 0x30, LAPIC_ICR_HIGH,
    LAPIC_LVT_TIMER = 0x32, LAPIC_LVT_THERMAL, LAPIC_LVT_PMC, LAPIC_LVT_LINT0, LAPIC_LVT_LINT1, LAPIC_LVT_ERROR,
    LAPIC_TIMER_INITIAL, LAPIC_TIMER_CURRENT, LAPIC_TIMER_DIVIDE = 0x3E, LAPIC_SELF_IPI,
};

void lapic_init_cpu(void);              /* enables it on this CPU, timer masked */
uint32_t lapic_id(void);
void lapic_eoi(void);
void lapic_send_ipi(uint32_t apic_id, uint32_t icr_low);
#define LAPIC_ICR_NMI     0x00004400u   /* assert | delivery mode NMI */
#define LAPIC_ICR_INIT    0x00004500u
#define LAPIC_ICR_STARTUP 0x00004600u
#define LAPIC_ICR_FIXED   0x00004000u

void lapic_timer_calibrate(void);       /* after tsc_init */
void lapic_timer_set(uint64_t at_ns);   /* TIME_NEVER: off. The past: fires at once */

#endif
