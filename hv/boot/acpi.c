/* ACPI, read once: where the CPUs, the IO-APICs and the PM timer are, how the machine is switched off; and the tables
 * as dom0 sees them. (ACPI 6.4, chapter 5.) Tables lie in RAM that firmware reserved and are read in place. */
#include "hv/boot/boot.h"
#include "hv/console/machine.h"
#include "hv/console/printk.h"
#include "hv/arch/percpu.h"
#include "hv/lib/bug.h"
#include "hv/lib/string.h"
#include "hv/mm/page.h"

struct rsdp {
    char signature[8];
    uint8_t checksum;
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt;
    /* From revision 2 on: */
    uint32_t length;
    uint64_t xsdt;
    uint8_t extended_checksum, reserved[3];
} __attribute__((packed));

struct header {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem_id[6], oem_table_id[8];
    uint32_t oem_revision, creator_id, creator_revision;
} __attribute__((packed));

struct generic_address {
    uint8_t space, bits, offset, access;
    uint64_t address;
} __attribute__((packed));

struct fadt {
    struct header h;
    uint32_t facs, dsdt;
    uint8_t reserved0, profile;
    uint16_t sci;
    uint32_t smi_cmd;
    uint8_t acpi_enable, acpi_disable, s4bios, pstate;
    uint32_t pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_tmr, gpe0, gpe1;
    uint8_t pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len, gpe0_len, gpe1_len, gpe1_base, cst;
    uint16_t p_lvl2, p_lvl3, flush_size, flush_stride;
    uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
    uint16_t boot_flags;
    uint8_t reserved1;
    uint32_t flags;
    struct generic_address reset_reg;
    uint8_t reset_value;
} __attribute__((packed));

#define MAPPED_END (1ull << 32)
#define TABLE_BYTES_MAX (4ull << 20)    /* more than any DSDT; a damaged length may not cost seconds of summing up */
#define FADT_TMR_VAL_EXT (1u << 8)
#define FADT_RESET_SUP   (1u << 10)

struct madt {
    struct header h;
    uint32_t lapic, flags;
} __attribute__((packed));

#define MADT_LAPIC    0
#define MADT_IOAPIC   1
#define MADT_X2APIC   9

static const struct rsdp *rsdp;

/* What the bytes lack to a sum of 0. */
static uint8_t checksum_for(const void *p, size_t bytes)
{
    const uint8_t *b = p;
    uint8_t sum = 0;

    while (bytes--)
        sum = (uint8_t)(sum - *b++);
    return sum;
}

static const struct rsdp *scan(paddr_t start, paddr_t end)
{
    for (paddr_t at = start; at + 20 <= end; at += 16) {
        const struct rsdp *r = paddr_to_virt(at);

        if (memcmp(r->signature, "RSD PTR ", 8) == 0 && checksum_for(r, 20) == 0)
            return r;
    }
    return NULL;
}

/* ACPI 6.4, 5.2.5.1: the first KiB of the EBDA, then 0xE0000 to 0xFFFFF. */
static const struct rsdp *find_rsdp(void)
{
    paddr_t ebda = (paddr_t)*(const uint16_t *)paddr_to_virt(0x40E) << 4;
    const struct rsdp *r = ebda >= 0x80000 && ebda < 0xA0000 ? scan(ebda, ebda + 1024) : NULL;

    return r ? r : scan(0xE0000, 0x100000);
}

/* A table that lies below 4 GiB, where it is mapped; NULL for any other. */
static const struct header *table_at(paddr_t pa)
{
    const struct header *h = pa && pa <= MAPPED_END - sizeof(*h) ? paddr_to_virt(pa) : NULL;

    return h && h->length >= sizeof(*h) && h->length <= MIN(TABLE_BYTES_MAX, MAPPED_END - pa) ? h : NULL;
}

/* The i-th table of the XSDT, or of the RSDT: revision 0 has nothing else, and some XSDT pointers are 0. */
static paddr_t table_pa(unsigned i)
{
    const struct header *xsdt = rsdp->revision >= 2 ? table_at(rsdp->xsdt) : NULL;
    const struct header *list = xsdt ? xsdt : table_at(rsdp->rsdt);
    size_t width = xsdt ? 8 : 4, count;
    paddr_t pa = 0;

    if (!list)
        return 0;
    count = (list->length - sizeof(*list)) / width;
    if (i < count)
        memcpy(&pa, (const char *)(list + 1) + i * width, width);
    return pa;
}

static const struct header *find_table(const char *signature)
{
    paddr_t pa;

    for (unsigned i = 0; (pa = table_pa(i)) != 0; i++) {
        const struct header *h = table_at(pa);

        if (h && memcmp(h->signature, signature, 4) == 0) {
            if (checksum_for(h, h->length) == 0)
                return h;
            printk("acpi: %c%c%c%c has a wrong checksum, ignored\n", signature[0], signature[1], signature[2],
                   signature[3]);
        }
    }
    return NULL;
}

/* Calls fn for each entry of the MADT that lies wholly inside it. */
static void madt_each(const struct madt *madt, void (*fn)(const uint8_t *entry, void *arg), void *arg)
{
    const uint8_t *at = (const uint8_t *)(madt + 1), *end = (const uint8_t *)madt + madt->h.length;

    while (at + 2 <= end && at[1] >= 2 && at + at[1] <= end) {
        fn(at, arg);
        at += at[1];
    }
}

