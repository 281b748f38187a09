/* Physical interrupts: hv's own two, and dom0's devices. A device vector means the same to hv, dom0 and the hardware,
 * because dom0's vCPU i is bound to CPU i. */
#include "hv/arch/svm/svm.h"
#include "hv/arch/irq.h"
#include "hv/arch/lapic.h"
#include "hv/arch/percpu.h"
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

static void charge_leave(struct percpu *cpu)
{
    stats_charge_hv(cpu, NULL, now_ns());
}

static void on_ipi(uint8_t vector)
{
    (void)vector;
    sched_idle_ends();
}

static void on_timer(uint8_t vector)
{
    struct percpu *cpu = this_cpu();

    (void)vector;
    charge_enter(cpu);
    timer_interrupt();
    charge_leave(cpu);
}

static void on_device(uint8_t vector)
{
    struct percpu *cpu = this_cpu();
    bool level;

    charge_enter(cpu);
    level = ioapic_hold(vector);        /* before the EOI, or the line fires again at once */
    lapic_eoi();
    if (dom0 && cpu->id < dom0->nr_vcpus)
        vlapic_raise(dom0->vcpu[cpu->id], vector, level);
    charge_leave(cpu);
}

void svm_irq_init(void)
{
    irq_set_handlers(on_ipi, on_timer, on_device);
}
