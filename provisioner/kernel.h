/* A guest kernel file: an unpacked vmlinux (ELF64), or GRUB for PVH (ELF32),
 * that carries the Xen note PHYS32_ENTRY, which makes it bootable in the PVH way.
 *
 * Why not libxenguest: it maps every page of the new guest into dom0 (one
 * hypercall a page, and guest memory visible here) and unpacks and parses a
 * dozen formats as root. The builder of this folder reads one format, from
 * the catalogue only, and writes through hypercall 54, so that no guest page
 * is ever mapped in dom0.
 *
 * Pure: bytes in, a description out. Every field of the file is distrusted.
 */
#ifndef PROVISIONER_KERNEL_H
#define PROVISIONER_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define KERNEL_SEGMENTS_MAX 16

struct kernel_segment {
    uint64_t gpa;               /* where it goes: the ELF's p_paddr */
    uint64_t bytes;             /* in memory; what the file does not give is zero */
    uint64_t file_offset;
    uint64_t file_bytes;
};

struct kernel {
    uint64_t start, end;        /* guest-physical extent of all segments */
    uint32_t entry;             /* 32-bit, paging off */
    unsigned nr_segments;       /* sorted by gpa, none overlap, none empty */
    struct kernel_segment segment[KERNEL_SEGMENTS_MAX];
};

/* 0, or -1 with *fault saying what is wrong with the image (a static string
 * that follows the file's name: "FILE: %s"). */
int kernel_parse(const uint8_t *image, size_t image_bytes, struct kernel *kernel, const char **fault);

#endif
