/* smp: a second CPU from INIT and SIPI, and what the two say to each other: interrupts that wake a halted CPU (of
 * 20,000 none is lost), a reset and a new start without a pause, NMIs, and HLT with interrupts off, which only an NMI ends. */
#include "tests/guest/lib/irq.h"

#include <xen/vcpu.h>

#define PING 0x40
#define PONG 0x41
#define ROUNDS   10000u
#define PING_NS  10000000000ull         /* or as many as this is enough for: a host with few CPUs is slow to wake ours */
#define RESTARTS 50u
#define PATIENCE_NS 10000000000ull

static volatile uint32_t started, pings, pongs, nmis;
static volatile bool late_nmi;                  /* the second CPU answers a PING late, and with an NMI later still */

void guest_interrupt(uint64_t vector)
{
    if (vector == 2) {
        nmis = nmis + 1;
        return;
    }
    if (vector == PING)
        pings = pings + 1;
    if (vector == PONG)
        pongs = pongs + 1;
    apic_write(APIC_EOI, 0);
}

static void spin_ns(uint64_t ns)
{
    uint64_t start_ns = clock_ns(0);

    while (clock_ns(0) - start_ns < ns)
        __asm__ volatile("pause");
}

void second_cpu(void)
{
    irq_init_second();
    __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
    for (uint32_t answered = pings;;) {
        while (pings == answered)
            irq_wait();
        answered = pings;
        if (late_nmi)
            spin_ns(10000000);
        apic_write(APIC_ICR, ICR_OTHERS | PONG);
        if (late_nmi) {
            spin_ns(20000000);
            apic_write(APIC_ICR, ICR_OTHERS | ICR_NMI);
        }
    }
}

/* Waits until *word is what is wanted, or patience ends. */
static bool becomes(volatile uint32_t *word, uint32_t wanted)
{
    uint64_t until = clock_ns(0) + PATIENCE_NS;

    while (*word != wanted && clock_ns(0) < until)
        __asm__ volatile("pause");
    return *word == wanted;
}

static void start(void)
{
    uint8_t vector = second_prepare();

    apic_write(APIC_ICR, ICR_OTHERS | ICR_INIT);
    apic_write(APIC_ICR, ICR_OTHERS | ICR_SIPI | vector);
    check(becomes(&started, 1), "INIT and SIPI start the second CPU");
    apic_write(APIC_ICR, ICR_OTHERS | ICR_SIPI | vector);
    check_equal(HC2(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 1), 1, "it is up");
}

static void ping_pong(void)
{
    uint32_t first = pongs, round = 0;
    uint64_t end = clock_ns(0) + PING_NS;

    for (; round < ROUNDS && clock_ns(0) < end; round++) {
        apic_write(APIC_ICR, ICR_OTHERS | PING);
        while (pongs == first + round)
            irq_wait();
    }
    check(pongs - first == round && round > 10, "each ping wakes the other, each pong us");
    check_equal(started, 1, "a SIPI to a CPU that runs does nothing");
}

/* INIT and SIPI right behind each other, to a CPU that is halted, about to halt, or in its handler. */
static void restart(void)
{
    uint8_t vector = second_prepare();
    uint32_t before = started, good = 0;

    for (uint32_t i = 0; i < RESTARTS; i++) {
        if (i % 2)
            apic_write(APIC_ICR, ICR_OTHERS | PING);
        apic_write(APIC_ICR, ICR_OTHERS | ICR_INIT);
        apic_write(APIC_ICR, ICR_OTHERS | ICR_SIPI | vector);
        good += becomes(&started, before + i + 1);
    }
    check_equal(good, RESTARTS, "INIT and SIPI without a pause restart it each time");
}

static void halt_masked(void)
{
    uint32_t before;

    irq_on();                           /* what the restarts left */
    irq_off();
    before = pongs;
    late_nmi = true;
    apic_write(APIC_ICR, ICR_OTHERS | PING);
    __asm__ volatile("hlt" ::: "memory");
    check_equal(nmis, 1, "HLT with interrupts off: an interrupt does not end it, the NMI after it does");
    check_equal(pongs, before, "the interrupt is still to come");
    irq_on();
    irq_off();
    check_equal(pongs, before + 1, "and comes when interrupts are on");
}

void guest_main(void)
{
    irq_init();
    shared_info();
    start();
    ping_pong();
    restart();
    halt_masked();
    apic_write(APIC_ICR, ICR_OTHERS | ICR_INIT);
    for (uint64_t end = clock_ns(0) + PATIENCE_NS; HC2(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 1) == 1 && clock_ns(0) < end;)
        ;
    check_equal(HC2(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 1), 0, "INIT alone stops it");
}
