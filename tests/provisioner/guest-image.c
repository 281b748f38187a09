/* The pure code of the builder: kernel files good and bad, the guest's memory
 * map, start info, vCPU state, ACPI tables. With --dump-acpi DIR VCPUS it only
 * writes the tables, for acpi.sh. */
#include "provisioner/acpi.h"
#include "provisioner/kernel.h"
#include "provisioner/layout.h"
#include "sample.h"
#include "tap.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <xen/xen.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/hvm/save.h>

#define MIB (1ull << 20)

static void good_kernel(void)
{
    static uint8_t image[SAMPLE_KERNEL_BYTES];
    struct kernel k;
    const char *fault = "";

    sample_kernel(image);
    check(!kernel_parse(image, sizeof(image), &k, &fault) && !fault, "a good kernel is accepted");
    check(k.entry == SAMPLE_ENTRY && k.nr_segments == 2 && k.start == 0x1000000 && k.end == 0x1105000,
          "its entry, segments and extent are found");
    check(k.segment[1].gpa == 0x1100000 && k.segment[1].bytes == 0x5000 && k.segment[1].file_bytes == 0x1000 &&
          k.segment[1].file_offset == 0x4000, "a segment that is larger in memory keeps both sizes");
    memcpy(image + 0x218 + 4, &(uint32_t){ 4 }, 4);
    memcpy(image + 0x40 + 2 * 56 + 32, &(uint64_t){ 24 + 20 }, 8);
    check(!kernel_parse(image, sizeof(image), &k, &fault) && k.entry == SAMPLE_ENTRY,
          "an entry note of 4 bytes is read like one of 8");
}

/* As GRUB for PVH is: 32-bit, from 1 MiB on, two segments of which one begins within a page. */
static void narrow_kernel(void)
{
    static uint8_t image[0x4000];
    Elf32_Ehdr e = { .e_type = ET_EXEC, .e_machine = EM_386, .e_phoff = 52, .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 3 };
    const Elf32_Phdr p[3] = {
        { .p_type = PT_LOAD, .p_offset = 0x1000, .p_paddr = 0x100000, .p_filesz = 0x1ccb, .p_memsz = 0x2858 },
        { .p_type = PT_LOAD, .p_offset = 0x2ccb, .p_paddr = 0x102858, .p_filesz = 0x1000, .p_memsz = 0x1000 },
        { .p_type = PT_NOTE, .p_offset = 0x200, .p_filesz = 20 },
    };
    const struct {
        Elf32_Nhdr head;
        char name[4];
        uint32_t value;
    } note = { { 4, 4, 18 }, "Xen", 0x100000 };
    struct kernel k;
    const char *fault = "";

    memcpy(e.e_ident, ELFMAG, SELFMAG);
    e.e_ident[EI_CLASS] = ELFCLASS32;
    e.e_ident[EI_DATA] = ELFDATA2LSB;
    memcpy(image, &e, sizeof(e));
    memcpy(image + 52, p, sizeof(p));
    memcpy(image + 0x200, &note, sizeof(note));
    check(!kernel_parse(image, sizeof(image), &k, &fault) && k.entry == 0x100000 && k.nr_segments == 2 &&
          k.end == 0x103858 && k.segment[1].file_offset == 0x2ccb, "a 32-bit boot loader is read like a kernel");
    check(kernel_parse(image, 0x3000, &k, &fault) && strstr(fault, "outside the file"), "and refused when it is cut short");
}

