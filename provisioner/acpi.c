/* Section numbers are those of the ACPI specification, version 5.0. */
#include "provisioner/acpi.h"

#include <string.h>

struct table_header {               /* 5.2.6 */
    char signature[4];
    uint32_t length;
    uint8_t revision;
    uint8_t checksum;
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    char creator_id[4];
    uint32_t creator_revision;
} __attribute__((packed));

struct address {                    /* 5.2.3.1, generic address */
    uint8_t space, width_bits, offset_bits, access_size;
    uint64_t address;
} __attribute__((packed));

struct rsdp {                       /* 5.2.5.3 */
    char signature[8];
    uint8_t checksum;
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
    uint8_t extended_checksum;
    uint8_t reserved[3];
} __attribute__((packed));

struct xsdt {                       /* 5.2.8 */
    struct table_header header;
    uint64_t fadt, madt;
} __attribute__((packed));

struct fadt {                       /* 5.2.9; the legacy register blocks in one piece */
    struct table_header header;
    uint32_t facs, dsdt;
    uint8_t reserved0, pm_profile;
    uint16_t sci;
    uint8_t legacy0[109 - 48];
    uint16_t boot_flags;
    uint8_t reserved1;
    uint32_t flags;
    struct address reset;
    uint8_t reset_value;
    uint16_t arm_flags;
    uint8_t minor_revision;
    uint64_t x_facs, x_dsdt;
    struct address x_legacy[8];
    struct address sleep_control, sleep_status;
} __attribute__((packed));

_Static_assert(sizeof(struct fadt) == 268, "FADT revision 5");
_Static_assert(offsetof(struct fadt, boot_flags) == 109 && offsetof(struct fadt, flags) == 112, "FADT fields");

/* 5.2.9, table 5-35 */
#define FADT_WBINVD         (1u << 0)
#define FADT_PWR_BUTTON     (1u << 4)       /* none in fixed hardware */
#define FADT_SLP_BUTTON     (1u << 5)
#define FADT_FIX_RTC        (1u << 6)
#define FADT_RESET_REG_SUP  (1u << 10)
#define FADT_HEADLESS       (1u << 12)
#define FADT_HW_REDUCED     (1u << 20)
#define FADT_PROFILE_SERVER 4
/* 5.2.9.3 */
#define BOOT_NO_VGA         (1u << 2)
#define BOOT_NO_MSI         (1u << 3)
#define BOOT_NO_CMOS_RTC    (1u << 5)

#define RESET_PORT          0xCF9
#define RESET_VALUE         6

struct madt {                       /* 5.2.12; flags 0: no 8259 beside the LAPICs */
    struct table_header header;
    uint32_t lapic_gpa;
    uint32_t flags;
    struct {                        /* 5.2.12.2, processor local APIC */
        uint8_t type, length, uid, apic_id;
        uint32_t flags;
    } __attribute__((packed)) lapic[LAYOUT_VCPUS_MAX];
} __attribute__((packed));

struct dsdt {
    struct table_header header;
    uint8_t aml[7];
} __attribute__((packed));

/* All tables in the order in which they lie in the page; the XSDT wants 8-byte alignment only by custom. */
struct tables {
    struct rsdp rsdp;
    uint8_t pad0[4];
    struct xsdt xsdt;
    uint8_t pad1[4];
    struct fadt fadt;
    uint8_t pad2[4];
    struct dsdt dsdt;
    uint8_t pad3[5];
    struct madt madt;               /* last: its length varies */
} __attribute__((packed));

_Static_assert(sizeof(struct tables) <= LAYOUT_ACPI_BYTES, "the tables fit in their page");

#define GPA_OF(table) ((uint32_t)(LAYOUT_ACPI_GPA + offsetof(struct tables, table)))

static uint8_t checksum(const void *bytes, size_t length)
{
    const uint8_t *b = bytes;
    uint8_t sum = 0;

    while (length--)
        sum = (uint8_t)(sum + *b++);
    return (uint8_t)-sum;
}

