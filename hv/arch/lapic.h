/* The physical local APIC: hv's timer, IPIs, end of interrupt. xAPIC by MMIO, x2APIC by MSR where firmware or the CPU
 * has it (APM 2, chapter 16). */
#ifndef ARCH_LAPIC_H
#define ARCH_LAPIC_H

#include "hv/lib/types.h"

#define LAPIC_PHYS 0xFEE00000ull

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
