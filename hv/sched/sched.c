/* Locks, IPIs and state changes around the pure run queues (runq.h says who runs).
 *
 * A vCPU's item is READY or PARKED in the queue of v->cpu, RUNNING there, or OUT. v->cpu changes only while the item
 * is OUT, under the lock of the old CPU. */
#include "hv/sched/sched.h"
#include "hv/arch/irq.h"
#include "hv/arch/tsc.h"
#include "hv/arch/vcpu.h"
#include "hv/lib/string.h"
#include "hv/stats/stats.h"

static struct sched_cpu {
    struct spinlock lock;               /* order 8; two: lower CPU first */
    struct runq q;
    struct timer slice;
    bool idle;
    uint64_t switched_ns;               /* when who runs came on */
    uint64_t published_ns;              /* own CPU: when a vCPU that goes on was last published */
} sched_cpu[CPUS_MAX];

static unsigned next_home;

/* A vCPU that yields and goes on is published this often: readers extrapolate, and only counts of exits wait. */
#define PUBLISH_NS NS_PER_MS

/* Who has just come on keeps the CPU this long against those whom it wakes itself: it may be in a burst of events, as a
 * network driver is, each of which would cost two switches. If it only waits for the answer, it blocks. */
#define BURST_NS (NS_PER_MS / 5)

static struct runq_item *item_of(struct vcpu *v)
{
    return &v->sched->item;
}

static struct sched_cpu *lock_vcpu(struct vcpu *v)
{
    for (;;) {
        unsigned cpu = READ_ONCE(v->cpu);

        spin_lock(&sched_cpu[cpu].lock);
        if (v->cpu == cpu)
            return &sched_cpu[cpu];
        spin_unlock(&sched_cpu[cpu].lock);
    }
}

static void resched(unsigned cpu)
{
    WRITE_ONCE(percpu[cpu].need_resched, 1);
    if (cpu != this_cpu()->id)
        irq_ipi(cpu);
}

static void slice_over(void *arg)
{
    (void)arg;
    WRITE_ONCE(this_cpu()->need_resched, 1);
}

void sched_init_cpu(void)
{
    struct sched_cpu *c = &sched_cpu[this_cpu()->id];

    timer_init_cpu();
    runq_init(&c->q);
    timer_init(&c->slice, slice_over, NULL);
    this_cpu()->need_resched = 1;
}

int sched_vcpu_init(struct vcpu *v)
{
    struct domain *d = v->domain;

    v->sched = page_alloc_hv(0);
    if (!v->sched)
        return -ENOMEM;
    if (!d->weight)
        d->weight = WEIGHT_DEFAULT;
    runq_item_init(item_of(v), v, d->weight, RUNQ_CAP_NS(d->cap_percent, MAX(d->nr_vcpus, 1u)));
    /* dom0's vCPU i stays on CPU i: physical interrupts go there with its vectors (arch/svm/irq.c). */
    v->pinned = d->privileged;
    item_of(v)->pinned = v->pinned;
    v->cpu = v->pinned ? v->id % cpus_online : __atomic_fetch_add(&next_home, 1, __ATOMIC_RELAXED) % cpus_online;
    v->state = VCPU_OFFLINE;
    v->state_since_ns = now_ns();
    return 0;
}

void sched_vcpu_destroy(struct vcpu *v)
{
    struct sched_cpu *c;

    if (!v->sched)
        return;
    if (v->sched->event_timer.fire)
        timer_stop_sync(&v->sched->event_timer);
    if (v->sched->poll_timer.fire)
        timer_stop_sync(&v->sched->poll_timer);
    c = lock_vcpu(v);
    BUG_ON(item_of(v)->state != RUNQ_OUT);
    runq_detach(&c->q, item_of(v));
    spin_unlock(&c->lock);
    page_free_hv(v->sched, 0);
    v->sched = NULL;
}

