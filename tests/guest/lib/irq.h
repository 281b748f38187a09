/* Interrupts and a second CPU, for the kernels that want them. They define guest_interrupt(), which runs with interrupts
 * off, and second_cpu(), where a started CPU arrives, interrupts off, on its stack. */
#ifndef TESTS_GUEST_IRQ_H
#define TESTS_GUEST_IRQ_H

#include "tests/guest/lib/guest.h"

void guest_interrupt(uint64_t vector);
void second_cpu(void) __attribute__((noreturn));

void irq_init(void);                    /* the IDT for all vectors, the local APIC on */
void irq_init_second(void);             /* the same on the second CPU */

/* Registers of the local APIC: MSR 0x800 + offset / 16 (APM 2, 16.11). */
#define APIC_TPR     0x80
#define APIC_EOI     0xB0
#define APIC_SVR     0xF0
#define APIC_ICR     0x300
#define APIC_SELF    0x3F0
void apic_write(unsigned reg, uint64_t value);
uint64_t apic_read(unsigned reg);

#define ICR_NMI    0x4400ull
#define ICR_INIT   0x4500ull
#define ICR_SIPI   0x4600ull
#define ICR_SELF   0x40000ull
#define ICR_OTHERS 0xC0000ull

/* SIPI's vector and stack for second_cpu(). */
uint8_t second_prepare(void);

static inline void irq_on(void)
{
    __asm__ volatile("sti; nop" ::: "memory");
}

static inline void irq_off(void)
{
    __asm__ volatile("cli" ::: "memory");
}

/* Sleeps until an interrupt was handled; none that comes before the HLT is missed. */
static inline void irq_wait(void)
{
    __asm__ volatile("sti; hlt; cli" ::: "memory");
}

#endif
