/* The ACPI tables of a guest: RSDP, XSDT, FADT, MADT and an empty DSDT.
 *
 * A guest without ACPI has one vCPU only. Ours is hardware-reduced (ACPI 5.0,
 * section 3.11.1): no PM blocks, no SCI, no FACS; no VGA, no CMOS clock, no
 * keyboard controller, so that a kernel does not look for them. The reset
 * register is port 0xCF9, value 6: hv turns that write into a reboot.
 *
 * Pure: no I/O.
 */
#ifndef PROVISIONER_ACPI_H
#define PROVISIONER_ACPI_H

#include "provisioner/layout.h"

/* hv makes the LAPIC id of vCPU n equal to this; the ACPI processor UID is n
 * itself, because Linux takes the UID for Xen's vCPU number. */
#define ACPI_APIC_ID(vcpu)  (2u * (vcpu))

/* Fills the page that belongs at LAYOUT_ACPI_GPA; the RSDP is at its start.
 * vcpus is 1 to LAYOUT_VCPUS_MAX. Returns the bytes used. */
size_t acpi_fill(unsigned vcpus, uint8_t page[LAYOUT_ACPI_BYTES]);

#endif
