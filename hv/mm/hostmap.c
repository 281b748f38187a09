#include "hv/mm/hostmap.h"
#include "hv/mm/page.h"
#include "hv/boot/layout.h"
#include "hv/lib/bug.h"
#include "hv/lib/string.h"

#define PTE_P   (1ull << 0)
#define PTE_W   (1ull << 1)
#define PTE_PWT (1ull << 3)
#define PTE_PCD (1ull << 4)
#define PTE_PS  (1ull << 7)
#define PTE_NX  (1ull << 63)
#define PTE_ADDR 0x000FFFFFFFFFF000ull

struct e820_range e820[E820_MAX];
unsigned e820_count;
paddr_t hostmap_root;
paddr_t early_floor, early_top;

extern char _image_start[], _text_end[], _rodata_end[], _bss_end[];

/* The highest RAM below 4 GiB: mapped by the boot tables. */
static void early_init(void)
{
    for (unsigned i = 0; i < e820_count; i++) {
        uint64_t end = e820[i].start + e820[i].bytes;

        if (e820[i].type == E820_RAM && end <= 1ull << 32 && end > early_top)
            early_top = ROUND_DOWN(end, PAGE_SIZE);
    }
    early_floor = early_top;
}

void *early_alloc(uint64_t bytes)
{
    void *p;

    if (!early_top)
        early_init();
    early_floor -= ROUND_UP(bytes, PAGE_SIZE);
    if (early_floor < 0x8000000 || early_floor > early_top)
        panic("boot: out of memory below 4 GiB (%lu bytes wanted); give the machine more RAM", bytes);
    p = paddr_to_virt(early_floor);
    memset(p, 0, ROUND_UP(bytes, PAGE_SIZE));
    return p;
}

static uint64_t *next_table(uint64_t *entry)
{
    if (!(*entry & PTE_P))
        *entry = virt_to_paddr(early_alloc(PAGE_SIZE)) | PTE_P | PTE_W;
    return paddr_to_virt(*entry & PTE_ADDR);
}

static uint64_t *entry_for(uint64_t va, unsigned level)
{
    uint64_t *table = paddr_to_virt(hostmap_root);

    for (unsigned l = 3; l > level; l--)
        table = next_table(&table[va >> (12 + 9 * l) & 511]);
    return &table[va >> (12 + 9 * level) & 511];
}

static bool range_is_ram(uint64_t start, uint64_t end)
{
    for (unsigned i = 0; i < e820_count; i++) {
        uint64_t s = MAX(start, e820[i].start), e = MIN(end, e820[i].start + e820[i].bytes);

        /* ACPI tables are read through this map as well: cacheable. */
        if ((e820[i].type == E820_RAM || e820[i].type == E820_ACPI || e820[i].type == E820_NVS) && s < e)
            return true;
    }
    return false;
}

static void map_image(void)
{
    for (char *p = _image_start; p < _bss_end; p += PAGE_SIZE) {
        uint64_t va = (uint64_t)p, flags = PTE_P | PTE_W | PTE_NX;

        if (p < _text_end)
            flags = PTE_P;
        else if (p < _rodata_end)
            flags = PTE_P | PTE_NX;
        *entry_for(va, 0) = (va - LINK_BASE) | flags;
    }
}

/* 2 MiB pages; one that holds any RAM is write-back: MTRRs keep the device part of a mixed one uncached. */
static void map_direct(uint64_t end)
{
    for (uint64_t pa = 0; pa < end; pa += 1ull << 21) {
        uint64_t flags = PTE_P | PTE_W | PTE_PS | PTE_NX;

        if (!range_is_ram(pa, pa + (1ull << 21)))
            flags |= PTE_PCD | PTE_PWT;
        *entry_for(DIRECTMAP_BASE + pa, 1) = pa | flags;
    }
}

void hostmap_init(void)
{
    uint64_t end = 1ull << 32;

    for (unsigned i = 0; i < e820_count; i++) {
        if (e820[i].type == E820_RAM)
            end = MAX(end, ROUND_UP(e820[i].start + e820[i].bytes, 1ull << 21));
    }
    hostmap_root = virt_to_paddr(early_alloc(PAGE_SIZE));
    map_image();
    map_direct(end);
    /* The trampoline's page and the low 1 MiB stay reachable at their own address while APs start (smp.c). */
    *entry_for(0, 1) = 0 | PTE_P | PTE_W | PTE_PS;
    __asm__ volatile("mov %0, %%cr3" :: "r"(hostmap_root) : "memory");
}

void hostmap_drop_low(void)
{
    *entry_for(0, 1) = 0;
    __asm__ volatile("mov %0, %%cr3" :: "r"(hostmap_root) : "memory");
}
