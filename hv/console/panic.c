/* The end: one message, the other CPUs stopped, then halt or reset. */
#include "hv/console/machine.h"
#include "hv/console/printk.h"
#include "hv/arch/irq.h"
#include "hv/arch/percpu.h"
#include "hv/arch/io.h"
#include "hv/arch/tsc.h"

bool panic_halts;                       /* command line `noreboot` */
struct power_ports machine_power;
static bool in_progress;

bool panic_in_progress(void)
{
    return READ_ONCE(in_progress);
}

static void __noreturn halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

void machine_reset(void)
{
    if (machine_power.reset_port)
        outb(machine_power.reset_port, machine_power.reset_value);
    outb(0xCF9, 0x06);                  /* ICH9 reset control: hard reset */
    outb(0x64, 0xFE);                   /* 8042: pulse the reset line */
    halt();
}

void machine_power_off(void)
{
    /* ACPI 6.4, 4.8.3.2: SLP_TYP in bits 10-12, SLP_EN bit 13 of PM1a_CNT. */
    if (machine_power.pm1a_cnt)
        outw(machine_power.pm1a_cnt, (uint16_t)(machine_power.s5_type << 10 | 1 << 13));
    for (uint64_t until = now_ns() + NS_PER_SEC; now_ns() < until;)
        __builtin_ia32_pause();         /* chipsets take a while */
    printk("machine: power-off was refused, halted\n");
    halt();
}

void panic(const char *fmt, ...)
{
    char line[256];
    va_list ap;

    WRITE_ONCE(in_progress, true);
    irq_nmi_others();
    va_start(ap, fmt);
    vsnprintk(line, sizeof(line), fmt, ap);
    va_end(ap);
    printk("PANIC on CPU %u: %s\n", this_cpu()->id, line);
    void **frame = __builtin_frame_address(0);
    for (int i = 0; i < 12 && (uintptr_t)frame > 0xFFFF800000000000ull; i++) {
        printk("  called from %p\n", frame[1]);
        frame = frame[0];
    }
    if (!panic_halts)
        machine_reset();
    halt();
}
