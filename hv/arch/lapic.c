#include "hv/arch/lapic.h"
#include "hv/arch/io.h"
#include "hv/arch/irq.h"
#include "hv/arch/msr.h"
#include "hv/arch/percpu.h"
#include "hv/arch/tsc.h"
#include "hv/mm/page.h"

/* Register offsets in the xAPIC page; x2APIC MSR = 0x800 + offset / 16 (APM 2, table 16-2 and 16.9). */
#define REG_ID       0x20
#define REG_TPR      0x80
#define REG_EOI      0xB0
#define REG_SVR      0xF0
#define REG_ICR_LOW  0x300
#define REG_ICR_HIGH 0x310
#define REG_LVT_TIMER 0x320
#define REG_LVT_LINT0 0x350
#define REG_LVT_LINT1 0x360
#define REG_LVT_ERROR 0x370
#define REG_TIMER_INITIAL 0x380
#define REG_TIMER_CURRENT 0x390
#define REG_TIMER_DIVIDE  0x3E0
#define LVT_MASKED   (1u << 16)
#define ICR_PENDING  (1u << 12)

static bool x2apic;
static uint64_t ticks_per_ns_32;        /* timer ticks per ns, 32 fraction bits */

static uint32_t lapic_read(unsigned reg)
{
    if (x2apic)
        return (uint32_t)rdmsr(MSR_X2APIC_FIRST + reg / 16);
    return *(volatile uint32_t *)paddr_to_virt(LAPIC_PHYS + reg);
}

static void lapic_write(unsigned reg, uint32_t v)
{
    if (x2apic)
        wrmsr(MSR_X2APIC_FIRST + reg / 16, v);
    else
        *(volatile uint32_t *)paddr_to_virt(LAPIC_PHYS + reg) = v;
}

void lapic_init_cpu(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE);

    if (cpuid(1, 0).ecx & 1u << 21) {   /* x2APIC */
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_EN | APIC_BASE_EXTD);
        x2apic = true;
    } else {
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_EN);
    }
    lapic_write(REG_TPR, 0);
    lapic_write(REG_LVT_LINT0, LVT_MASKED);
    lapic_write(REG_LVT_LINT1, LVT_MASKED);
    lapic_write(REG_LVT_ERROR, LVT_MASKED);
    lapic_write(REG_SVR, 0x100 | VECTOR_SPURIOUS);
    lapic_write(REG_TIMER_DIVIDE, 0x0B);        /* by 1 */
    lapic_write(REG_TIMER_INITIAL, 0);
    lapic_write(REG_LVT_TIMER, VECTOR_TIMER);   /* a count of 0 keeps it still: setting it is one write */
}

uint32_t lapic_id(void)
{
    uint32_t v = lapic_read(REG_ID);

    return x2apic ? v : v >> 24;
}

void lapic_eoi(void)
{
    lapic_write(REG_EOI, 0);
}

void lapic_send_ipi(uint32_t apic_id, uint32_t icr_low)
{
    if (x2apic) {
        /* The MSR form is not ordered after earlier stores by itself (APM 2, 16.11.2). */
        __asm__ volatile("mfence" ::: "memory");
        wrmsr(MSR_X2APIC_FIRST + REG_ICR_LOW / 16, (uint64_t)apic_id << 32 | icr_low);
        return;
    }
    lapic_write(REG_ICR_HIGH, apic_id << 24);
    lapic_write(REG_ICR_LOW, icr_low);
    while (lapic_read(REG_ICR_LOW) & ICR_PENDING)
        __builtin_ia32_pause();
}

void irq_ipi(unsigned cpu)
{
    lapic_send_ipi(percpu[cpu].apic_id, LAPIC_ICR_FIXED | VECTOR_IPI);
}

void irq_nmi_others(void)
{
    for (unsigned i = 0; i < cpus_online; i++) {
        if (i != this_cpu()->id)
            lapic_send_ipi(percpu[i].apic_id, LAPIC_ICR_NMI);
    }
}

#define CALIBRATE_NS (5 * NS_PER_MS)

void lapic_timer_calibrate(void)
{
    uint64_t start = now_ns(), end;
    uint32_t ticks;

    lapic_write(REG_LVT_TIMER, LVT_MASKED);
    lapic_write(REG_TIMER_INITIAL, UINT32_MAX);
    while ((end = now_ns()) - start < CALIBRATE_NS)
        __builtin_ia32_pause();
    ticks = UINT32_MAX - lapic_read(REG_TIMER_CURRENT);
    lapic_write(REG_TIMER_INITIAL, 0);
    lapic_write(REG_LVT_TIMER, VECTOR_TIMER);
    ticks_per_ns_32 = ((uint64_t)ticks << 32) / (end - start);
}

void lapic_timer_set(uint64_t at_ns)
{
    uint64_t now = now_ns();
    uint64_t delta = at_ns > now ? MIN(at_ns - now, NS_PER_SEC) : 0;
    uint64_t ticks = (uint64_t)((unsigned __int128)delta * ticks_per_ns_32 >> 32) + 1;

    if (at_ns == TIME_NEVER) {
        lapic_write(REG_TIMER_INITIAL, 0);
        return;
    }
    /* A far deadline fires early after a second; the timer code then finds nothing due and sets the rest. */
    lapic_write(REG_TIMER_INITIAL, (uint32_t)MIN(ticks, (uint64_t)UINT32_MAX));
}
