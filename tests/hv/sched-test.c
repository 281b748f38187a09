/* The scheduler's locks under fire: three CPUs (threads) run twelve vCPUs of three domains through the real schedule(),
 * block and wake, while a fourth pauses domains and moves timers. Promises: no wake-up is lost, no vCPU runs at two
 * places or while its domain is paused, the run states add up, and a timer that many set is on one list. */
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <asm/prctl.h>
#include <unistd.h>

#include "tests/hv/harness.h"
#include "hv/arch/irq.h"
#include "hv/arch/lapic.h"
#include "hv/arch/tsc.h"
#include "hv/arch/vcpu.h"
#include "hv/console/machine.h"
#include "hv/console/printk.h"
#include "hv/evtchn/evtchn.h"
#include "hv/mm/page.h"
#include "hv/sched/sched.h"
#include "hv/sched/timer.h"
#include "hv/stats/stats.h"

#define CPUS     3u
#define DOMAINS  3u
#define VCPUS    4u                     /* of each */
#define WAKES    1000000u
#define PAUSES   30000u
#define ARMS     500000u

struct percpu percpu[CPUS_MAX];
unsigned cpus_online = CPUS;
uint64_t tsc_base;
uint32_t tsc_mul = 1u << 31, tsc_khz = 2000000;
int32_t tsc_shift;
struct domain *dom0;
bool panic_halts;

static struct domain domains[DOMAINS];
static struct vcpu vcpus[DOMAINS][VCPUS];
static struct model {
    uint64_t sent, seen;                /* events; seen by the vCPU as it runs */
    uint32_t running;                   /* CPUs that run it now */
} models[DOMAINS][VCPUS];
static uint32_t frozen[DOMAINS];        /* domain_pause has returned */
static unsigned twice, while_paused, ipis[CPUS_MAX], steps;
static bool stop;
static uint64_t deadline[CPUS_MAX];
static struct timer shared;             /* any CPU arms it, its fire() too */
static unsigned shared_fired;

void panic(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    fflush(stdout);
    abort();
}

void host_yield(void) { syscall(SYS_sched_yield); }
void printk(const char *fmt, ...) { (void)fmt; }
void machine_power_off(void) { abort(); }
void machine_reset(void) { abort(); }
void evtchn_send_virq(struct domain *d, unsigned vcpu, unsigned virq) { (void)d, (void)vcpu, (void)virq; }
void *page_alloc_hv(unsigned order) { return calloc(1, PAGE_SIZE << order); }
void page_free_hv(void *p, unsigned order) { (void)order, free(p); }
void irq_ipi(unsigned cpu) { __atomic_add_fetch(&ipis[cpu], 1, __ATOMIC_SEQ_CST); }
void lapic_timer_set(uint64_t at_ns) { deadline[this_cpu()->id] = at_ns; }
void vcpu_switch_in(struct vcpu *v) { (void)v; }
void vcpu_switch_out(struct vcpu *v) { (void)v; }
void stats_charge_hv(struct percpu *cpu, struct vcpu *v, uint64_t now) { (void)cpu, (void)v, (void)now; }
void stats_charge_idle(struct percpu *cpu, uint64_t now) { (void)cpu, (void)now; }
void stats_publish(struct percpu *cpu, struct vcpu *v) { (void)cpu, (void)v; }
void stats_switch_in(struct percpu *cpu, struct vcpu *v, uint64_t now, uint64_t waited)
{
    (void)cpu, (void)v, (void)now, (void)waited;
}
void stats_switch_out(struct percpu *cpu, struct vcpu *v, uint64_t now) { (void)cpu, (void)v, (void)now; }

static struct model *model_of(const struct vcpu *v)
{
    return &models[v->domain - domains][v->id];
}

static void be_cpu(unsigned id)
{
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, &percpu[id]))
        abort();
}

static void send(struct vcpu *v)
{
    __atomic_add_fetch(&model_of(v)->sent, 1, __ATOMIC_SEQ_CST);
    sched_wake(v);
}

