/* interrupts: one CPU's local APIC, timers and clocks. Order and priority of self-IPIs, TPR and EOI; the singleshot
 * timer and SCHEDOP_poll never early and in order; NMIs one at a time; HLT behind STI in a tight race
 * with the timer; run states that sum up to the wall clock. */
#include "tests/guest/lib/irq.h"

#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define UPCALL_VECTOR 0x60
#define MS 1000000ull
#define RACES 10000u

static volatile uint32_t count[256];
static volatile uint8_t order[16];
static volatile unsigned taken;
static volatile unsigned nmi_depth, nmi_depth_max;
static volatile bool nmi_again;
static evtchn_port_t timer_port;

static void nmi(void)
{
    if (++nmi_depth > nmi_depth_max)
        nmi_depth_max = nmi_depth;
    if (nmi_again) {
        nmi_again = false;
        apic_write(APIC_ICR, ICR_SELF | ICR_NMI);
        apic_read(APIC_TPR);            /* exits, at which a nested NMI could be given */
    }
    nmi_depth--;
}

static void upcall(void)
{
    struct vcpu_info *info = &shared_info()->vcpu_info[0];

    info->evtchn_upcall_pending = 0;
    __atomic_exchange_n(&info->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    __atomic_fetch_and(&shared_info()->evtchn_pending[timer_port / 64], ~(1ull << timer_port % 64), __ATOMIC_SEQ_CST);
}

void guest_interrupt(uint64_t vector)
{
    count[vector] = count[vector] + 1;
    if (taken < sizeof(order)) {
        order[taken] = (uint8_t)vector;
        taken = taken + 1;
    }
    if (vector == 2)
        nmi();
    else if (vector == UPCALL_VECTOR)
        upcall();
    else
        apic_write(APIC_EOI, 0);
}

void second_cpu(void)
{
    shutdown(SHUTDOWN_crash);           /* nobody starts it */
}

static void self_ipis(void)
{
    apic_write(APIC_SELF, 0x51);
    apic_write(APIC_SELF, 0x91);
    apic_write(APIC_SELF, 0x71);
    check_equal(taken, 0, "with interrupts off none is taken");
    irq_on();
    irq_off();
    check(taken == 3 && order[0] == 0x91 && order[1] == 0x71 && order[2] == 0x51, "then the highest comes first");
    apic_write(APIC_TPR, 0x70);
    apic_write(APIC_SELF, 0x71);
    apic_write(APIC_ICR, ICR_SELF | 0x81);
    irq_on();
    irq_off();
    check(count[0x81] == 1 && count[0x71] == 1, "TPR holds back its class and lower ones");
    apic_write(APIC_TPR, 0);
    irq_on();
    irq_off();
    check_equal(count[0x71], 2, "and lets them through when it sinks");
    apic_write(APIC_SELF, 5);
    irq_on();
    irq_off();
    check_equal(count[5], 0, "vectors below 16 are not sent");
}

static void nmis(void)
{
    apic_write(APIC_ICR, ICR_SELF | ICR_NMI);
    check_equal(count[2], 1, "an NMI to oneself comes with interrupts off");
    nmi_again = true;
    apic_write(APIC_ICR, ICR_SELF | ICR_NMI);
    for (uint64_t end = clock_ns(0) + 100 * MS; count[2] < 3 && clock_ns(0) < end;)
        apic_read(APIC_TPR);
    check_equal(count[2], 3, "one sent by the handler comes, too");
    check_equal(nmi_depth_max, 1, "but not before the handler has returned");
}

static long timer_at(uint64_t at_ns, uint32_t flags)
{
    struct vcpu_set_singleshot_timer t = { .timeout_abs_ns = at_ns, .flags = flags };

    return HC3(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, &t);
}

static void bind_timer(void)
{
    struct xen_hvm_param param = { .domid = DOMID_SELF, .index = HVM_PARAM_CALLBACK_IRQ,
                                   .value = 2ull << 56 | UPCALL_VECTOR };
    struct evtchn_bind_virq bind = { .virq = VIRQ_TIMER };

    check_equal(HC2(__HYPERVISOR_hvm_op, HVMOP_set_param, &param), 0, "events come by a vector");
    check_equal(HC2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &bind), 0, "the timer is bound");
    timer_port = bind.port;
    __atomic_fetch_and(&shared_info()->evtchn_mask[timer_port / 64], ~(1ull << timer_port % 64), __ATOMIC_SEQ_CST);
    upcall();
}

