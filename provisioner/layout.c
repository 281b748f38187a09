#include "provisioner/layout.h"

#include <string.h>
#include <xen/xen.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/hvm/save.h>

#define MIB (1ull << 20)

static uint64_t page_round_up(uint64_t bytes)
{
    return (bytes + LAYOUT_PAGE - 1) & ~(LAYOUT_PAGE - 1);
}

/* RAM, one page of ACPI tables, the two rings. */
uint64_t layout_pages(uint64_t ram_bytes)
{
    return ram_bytes / LAYOUT_PAGE + LAYOUT_ACPI_BYTES / LAYOUT_PAGE + 2;
}

int layout_plan(struct layout *l, const struct kernel *k, uint64_t initrd_bytes, uint64_t ram_bytes,
                uint64_t *need_bytes)
{
    uint64_t end = page_round_up(k->end);

    memset(l, 0, sizeof(*l));
    l->ram_low_bytes = ram_bytes < LAYOUT_ACPI_GPA ? ram_bytes : LAYOUT_ACPI_GPA;
    l->ram_high_bytes = ram_bytes - l->ram_low_bytes;
    if (initrd_bytes > LAYOUT_ACPI_GPA) {
        *need_bytes = initrd_bytes;
        return -1;
    }
    if (initrd_bytes) {
        l->initrd_gpa = end;
        l->initrd_bytes = initrd_bytes;
        end += page_round_up(initrd_bytes);
    }
    l->info_gpa = end;
    end += LAYOUT_INFO_BYTES;
    if (end <= l->ram_low_bytes)
        return 0;
    *need_bytes = (end + 2 * MIB - 1) & ~(2 * MIB - 1);
    return -1;
}

unsigned layout_map(const struct layout *l, struct layout_range ranges[LAYOUT_RANGES_MAX])
{
    const struct layout_range all[LAYOUT_RANGES_MAX] = {
        { 0, l->ram_low_bytes, XEN_HVM_MEMMAP_TYPE_RAM },
        { LAYOUT_ACPI_GPA, LAYOUT_ACPI_BYTES, XEN_HVM_MEMMAP_TYPE_ACPI },
        { LAYOUT_SPECIAL_PFN * LAYOUT_PAGE, LAYOUT_SPECIAL_PAGES * LAYOUT_PAGE, XEN_HVM_MEMMAP_TYPE_RESERVED },
        { LAYOUT_HIGH_GPA, l->ram_high_bytes, XEN_HVM_MEMMAP_TYPE_RAM },
    };
    unsigned count = 0;

    for (unsigned i = 0; i < LAYOUT_RANGES_MAX; i++)
        if (all[i].bytes)
            ranges[count++] = all[i];
    return count;
}

/* One block: start info, then the module, the map and, from the second page
 * on, the command line (a page of its own, so that its length moves nothing). */
void layout_info_fill(const struct layout *l, const char *cmdline, uint8_t info[LAYOUT_INFO_BYTES])
{
    struct {
        struct hvm_start_info start;
        uint8_t pad[8];
        struct hvm_modlist_entry module;
        struct hvm_memmap_table_entry map[LAYOUT_RANGES_MAX];
    } block = { .start = { .magic = XEN_HVM_START_MAGIC_VALUE, .version = 1 } };
    struct layout_range ranges[LAYOUT_RANGES_MAX];

    block.start.memmap_entries = layout_map(l, ranges);
    for (unsigned i = 0; i < block.start.memmap_entries; i++)
        block.map[i] = (struct hvm_memmap_table_entry){ .addr = ranges[i].gpa, .size = ranges[i].bytes,
                                                        .type = ranges[i].type };
    block.start.memmap_paddr = l->info_gpa + ((uint8_t *)block.map - (uint8_t *)&block);
    block.start.cmdline_paddr = l->info_gpa + LAYOUT_PAGE;
    block.start.rsdp_paddr = LAYOUT_ACPI_GPA;
    if (l->initrd_bytes) {
        block.start.nr_modules = 1;
        block.start.modlist_paddr = l->info_gpa + ((uint8_t *)&block.module - (uint8_t *)&block);
        block.module.paddr = l->initrd_gpa;
        block.module.size = l->initrd_bytes;
    }
    memset(info, 0, LAYOUT_INFO_BYTES);
    memcpy(info, &block, sizeof(block));
    memcpy(info + LAYOUT_PAGE, cmdline, strnlen(cmdline, LAYOUT_CMDLINE_MAX));
}

static uint8_t *record_put(uint8_t *at, uint16_t type, const void *body, uint32_t bytes)
{
    struct hvm_save_descriptor d = { .typecode = type, .instance = 0, .length = bytes };

    memcpy(at, &d, sizeof(d));
    if (bytes)
        memcpy(at + sizeof(d), body, bytes);
    return at + sizeof(d) + bytes;
}

/* Access rights as in the VMCB: type, S, DPL, P, then AVL, L, D/B, G in bits
 * 8 to 11 (AMD64 manual 2, section 15.5.1); 0xC9B is flat 32-bit code, 0xC93
 * flat data, 0x8B a busy 32-bit TSS. */
size_t layout_cpu_fill(const struct layout *l, const struct kernel *k, uint8_t records[LAYOUT_CPU_BYTES])
{
    struct hvm_save_header header = { .magic = HVM_FILE_MAGIC, .version = HVM_FILE_VERSION };
    struct hvm_hw_cpu cpu = {
        .cr0 = 0x11,                    /* PE, ET */
        .rflags = 0x2,
        .dr6 = 0xFFFF0FF0, .dr7 = 0x400,
        .rbx = l->info_gpa,
        .rip = k->entry,
        .cs_arbytes = 0xC9B, .cs_limit = ~0u,
        .ds_arbytes = 0xC93, .ds_limit = ~0u,
        .es_arbytes = 0xC93, .es_limit = ~0u,
        .ss_arbytes = 0xC93, .ss_limit = ~0u,
        .tr_arbytes = 0x8B, .tr_limit = 0x67,
    };
    uint8_t *at = records;

    _Static_assert(3 * sizeof(struct hvm_save_descriptor) + sizeof(header) + sizeof(cpu) <= LAYOUT_CPU_BYTES,
                   "the records fit");
    at = record_put(at, HVM_SAVE_CODE(HEADER), &header, sizeof(header));
    at = record_put(at, HVM_SAVE_CODE(CPU), &cpu, sizeof(cpu));
    at = record_put(at, HVM_SAVE_CODE(END), NULL, 0);
    return (size_t)(at - records);
}