bool sched_runnable(const struct vcpu *v)
{
    return READ_ONCE(v->up) && !READ_ONCE(v->blocked) && !__atomic_load_n(&v->pause_count, __ATOMIC_SEQ_CST) &&
           !__atomic_load_n(&v->domain->pause_count, __ATOMIC_SEQ_CST);
}

static void set_state_locked(struct vcpu *v, enum vcpu_run_state state, uint64_t now)
{
    v->state_ns[v->state] += now - v->state_since_ns;
    v->state = state;
    v->state_since_ns = now;
}

static enum vcpu_run_state resting_state(const struct vcpu *v)
{
    if (!v->up || v->pause_count || v->domain->pause_count)
        return VCPU_OFFLINE;
    return v->blocked ? VCPU_BLOCKED : VCPU_RUNNABLE;
}

/* An idle CPU for v if its own is busy; else its own. */
static unsigned choose_cpu(const struct vcpu *v)
{
    if (v->pinned || READ_ONCE(sched_cpu[v->cpu].idle))
        return v->cpu;
    for (unsigned i = 0; i < cpus_online; i++) {
        if (READ_ONCE(sched_cpu[i].idle))
            return i;
    }
    return v->cpu;
}

/* Somebody in c's queue comes before who runs there. Another CPU's timer is not ours to set. */
static void preempt_locked(struct sched_cpu *c, unsigned cpu, uint64_t now)
{
    uint64_t due_ns = c->switched_ns + BURST_NS;

    if (c->idle || cpu != this_cpu()->id || now >= due_ns)
        resched(cpu);
    else if (c->slice.at_ns > due_ns)
        timer_set(&c->slice, due_ns);
}

/* Queues v if it may run and does not yet. */
static void enqueue(struct vcpu *v)
{
    struct sched_cpu *c = lock_vcpu(v);
    unsigned cpu;

    if (item_of(v)->state == RUNQ_OUT && sched_runnable(v)) {
        cpu = choose_cpu(v);
        if (cpu != v->cpu) {
            runq_detach(&c->q, item_of(v));
            v->cpu = cpu;
            spin_unlock(&c->lock);
            c = lock_vcpu(v);
        }
    }
    /* Looked at again: the lock may have been let go. */
    if (item_of(v)->state == RUNQ_OUT && sched_runnable(v)) {
        uint64_t now = now_ns();

        cpu = v->cpu;
        set_state_locked(v, VCPU_RUNNABLE, now);
        runq_insert(&c->q, item_of(v), now);
        if (c->idle || runq_preempts(&c->q, item_of(v), now))
            preempt_locked(c, cpu, now);
    }
    spin_unlock(&c->lock);
}

void sched_vcpu_up(struct vcpu *v)
{
    struct sched_cpu *c = lock_vcpu(v);

    v->blocked = false;
    v->up = true;
    spin_unlock(&c->lock);
    enqueue(v);
}

/* Takes v from the queue if it waits there; if it runs, its CPU is told. */
void sched_vcpu_stop(struct vcpu *v)
{
    struct sched_cpu *c = lock_vcpu(v);
    struct runq_item *item = item_of(v);

    if (item->state == RUNQ_RUNNING) {
        resched(v->cpu);
    } else if (item->state != RUNQ_OUT) {
        runq_remove(&c->q, item);
        set_state_locked(v, resting_state(v), now_ns());
    } else if (v->state != resting_state(v)) {
        set_state_locked(v, resting_state(v), now_ns());
    }
    spin_unlock(&c->lock);
}

/* An exchange, not a store: x86 may let the loads that follow (is an event pending?) pass a store, and the store would
 * then wipe out the wake_pending of a wake-up whose event was not seen. */
void sched_block_prepare(struct vcpu *v)
{
    (void)__atomic_exchange_n(&v->wake_pending, false, __ATOMIC_SEQ_CST);
}

/* blocked is set before wake_pending is looked at, sched_wake does the reverse, each with a full barrier between: one of
 * the two sees the other. */