static uint32_t u32_at(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static void add_cpu(struct acpi_machine *m, uint32_t apic_id, uint32_t flags)
{
    if (flags & 1 && m->nr_cpus < ACPI_CPUS_MAX)
        m->apic_id[m->nr_cpus++] = apic_id;
}

static void note_entry(const uint8_t *e, void *arg)
{
    struct acpi_machine *m = arg;

    if (e[0] == MADT_LAPIC && e[1] >= 8)
        add_cpu(m, e[3], u32_at(e + 4));
    else if (e[0] == MADT_X2APIC && e[1] >= 16)
        add_cpu(m, u32_at(e + 4), u32_at(e + 8));
    else if (e[0] == MADT_IOAPIC && e[1] >= 12 && m->nr_ioapics < ARRAY_SIZE(m->ioapic))
        m->ioapic[m->nr_ioapics++] = u32_at(e + 4);
}

/* SLP_TYP of S5: the first element of the package \_S5 in the DSDT's byte code (ACPI 6.4, 20.2): found by pattern, as
 * hv interprets no AML. 0x08 NameOp, "_S5_", 0x12 PackageOp, length, count, then a byte constant or Zero/One. */
static uint8_t find_s5_type(const struct header *dsdt)
{
    const uint8_t *aml = (const uint8_t *)dsdt;

    for (uint32_t i = sizeof(*dsdt); i + 12 < dsdt->length; i++) {
        const uint8_t *p = aml + i;

        if (memcmp(p, "_S5_", 4) || p[4] != 0x12)
            continue;
        p += 5 + 1 + (p[5] >> 6) + 1;   /* PkgLength is 1 to 4 bytes; then the element count */
        if (p[0] == 0x0A)
            return p[1] & 7;
        return p[0] <= 1 ? p[0] : 0;
    }
    printk("acpi: no \\_S5 in the DSDT; power-off uses type 0\n");
    return 0;
}

static void parse_fadt(const struct fadt *fadt, struct acpi_machine *m)
{
    const struct header *dsdt = table_at(fadt->dsdt);

    m->pm_timer_port = (uint16_t)fadt->pm_tmr;
    m->pm_timer_32bit = fadt->flags & FADT_TMR_VAL_EXT;
    machine_power = (struct power_ports){ .pm1a_cnt = (uint16_t)fadt->pm1a_cnt };
    if (dsdt)
        machine_power.s5_type = find_s5_type(dsdt);
    if (fadt->h.length >= sizeof(*fadt) && fadt->flags & FADT_RESET_SUP && fadt->reset_reg.space == 1) {
        machine_power.reset_port = (uint16_t)fadt->reset_reg.address;
        machine_power.reset_value = fadt->reset_value;
    }
}

void acpi_parse(struct acpi_machine *m)
{
    const struct fadt *fadt;
    const struct madt *madt;

    rsdp = find_rsdp();
    if (!rsdp)
        panic("acpi: no RSDP in the BIOS area; this machine is not supported");
    fadt = (const void *)find_table("FACP");
    madt = (const void *)find_table("APIC");
    if (!fadt || fadt->h.length < offsetof(struct fadt, reset_reg) || !fadt->pm_tmr)
        panic("acpi: no FADT with a PM timer, which the clock needs");
    if (!madt)
        panic("acpi: no MADT, so the CPUs are unknown");
    parse_fadt(fadt, m);
    madt_each(madt, note_entry, m);
    printk("acpi: revision %u, %u CPUs, %u IO-APICs, PM timer at %x\n", rsdp->revision, m->nr_cpus, m->nr_ioapics,
           m->pm_timer_port);
}

/* --- what dom0 sees of them --- */

/* Everything else describes what hv owns or hides: HPET, IOMMUs, topology, error records. */
static bool passes(const char *signature)
{
    static const char list[][5] = { "APIC", "FACP", "SSDT", "MCFG", "WAET", "BGRT", "FPDT" };

    for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
        if (memcmp(signature, list[i], 4) == 0)
            return true;
    }
    return false;
}

/* The UID of a CPU is its vCPU's number, by which Linux counts. A CPU without a vCPU is off. */
static void adapt_entry(const uint8_t *entry, void *arg)
{
    uint8_t *e = (uint8_t *)(uintptr_t)entry;
    const unsigned *nr_vcpus = arg;
    bool narrow = e[0] == MADT_LAPIC && e[1] >= 8;
    uint32_t n = 0, apic_id;

    if (!narrow && (e[0] != MADT_X2APIC || e[1] < 16))
        return;
    apic_id = narrow ? e[3] : u32_at(e + 4);
    while (n < *nr_vcpus && percpu[n].apic_id != apic_id)
        n++;
    memcpy(e + (narrow ? 2 : 12), &n, narrow ? 1 : sizeof(n));
    e[narrow ? 4 : 8] = n < *nr_vcpus;
}

/* In the firmware's own tables: nobody reads them after dom0. MADT flags 0: with PCAT_COMPAT Linux believes in PICs and
 * then panics for want of a PIT. */
paddr_t acpi_adapt_dom0(unsigned nr_vcpus)
{
    paddr_t pa;

    for (unsigned i = 0; (pa = table_pa(i)) != 0; i++) {
        struct header *h = table_at(pa) ? paddr_to_virt(pa) : NULL;

        if (!h)
            continue;
        if (memcmp(h->signature, "APIC", 4) == 0) {
            ((struct madt *)h)->flags = 0;
            madt_each((struct madt *)h, adapt_entry, &nr_vcpus);
        } else if (!passes(h->signature)) {
            h->signature[0] = 'X';
        }
        h->checksum = (uint8_t)(h->checksum + checksum_for(h, h->length));
        if (checksum_for(h, h->length))
            panic("acpi: the table at %lx cannot be changed for dom0", pa);
    }
    return virt_to_paddr(rsdp);
}