/* What a vCPU does in its slice: takes note of its events, sends some, and halts as exit.c does it. */
static void vcpu_step(struct vcpu *v, uint64_t *seed)
{
    struct model *m = model_of(v);

    if (__atomic_add_fetch(&m->running, 1, __ATOMIC_SEQ_CST) != 1)
        __atomic_add_fetch(&twice, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&frozen[v->domain - domains], __ATOMIC_SEQ_CST))
        __atomic_add_fetch(&while_paused, 1, __ATOMIC_SEQ_CST);
    m->seen = __atomic_load_n(&m->sent, __ATOMIC_SEQ_CST);
    if (__atomic_add_fetch(&steps, 1, __ATOMIC_RELAXED) < WAKES)
        send(&vcpus[random_below(seed, DOMAINS)][random_below(seed, VCPUS)]);
    __atomic_sub_fetch(&m->running, 1, __ATOMIC_SEQ_CST);
    if (random_below(seed, 4) == 0) {
        this_cpu()->need_resched = 1;
        return;
    }
    sched_block_prepare(v);
    if (READ_ONCE(m->sent) == m->seen)
        sched_block(v);
}

static void *cpu_thread(void *arg)
{
    unsigned id = (unsigned)(uintptr_t)arg;
    uint64_t seed = id + 1;

    be_cpu(id);
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        if (now_ns() >= READ_ONCE(deadline[id]))
            timer_interrupt();
        while (READ_ONCE(this_cpu()->need_resched))
            schedule();
        if (this_cpu()->current)
            vcpu_step(this_cpu()->current, &seed);
        else
            host_yield();
    }
    return NULL;
}

static void shared_fires(void *arg)
{
    (void)arg;
    __atomic_add_fetch(&shared_fired, 1, __ATOMIC_RELAXED);
    timer_set(&shared, now_ns() + 20000);
}

static void *arm_thread(void *arg)
{
    unsigned id = (unsigned)(uintptr_t)arg;

    be_cpu(id);
    for (unsigned i = 0; i < ARMS; i++) {
        timer_set(&shared, now_ns() + i % 50000);
        if (now_ns() >= READ_ONCE(deadline[id]))
            timer_interrupt();
    }
    return NULL;
}

static void *pause_thread(void *arg)
{
    uint64_t seed = 99;

    (void)arg;
    be_cpu(CPUS);
    for (unsigned i = 0; i < PAUSES; i++) {
        unsigned n = random_below(&seed, DOMAINS);

        domain_pause(&domains[n]);
        __atomic_store_n(&frozen[n], 1, __ATOMIC_SEQ_CST);
        host_yield();
        __atomic_store_n(&frozen[n], 0, __ATOMIC_SEQ_CST);
        domain_unpause(&domains[n]);
        send(&vcpus[n][random_below(&seed, VCPUS)]);
    }
    return NULL;
}

static void setup(void)
{
    for (unsigned i = 0; i < CPUS_MAX; i++) {
        percpu[i] = (struct percpu){ .self = &percpu[i], .id = i };
        deadline[i] = TIME_NEVER;
    }
    for (unsigned i = 0; i <= CPUS + 1; i++) {
        be_cpu(i);
        sched_init_cpu();
    }
    for (unsigned n = 0; n < DOMAINS; n++) {
        domains[n] = (struct domain){ .id = (domid_t)(n + 1), .nr_vcpus = VCPUS, .cap_percent = n == 2 ? 350 : 0 };
        for (unsigned i = 0; i < VCPUS; i++) {
            vcpus[n][i] = (struct vcpu){ .domain = &domains[n], .id = i, .state = VCPU_OFFLINE };
            domains[n].vcpu[i] = &vcpus[n][i];
            if (sched_vcpu_init(&vcpus[n][i]))
                abort();
        }
    }
    dom0 = &domains[0];
}

static unsigned unseen(void)
{
    unsigned count = 0;

    for (unsigned n = 0; n < DOMAINS; n++) {
        for (unsigned i = 0; i < VCPUS; i++)
            count += READ_ONCE(models[n][i].sent) != READ_ONCE(models[n][i].seen);
    }
    return count;
}

/* First the steps, for which a loaded machine may take minutes; then all that was sent is seen, or patience
 * ends: a wake-up was lost. */
static void quiesce(void)
{
    uint64_t until = now_ns() + 300 * NS_PER_SEC;

    while (READ_ONCE(steps) < WAKES && now_ns() < until) {
        send(&vcpus[0][0]);             /* in case all sleep */
        host_yield();
    }
    until = now_ns() + 20 * NS_PER_SEC;
    while (unseen() && now_ns() < until)
        host_yield();
}