void sched_block(struct vcpu *v)
{
    struct sched_cpu *c = lock_vcpu(v);

    __atomic_store_n(&v->blocked, true, __ATOMIC_SEQ_CST);
    if (__atomic_exchange_n(&v->wake_pending, false, __ATOMIC_SEQ_CST))
        v->blocked = false;
    else
        this_cpu()->need_resched = 1;
    spin_unlock(&c->lock);
}

/* The exchange also makes what the caller woke v for visible before blocked is looked at. */
void sched_wake(struct vcpu *v)
{
    struct sched_cpu *c;
    bool queue;

    (void)__atomic_exchange_n(&v->wake_pending, true, __ATOMIC_SEQ_CST);
    if (!READ_ONCE(v->blocked))
        return;
    c = lock_vcpu(v);
    queue = v->blocked;
    v->blocked = false;
    spin_unlock(&c->lock);
    if (queue)
        enqueue(v);
}

void sched_vcpu_sleep_sync(struct vcpu *v)
{
    sched_vcpu_stop(v);
    /* Paused, it is picked nowhere any more, and v->cpu stays. */
    for (unsigned cpu = READ_ONCE(v->cpu); v != current_vcpu() && READ_ONCE(percpu[cpu].current) == v;)
        __builtin_ia32_pause();
}

void sched_vcpu_kick_runnable(struct vcpu *v)
{
    struct sched_cpu *c = lock_vcpu(v);

    if (v->state != resting_state(v) && item_of(v)->state == RUNQ_OUT)
        set_state_locked(v, resting_state(v), now_ns());
    spin_unlock(&c->lock);
    enqueue(v);
}

int sched_set_params(struct domain *d, uint16_t weight, uint16_t cap_percent)
{
    if (!weight)
        return -EINVAL;
    d->weight = weight;
    d->cap_percent = cap_percent;
    for (unsigned i = 0; i < d->nr_vcpus; i++) {
        struct vcpu *v = d->vcpu[i];
        struct sched_cpu *c = lock_vcpu(v);
        struct runq_item *item = item_of(v);
        bool queued = item->state == RUNQ_READY || item->state == RUNQ_PARKED;

        if (queued)
            runq_remove(&c->q, item);
        runq_item_set(item, weight, RUNQ_CAP_NS(cap_percent, d->nr_vcpus));
        if (queued)
            runq_insert(&c->q, item, now_ns());
        spin_unlock(&c->lock);
    }
    return 0;
}

/* This CPU has nothing: take from another what would wait longest there. */
static void steal(struct sched_cpu *mine)
{
    unsigned me = this_cpu()->id;
    struct runq_item *item = NULL;

    for (unsigned i = 1; i < cpus_online && !item; i++) {
        struct sched_cpu *c = &sched_cpu[(me + i) % cpus_online];

        if (!READ_ONCE(c->q.nr_ready))
            continue;
        /* From queue to queue under both locks: one that is in neither could be paused, destroyed and freed by a third
         * CPU while we still mean to run it. */
        spin_lock_two(&c->lock, &mine->lock);
        item = runq_steal(&c->q);
        if (item) {
            item->vcpu->cpu = me;
            runq_insert(&mine->q, item, now_ns());
        }
        spin_unlock_two(&c->lock, &mine->lock);
    }
}

static void put_prev_locked(struct sched_cpu *c, struct vcpu *prev, uint64_t now)
{
    bool runnable = sched_runnable(prev);       /* once: a pause may come in between, and takes the lock after us */

    runq_charge(&c->q, now - c->q.charged_until_ns, now);
    if (runnable)
        runq_insert(&c->q, item_of(prev), now);
    else
        runq_remove(&c->q, item_of(prev));
    set_state_locked(prev, runnable ? VCPU_RUNNABLE : resting_state(prev), now);
}

static struct vcpu *pick_locked(struct sched_cpu *c, uint64_t now, uint64_t *slice_end)
{
    uint64_t slice = 0;
    struct runq_item *item = runq_pick(&c->q, now, &slice);