/* One field of the sample is changed; the fault must name what is wrong. */
static void bad_kernels(void)
{
    static const struct {
        const char *name;
        unsigned offset, bytes;
        uint64_t value;
        const char *fault;
    } cases[] = {
        { "a packed kernel", 0, 1, 'M', "not an ELF file" },
        { "a file of neither class", EI_CLASS, 1, 3, "x86 ELF" },
        { "a 32-bit file for a 64-bit machine", EI_CLASS, 1, ELFCLASS32, "x86 ELF" },
        { "another machine's file", 18, 2, EM_AARCH64, "x86 ELF" },
        { "an object file", 16, 2, ET_REL, "not an executable" },
        { "no program headers", 56, 2, 0, "program headers" },
        { "program headers of another size", 54, 2, 55, "program headers" },
        { "program headers outside", 32, 8, SAMPLE_KERNEL_BYTES - 8, "outside the file" },
        { "program headers at the end of time", 32, 8, UINT64_MAX - 7, "outside the file" },
        { "more program headers than fit", 56, 2, 0x7000, "outside the file" },
        { "a segment outside", 0x40 + 8, 8, 0x5000, "outside the file" },
        { "a segment whose end wraps", 0x40 + 8, 8, UINT64_MAX - 0x1000, "outside the file" },
        { "a segment larger in the file", 0x40 + 40, 8, 0x100, "larger in the file" },
        { "a segment below 1 MiB", 0x40 + 24, 8, 0x8000, "1 MiB" },
        { "a segment above 4 GiB", 0x40 + 24, 8, 0x100000000, "4 GiB" },
        { "a segment that ends above 4 GiB", 0x40 + 56 + 40, 8, 0xFFFFFFFF, "4 GiB" },
        { "segments that overlap", 0x40 + 56 + 24, 8, 0x1002fff, "overlap" },
        { "a note outside", 0x40 + 112 + 8, 8, SAMPLE_KERNEL_BYTES - 4, "note segment lies outside" },
        { "a note longer than its segment", 0x200 + 4, 4, 0xFFFFFFFF, "note lies outside" },
        { "no entry note", 0x218 + 8, 4, 17, "PHYS32_ENTRY" },
        { "an entry note of 2 bytes", 0x218 + 4, 4, 2, "odd size" },
        { "an entry outside", 0x228, 8, 0x2000000, "entry point" },
        { "an entry in zeroed memory", 0x228, 8, 0x1102000, "entry point" },
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static uint8_t image[SAMPLE_KERNEL_BYTES];
        struct kernel k;
        const char *fault = "";
        char name[128];

        sample_kernel(image);
        memcpy(image + cases[i].offset, &cases[i].value, cases[i].bytes);
        snprintf(name, sizeof(name), "refused: %s", cases[i].name);
        if (!check(kernel_parse(image, sizeof(image), &k, &fault) && strstr(fault, cases[i].fault), name))
            printf("# fault: %s\n", fault);
    }
}

/* A kernel cut off anywhere is refused or has lost nothing that is loaded; the
 * sanitizers watch that nothing outside is read (the copy is exactly as long). */
static void cut_kernels(void)
{
    static uint8_t image[SAMPLE_KERNEL_BYTES];
    unsigned accepted = 0;

    sample_kernel(image);
    for (size_t bytes = 0; bytes < 0x5000; bytes += bytes < 0x400 ? 1 : 61) {
        uint8_t *cut = malloc(bytes ? bytes : 1);
        struct kernel k;
        const char *fault;

        memcpy(cut, image, bytes);
        accepted += !kernel_parse(cut, bytes, &k, &fault);
        free(cut);
    }
    check(!accepted, "a kernel cut off at any length is refused");
}

static bool kernel_sane(const struct kernel *k)
{
    bool entry_inside = false;

    for (unsigned i = 0; i < k->nr_segments; i++) {
        const struct kernel_segment *s = &k->segment[i];

        if (s->file_bytes > s->bytes || s->file_offset + s->file_bytes > SAMPLE_KERNEL_BYTES || s->gpa < MIB ||
            s->gpa + s->bytes > 4096 * MIB || (i && k->segment[i - 1].gpa + k->segment[i - 1].bytes > s->gpa))
            return false;
        entry_inside |= k->entry >= s->gpa && k->entry < s->gpa + s->file_bytes;
    }
    return k->nr_segments && entry_inside;
}

/* Mutated headers: whatever is accepted keeps the promises that the builder relies on. */
static void mutated_kernels(void)
{
    static uint8_t image[SAMPLE_KERNEL_BYTES];
    unsigned accepted = 0, insane = 0;
    uint64_t seed = 0x9E3779B97F4A7C15;

    for (unsigned n = 0; n < 300000; n++) {
        struct kernel k;
        const char *fault;

        sample_kernel(image);
        for (unsigned m = 0; m <= n % 3; m++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            unsigned at = (seed >> 33) % 0x240;
            image[at] = (seed >> 20) & 1 ? (uint8_t)(seed >> 24) : image[at] ^ (uint8_t)(1 << ((seed >> 24) & 7));
        }
        if (!kernel_parse(image, sizeof(image), &k, &fault)) {
            accepted++;
            insane += !kernel_sane(&k);
        }
    }
    check(accepted > 1000 && !insane, "300000 mutated kernels: what is accepted is sane");
}

