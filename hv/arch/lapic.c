#include "hv/arch/lapic.h"
#include "hv/arch/io.h"
#include "hv/arch/irq.h"
#include "hv/arch/msr.h"
#include "hv/arch/percpu.h"
#include "hv/arch/tsc.h"
#include "hv/mm/page.h"

#define LVT_MASKED   (1u << 16)
#define ICR_PENDING  (1u << 12)

static bool x2apic;
static uint64_t ticks_per_ns_32;        /* timer ticks per ns, 32 fraction bits */

static uint32_t lapic_read(unsigned reg)
{
    if (x2apic)
        return (uint32_t)rdmsr(MSR_X2APIC_FIRST + reg);
    return *(volatile uint32_t *)paddr_to_virt(LAPIC_PHYS + reg * 16);
}

static void lapic_write(unsigned reg, uint32_t v)
{
    if (x2apic)
        wrmsr(MSR_X2APIC_FIRST + reg, v);
    else
        *(volatile uint32_t *)paddr_to_virt(LAPIC_PHYS + reg * 16) = v;
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
    lapic_write(LAPIC_TPR, 0);
    lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
    lapic_write(LAPIC_LVT_LINT1, LVT_MASKED);
    lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
    lapic_write(LAPIC_SVR, 0x100 | VECTOR_SPURIOUS);
    lapic_write(LAPIC_TIMER_DIVIDE, 0x0B);        /* by 1 */
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER);   /* a count of 0 keeps it still: setting it is one write */
}

uint32_t lapic_id(void)
{
    uint32_t v = lapic_read(LAPIC_ID);

    return x2apic ? v : v >> 24;
}

void lapic_eoi(void)
{
    lapic_write(LAPIC_EOI, 0);
}

void lapic_send_ipi(uint32_t apic_id, uint32_t icr_low)
{
    if (x2apic) {
        /* The MSR form is not ordered after earlier stores by itself (APM 2, 16.11.2). */
        __asm__ volatile("mfence" ::: "memory");
        wrmsr(MSR_X2APIC_FIRST + LAPIC_ICR, (uint64_t)apic_id << 32 | icr_low);
        return;
    }
    lapic_write(LAPIC_ICR_HIGH, apic_id << 24);
    lapic_write(LAPIC_ICR, icr_low);
    while (lapic_read(LAPIC_ICR) & ICR_PENDING)
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

    lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
    lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX);
    while ((end = now_ns()) - start < CALIBRATE_NS)
        __builtin_ia32_pause();
    ticks = UINT32_MAX - lapic_read(LAPIC_TIMER_CURRENT);
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER);
    ticks_per_ns_32 = ((uint64_t)ticks << 32) / (end - start);
}

void lapic_timer_set(uint64_t at_ns)
{
    uint64_t now = now_ns();
    uint64_t delta = at_ns > now ? MIN(at_ns - now, NS_PER_SEC) : 0;
    uint64_t ticks = (uint64_t)((unsigned __int128)delta * ticks_per_ns_32 >> 32) + 1;

    if (at_ns == TIME_NEVER) {
        lapic_write(LAPIC_TIMER_INITIAL, 0);
        return;
    }
    /* A far deadline fires early after a second; the timer code then finds nothing due and sets the rest. */
    lapic_write(LAPIC_TIMER_INITIAL, (uint32_t)MIN(ticks, (uint64_t)UINT32_MAX));
}
