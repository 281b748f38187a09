/* Fills a new, paused domain's memory: populates it, writes kernel, initrd,
 * start info and ACPI tables into it, and sets vCPU 0 to the kernel's entry. */
#ifndef PROVISIONER_BUILD_H
#define PROVISIONER_BUILD_H

#include "provisioner/xen.h"

struct build {
    const char *kernel_path;
    const char *initrd_path;        /* NULL: none */
    const char *cmdline;
    uint64_t vcpus, memory_mib;
};

/* What is wrong, in words that name the file; errno_value is set when it is the hypervisor's answer. */
struct build_fault {
    const char *key;                /* the catalogue's key at fault: kernel, initrd, memory_mib_min */
    char text[480];
    int errno_value;
};

/* Reads the files and plans, but touches no domain. 0, or -1 with *fault. */
int build_check(const struct build *b, struct build_fault *fault);

/* 0, or -1 with *fault. build_populate wants a domain without memory,
 * build_write one whose memory is still as it was given: zero. */
int build_populate(const struct build *b, struct xen *xen, uint32_t domid, struct build_fault *fault);
int build_write(const struct build *b, struct xen *xen, uint32_t domid, struct build_fault *fault);

#endif
