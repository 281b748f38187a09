/* Physical interrupts. hv runs with IF=0; interrupts are taken only in irq_window() and in the idle halt, where no
 * lock is held. So a handler may take any lock. */
#ifndef ARCH_IRQ_H
#define ARCH_IRQ_H

#include "hv/lib/types.h"

/* hv's own vectors: above all that Linux programs into devices (its system vectors from 0xEC up never reach hardware). */
#define VECTOR_DEVICE_MIN 0x20          /* below are the exceptions */
#define VECTOR_IPI       0xFC           /* look at need_resched; also: leave guest mode now */
#define VECTOR_TIMER     0xFD
#define VECTOR_SPURIOUS  0xFF

/* Takes what is pending: STI; NOP; CLI. */
static inline void irq_window(void)
{
    __asm__ volatile("sti; nop; cli" ::: "memory");
}

/* Halts until an interrupt was handled. No wake-up is lost: STI holds interrupts off for one instruction (APM 3, STI). */
static inline void irq_halt(void)
{
    __asm__ volatile("sti; hlt; cli" ::: "memory");
}

/* arch/svm/irq.c: what interrupts are for. Called with IF=0 in the window or from the idle halt; ipi and timer after the
 * EOI, device does lapic_eoi itself. */
void irq_on_ipi(void);
void irq_on_timer(void);
void irq_on_device(uint8_t vector);

void idt_init(void);                    /* shared by all CPUs */
void idt_load(void);
void irq_ipi(unsigned cpu);             /* VECTOR_IPI to another CPU */
void irq_nmi_others(void);              /* panic: stop the others */
bool panic_in_progress(void);           /* console/panic.c */

#endif
