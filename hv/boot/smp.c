/* The other CPUs: INIT, SIPI, SIPI (APM 2, 16.5), through a trampoline below 1 MiB, one at a time. */
#include "hv/boot/boot.h"
#include "hv/arch/desc.h"
#include "hv/arch/irq.h"
#include "hv/arch/lapic.h"
#include "hv/arch/svm/svm.h"
#include "hv/arch/tsc.h"
#include "hv/console/printk.h"
#include "hv/lib/string.h"
#include "hv/mm/hostmap.h"
#include "hv/sched/sched.h"
#include "hv/stats/stats.h"

#define TRAMPOLINE_PA 0x8000u
#define STACK_ORDER   2
#define START_NS      (500 * NS_PER_MS)

extern char trampoline[], trampoline_end[], trampoline_cr3[], trampoline_stack[], trampoline_entry[];
static uint32_t landed;                 /* CPU id of the one that arrived last */

static void delay(uint64_t ns)
{
    uint64_t until = now_ns() + ns;

    while (now_ns() < until)
        __builtin_ia32_pause();
}

/* First C code of an application processor. */
static void __noreturn land(void)
{
    unsigned id = cpus_online;          /* the first CPU waits for us: nobody else changes it */
    struct percpu *cpu = &percpu[id];

    desc_init_cpu(cpu);
    idt_load();
    lapic_init_cpu();
    svm_init_cpu();
    sched_init_cpu();
    cpu->online = true;
    stats_cpu_online(cpu, now_ns());
    __atomic_store_n(&landed, id, __ATOMIC_RELEASE);
    cpu_main();
}

static void put_field(const char *symbol, uint64_t value)
{
    memcpy((char *)paddr_to_virt(TRAMPOLINE_PA) + (symbol - trampoline), &value, sizeof(value));
}

static bool start_one(uint32_t apic_id)
{
    struct percpu *cpu = &percpu[cpus_online];
    void *stack = page_alloc_hv(STACK_ORDER);
    uint64_t until;

    if (!stack)
        panic("boot: no memory for the stack of CPU %u", cpus_online);
    *cpu = (struct percpu){ .id = cpus_online, .apic_id = apic_id };
    memcpy(paddr_to_virt(TRAMPOLINE_PA), trampoline, (size_t)(trampoline_end - trampoline));
    put_field(trampoline_cr3, hostmap_root);
    put_field(trampoline_stack, (uint64_t)stack + (PAGE_SIZE << STACK_ORDER) - 8);
    put_field(trampoline_entry, (uint64_t)land);
    lapic_send_ipi(apic_id, LAPIC_ICR_INIT);
    delay(10 * NS_PER_MS);
    for (unsigned i = 0; i < 2; i++) {
        lapic_send_ipi(apic_id, LAPIC_ICR_STARTUP | TRAMPOLINE_PA >> PAGE_SHIFT);
        until = now_ns() + (i ? START_NS : NS_PER_MS);
        while (now_ns() < until) {
            if (__atomic_load_n(&landed, __ATOMIC_ACQUIRE) == cpus_online)
                return true;
            __builtin_ia32_pause();
        }
    }
    return false;
}

void smp_start(const struct acpi_machine *m)
{
    uint32_t self = lapic_id();

    for (unsigned i = 0; i < m->nr_cpus && cpus_online < CPUS_MAX; i++) {
        if (m->apic_id[i] == self)
            continue;
        if (start_one(m->apic_id[i]))
            __atomic_store_n(&cpus_online, cpus_online + 1, __ATOMIC_RELEASE);
        else
            panic("boot: CPU with APIC id %u does not start", m->apic_id[i]);
    }
    memset(paddr_to_virt(TRAMPOLINE_PA), 0, PAGE_SIZE);
    hostmap_drop_low();
    printk("smp: %u CPUs\n", cpus_online);
}