/* The timer strikes around the STI; HLT, now before, now behind it, now between. */
static void wake_races(void)
{
    uint32_t before = count[UPCALL_VECTOR], lost = 0;

    for (unsigned i = 0; i < RACES; i++) {
        timer_at(clock_ns(0) + 100000 + i * 7 % 500, 0);
        for (unsigned spin = random_next() % 4096; spin; spin--)
            __asm__ volatile("");
        if (i % 4 == 0)
            apic_write(APIC_SELF, 0x53);
        while (count[UPCALL_VECTOR] == before + i)
            irq_wait();
        lost += count[UPCALL_VECTOR] != before + i + 1;
    }
    check_equal(lost, 0, "10,000 timers wake 10,000 halts");
}

static void singleshot(void)
{
    uint32_t before = count[UPCALL_VECTOR];
    uint64_t start = clock_ns(0);

    timer_at(start + 500 * MS, 0);
    timer_at(start + 10 * MS, 0);
    while (count[UPCALL_VECTOR] == before)
        irq_wait();
    check(clock_ns(0) - start >= 10 * MS && clock_ns(0) - start < 500 * MS, "the timer set last counts: after %u us",
          (clock_ns(0) - start) / 1000);
    timer_at(1, 0);
    while (count[UPCALL_VECTOR] == before + 1)
        irq_wait();
    check(true, "one in the past fires at once");
    check_equal(timer_at(1, VCPU_SSHOTTMR_future), -62, "unless it must be in the future: -ETIME");
    timer_at(clock_ns(0) + 5 * MS, 0);
    HC3(__HYPERVISOR_vcpu_op, VCPUOP_stop_singleshot_timer, 0, 0);
    start = clock_ns(0);
    irq_on();
    while (clock_ns(0) - start < 20 * MS)
        ;
    irq_off();
    check_equal(count[UPCALL_VECTOR], before + 2, "a stopped one does not fire");
}

static void poll(void)
{
    struct sched_poll arg = { .nr_ports = 1, .ports = { &timer_port } };
    uint64_t start = clock_ns(0);

    arg.timeout = start + 20 * MS;
    check_equal(HC2(__HYPERVISOR_sched_op, SCHEDOP_poll, &arg), 0, "poll with nothing pending");
    check(clock_ns(0) - start >= 20 * MS, "returns at its time: %u us", (clock_ns(0) - start) / 1000);
    start = clock_ns(0);
    arg.timeout = start + 10000 * MS;
    timer_at(start + 5 * MS, 0);
    check_equal(HC2(__HYPERVISOR_sched_op, SCHEDOP_poll, &arg), 0, "poll until an event");
    check(clock_ns(0) - start >= 5 * MS && clock_ns(0) - start < 10000 * MS, "returns at the event: %u us",
          (clock_ns(0) - start) / 1000);
    upcall();
    arg.nr_ports = 129;
    check_equal(HC2(__HYPERVISOR_sched_op, SCHEDOP_poll, &arg), -EINVAL, "more ports than 128: refused");
}

static void runstates(void)
{
    static struct vcpu_runstate_info first, now;
    struct vcpu_register_runstate_memory_area area = { .addr.v = page_alloc() };
    const struct vcpu_runstate_info *shown = area.addr.v;
    uint64_t start, begun, wall, sum = 0;

    check_equal(HC3(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, &area), 0, "a runstate area");
    begun = clock_ns(0);
    HC3(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, &first);
    start = clock_ns(0);
    timer_at(start + 20 * MS, 0);
    while (clock_ns(0) - start < 10 * MS)
        ;
    for (uint32_t before = count[UPCALL_VECTOR]; count[UPCALL_VECTOR] == before;)
        irq_wait();
    HC3(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, &now);
    wall = clock_ns(0) - begun;
    for (unsigned i = 0; i < 4; i++)
        sum += now.time[i] - first.time[i];
    check(sum <= wall && wall - sum < 5 * MS, "the states sum up to the wall clock: %u of %u us", sum / 1000, wall / 1000);
    check(now.time[RUNSTATE_running] - first.time[RUNSTATE_running] >= 10 * MS, "10 ms of it running");
    check(now.time[RUNSTATE_blocked] > first.time[RUNSTATE_blocked], "the rest blocked");
    check(shown->state == RUNSTATE_running && shown->time[RUNSTATE_blocked] == now.time[RUNSTATE_blocked],
          "the area shows the same");
}

void guest_main(void)
{
    irq_init();
    shared_info();
    self_ipis();
    nmis();
    bind_timer();
    wake_races();
    singleshot();
    poll();
    runstates();
}
