/* hv's image: flat, from HV_PHYS_BASE; sections page-aligned so that mm/hostmap.c can give each its rights. */
#include "hv/boot/layout.h"
OUTPUT_FORMAT("elf64-x86-64")
ENTRY(start32)
PHDRS { text PT_LOAD FLAGS(5); rodata PT_LOAD FLAGS(4); data PT_LOAD FLAGS(6); }
SECTIONS
{
    . = LINK_BASE + HV_PHYS_BASE;
    _image_start = .;
    .text : AT(ADDR(.text) - LINK_BASE) { *(.head) *(.text .text.*) } :text
    . = ALIGN(4096);
    _text_end = .;
    .rodata : AT(ADDR(.rodata) - LINK_BASE) { *(.head.rodata) *(.trampoline) *(.rodata .rodata.*) } :rodata
    . = ALIGN(4096);
    _rodata_end = .;
    .data : AT(ADDR(.data) - LINK_BASE) { *(.data .data.*) . = ALIGN(4096); } :data
    _data_end = .;
    .bss : AT(ADDR(.bss) - LINK_BASE) { *(.bss .bss.* COMMON) . = ALIGN(4096); } :data
    _bss_end = .;
    /DISCARD/ : { *(.comment) *(.note.*) *(.eh_frame*) *(.gnu.*) }
}