static void layout_places(void)
{
    struct kernel k = { .start = 0x1000000, .end = 0x4A00000, .entry = 0x1000850 };
    struct layout l;
    uint64_t need = 0;

    check(!layout_plan(&l, &k, 3 * MIB + 5, 128 * MIB, &need) && l.initrd_gpa == 0x4A00000 &&
          l.info_gpa == 0x4A00000 + 3 * MIB + 4096 && l.ram_low_bytes == 128 * MIB && !l.ram_high_bytes,
          "initrd and start info follow the kernel, page by page");
    check(layout_plan(&l, &k, 60 * MIB, 128 * MIB, &need) && need == 136 * MIB, "too little memory: says how much would do");
    check(layout_plan(&l, &k, UINT64_MAX - 5, 128 * MIB, &need), "an absurd initrd is refused");
    check(!layout_plan(&l, &k, 0, 8192 * MIB, &need) && l.ram_low_bytes == 0xFC000000 &&
          l.ram_high_bytes == 8192 * MIB - 0xFC000000 && !l.initrd_gpa, "memory beyond the hole continues at 4 GiB");
    check(layout_pages(128 * MIB) == 32768 + 3, "a domain owns its memory, the ACPI page and two rings");
}

static void start_info(void)
{
    struct kernel k = { .start = 0x1000000, .end = 0x1100000, .entry = 0x1000850 };
    uint8_t info[LAYOUT_INFO_BYTES], records[LAYOUT_CPU_BYTES];
    struct hvm_start_info start;
    struct hvm_modlist_entry module;
    struct hvm_memmap_table_entry map[4];
    struct hvm_hw_cpu cpu;
    struct layout l;
    uint64_t need;
    char longest[LAYOUT_CMDLINE_MAX + 1];
    size_t bytes;

    layout_plan(&l, &k, 4097, 5120 * MIB, &need);
    layout_info_fill(&l, "console=hvc0 x", info);
    memcpy(&start, info, sizeof(start));
    check(start.magic == XEN_HVM_START_MAGIC_VALUE && start.version == 1 && !start.flags && start.nr_modules == 1 &&
          start.rsdp_paddr == LAYOUT_ACPI_GPA && start.memmap_entries == 4, "start info: header");
    memcpy(&module, info + (start.modlist_paddr - l.info_gpa), sizeof(module));
    check(module.paddr == l.initrd_gpa && module.size == 4097, "start info: the initrd is module 0");
    check(!strcmp((char *)info + (start.cmdline_paddr - l.info_gpa), "console=hvc0 x"), "start info: command line");
    memcpy(map, info + (start.memmap_paddr - l.info_gpa), sizeof(map));
    check(map[0].addr == 0 && map[0].size == LAYOUT_ACPI_GPA && map[0].type == XEN_HVM_MEMMAP_TYPE_RAM &&
          map[1].addr == LAYOUT_ACPI_GPA && map[1].type == XEN_HVM_MEMMAP_TYPE_ACPI &&
          map[2].addr == 0xFEFF8000 && map[2].size == 0x8000 && map[2].type == XEN_HVM_MEMMAP_TYPE_RESERVED &&
          map[3].addr == 4096 * MIB && map[3].size == 5120 * MIB - LAYOUT_ACPI_GPA, "start info: memory map");
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = 0;
    layout_info_fill(&l, longest, info);
    check(!strcmp((char *)info + LAYOUT_PAGE, longest), "start info: the longest command line fits and ends");
    bytes = layout_cpu_fill(&l, &k, records);
    memcpy(&cpu, records + 8 + sizeof(struct hvm_save_header) + 8, sizeof(cpu));
    check(bytes == 3 * 8 + sizeof(struct hvm_save_header) + sizeof(cpu) && cpu.rip == 0x1000850 &&
          cpu.rbx == l.info_gpa && cpu.cr0 == 0x11 && cpu.cs_arbytes == 0xC9B && !cpu.msr_efer && !cpu.cr4,
          "vCPU 0 enters the kernel as PVH asks");
}

