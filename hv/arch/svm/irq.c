/* Physical interrupts: hv's own two, and dom0's devices. A device vector means the same to hv, dom0 and the hardware,
 * because dom0's vCPU i is bound to CPU i. */
#include "hv/arch/svm/svm.h"
#include "hv/arch/irq.h"
#include "hv/arch/lapic.h"
#include "hv/arch/tsc.h"
#include "hv/sched/sched.h"
#include "hv/stats/stats.h"

/* hv's time for a device or a neighbour is not the interrupted vCPU's: it goes to hv's own slot. */
static void charge_enter(struct percpu *cpu)
{
    sched_idle_ends();
    if (cpu->current)
        stats_charge_hv(cpu, cpu->current, now_ns());
}

void irq_on_ipi(void)
{
    sched_idle_ends();
}

void irq_on_timer(void)
{
    struct percpu *cpu = this_cpu();

    charge_enter(cpu);
    timer_interrupt();
    stats_charge_hv(cpu, NULL, now_ns());
}

void irq_on_device(uint8_t vector)
{
    struct percpu *cpu = this_cpu();
    bool level;

    charge_enter(cpu);
    level = ioapic_hold(vector, true);  /* before the EOI, or the line fires again at once */
    lapic_eoi();
    if (dom0 && cpu->id < dom0->nr_vcpus)
        vlapic_raise(dom0->vcpu[cpu->id], vector, level);
    stats_charge_hv(cpu, NULL, now_ns());
}
