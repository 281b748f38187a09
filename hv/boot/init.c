/* Bring-up, top to bottom, and the main loop in which every CPU ends. */
#include "hv/boot/boot.h"
#include "hv/arch/desc.h"
#include "hv/arch/irq.h"
#include "hv/arch/lapic.h"
#include "hv/arch/random.h"
#include "hv/arch/svm/svm.h"
#include "hv/arch/tsc.h"
#include "hv/console/machine.h"
#include "hv/console/printk.h"
#include "hv/domctl/create.h"
#include "hv/mm/hostmap.h"
#include "hv/sched/sched.h"
#include "hv/stats/stats.h"

#define DOM0_MEM_DEFAULT (1536ull << 20)
#define DOM0_MEM_MIN     (256ull << 20)

void boot_main(uint32_t magic, uint32_t info);

void cpu_main(void)
{
    struct percpu *cpu = this_cpu();

    for (;;) {
        irq_window();
        while (READ_ONCE(cpu->need_resched))
            schedule();
        if (cpu->current)
            vcpu_run(cpu->current);
        else
            sched_idle();
    }
}

void boot_main(uint32_t magic, uint32_t info)
{
    struct acpi_machine machine = { 0 };
    uint64_t dom0_bytes, wall_ns;
    uint8_t boot_id[16];

    cpus_online = 1;
    desc_init_cpu(&percpu[0]);
    idt_init();
    idt_load();
    uart_init();
    printk("XenoServer 0.1\n");
    multiboot_parse(magic, info);
    panic_halts = cmdline_flag("noreboot");
    svm_check();
    if (nr_modules < 2)
        panic("boot: %u modules; a dom0 kernel and its initrd are needed (QEMU: -initrd \"vmlinux args,initrd\")",
              nr_modules);
    dom0_bytes = ROUND_DOWN(cmdline_size("dom0_mem", DOM0_MEM_DEFAULT), 1ull << 21);
    if (dom0_bytes < DOM0_MEM_MIN)
        panic("boot: dom0_mem is below %lu MiB", (unsigned long)(DOM0_MEM_MIN >> 20));
    hostmap_init();
    page_init();
    dom0_take_modules(dom0_bytes);
    acpi_parse(&machine);
    wall_ns = rtc_read_ns();
    tsc_init(machine.pm_timer_port, machine.pm_timer_32bit);
    lapic_init_cpu();
    percpu[0].apic_id = lapic_id();
    lapic_timer_calibrate();
    random_bytes(boot_id, sizeof(boot_id));
    stats_init(boot_id, wall_ns);
    stats_cpu_online(&percpu[0], now_ns());
    svm_init();
    svm_init_cpu();
    sched_init_cpu();
    smp_start(&machine);
    for (unsigned i = 0; i < machine.nr_ioapics; i++)
        ioapic_add(machine.ioapic[i]);
    dom0_start(dom0_bytes);
    printk("memory: %lu MiB, dom0 %lu MiB, hv %lu KiB, free %lu MiB\n", pages_total >> 8, dom0_bytes >> 20,
           pages_hv << 2, pages_free >> 8);
    cpu_main();
}
