/* Building dom0: 1:1 memory below `bytes`, the kernel where its ELF headers want it (a PVH entry is not relocatable), and
 * a PVH start state (xen/arch-x86/hvm/start_info.h). The kernel is unpacked when it is installed: there is no
 * decompressor here. */
#include "hv/domctl/create.h"
#include "hv/arch/percpu.h"
#include "hv/arch/vcpu.h"
#include "hv/boot/boot.h"
#include "hv/boot/layout.h"
#include "hv/console/printk.h"
#include "hv/lib/string.h"
#include "hv/mm/hostmap.h"
#include "hv/sched/sched.h"

#include <xen/arch-x86/hvm/start_info.h>
#include <xen/elfnote.h>
#include <xen/hvm/save.h>

#define DOM0_WEIGHT  1024
#define LOW_END      0x100000ull        /* hv's image lies from here to hv_end() */

struct elf_header {                     /* ELF-64 Object File Format 1.5 */
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_phdr {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct elf_note {
    uint32_t namesz, descsz, type;
};

#define PT_LOAD 1
#define PT_NOTE 4

static struct boot_module kernel, initrd;
static paddr_t kept_start, kept_end;    /* the copies, freed when dom0 is loaded */

extern char _bss_end[];

static paddr_t hv_end(void)
{
    return ROUND_UP((uint64_t)_bss_end - LINK_BASE, PAGE_SIZE);
}

static void move_up(struct boot_module *m, paddr_t *top)
{
    paddr_t to = ROUND_DOWN(*top - m->bytes, PAGE_SIZE);

    memmove(paddr_to_virt(to), paddr_to_virt(m->start), m->bytes);
    m->start = to;
    *top = to;
}

/* Frees [start, end) but for what early_alloc took and the modules' copies. */
static void release(paddr_t start, paddr_t end)
{
    const struct { paddr_t start, end; } keep[] = { { kept_start, kept_end }, { early_floor, early_top } };

    for (unsigned i = 0; i < ARRAY_SIZE(keep); i++) {
        if (start < keep[i].end && keep[i].start < end) {
            if (start < keep[i].start)
                release(start, keep[i].start);
            if (keep[i].end < end)
                release(keep[i].end, end);
            return;
        }
    }
    page_release_boot(start, end);
}

void dom0_take_modules(uint64_t bytes)
{
    paddr_t top = early_floor;

    kernel = modules[0];
    initrd = modules[1];
    if (bytes + kernel.bytes + initrd.bytes + (16ull << 20) > early_floor)
        panic("boot: dom0_mem %lu MiB, kernel %lu KiB and initrd %lu KiB do not fit below %lu MiB; give the machine more "
              "memory or dom0 less", bytes >> 20, kernel.bytes >> 10, initrd.bytes >> 10, early_floor >> 20);
    /* The higher one first: the copies go up and may not run over what is still to be copied. */
    move_up(&initrd, &top);
    move_up(&kernel, &top);
    kept_start = top;
    kept_end = early_floor;
    for (unsigned i = 0; i < e820_count; i++) {
        if (e820[i].type == E820_RAM && e820[i].start + e820[i].bytes > bytes)
            release(MAX(e820[i].start, bytes), e820[i].start + e820[i].bytes);
    }
}

/* --- the kernel's ELF file: the loader's, so trusted, but a wrong file must be told by name --- */

static const struct elf_header *elf_check(void)
{
    const struct elf_header *h = paddr_to_virt(kernel.start);

    if (kernel.bytes < sizeof(*h) || memcmp(h->ident, "\177ELF\2\1", 6) || h->machine != 62 ||
        h->phentsize != sizeof(struct elf_phdr) || h->phoff > kernel.bytes ||
        h->phnum > (kernel.bytes - h->phoff) / sizeof(struct elf_phdr))
        panic("dom0: the first module is no x86-64 ELF file; it must be an unpacked kernel (vmlinux), not a bzImage");
    return h;
}

static const struct elf_phdr *phdr(const struct elf_header *h, unsigned i)
{
    const struct elf_phdr *p = (const void *)((const char *)h + h->phoff);

    if (p[i].filesz > p[i].memsz || p[i].offset > kernel.bytes || p[i].filesz > kernel.bytes - p[i].offset)
        panic("dom0: the kernel's program header %u points outside the file; it is cut short or damaged", i);
    return &p[i];
}

/* start_info and what it points to, in one run of frames; the layout is ours. */
struct boot_info {
    struct hvm_start_info info;
    struct hvm_modlist_entry module;
    struct hvm_memmap_table_entry map[128];
    char cmdline[1024];
};

static void load_segments(const struct elf_header *h, paddr_t limit)
{
    for (unsigned i = 0; i < h->phnum; i++) {
        const struct elf_phdr *p = phdr(h, i);

        if (p->type != PT_LOAD || !p->memsz)
            continue;
        if (p->paddr < hv_end() + sizeof(struct boot_info) || p->paddr > limit || p->memsz > limit - p->paddr)
            panic("dom0: the kernel wants [%lx, %lx), dom0's free memory is [%lx, %lx)", p->paddr, p->paddr + p->memsz,
                  hv_end(), limit);
        memcpy(paddr_to_virt(p->paddr), (const char *)h + p->offset, p->filesz);
        memset((char *)paddr_to_virt(p->paddr) + p->filesz, 0, p->memsz - p->filesz);
    }
}

/* The value of the note "Xen" 18, PHYS32_ENTRY: 4 or 8 bytes. */
static uint32_t find_entry(const struct elf_header *h)
{
    for (unsigned i = 0; i < h->phnum; i++) {
        const struct elf_phdr *p = phdr(h, i);
        const char *at = (const char *)h + p->offset, *end = at + p->filesz;

        while (p->type == PT_NOTE && at + sizeof(struct elf_note) <= end) {
            const struct elf_note *n = (const void *)at;
            const char *name = at + sizeof(*n), *desc = name + ROUND_UP((uint64_t)n->namesz, 4);
            uint32_t entry;

            if (desc + ROUND_UP((uint64_t)n->descsz, 4) > end)
                break;
            if (n->type == XEN_ELFNOTE_PHYS32_ENTRY && n->namesz == 4 && memcmp(name, "Xen", 4) == 0 && n->descsz >= 4) {
                memcpy(&entry, desc, sizeof(entry));
                return entry;
            }
            at = desc + ROUND_UP((uint64_t)n->descsz, 4);
        }
    }
    panic("dom0: the kernel has no PVH entry (Xen note 18); it must be built with CONFIG_PVH, as Debian's is");
}

/* --- memory --- */

static void map_range(paddr_t start, paddr_t end)
{
    uint64_t f = (start + PAGE_SIZE - 1) >> PAGE_SHIFT, last = end >> PAGE_SHIFT;

    while (f < last) {
        bool large = f % 512 == 0 && f + 512 <= last;
        int rc = 0;

        if (large || page_of(MFN(f)))
            rc = p2m_add(dom0, GFN(f), MFN(f), large ? PAGE_ORDER_2M : 0, P2M_RAM);
        if (rc)
            panic("dom0: mapping frame %lx fails, error %d", f, rc);
        f += large ? 512 : 1;
    }
}

/* dom0's part of each RAM range of the machine. */
static void for_each_own_ram(uint64_t bytes, void (*fn)(paddr_t start, paddr_t end))
{
    for (unsigned i = 0; i < e820_count; i++) {
        paddr_t start = e820[i].start, end = MIN(start + e820[i].bytes, bytes);

        if (e820[i].type != E820_RAM || start >= end)
            continue;
        if (start < LOW_END)
            fn(start, MIN(end, LOW_END));
        if (end > hv_end())
            fn(MAX(start, hv_end()), end);
    }
}

static void claim_range(paddr_t start, paddr_t end)
{
    page_claim_boot(dom0, start, end);
}

struct map_writer {
    struct hvm_memmap_table_entry *at;
    uint32_t n;
};

static void map_entry(struct map_writer *w, uint64_t start, uint64_t end, uint32_t type)
{
    if (start < end)
        w->at[w->n++] = (struct hvm_memmap_table_entry){ .addr = start, .size = end - start, .type = type };
}

/* The machine's map with what is not dom0's marked unusable: reserved would not keep Linux from placing things there. */
static uint32_t build_memmap(struct hvm_memmap_table_entry *to, uint64_t bytes)
{
    struct map_writer w = { to, 0 };

    for (unsigned i = 0; i < e820_count && w.n < 100; i++) {
        paddr_t start = e820[i].start, end = start + e820[i].bytes;

        if (e820[i].type != E820_RAM) {
            map_entry(&w, start, end, e820[i].type);
            continue;
        }
        map_entry(&w, start, MIN(end, LOW_END), E820_RAM);
        map_entry(&w, MAX(start, LOW_END), MIN(end, hv_end()), E820_UNUSABLE);
        map_entry(&w, MAX(start, hv_end()), MIN(end, bytes), E820_RAM);
        map_entry(&w, MAX(start, bytes), end, E820_UNUSABLE);
    }
    return w.n;
}

static void build_info(paddr_t at, paddr_t initrd_at, uint64_t bytes)
{
    struct boot_info *b = paddr_to_virt(at);

    memset(b, 0, sizeof(*b));
    b->info = (struct hvm_start_info){
        .magic = XEN_HVM_START_MAGIC_VALUE, .version = 1, .flags = SIF_PRIVILEGED | SIF_INITDOMAIN, .nr_modules = 1,
        .modlist_paddr = at + offsetof(struct boot_info, module),
        .cmdline_paddr = at + offsetof(struct boot_info, cmdline),
        .memmap_paddr = at + offsetof(struct boot_info, map),
    };
    b->module = (struct hvm_modlist_entry){ .paddr = initrd_at, .size = initrd.bytes };
    memcpy(b->cmdline, kernel.args, sizeof(b->cmdline));
    b->info.memmap_entries = build_memmap(b->map, bytes);
    b->info.rsdp_paddr = acpi_adapt_dom0(dom0->nr_vcpus);
}

/* xen/arch-x86/hvm/start_info.h: flat 32-bit, paging off, EBX = start_info. */
static void start_state(uint32_t entry, paddr_t info)
{
    struct hvm_hw_cpu hw = {
        .rip = entry, .rbx = info, .rflags = 2, .cr0 = 0x11,
        .cs_arbytes = 0xC9B, .cs_limit = UINT32_MAX, .cs_sel = 0x08,
        .ds_arbytes = 0xC93, .ds_limit = UINT32_MAX, .es_arbytes = 0xC93, .es_limit = UINT32_MAX,
        .ss_arbytes = 0xC93, .ss_limit = UINT32_MAX, .tr_arbytes = 0x8B, .tr_limit = 0x67,
        .ldtr_arbytes = 0x82, .dr6 = 0xFFFF0FF0, .dr7 = 0x400,
    };

    if (vcpu_context_load(dom0->vcpu[0], &hw))
        panic("dom0: its start state was refused");
}

void dom0_start(uint64_t bytes)
{
    struct domain_params params = {
        .id = 0, .privileged = true, .nr_vcpus = MIN(cpus_online, (unsigned)VCPUS_MAX), .pages_max = bytes >> PAGE_SHIFT,
        .max_evtchn_port = EVTCHN_PORT_MAX, .max_grant_frames = GRANT_FRAMES_DEFAULT, .max_maptrack = MAPTRACK_DEFAULT,
    };
    /* Linux reads it through its first direct map, which covers 1 GiB. */
    paddr_t info = hv_end();
    paddr_t initrd_at = ROUND_DOWN(bytes - initrd.bytes, 1ull << 21);
    const struct elf_header *h = elf_check();
    int rc = domain_create(&params, &dom0);

    if (rc)
        panic("dom0: not created, error %d", rc);
    for_each_own_ram(bytes, claim_range);
    for_each_own_ram(bytes, map_range);
    load_segments(h, initrd_at);
    memcpy(paddr_to_virt(initrd_at), paddr_to_virt(initrd.start), initrd.bytes);
    build_info(info, initrd_at, bytes);
    start_state(find_entry(h), info);
    page_release_boot(kept_start, kept_end);
    if (sched_set_params(dom0, DOM0_WEIGHT, 0) || domain_control(dom0, false))
        panic("dom0: does not become runnable");
    sched_vcpu_up(dom0->vcpu[0]);
}
