/* Boot: what its files share. Runs once, on the first CPU, but for smp.c's landing. */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include "hv/lib/types.h"

/* cmdline.c: words of hv's command line, `name=value` or `name`. */
void cmdline_set(const char *text);
bool cmdline_flag(const char *name);
uint64_t cmdline_size(const char *name, uint64_t otherwise);    /* 1536M, 2G, 4096K; panics on nonsense, naming it */

/* multiboot.c: copies what the loader left in low memory before anything is overwritten. */
struct boot_module {
    paddr_t start;
    uint64_t bytes;
    char args[1024];
};
#define MODULES_MAX 8
extern struct boot_module modules[MODULES_MAX];
extern unsigned nr_modules;
void multiboot_parse(uint32_t magic, uint32_t info);

/* acpi.c: the machine as ACPI describes it, revision 0 RSDPs included; and dom0's own tables. */
#define ACPI_CPUS_MAX 64
struct acpi_machine {
    uint16_t pm_timer_port;
    bool pm_timer_32bit;
    unsigned nr_cpus;
    uint32_t apic_id[ACPI_CPUS_MAX];    /* usable ones, in MADT order */
    unsigned nr_ioapics;
    uint64_t ioapic[8];
};
void acpi_parse(struct acpi_machine *m);
/* Changes the tables to what dom0 may see: nr_vcpus CPUs, no PICs, and only what is not hv's. Returns the RSDP's address. */
paddr_t acpi_adapt_dom0(unsigned nr_vcpus);

/* smp.c */
void smp_start(const struct acpi_machine *m);
void cpu_main(void) __noreturn;         /* init.c: a CPU's main loop */

/* rtc.c: UTC from the CMOS clock, ns since 1970. */
uint64_t rtc_read_ns(void);

#endif
