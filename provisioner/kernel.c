/* Reads the few ELF fields that placing a kernel needs (System V ABI, chapter
 * 5, "Program Header" and "Note Section"). Section headers are not looked at. */
#include "provisioner/kernel.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>
#include <xen/elfnote.h>

/* Below 1 MiB lies what the kernel itself expects of a PC, above 4 GiB nothing
 * that a 32-bit entry point could run. */
#define PLACE_MIN  0x100000ull
#define PLACE_MAX  0x100000000ull

static bool range_inside(uint64_t offset, uint64_t bytes, uint64_t limit)
{
    return bytes <= limit && offset <= limit - bytes;
}

/* What is the same in both classes of ELF. */
struct headers {
    bool wide;                          /* 64 bit */
    uint64_t offset;                    /* of the program headers */
    unsigned count;
};

static const char *ident_check(const uint8_t *image, size_t image_bytes)
{
    if (image_bytes < EI_NIDENT)
        return "too short for an ELF file";
    if (memcmp(image, ELFMAG, SELFMAG))
        return "not an ELF file (a packed vmlinuz must be unpacked first)";
    if (image[EI_DATA] != ELFDATA2LSB || (image[EI_CLASS] != ELFCLASS64 && image[EI_CLASS] != ELFCLASS32))
        return "not an x86 ELF file";
    return NULL;
}

static const char *shape_check(unsigned type, unsigned machine, bool wide, size_t entry_bytes, size_t wanted_bytes,
                               const struct headers *h, size_t image_bytes)
{
    if (machine != (wide ? EM_X86_64 : EM_386))
        return "not an x86 ELF file";
    if (type != ET_EXEC && type != ET_DYN)
        return "not an executable ELF file";
    if (entry_bytes != wanted_bytes || !h->count || h->count == PN_XNUM)
        return "no usable program headers";
    if (!range_inside(h->offset, h->count * wanted_bytes, image_bytes))
        return "program headers lie outside the file (truncated?)";
    return NULL;
}

static const char *headers_find(const uint8_t *image, size_t image_bytes, struct headers *h)
{
    const char *fault = ident_check(image, image_bytes);
    Elf64_Ehdr wide;
    Elf32_Ehdr narrow;

    if (fault)
        return fault;
    h->wide = image[EI_CLASS] == ELFCLASS64;
    if (image_bytes < (h->wide ? sizeof(wide) : sizeof(narrow)))
        return "too short for an ELF file";
    if (h->wide) {
        memcpy(&wide, image, sizeof(wide));
        h->offset = wide.e_phoff;
        h->count = wide.e_phnum;
        return shape_check(wide.e_type, wide.e_machine, true, wide.e_phentsize, sizeof(Elf64_Phdr), h, image_bytes);
    }
    memcpy(&narrow, image, sizeof(narrow));
    h->offset = narrow.e_phoff;
    h->count = narrow.e_phnum;
    return shape_check(narrow.e_type, narrow.e_machine, false, narrow.e_phentsize, sizeof(Elf32_Phdr), h, image_bytes);
}

static Elf64_Phdr program_header(const uint8_t *image, const struct headers *h, unsigned i)
{
    Elf64_Phdr wide;
    Elf32_Phdr p;

    if (h->wide) {
        memcpy(&wide, image + h->offset + i * sizeof(wide), sizeof(wide));
        return wide;
    }
    memcpy(&p, image + h->offset + i * sizeof(p), sizeof(p));
    return (Elf64_Phdr){ .p_type = p.p_type, .p_offset = p.p_offset, .p_paddr = p.p_paddr, .p_filesz = p.p_filesz,
                         .p_memsz = p.p_memsz };
}