static uint8_t sum(const uint8_t *b, size_t n)
{
    uint8_t s = 0;

    while (n--)
        s = (uint8_t)(s + *b++);
    return s;
}

/* Walks from the RSDP as an operating system does. Returns the table or NULL. */
static const uint8_t *table_find(const uint8_t *page, const char *signature, uint32_t *length)
{
    uint64_t xsdt, at;
    uint32_t xsdt_length;

    if (memcmp(page, "RSD PTR ", 8) || sum(page, 20) || sum(page, 36) || page[15] != 2)
        return NULL;
    memcpy(&xsdt, page + 24, 8);
    const uint8_t *x = page + (xsdt - LAYOUT_ACPI_GPA);
    memcpy(&xsdt_length, x + 4, 4);
    if (memcmp(x, "XSDT", 4) || sum(x, xsdt_length))
        return NULL;
    for (uint32_t i = 36; i < xsdt_length; i += 8) {
        memcpy(&at, x + i, 8);
        const uint8_t *t = page + (at - LAYOUT_ACPI_GPA);
        memcpy(length, t + 4, 4);
        if (!memcmp(t, signature, 4) && !sum(t, *length))
            return t;
    }
    return NULL;
}

static void acpi_tables(void)
{
    uint8_t page[LAYOUT_ACPI_BYTES];
    bool good = true;

    for (unsigned vcpus = 1; vcpus <= LAYOUT_VCPUS_MAX; vcpus++) {
        uint32_t length = 0, dsdt_length;
        uint64_t dsdt;

        size_t used = acpi_fill(vcpus, page);
        const uint8_t *madt = table_find(page, "APIC", &length);
        good &= madt && length == 44 + vcpus * 8 && used <= sizeof(page) && !madt[40];
        for (unsigned v = 0; good && v < vcpus; v++)
            good &= madt[44 + v * 8 + 2] == v && madt[44 + v * 8 + 3] == 2 * v && madt[44 + v * 8 + 4] == 1;
        const uint8_t *fadt = table_find(page, "FACP", &length);
        good &= fadt && length == 268;
        if (!good)
            break;
        memcpy(&dsdt, fadt + 140, 8);
        memcpy(&dsdt_length, page + (dsdt - LAYOUT_ACPI_GPA) + 4, 4);
        good &= !memcmp(page + (dsdt - LAYOUT_ACPI_GPA), "DSDT", 4) &&
                !sum(page + (dsdt - LAYOUT_ACPI_GPA), dsdt_length);
    }
    check(good, "ACPI: from the RSDP to every vCPU, checksums right, for 1 to 32 vCPUs");
}

static int dump(const char *dir, unsigned vcpus)
{
    uint8_t page[LAYOUT_ACPI_BYTES];
    uint32_t length;
    uint64_t dsdt;

    acpi_fill(vcpus, page);
    const uint8_t *fadt = table_find(page, "FACP", &length);
    memcpy(&dsdt, fadt + 140, 8);
    sample_write(dir, "facp.dat", fadt, length);
    const uint8_t *madt = table_find(page, "APIC", &length);
    sample_write(dir, "apic.dat", madt, length);
    memcpy(&length, page + (dsdt - LAYOUT_ACPI_GPA) + 4, 4);
    sample_write(dir, "dsdt.dat", page + (dsdt - LAYOUT_ACPI_GPA), length);
    memcpy(&dsdt, page + 24, 8);
    memcpy(&length, page + (dsdt - LAYOUT_ACPI_GPA) + 4, 4);
    sample_write(dir, "xsdt.dat", page + (dsdt - LAYOUT_ACPI_GPA), length);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "--dump-acpi"))
        return dump(argv[2], (unsigned)atoi(argv[3]));
    good_kernel();
    narrow_kernel();
    bad_kernels();
    cut_kernels();
    mutated_kernels();
    layout_places();
    start_info();
    acpi_tables();
    return tap_end();
}
