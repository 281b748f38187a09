/* Boot tells which IO-APICs the machine has (from the MADT); dom0 programs them through arch/svm/ioapic.c. */
#ifndef ARCH_IOAPIC_H
#define ARCH_IOAPIC_H

#include "hv/lib/types.h"

void ioapic_add(uint64_t base);         /* all pins masked */
/* A pin of the first IO-APIC for hv itself: edge, this vector, to the CPU with that id. dom0 cannot take it back. */
void ioapic_own_pin(unsigned pin, uint8_t vector, uint32_t apic_id);

#endif