static const char *segment_add(struct kernel *k, const Elf64_Phdr *p, size_t image_bytes)
{
    unsigned at = k->nr_segments;

    if (!p->p_memsz)
        return NULL;
    if (p->p_filesz > p->p_memsz)
        return "a segment is larger in the file than in memory";
    if (!range_inside(p->p_offset, p->p_filesz, image_bytes))
        return "a segment lies outside the file (truncated?)";
    if (p->p_paddr < PLACE_MIN || !range_inside(p->p_paddr, p->p_memsz, PLACE_MAX))
        return "a segment's physical address is not between 1 MiB and 4 GiB";
    if (at == KERNEL_SEGMENTS_MAX)
        return "too many segments";
    for (; at && k->segment[at - 1].gpa > p->p_paddr; at--)
        k->segment[at] = k->segment[at - 1];
    k->segment[at] = (struct kernel_segment){ .gpa = p->p_paddr, .bytes = p->p_memsz,
                                              .file_offset = p->p_offset, .file_bytes = p->p_filesz };
    k->nr_segments++;
    return NULL;
}

static const char *segments_check(struct kernel *k)
{
    if (!k->nr_segments)
        return "nothing to load";
    for (unsigned i = 1; i < k->nr_segments; i++)
        if (k->segment[i - 1].gpa + k->segment[i - 1].bytes > k->segment[i].gpa)
            return "segments overlap";
    k->start = k->segment[0].gpa;
    k->end = k->segment[k->nr_segments - 1].gpa + k->segment[k->nr_segments - 1].bytes;
    return NULL;
}

/* The note's value is 4 or 8 bytes wide; both occur. */
static const char *entry_take(const uint8_t *desc, uint32_t desc_bytes, uint64_t *entry)
{
    if (desc_bytes != 4 && desc_bytes != 8)
        return "the Xen note PHYS32_ENTRY has an odd size";
    *entry = 0;
    memcpy(entry, desc, desc_bytes);
    return NULL;
}

/* Name and descriptor are each padded to 4 bytes, also in the 64-bit files that Linux makes. */
static const char *notes_scan(const uint8_t *notes, uint64_t bytes, uint64_t *entry, bool *found)
{
    while (bytes >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr n;

        memcpy(&n, notes, sizeof(n));
        uint64_t name_bytes = ((uint64_t)n.n_namesz + 3) & ~3ull;
        uint64_t desc_bytes = ((uint64_t)n.n_descsz + 3) & ~3ull;
        uint64_t note_bytes = sizeof(n) + name_bytes + desc_bytes;
        if (note_bytes > bytes)
            return "a note lies outside its segment";
        if (n.n_type == XEN_ELFNOTE_PHYS32_ENTRY && n.n_namesz == 4 && !memcmp(notes + sizeof(n), "Xen", 4)) {
            *found = true;
            return entry_take(notes + sizeof(n) + name_bytes, n.n_descsz, entry);
        }
        notes += note_bytes;
        bytes -= note_bytes;
    }
    return NULL;
}

/* The entry must be code that the file gives, not zeros. */
static const char *entry_set(struct kernel *k, uint64_t entry)
{
    for (unsigned i = 0; i < k->nr_segments; i++) {
        const struct kernel_segment *s = &k->segment[i];

        if (entry >= s->gpa && entry - s->gpa < s->file_bytes) {
            k->entry = (uint32_t)entry;
            return NULL;
        }
    }
    return "the entry point lies outside the loaded segments";
}

static const char *parse(const uint8_t *image, size_t image_bytes, struct kernel *k)
{
    struct headers h;
    uint64_t entry = 0;
    bool found = false;
    const char *fault = headers_find(image, image_bytes, &h);

    for (unsigned i = 0; !fault && i < h.count; i++) {
        Elf64_Phdr p = program_header(image, &h, i);

        if (p.p_type == PT_LOAD) {
            fault = segment_add(k, &p, image_bytes);
        } else if (p.p_type == PT_NOTE && !found) {
            if (!range_inside(p.p_offset, p.p_filesz, image_bytes))
                return "a note segment lies outside the file (truncated?)";
            fault = notes_scan(image + p.p_offset, p.p_filesz, &entry, &found);
        }
    }
    if (fault || (fault = segments_check(k)))
        return fault;
    return found ? entry_set(k, entry) : "no Xen note PHYS32_ENTRY: the kernel was built without CONFIG_PVH";
}

int kernel_parse(const uint8_t *image, size_t image_bytes, struct kernel *kernel, const char **fault)
{
    memset(kernel, 0, sizeof(*kernel));
    *fault = parse(image, image_bytes, kernel);
    return *fault ? -1 : 0;
}
