/* scrub: no word of the memory that this domain was given holds anything, but for what its builder put there on
 * purpose. Then every one of them is filled, so that the next domain to get these pages tells whether they were cleared.
 * For guests only: dom0's memory holds what the boot loader left. */
#include "tests/guest/lib/guest.h"

#define PATTERN 0xa5a5a5a5a5a5a5a5

extern char guest_end[];

struct span {
    uint64_t from, to;                  /* guest-physical, whole pages */
};

static struct span kept[16];
static unsigned kept_count;

static void keep(uint64_t from, uint64_t bytes)
{
    kept[kept_count++] = (struct span){ from & ~0xfffull, (from + bytes + 0xfff) & ~0xfffull };
}

static uint64_t length(uint64_t text)
{
    uint64_t n = 0;

    while (text && ((const char *)text)[n])
        n++;
    return n + 1;
}

static void keep_what_was_built(void)
{
    const struct hvm_modlist_entry *module = (const void *)guest_info->modlist_paddr;

    keep(0, 1 << 20);                   /* below 1 MiB is the firmware's on a machine */
    keep(0x1000000, (uint64_t)guest_end - 0x1000000);
    keep((uint64_t)guest_info, sizeof(*guest_info));
    keep(guest_info->memmap_paddr, guest_info->memmap_entries * sizeof(struct hvm_memmap_table_entry));
    keep(guest_info->cmdline_paddr, length(guest_info->cmdline_paddr));
    keep((uint64_t)module, guest_info->nr_modules * sizeof(*module));
    for (uint32_t i = 0; i < guest_info->nr_modules && i < 4; i++) {
        keep(module[i].paddr, module[i].size);
        keep(module[i].cmdline_paddr, length(module[i].cmdline_paddr));
    }
}

static bool is_kept(uint64_t page)
{
    for (unsigned i = 0; i < kept_count; i++)
        if (page >= kept[i].from && page < kept[i].to)
            return true;
    return false;
}

void guest_main(void)
{
    const struct hvm_memmap_table_entry *map = (const void *)guest_info->memmap_paddr;
    uint64_t pages = 0;
    uint64_t dirty = 0;
    uint64_t first = 0;

    keep_what_was_built();
    for (uint32_t i = 0; i < guest_info->memmap_entries; i++) {
        if (map[i].type != XEN_HVM_MEMMAP_TYPE_RAM || map[i].addr >= 1ull << 32)
            continue;
        for (uint64_t page = map[i].addr & ~0xfffull; page + 4096 <= map[i].addr + map[i].size; page += 4096) {
            if (is_kept(page))
                continue;
            pages++;
            for (uint64_t *word = (uint64_t *)page; word < (uint64_t *)(page + 4096); word++) {
                if (*word && !dirty++)
                    first = (uint64_t)word;
                *word = PATTERN;
            }
        }
    }
    check(pages > 1000, "%u pages looked at", pages);
    check(dirty == 0, "%u words hold something, the first at %x", dirty, first);
}
