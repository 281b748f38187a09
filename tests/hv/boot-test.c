/* What the loader and the firmware hand over: the command line, and ACPI tables, whole, cut short, lying about their
 * lengths and filled with noise. Bad ones end in a panic that names them or are left out; nothing is read outside the
 * four GiB in which tables may lie. */
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/hv/harness.h"
#include "hv/arch/percpu.h"
#include "hv/boot/boot.h"
#include "hv/console/machine.h"
#include "hv/console/printk.h"
#include "hv/mm/page.h"

#define LOW_BYTES (1ull << 32)

struct percpu percpu[CPUS_MAX];
static jmp_buf panicked;
struct power_ports machine_power;

void panic(const char *fmt, ...)
{
    (void)fmt;
    longjmp(panicked, 1);
}

void printk(const char *fmt, ...) { (void)fmt; }

static bool number_refused(const char *text)
{
    if (setjmp(panicked))
        return true;
    cmdline_set(text);
    (void)cmdline_size("mem", 0);
    return false;
}

static void cmdline(void)
{
    static char long_text[2000];

    cmdline_set("console=com1 noreboot dom0_mem=512M");
    ok(cmdline_flag("noreboot") && !cmdline_flag("reboot") && !cmdline_flag("console"), "flags are whole words");
    is(cmdline_size("dom0_mem", 1), 512u << 20, "a size");
    is(cmdline_size("mem", 42), 42, "not given: the other value");
    ok(number_refused("mem=") && number_refused("mem=x") && number_refused("mem=1Q") &&
       number_refused("mem=-1") && number_refused("mem=99999999999G"), "what is no number is refused");
    memset(long_text, 'a', sizeof(long_text) - 1);
    memcpy(long_text + 1000, " late ", 6);
    cmdline_set(long_text);
    ok(!cmdline_flag("late"), "too long a line is cut");
}

static uint8_t *at(uint64_t pa)
{
    return paddr_to_virt(pa);
}

static void put32(uint64_t pa, uint32_t value)
{
    memcpy(at(pa), &value, sizeof(value));
}

static void seal(uint64_t pa, uint32_t bytes, unsigned where)
{
    uint8_t sum = 0;

    at(pa)[where] = 0;
    for (uint32_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + at(pa)[i]);
    at(pa)[where] = (uint8_t)-sum;
}

static void table(uint64_t pa, const char *signature, uint32_t bytes)
{
    memset(at(pa), 0, bytes);
    memcpy(at(pa), signature, 4);
    put32(pa + 4, bytes);
}

#define RSDP 0xF0000u
#define RSDT 0x10000u
#define FADT 0x11000u
#define MADT 0x12000u
#define DSDT 0x13000u

static void whole_machine(void)
{
    static const uint8_t cpu0[8] = { 0, 8, 0, 0, 1 }, cpu1[8] = { 0, 8, 1, 5, 1 }, off[8] = { 0, 8, 2, 9, 0 };
    static const uint8_t s5[] = { 8, '_', 'S', '5', '_', 0x12, 6, 4, 0x0A, 5, 0 };

    memset(at(RSDP), 0, 64);
    memcpy(at(RSDP), "RSD PTR ", 8);
    put32(RSDP + 16, RSDT);
    seal(RSDP, 20, 8);
    table(RSDT, "RSDT", 36 + 8);
    put32(RSDT + 36, FADT);
    put32(RSDT + 40, MADT);
    seal(RSDT, 44, 9);
    table(FADT, "FACP", 244);
    put32(FADT + 40, DSDT);
    put32(FADT + 64, 0x604);
    put32(FADT + 76, 0x608);
    seal(FADT, 244, 9);
    table(MADT, "APIC", 44 + 24 + 12);
    memcpy(at(MADT + 44), cpu0, 8);
    memcpy(at(MADT + 52), cpu1, 8);
    memcpy(at(MADT + 60), off, 8);
    memcpy(at(MADT + 68), "\1\14\0\0", 4);
    put32(MADT + 72, 0xFEC00000);
    put32(MADT + 40, 1);                /* PCAT_COMPAT */
    seal(MADT, 80, 9);
    table(DSDT, "DSDT", 64);
    memcpy(at(DSDT + 40), s5, sizeof(s5));
}

/* 0: parsed; 1: panic. */
static int parse(struct acpi_machine *m)
{
    *m = (struct acpi_machine){ 0 };
    if (setjmp(panicked))
        return 1;
    acpi_parse(m);
    return 0;
}

static void acpi(void)
{
    static struct acpi_machine m;

    whole_machine();
    is(parse(&m), 0, "a whole machine");
    ok(m.nr_cpus == 2 && m.apic_id[1] == 5 && m.nr_ioapics == 1 && m.ioapic[0] == 0xFEC00000 && m.pm_timer_port == 0x608,
       "its CPUs that are on, its IO-APIC, its clock");
    ok(machine_power.pm1a_cnt == 0x604 && machine_power.s5_type == 5, "and how it is switched off");
    percpu[1].apic_id = 5;
    put32(RSDT + 36, DSDT);             /* stands for one that dom0 may not see */
    is(acpi_adapt_dom0(2), RSDP, "dom0 sees the machine's own RSDP");
    ok(at(MADT + 46)[0] == 0 && at(MADT + 54)[0] == 1 && at(MADT + 56)[0] == 1, "its vCPUs by number");
    ok(at(MADT + 64)[0] == 0 && at(MADT + 40)[0] == 0, "no other CPU, no PICs");
    ok(!memcmp(at(DSDT), "XSDT", 4) && !memcmp(at(MADT), "APIC", 4), "and no table that is not for it");
    is(parse(&m), 1, "which hv itself does not look for any more");
    whole_machine();
    put32(MADT + 4, 0xFFFFFFF0);
    is(parse(&m), 1, "a MADT longer than the memory: as if there were none");
    whole_machine();
    put32(FADT + 4, 60);
    seal(FADT, 60, 9);
    is(parse(&m), 1, "a FADT that ends before its fields: refused");
    whole_machine();
    at(MADT + 45)[0] = 0;
    seal(MADT, 80, 9);
    ok(parse(&m) == 0 && m.nr_cpus == 0, "an entry of length 0 ends the list");
    put32(RSDT + 36, 0xFFFFFFFC);
    is(parse(&m), 1, "a table at the very end of the memory is none");
}

static void noise(void)
{
    static struct acpi_machine m;
    uint64_t seed = 3;
    unsigned parsed = 0, wrong = 0;

    for (unsigned round = 0; round < 2000; round++) {
        whole_machine();
        for (unsigned n = 1 + random_below(&seed, 6); n; n--)
            at(RSDT + random_below(&seed, 5) * 0x1000 + random_below(&seed, 80))[0] = (uint8_t)random_next(&seed);
        seal(FADT, 244, 9);
        seal(MADT, 80, 9);
        if (parse(&m))
            continue;
        parsed++;
        wrong += m.nr_cpus > ACPI_CPUS_MAX || m.nr_ioapics > ARRAY_SIZE(m.ioapic);
    }
    ok(parsed > 100 && wrong == 0, "of 2,000 damaged machines %u are read, none beyond its bounds", parsed);
}

int main(void)
{
    void *low = (void *)DIRECTMAP_BASE;

    if (mmap(low, LOW_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1,
             0) != low)
        return 1;
    cmdline();
    acpi();
    noise();
    return tap_end();
}
