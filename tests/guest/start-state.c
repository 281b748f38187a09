/* start-state: what a PVH kernel finds at its first instruction: the start info, the
 * memory map, the Xen CPUID leaves and the version, as any stock kernel reads them. */
#include "tests/guest/lib/guest.h"

#include <xen/features.h>
#include <xen/memory.h>
#include <xen/version.h>

static void check_start_info(void)
{
    const struct hvm_memmap_table_entry *map = (const void *)guest_info->memmap_paddr;
    uint64_t ram = 0;
    bool sorted = true;
    bool has_kernel = false;

    check_equal(guest_info->magic, XEN_HVM_START_MAGIC_VALUE, "start info: magic");
    check_equal(guest_info->version, 1, "start info: version 1");
    check(guest_info->memmap_entries > 0 && guest_info->memmap_entries < 127,
          "memory map: %u entries, Linux takes fewer than 127", (uint64_t)guest_info->memmap_entries);
    for (uint32_t i = 0; i < guest_info->memmap_entries; i++) {
        if (i && map[i].addr < map[i - 1].addr + map[i - 1].size)
            sorted = false;
        if (map[i].type != XEN_HVM_MEMMAP_TYPE_RAM)
            continue;
        ram += map[i].size;
        has_kernel |= map[i].addr <= 0x1000000 && map[i].addr + map[i].size > 0x1100000;
    }
    check(sorted, "memory map: sorted, nothing overlaps");
    check(has_kernel, "memory map: the kernel lies in RAM");
    check(ram >= 16 << 20, "memory map: %u MiB of RAM", ram >> 20);
}

static void check_cpuid(void)
{
    uint32_t r[4];

    cpuid(1, r);
    check(r[2] >> 31, "CPUID 1: the hypervisor bit is set");
    check((r[2] >> 21) & 1, "CPUID 1: x2APIC");
    cpuid(0x80000001, r);
    check(!((r[2] >> 2) & 1), "CPUID 80000001: SVM is hidden");
    cpuid(0x40000000, r);
    check(r[1] == 0x566e6558 && r[2] == 0x65584d4d && r[3] == 0x4d4d566e, "CPUID 40000000: Xen's signature");
    check(r[0] >= 0x40000004, "CPUID 40000000: leaf 4 is there");
    cpuid(0x40000001, r);
    check_equal(r[0], 4 << 16 | 17, "CPUID 40000001: version 4.17");
    cpuid(0x40000004, r);
    check((r[0] & 8) && r[1] == 0, "CPUID 40000004: says the vCPU's id, 0");
}

static void check_version(void)
{
    xen_feature_info_t features = { .submap_idx = 0 };
    xen_extraversion_t extra;
    uint32_t wanted = 1u << XENFEAT_writable_page_tables | 1u << XENFEAT_auto_translated_physmap |
                      1u << XENFEAT_hvm_callback_vector | 1u << XENFEAT_hvm_safe_pvclock;

    check_equal(HC2(__HYPERVISOR_xen_version, XENVER_version, 0), 4 << 16 | 17, "xen_version: 4.17");
    check_equal(HC2(__HYPERVISOR_xen_version, XENVER_extraversion, extra), 0, "xen_version: extraversion");
    check_equal(HC2(__HYPERVISOR_xen_version, XENVER_get_features, &features), 0, "xen_version: features");
    check((features.submap & wanted) == wanted, "features: %x holds what PVH needs", (uint64_t)features.submap);
    check(!(features.submap & 1u << XENFEAT_hvm_pirqs), "features: interrupts are not routed through physdev_op");
    check(!!(features.submap & 1u << XENFEAT_dom0) == guest_is_dom0(), "features: dom0's bit as the start flags say");
}

static void check_time(void)
{
    const struct vcpu_time_info *time = &shared_info()->vcpu_info[0].time;
    uint64_t before = time->tsc_timestamp;

    check(time->tsc_to_system_mul != 0, "time: a multiplier, or Linux divides by zero");
    check(!(time->version & 1), "time: no update is left half done");
    check(before <= rdtsc(), "time: the stamp lies in the past");
    check(shared_info()->wc_sec > 1600000000, "wall clock: %u, later than 2020", (uint64_t)shared_info()->wc_sec);
}

void guest_main(void)
{
    check_start_info();
    check_cpuid();
    check_version();
    check_time();
}