static void run_states(void)
{
    bool good = true;

    for (unsigned n = 0; n < DOMAINS; n++) {
        for (unsigned i = 0; i < VCPUS; i++) {
            struct vcpu_runstate_info first, second;
            uint64_t sum = 0, from = now_ns(), to;

            sched_runstate(&vcpus[n][i], &first);
            sched_runstate(&vcpus[n][i], &second);
            to = now_ns();
            for (unsigned s = 0; s < 4; s++)
                sum += second.time[s] - first.time[s];
            good &= sum <= to - from && second.time[VCPU_RUNNING] > 0;
        }
    }
    ok(good, "each vCPU ran, and no time counts twice");
}

static void model_test(void)
{
    pthread_t cpu[CPUS], pauser;

    be_cpu(CPUS + 1);                   /* one that runs nothing */
    for (unsigned n = 0; n < DOMAINS; n++) {
        for (unsigned i = 0; i < VCPUS; i++)
            sched_vcpu_up(&vcpus[n][i]);
    }
    for (unsigned i = 0; i < CPUS; i++)
        pthread_create(&cpu[i], NULL, cpu_thread, (void *)(uintptr_t)i);
    pthread_create(&pauser, NULL, pause_thread, NULL);
    pthread_join(pauser, NULL);
    quiesce();
    is(unseen(), 0, "every event of %u steps was seen: no wake-up is lost", steps);
    run_states();
    for (unsigned n = 0; n < DOMAINS; n++)
        domain_pause(&domains[n]);
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < CPUS; i++)
        pthread_join(cpu[i], NULL);
    is(twice, 0, "no vCPU ran on two CPUs");
    is(while_paused, 0, "none ran while its domain was paused");
    for (unsigned n = 0; n < DOMAINS; n++) {
        for (unsigned i = 0; i < VCPUS; i++)
            sched_vcpu_destroy(&vcpus[n][i]);
    }
    ok(true, "all are out of the queues at the end");
}

static void timer_test(void)
{
    pthread_t thread[CPUS];
    unsigned fired;

    timer_init(&shared, shared_fires, NULL);
    for (unsigned i = 0; i < CPUS; i++)
        pthread_create(&thread[i], NULL, arm_thread, (void *)(uintptr_t)i);
    for (unsigned i = 0; i < CPUS; i++)
        pthread_join(thread[i], NULL);
    timer_stop_sync(&shared);
    fired = shared_fired;
    ok(fired > 0 && list_empty(&shared.link), "a timer that three CPUs arm fires (%u times) and is on no list when stopped",
       fired);
    for (uint64_t until = now_ns() + NS_PER_MS; now_ns() < until;) {
        for (unsigned i = 0; i < CPUS; i++) {
            be_cpu(i);
            timer_interrupt();
        }
    }
    is(shared_fired, fired, "nor fires after that");
}

static unsigned order_seen[4], order_count;

static void order_fires(void *arg)
{
    order_seen[order_count++ & 3] = (unsigned)(uintptr_t)arg;
}

static void timer_order(void)
{
    struct timer t[3];
    uint64_t now = now_ns();

    be_cpu(0);
    for (unsigned i = 0; i < 3; i++)
        timer_init(&t[i], order_fires, (void *)(uintptr_t)i);
    timer_set(&t[0], now + 3000);
    timer_set(&t[1], now + 1000);
    is(deadline[0], now + 1000, "the hardware is set for the first");
    timer_set(&t[2], now + NS_PER_SEC);
    timer_set(&t[0], now + 500);
    is(deadline[0], now + 500, "and again when another becomes the first");
    while (now_ns() < now + 4000)
        ;
    timer_interrupt();
    ok(order_count == 2 && order_seen[0] == 0 && order_seen[1] == 1, "what is due fires in order of time");
    is(deadline[0], now + NS_PER_SEC, "the rest stays armed");
    timer_set(&t[2], TIME_NEVER);
    timer_interrupt();
    is(deadline[0], TIME_NEVER, "never is a stop");
}

int main(void)
{
    setup();
    timer_order();
    timer_test();
    model_test();
    return tap_end();
}