static void header_fill(struct table_header *h, const char signature[4], uint8_t revision, size_t length)
{
    memcpy(h->signature, signature, 4);
    h->length = (uint32_t)length;
    h->revision = revision;
    memcpy(h->oem_id, "XENOSV", 6);
    memcpy(h->oem_table_id, "XSGUEST ", 8);
    h->oem_revision = 1;
    memcpy(h->creator_id, "XS  ", 4);
    h->creator_revision = 1;
    h->checksum = checksum(h, length);      /* the body is complete when the header is filled */
}

static void rsdp_fill(struct tables *t)
{
    t->rsdp = (struct rsdp){ .signature = "RSD PTR", .oem_id = "XENOS", .revision = 2,
                             .length = sizeof(t->rsdp), .xsdt = GPA_OF(xsdt) };
    t->rsdp.signature[7] = ' ';
    t->rsdp.oem_id[5] = 'V';
    t->rsdp.checksum = checksum(&t->rsdp, 20);          /* the part that revision 0 had */
    t->rsdp.extended_checksum = checksum(&t->rsdp, sizeof(t->rsdp));
}

static void fadt_fill(struct tables *t)
{
    struct fadt *f = &t->fadt;

    f->dsdt = GPA_OF(dsdt);
    f->x_dsdt = GPA_OF(dsdt);
    f->pm_profile = FADT_PROFILE_SERVER;
    f->boot_flags = BOOT_NO_VGA | BOOT_NO_MSI | BOOT_NO_CMOS_RTC;
    f->flags = FADT_WBINVD | FADT_PWR_BUTTON | FADT_SLP_BUTTON | FADT_FIX_RTC | FADT_RESET_REG_SUP |
               FADT_HEADLESS | FADT_HW_REDUCED;
    f->reset = (struct address){ .space = 1, .width_bits = 8, .access_size = 1, .address = RESET_PORT };
    f->reset_value = RESET_VALUE;
    header_fill(&f->header, "FACP", 5, sizeof(*f));
}

static size_t madt_fill(struct tables *t, unsigned vcpus)
{
    struct madt *m = &t->madt;
    size_t bytes = offsetof(struct madt, lapic) + vcpus * sizeof(m->lapic[0]);

    m->lapic_gpa = 0xFEE00000;
    for (unsigned v = 0; v < vcpus; v++) {
        m->lapic[v].length = sizeof(m->lapic[v]);
        m->lapic[v].uid = (uint8_t)v;
        m->lapic[v].apic_id = (uint8_t)ACPI_APIC_ID(v);
        m->lapic[v].flags = 1;              /* enabled */
    }
    header_fill(&m->header, "APIC", 3, bytes);
    return bytes;
}

size_t acpi_fill(unsigned vcpus, uint8_t page[LAYOUT_ACPI_BYTES])
{
    struct tables t = { 0 };
    /* Scope (\_SB) {}: some kernels dislike a DSDT of no AML at all (19.5.113; 20.2.5.1 for the bytes). */
    static const uint8_t scope_sb[7] = { 0x10, 0x06, '\\', '_', 'S', 'B', '_' };
    size_t bytes;

    memcpy(t.dsdt.aml, scope_sb, sizeof(scope_sb));
    header_fill(&t.dsdt.header, "DSDT", 2, sizeof(t.dsdt));
    fadt_fill(&t);
    bytes = offsetof(struct tables, madt) + madt_fill(&t, vcpus);
    t.xsdt.fadt = GPA_OF(fadt);
    t.xsdt.madt = GPA_OF(madt);
    header_fill(&t.xsdt.header, "XSDT", 1, sizeof(t.xsdt));
    rsdp_fill(&t);
    memset(page, 0, LAYOUT_ACPI_BYTES);
    memcpy(page, &t, bytes);
    return bytes;
}
