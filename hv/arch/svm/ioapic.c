/* dom0's view of the IO-APICs: registers by MMIO, entries as dom0 writes them put into the hardware unchanged but for the
 * mask. A vector of dom0's arrives at the CPU that its vCPU is bound to, so vector and destination need no translation.
 *
 * A level interrupt is masked in hardware when it arrives and unmasked when dom0 ends it: hv's own end of interrupt
 * comes at once, and the line is still up (82093AA data sheet, 3.2.4). */
#include "hv/arch/svm/svm.h"
#include "hv/arch/irq.h"
#include "hv/console/printk.h"

#define REG_SELECT 0x00
#define REG_WINDOW 0x10
#define INDEX_ID      0x00
#define INDEX_VERSION 0x01
#define INDEX_RTE     0x10
#define RTE_LEVEL  (1ull << 15)
#define RTE_MASKED (1ull << 16)
#define RTE_REMOTE_IRR (1ull << 14)
#define RTE_DELIVERY(rte) ((rte) >> 8 & 7)
#define PINS_MAX 240
#define IOAPICS_MAX 8

static struct ioapic {
    uint64_t base;
    unsigned pins;
    uint32_t select;                    /* dom0's */
    uint64_t rte[PINS_MAX];             /* dom0's */
    bool held[PINS_MAX];                /* level, arrived, not ended */
    uint8_t held_vector[PINS_MAX];      /* ... as this one; dom0 may write another meanwhile */
} ioapics[IOAPICS_MAX];
static unsigned nr_ioapics;
static struct spinlock ioapic_lock;     /* nests in nothing, nothing nests in it but the console's */

/* The register `index`, selected. */
static volatile uint32_t *hw(struct ioapic *io, uint32_t index)
{
    volatile uint32_t *regs = paddr_to_virt(io->base);

    regs[REG_SELECT / 4] = index;
    return &regs[REG_WINDOW / 4];
}

static void hw_write_rte(struct ioapic *io, unsigned pin)
{
    uint64_t rte = io->rte[pin] & ~RTE_REMOTE_IRR;

    if (io->held[pin])
        rte |= RTE_MASKED;
    /* Masked while the halves differ, so that no half-written entry fires. */
    *hw(io, INDEX_RTE + 2 * pin) = (uint32_t)(rte | RTE_MASKED);
    *hw(io, INDEX_RTE + 2 * pin + 1) = (uint32_t)(rte >> 32);
    *hw(io, INDEX_RTE + 2 * pin) = (uint32_t)rte;
}

void ioapic_add(uint64_t base)
{
    struct ioapic *io = &ioapics[nr_ioapics];

    if (nr_ioapics == IOAPICS_MAX) {
        printk("ioapic: more than %u, the one at %lx is left out\n", IOAPICS_MAX, (unsigned long)base);
        return;
    }
    nr_ioapics++;
    io->base = base;
    io->pins = MIN((*hw(io, INDEX_VERSION) >> 16 & 0xFF) + 1, (unsigned)PINS_MAX);
    for (unsigned pin = 0; pin < io->pins; pin++) {
        io->rte[pin] = RTE_MASKED;
        hw_write_rte(io, pin);
    }
}

static struct ioapic *ioapic_at(uint64_t gpa)
{
    for (unsigned i = 0; i < nr_ioapics; i++) {
        if (ioapics[i].base >> PAGE_SHIFT == gpa >> PAGE_SHIFT)
            return &ioapics[i];
    }
    return NULL;
}

bool ioapic_covers(uint64_t gpa)
{
    return ioapic_at(gpa) != NULL;
}

uint32_t ioapic_mmio_read(uint64_t gpa)
{
    struct ioapic *io = ioapic_at(gpa);
    uint32_t value = 0;
    unsigned pin;

    spin_lock(&ioapic_lock);
    pin = (io->select - INDEX_RTE) / 2;
    if ((gpa & 0xFF) == REG_SELECT)
        value = io->select;
    else if ((gpa & 0xFF) != REG_WINDOW)
        value = 0;
    else if (io->select == INDEX_ID)
        value = *hw(io, INDEX_ID);
    else if (io->select == INDEX_VERSION)
        value = 0x11 | (io->pins - 1) << 16;    /* no EOI register: Linux then ends level interrupts at the LAPIC only */
    else if (io->select >= INDEX_RTE && pin < io->pins)
        value = (uint32_t)((io->rte[pin] | (io->held[pin] ? RTE_REMOTE_IRR : 0)) >> (io->select & 1 ? 32 : 0));
    spin_unlock(&ioapic_lock);
    return value;
}

static void write_rte_half(struct ioapic *io, unsigned pin, bool high, uint32_t value)
{
    uint64_t old = io->rte[pin];

    io->rte[pin] = high ? (uint64_t)value << 32 | (uint32_t)old : (old & ~(uint64_t)UINT32_MAX) | value;
    /* Only what the forwarding can carry: fixed and lowest priority. ExtINT, NMI, SMI, INIT stay out of the hardware. */
    if (RTE_DELIVERY(io->rte[pin]) > 1)
        io->rte[pin] |= RTE_MASKED;
    /* As an exception's vector or one of hv's own it would mean something else to hv than to dom0. */
    if ((uint8_t)io->rte[pin] < VECTOR_DEVICE_MIN || (uint8_t)io->rte[pin] >= VECTOR_IPI)
        io->rte[pin] |= RTE_MASKED;
    if (!(io->rte[pin] & RTE_LEVEL))
        io->held[pin] = false;
    hw_write_rte(io, pin);
}

void ioapic_mmio_write(uint64_t gpa, uint32_t value)
{
    struct ioapic *io = ioapic_at(gpa);

    spin_lock(&ioapic_lock);
    if ((gpa & 0xFF) == REG_SELECT) {
        io->select = value & 0xFF;
    } else if ((gpa & 0xFF) == REG_WINDOW) {
        unsigned pin = (io->select - INDEX_RTE) / 2;

        if (io->select == INDEX_ID)
            *hw(io, INDEX_ID) = value;
        else if (io->select >= INDEX_RTE && pin < io->pins)
            write_rte_half(io, pin, io->select & 1, value);
    }
    spin_unlock(&ioapic_lock);
}

bool ioapic_hold(uint8_t vector, bool begins)
{
    bool found = false;

    spin_lock(&ioapic_lock);
    for (struct ioapic *io = ioapics; io < ioapics + nr_ioapics; io++) {
        for (unsigned pin = 0; pin < io->pins; pin++) {
            bool armed = (io->rte[pin] & (RTE_LEVEL | RTE_MASKED)) == RTE_LEVEL && (uint8_t)io->rte[pin] == vector;

            if (begins ? io->held[pin] || !armed : !io->held[pin] || io->held_vector[pin] != vector)
                continue;
            io->held[pin] = begins;
            io->held_vector[pin] = vector;
            hw_write_rte(io, pin);
            found = true;
        }
    }
    spin_unlock(&ioapic_lock);
    return found;
}
