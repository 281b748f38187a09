/* Where everything lies in a new guest, and the tables that tell it so.
 *
 * Guest-physical map:
 *     0 ..             RAM, at most up to ACPI_GPA; the rest from 4 GiB
 *       kernel         where its ELF says (Linux: 16 MiB)
 *       initrd         behind the kernel
 *       start info     behind the initrd: hvm_start_info, modules, map, command line
 *     0xFC000000       ACPI tables
 *     0xFEFF8000       special pages: +4 the xenstore ring, +7 the console ring
 * The kernel is entered in the PVH way: 32-bit, flat, paging off, EBX = start info.
 *
 * Pure: no I/O, no allocation.
 */
#ifndef PROVISIONER_LAYOUT_H
#define PROVISIONER_LAYOUT_H

#include "provisioner/kernel.h"

#include <stdbool.h>

#define LAYOUT_PAGE         4096ull
#define LAYOUT_ACPI_GPA     0xFC000000ull
#define LAYOUT_HIGH_GPA     0x100000000ull
#define LAYOUT_SPECIAL_PFN  0xFEFF8ull
#define LAYOUT_SPECIAL_PAGES 8u
#define LAYOUT_STORE_PFN    (LAYOUT_SPECIAL_PFN + 4)
#define LAYOUT_CONSOLE_PFN  (LAYOUT_SPECIAL_PFN + 7)
#define LAYOUT_CMDLINE_MAX  2047u       /* x86 Linux cuts at COMMAND_LINE_SIZE, 2048 */
#define LAYOUT_VCPUS_MAX    32u         /* what a shared_info page holds */
#define LAYOUT_INFO_BYTES   (2 * LAYOUT_PAGE)
#define LAYOUT_ACPI_BYTES   LAYOUT_PAGE
#define LAYOUT_CPU_BYTES    2048u

struct layout {
    uint64_t ram_low_bytes;             /* from 0 */
    uint64_t ram_high_bytes;            /* from LAYOUT_HIGH_GPA */
    uint64_t initrd_gpa, initrd_bytes;  /* 0, 0 without one */
    uint64_t info_gpa;                  /* LAYOUT_INFO_BYTES are set aside there */
};

/* How many pages the domain owns in all; what it is admitted and limited by. */
uint64_t layout_pages(uint64_t ram_bytes);

/* 0, or -1 with *need_bytes, the RAM that would do. ram_bytes is a multiple of 2 MiB. */
int layout_plan(struct layout *l, const struct kernel *k, uint64_t initrd_bytes, uint64_t ram_bytes,
                uint64_t *need_bytes);

/* The guest's memory map. Returns the number of ranges, LAYOUT_RANGES_MAX at most. */
#define LAYOUT_RANGES_MAX   4u
struct layout_range {
    uint64_t gpa, bytes;
    uint32_t type;                      /* as in an e820 map, and in start_info.h */
};
unsigned layout_map(const struct layout *l, struct layout_range ranges[LAYOUT_RANGES_MAX]);

/* Fills the LAYOUT_INFO_BYTES that belong at l->info_gpa. The command line has
 * at most LAYOUT_CMDLINE_MAX bytes. */
void layout_info_fill(const struct layout *l, const char *cmdline, uint8_t info[LAYOUT_INFO_BYTES]);

/* The start state of vCPU 0 as the records of XEN_DOMCTL_sethvmcontext. Returns their length. */
size_t layout_cpu_fill(const struct layout *l, const struct kernel *k, uint8_t records[LAYOUT_CPU_BYTES]);

#endif
