/* Where hv lies. Also read by the assembler and the linker script. */
#ifndef BOOT_LAYOUT_H
#define BOOT_LAYOUT_H

#define HV_PHYS_BASE 0x100000                   /* 1 MiB: below Linux's fixed 16 MiB (PVH entry is not relocatable) */
#define LINK_BASE    0xFFFFFFFF80000000         /* link address = LINK_BASE + physical; the kernel code model */

#endif
