/* Boot tells which IO-APICs the machine has (from the MADT); dom0 programs them through arch/svm/ioapic.c. */
#ifndef ARCH_IOAPIC_H
#define ARCH_IOAPIC_H

#include "hv/lib/types.h"

void ioapic_add(uint64_t base);         /* all pins masked */

#endif
