/* Multiboot 1 information (Multiboot Specification 0.6.96, 3.3), copied out of low memory at once. */
#include "hv/boot/boot.h"
#include "hv/lib/bug.h"
#include "hv/lib/string.h"
#include "hv/mm/hostmap.h"
#include "hv/mm/page.h"

#define MAGIC 0x2BADB002u
#define HAS_CMDLINE (1u << 2)
#define HAS_MODULES (1u << 3)
#define HAS_MMAP    (1u << 6)

struct info {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
};

struct mod_entry {
    uint32_t start, end, string, reserved;
};

struct mmap_entry {
    uint32_t size;                      /* of the rest */
    uint64_t base, length;
    uint32_t type;
} __attribute__((packed));

struct boot_module modules[MODULES_MAX];
unsigned nr_modules;

static void copy_map(const struct info *mb)
{
    const char *at = paddr_to_virt(mb->mmap_addr), *end = at + mb->mmap_length;

    while (at + sizeof(struct mmap_entry) <= end) {
        const struct mmap_entry *e = (const void *)at;

        if (e820_count < E820_MAX && e->length)
            e820[e820_count++] = (struct e820_range){ e->base, e->length, e->type };
        at += e->size + sizeof(e->size);
    }
}

/* QEMU puts the file's name first; what is meant begins after the blank. */
static const char *arguments(uint32_t string)
{
    const char *blank = string ? strchr(paddr_to_virt(string), ' ') : NULL;

    return blank ? blank + 1 : "";
}

static void copy_modules(const struct info *mb)
{
    const struct mod_entry *e = paddr_to_virt(mb->mods_addr);

    for (unsigned i = 0; i < mb->mods_count && i < MODULES_MAX; i++) {
        const char *args = arguments(e[i].string);
        size_t n = strnlen(args, sizeof(modules[i].args) - 1);

        modules[i].start = e[i].start;
        modules[i].bytes = e[i].end - e[i].start;
        memcpy(modules[i].args, args, n);
        modules[i].args[n] = 0;
        nr_modules++;
    }
}

void multiboot_parse(uint32_t magic, uint32_t info)
{
    const struct info *mb = paddr_to_virt(info);

    if (magic != MAGIC)
        panic("boot: loader magic %x is not multiboot 1's", magic);
    cmdline_set(mb->flags & HAS_CMDLINE ? arguments(mb->cmdline) : "");
    if (!(mb->flags & HAS_MMAP))
        panic("boot: the loader gave no memory map");
    copy_map(mb);
    if (mb->flags & HAS_MODULES)
        copy_modules(mb);
}