    *slice_end = MIN(runq_next_replenish(&c->q), item ? now + slice : TIME_NEVER);
    return item ? item->vcpu : NULL;
}

/* A vCPU lost this CPU and waits in its queue: an idle CPU, asleep since it found nothing to steal, may take it. */
static void offer(void)
{
    for (unsigned i = 0; i < cpus_online; i++) {
        if (READ_ONCE(sched_cpu[i].idle)) {
            resched(i);
            return;
        }
    }
}

void schedule(void)
{
    struct percpu *cpu = this_cpu();
    struct sched_cpu *c = &sched_cpu[cpu->id];
    struct vcpu *prev = cpu->current, *next;
    uint64_t now, slice_end, waited = 0;
    bool displaced;

    WRITE_ONCE(cpu->need_resched, 0);
    if (!prev && !READ_ONCE(c->q.nr_ready))
        steal(c);
    spin_lock(&c->lock);
    /* Read the clock before changing state: the cost of the switch belongs to the vCPU leaving, or an idle guest
     * would pay for a busy neighbour. */
    now = now_ns();
    if (prev)
        put_prev_locked(c, prev, now);
    next = pick_locked(c, now, &slice_end);
    c->idle = !next;
    if (next != prev && prev) {
        vcpu_switch_out(prev);
        stats_switch_out(cpu, prev, now_ns());
    }
    WRITE_ONCE(cpu->current, next);
    if (next) {
        waited = now - next->state_since_ns;
        set_state_locked(next, VCPU_RUNNING, now);
    }
    if (next && next != prev) {
        c->switched_ns = now;
        cpu->switches++;
        vcpu_switch_in(next);
        stats_switch_in(cpu, next, now_ns(), waited);
    } else if (next && now - c->published_ns >= PUBLISH_NS) {
        stats_charge_hv(cpu, next, now_ns());
        stats_publish(cpu, next);
        c->published_ns = now;
    }
    /* Asked under the lock: later prev may be gone. */
    displaced = next && prev && next != prev && !prev->pinned && item_of(prev)->state == RUNQ_READY;
    spin_unlock(&c->lock);
    /* Who goes on keeps its slice: it may not be drawn out by yielding, and the hardware need not be set again. */
    if (next != prev || !next || c->slice.at_ns > slice_end)
        timer_set(&c->slice, slice_end);
    if (displaced)
        offer();
    if (!next && prev)
        WRITE_ONCE(cpu->need_resched, 1);       /* once more without a current: it may steal */
}

void sched_idle(void)
{
    struct percpu *cpu = this_cpu();

    stats_charge_hv(cpu, NULL, now_ns());
    stats_publish(cpu, NULL);
    WRITE_ONCE(cpu->halted, true);
    irq_halt();
    sched_idle_ends();
}

void sched_idle_ends(void)
{
    struct percpu *cpu = this_cpu();

    if (cpu->halted) {
        cpu->halted = false;
        stats_charge_idle(cpu, now_ns());
    }
}

void sched_runstate_locked(struct vcpu *v, struct vcpu_runstate_info *out)
{
    memset(out, 0, sizeof(*out));       /* the guest sees the padding, too */
    out->state = (int)v->state;
    out->state_entry_time = v->state_since_ns;
    for (unsigned i = 0; i < 4; i++)
        out->time[i] = v->state_ns[i];
}

void sched_runstate_area(struct vcpu *v, struct runstate_area *swap)
{
    struct sched_cpu *c = lock_vcpu(v);
    struct runstate_area old = v->runstate;

    v->runstate = *swap;
    *swap = old;
    spin_unlock(&c->lock);
}

void sched_runstate(struct vcpu *v, struct vcpu_runstate_info *out)
{
    struct sched_cpu *c = lock_vcpu(v);

    sched_runstate_locked(v, out);
    out->time[v->state] += now_ns() - v->state_since_ns;
    spin_unlock(&c->lock);
}
