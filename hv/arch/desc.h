/* hv's segments: flat, plus one TSS per CPU for the interrupt stacks. */
#ifndef ARCH_DESC_H
#define ARCH_DESC_H

#include "hv/arch/percpu.h"

#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_TSS  0x18

#define IST_NMI           1
#define IST_DOUBLE_FAULT  2
#define IST_MACHINE_CHECK 3

/* Loads GDT, TSS, segment registers and the GS base of this CPU. Needs percpu[id] filled and memory for stacks. */
void desc_init_cpu(struct percpu *cpu);

#endif
