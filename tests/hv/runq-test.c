/* The run queue's promises (hv/sched/runq.h), by simulated time: shares, caps, no starvation, no hoarding, stealing;
 * then a million random steps on four queues with every rule checked after each. */
#include "hv/sched/runq.h"
#include "hv/lib/bug.h"
#include "hv/lib/spinlock.h"
#include "tests/hv/harness.h"

#include <math.h>
#include <string.h>

#define MS NS_PER_MS
#define SEC NS_PER_SEC

void panic(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    abort();
}

/* A simulated vCPU: runs for burst_ns whenever it may, then sleeps for sleep_ns. sleep_ns 0: it never sleeps. */
struct task {
    struct runq_item item;
    uint64_t burst_ns, sleep_ns;
    uint64_t left_ns, wakes_at_ns;
    uint64_t ran_ns;
    uint64_t woken_at_ns, worst_wait_ns;    /* from wake-up to running */
    uint64_t stopped_at_ns, worst_gap_ns;   /* between two stretches of a busy one */
    bool asleep, waiting;
};

static void task_init(struct task *t, uint16_t weight, uint64_t cap_ns, uint64_t burst_ns, uint64_t sleep_ns)
{
    memset(t, 0, sizeof(*t));
    runq_item_init(&t->item, NULL, weight, cap_ns);
    t->burst_ns = t->left_ns = burst_ns;
    t->sleep_ns = sleep_ns;
    t->asleep = true;
}

static struct task *task_of(struct runq_item *item)
{
    return CONTAINER_OF(item, struct task, item);
}

/* The CPU that owns q from `now` to `end`, with the tasks that live on it. Overrun: each slice ends so much late. */
struct sim {
    struct runq q;
    struct task *tasks;
    unsigned nr_tasks;
    uint64_t now, idle_ns, overrun_ns, switches;
};

static uint64_t next_wake(const struct sim *s)
{
    uint64_t at = TIME_NEVER;

    for (unsigned i = 0; i < s->nr_tasks; i++) {
        if (s->tasks[i].asleep)
            at = MIN(at, s->tasks[i].wakes_at_ns);
    }
    return at;
}

/* Wakes who is due. True: one of them should have the CPU at once. */
static bool wake_due(struct sim *s)
{
    bool preempts = false;

    for (unsigned i = 0; i < s->nr_tasks; i++) {
        struct task *t = &s->tasks[i];

        if (!t->asleep || t->wakes_at_ns > s->now)
            continue;
        t->asleep = false;
        t->waiting = true;
        t->woken_at_ns = s->now;
        runq_insert(&s->q, &t->item, s->now);
        preempts |= runq_preempts(&s->q, &t->item, s->now);
    }
    return preempts;
}

static void run_one(struct sim *s, struct task *t, uint64_t slice, uint64_t end)
{
    uint64_t until = MIN(s->now + slice, end), began = s->now;
    bool out = false;

    if (t->waiting)
        t->worst_wait_ns = MAX(t->worst_wait_ns, s->now - t->woken_at_ns);
    t->waiting = false;
    t->worst_gap_ns = MAX(t->worst_gap_ns, s->now - t->stopped_at_ns);
    while (!out && s->now < until) {
        uint64_t stop = MIN(MIN(until, next_wake(s)), t->sleep_ns ? s->now + t->left_ns : TIME_NEVER);

        t->left_ns -= t->sleep_ns ? stop - s->now : 0;
        s->now = MAX(stop, s->now);
        if (t->sleep_ns && !t->left_ns)
            break;
        out = wake_due(s);
    }
    if (!(t->sleep_ns && !t->left_ns))
        s->now += s->overrun_ns;
    t->ran_ns += s->now - began;
    t->stopped_at_ns = s->now;
    runq_charge(&s->q, s->now - began, s->now);
    if (t->sleep_ns && !t->left_ns) {
        runq_remove(&s->q, &t->item);
        t->asleep = true;
        t->left_ns = t->burst_ns;
        t->wakes_at_ns = s->now + t->sleep_ns;
    } else {
        runq_insert(&s->q, &t->item, s->now);
    }
}

static void simulate(struct sim *s, uint64_t end)
{
    while (s->now < end) {
        struct runq_item *item;
        uint64_t slice, next;

        wake_due(s);
        item = runq_pick(&s->q, s->now, &slice);
        if (item) {
            s->switches++;
            run_one(s, task_of(item), slice, end);
            continue;
        }
        next = MIN(MIN(next_wake(s), runq_next_replenish(&s->q)), end);
        s->idle_ns += next - s->now;
        s->now = next;
    }
}

static struct sim sim_make(struct task *tasks, unsigned nr_tasks)
{
    struct sim s = { .tasks = tasks, .nr_tasks = nr_tasks };

    runq_init(&s.q);
    return s;
}

/* list heads point at themselves: a queue that moves must be made anew */
#define SIM(name, tasks) \
    struct sim name = sim_make(tasks, ARRAY_SIZE(tasks)); \
    runq_init(&name.q)

static bool near(uint64_t got, double want, double part)
{
    if (fabs((double)got - want) <= want * part)
        return true;
    printf("# got %llu, wanted %.0f within %.2f%%\n", (unsigned long long)got, want, part * 100);
    return false;
}

static void test_shares(void)
{
    static const uint16_t weights[] = { 64, 128, 256, 512, 1024, 256 };
    struct task tasks[ARRAY_SIZE(weights)];
    unsigned sum = 0;
    bool good = true;

    for (unsigned i = 0; i < ARRAY_SIZE(weights); i++) {
        task_init(&tasks[i], weights[i], 0, 1, 0);
        sum += weights[i];
    }
    SIM(s, tasks);
    simulate(&s, 60 * SEC);
    for (unsigned i = 0; i < ARRAY_SIZE(weights); i++)
        good &= near(tasks[i].ran_ns, 60e9 * weights[i] / sum, 0.01);
    ok(good, "six busy vCPUs share 60 s as 64:128:256:512:1024:256, within 1%%");
    is(s.idle_ns, 0, "no time is lost while someone wants to run");
    ok(s.switches > 60 * 100, "slices are at most 10 ms (%llu switches in 60 s)", (unsigned long long)s.switches);
}

static void test_extreme_weights(void)
{
    struct task tasks[2];

    task_init(&tasks[0], 1, 0, 1, 0);
    task_init(&tasks[1], 65535, 0, 1, 0);
    SIM(s, tasks);
    simulate(&s, 3600 * SEC);
    ok(tasks[0].ran_ns > 0 && tasks[0].ran_ns <= 60 * MS + 3600 * SEC / 65536,
       "weight 1 beside 65535 runs, and little (%llu ns in an hour)", (unsigned long long)tasks[0].ran_ns);
}

static void test_long_sleep(void)
{
    struct task tasks[2];
    uint64_t before;

    task_init(&tasks[0], 1, 0, 1, 0);
    task_init(&tasks[1], 256, 0, MS, MS);
    SIM(s, tasks);
    simulate(&s, 1 * SEC);
    /* 2,000 days pass in 10 ms steps that count for an hour each: the clock of a queue of weight 1 runs fastest. */
    if (tasks[1].item.state != RUNQ_OUT)
        runq_remove(&s.q, &tasks[1].item);
    for (unsigned i = 0; i < 48000; i++) {
        uint64_t slice;
        struct runq_item *item = runq_pick(&s.q, s.now, &slice);

        s.now += 3600 * SEC;
        runq_charge(&s.q, 3600 * SEC, s.now);
        runq_insert(&s.q, item, s.now);
    }
    tasks[1].sleep_ns = 0;
    tasks[1].asleep = true;
    tasks[1].wakes_at_ns = s.now;
    before = tasks[1].ran_ns;
    simulate(&s, s.now + SEC);
    ok(tasks[1].ran_ns - before > 900 * MS, "who slept for 2,000 days gets its share at once");
}

static void test_caps(void)
{
    struct task tasks[3];

    task_init(&tasks[0], 256, RUNQ_CAP_NS(25, 1), 1, 0);
    task_init(&tasks[1], 256, RUNQ_CAP_NS(3, 1), 1, 0);
    task_init(&tasks[2], 1024, RUNQ_CAP_NS(40, 2), 1, 0);
    SIM(s, tasks);
    simulate(&s, 100 * SEC);
    ok(near(tasks[0].ran_ns, 25e9, 0.001) && near(tasks[1].ran_ns, 3e9, 0.001) && near(tasks[2].ran_ns, 20e9, 0.001),
       "caps of 25%%, 3%% and 20%% hold on an otherwise idle CPU, exactly in the long run");
    is(s.idle_ns, 100 * SEC - tasks[0].ran_ns - tasks[1].ran_ns - tasks[2].ran_ns, "the rest is idle");
}

static void test_cap_with_late_slices(void)
{
    struct task tasks[1];

    task_init(&tasks[0], 256, RUNQ_CAP_NS(10, 1), 1, 0);
    SIM(s, tasks);
    s.overrun_ns = 7 * MS;              /* each slice ends 7 ms late: more than half of the budget */
    simulate(&s, 100 * SEC);
    ok(tasks[0].ran_ns <= 10 * SEC + 20 * MS, "running over the slice is a debt: 10%% stay 10%% (%llu ns in 100 s)",
       (unsigned long long)tasks[0].ran_ns);
    ok(tasks[0].ran_ns >= 99 * SEC / 10, "and no more than the debt is taken");
}

static void test_cap_does_not_add_up(void)
{
    struct task tasks[1];
    uint64_t before;

    task_init(&tasks[0], 256, RUNQ_CAP_NS(10, 1), MS, 10 * SEC);
    SIM(s, tasks);
    simulate(&s, 60 * SEC);
    before = tasks[0].ran_ns;
    tasks[0].sleep_ns = 0;
    tasks[0].wakes_at_ns = s.now;
    simulate(&s, s.now + 100 * MS);
    ok(tasks[0].ran_ns - before <= 20 * MS + RUNQ_BUDGET_MIN_NS, "a minute asleep saves up no budget");
}

static void test_capped_beside_busy(void)
{
    struct task tasks[2];

    task_init(&tasks[0], 4096, RUNQ_CAP_NS(20, 1), 1, 0);
    task_init(&tasks[1], 256, 0, 1, 0);
    SIM(s, tasks);
    simulate(&s, 60 * SEC);
    ok(near(tasks[0].ran_ns, 12e9, 0.001), "a cap binds whatever the weight");
    is(tasks[0].ran_ns + tasks[1].ran_ns, s.now, "what the capped one may not have goes to the other");
}

/* 40 ms of each 100 in one go would be within the cap, and would make the neighbour stutter. */
static void test_capped_runs_smoothly(void)
{
    struct task tasks[2];

    task_init(&tasks[0], 256, RUNQ_CAP_NS(40, 1), 1, 0);
    task_init(&tasks[1], 256, 0, 1, 0);
    SIM(s, tasks);
    simulate(&s, 60 * SEC);
    ok(tasks[1].worst_gap_ns <= 2 * RUNQ_CREDIT_NS + RUNQ_SLICE_MAX_NS,
       "who is parked does not come back with all that it missed: the neighbour waits %llu ms at most",
       (unsigned long long)(tasks[1].worst_gap_ns / MS));
}

/* Where a long sleeper is placed: its credit before what is due, not before the one who had least. */
static void test_place_of_the_woken(void)
{
    struct task tasks[5];
    vtime_t due = 0;

    for (unsigned i = 0; i < 4; i++)
        task_init(&tasks[i], 256, 0, 1, 0);
    task_init(&tasks[4], 256, 0, MS, 3600 * SEC);
    SIM(s, tasks);
    simulate(&s, 10 * SEC + 3 * MS);
    ok(tasks[4].asleep, "one sleeps while four are busy");
    runq_insert(&s.q, &tasks[4].item, s.now);
    for (unsigned i = 0; i < 4; i++)
        due += tasks[i].item.vtime / 4;
    ok(tasks[4].item.vtime >= due - (((vtime_t)RUNQ_CREDIT_NS + 3 * MS) << 16) / 256 &&
       tasks[4].item.vtime <= due - (((vtime_t)RUNQ_CREDIT_NS - 3 * MS) << 16) / 256,
       "woken, it is %llu ms, give or take three, before what is due", (unsigned long long)(RUNQ_CREDIT_NS / MS));
}

static void test_sleepers_are_served(void)
{
    struct task tasks[4];

    for (unsigned i = 0; i < 3; i++)
        task_init(&tasks[i], 256, 0, 1, 0);
    task_init(&tasks[3], 256, 0, MS, 9 * MS);
    SIM(s, tasks);
    simulate(&s, SEC);
    tasks[3].worst_wait_ns = tasks[3].ran_ns = 0;       /* four that are new at once wait for each other */
    simulate(&s, 60 * SEC);
    ok(tasks[3].ran_ns > 5 * SEC, "one that asks for 10%% beside three busy ones has it (%llu ms of 5,900)",
       (unsigned long long)(tasks[3].ran_ns / MS));
    ok(tasks[3].worst_wait_ns <= 3 * MS, "and never waits longer than 3 ms (worst: %llu us)",
       (unsigned long long)(tasks[3].worst_wait_ns / 1000));
}

static void test_no_hoarding(void)
{
    struct task tasks[2];
    uint64_t before;

    task_init(&tasks[0], 256, 0, 1, 0);
    task_init(&tasks[1], 256, 0, MS, 30 * SEC);
    SIM(s, tasks);
    simulate(&s, 29 * SEC);
    before = tasks[0].ran_ns;
    tasks[1].sleep_ns = 0;
    tasks[1].wakes_at_ns = s.now;
    simulate(&s, s.now + SEC);
    ok(tasks[0].ran_ns - before >= SEC / 2 - RUNQ_CREDIT_NS - RUNQ_SLICE_MAX_NS,
       "half a minute of sleep buys at most %llu ms", (unsigned long long)(RUNQ_CREDIT_NS / MS));
}

/* Runs almost to the end of its slice and naps: under tick-sampled accounting this took nearly the whole CPU. */
static void test_napping_cheat(void)
{
    struct task tasks[3];

    task_init(&tasks[0], 256, 0, 99 * MS / 10, 1000);
    task_init(&tasks[1], 256, 0, 1, 0);
    task_init(&tasks[2], 256, 0, 1, 0);
    SIM(s, tasks);
    simulate(&s, 60 * SEC);
    ok(tasks[0].ran_ns <= 20.2e9, "napping before each slice ends gains nothing (%llu ms of 20,000)",
       (unsigned long long)(tasks[0].ran_ns / MS));
    ok(tasks[1].ran_ns >= 19.8e9 && tasks[2].ran_ns >= 19.8e9, "the honest neighbours keep their thirds");
}

/* A heavy one that takes a short nap now and then, beside a light one that never sleeps and that, after each of its
 * slices, has had far more than its share: the nap must not wipe that out. */
static void test_naps_forfeit_nothing(void)
{
    static const struct {
        uint16_t heavy, light;
        uint64_t burst_ns;
    } cases[] = { { 1024, 64, 20 * MS }, { 1024, 1, 20 * MS }, { 512, 256, 20 * MS }, { 4096, 256, 3 * MS },
                  { 1024, 16, 101 * MS } };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct task tasks[2];
        double share = (double)cases[i].heavy / (cases[i].heavy + cases[i].light);

        task_init(&tasks[0], cases[i].heavy, 0, cases[i].burst_ns, 10000);
        task_init(&tasks[1], cases[i].light, 0, 1, 0);
        SIM(s, tasks);
        simulate(&s, 100 * SEC);
        ok((double)tasks[0].ran_ns >= 100e9 * share * 0.98, "naps cost nothing: weight %u beside %u, %llu ms bursts: %.1f%% of"
           " the CPU, due %.1f%%", cases[i].heavy, cases[i].light, (unsigned long long)(cases[i].burst_ns / MS),
           (double)tasks[0].ran_ns / 1e9, share * 100);
    }
}

static void test_wake_storm(void)
{
    struct task tasks[9];

    for (unsigned i = 0; i < 8; i++)
        task_init(&tasks[i], 256, 0, 50000, 50000 + 1000 * i);
    task_init(&tasks[8], 256, 0, 1, 0);
    SIM(s, tasks);
    simulate(&s, 20 * SEC);
    ok(tasks[8].ran_ns >= 20 * SEC / 9 - 50 * MS, "eight that wake 10,000 times a second do not starve a busy one (%llu ms"
       " of %llu)", (unsigned long long)(tasks[8].ran_ns / MS), (unsigned long long)(20 * SEC / 9 / MS));
}

static void test_preemption_rule(void)
{
    struct task tasks[2];
    uint64_t slice;

    task_init(&tasks[0], 256, 0, 1, 0);
    task_init(&tasks[1], 256, 0, 1, 0);
    SIM(s, tasks);
    runq_insert(&s.q, &tasks[0].item, 0);
    ok(runq_preempts(&s.q, &tasks[0].item, 0), "nobody runs: whoever wakes does");
    (void)runq_pick(&s.q, 0, &slice);
    runq_insert(&s.q, &tasks[1].item, 0);
    ok(!runq_preempts(&s.q, &tasks[1].item, 0), "equals do not preempt each other");
    ok(!runq_preempts(&s.q, &tasks[1].item, RUNQ_GRANULARITY_NS - 1) &&
       runq_preempts(&s.q, &tasks[1].item, RUNQ_GRANULARITY_NS + 1),
       "they do once the running one is a granularity ahead, its uncharged time included");
    runq_remove(&s.q, &tasks[1].item);
    ok(!runq_preempts(&s.q, &tasks[1].item, SEC), "who does not wait here preempts nobody");
}

static void test_steal(void)
{
    struct runq a, b;
    struct task t[3];
    uint64_t slice;
    struct runq_item *item;

    runq_init(&a);
    runq_init(&b);
    for (unsigned i = 0; i < 3; i++)
        task_init(&t[i], 256, 0, 1, 0);
    ok(!runq_steal(&a), "nothing to steal from an empty queue");
    runq_insert(&a, &t[0].item, 0);
    ok(!runq_steal(&a), "a CPU's own next vCPU is not stolen");
    item = runq_pick(&a, 0, &slice);
    runq_charge(&a, 100 * MS, 100 * MS);
    runq_insert(&a, &t[1].item, 100 * MS);
    runq_insert(&a, &t[2].item, 100 * MS);
    t[2].item.pinned = true;
    ok(runq_steal(&a) == &t[1].item && t[1].item.state == RUNQ_OUT && !t[1].item.home,
       "the last that is not pinned comes out, without a home");
    ok(!runq_steal(&a), "pinned ones stay");
    runq_insert(&b, &t[1].item, 100 * MS);
    ok(t[1].item.vtime - b.vclock <= 0 && item == &t[0].item, "its distance from the clock moves with it");
}

static void test_equals_in_turn(void)
{
    struct task tasks[3];
    uint64_t slice;
    bool good = true;
    SIM(s, tasks);

    for (unsigned i = 0; i < 3; i++) {
        task_init(&tasks[i], 256, 0, 1, 0);
        runq_insert(&s.q, &tasks[i].item, 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        good &= runq_pick(&s.q, 0, &slice) == &tasks[i].item;
        runq_remove(&s.q, &tasks[i].item);
    }
    ok(good, "equals run in the order of their arrival");
}

/* A debtor that is moved again and again does not lose its debt, a creditor does not multiply its credit. */
static void test_migration_keeps_lag(void)
{
    struct runq q[2];
    struct task t;
    vtime_t lag;

    runq_init(&q[0]);
    runq_init(&q[1]);
    q[0].vclock = 1000000;
    q[1].vclock = (vtime_t)1 << 90;
    task_init(&t, 256, 0, 1, 0);
    t.item.vtime = 5000;
    lag = t.item.vtime;
    for (unsigned i = 0; i < 100; i++) {
        q[i % 2].running = NULL;
        t.item.vtime = lag;
        runq_insert(&q[i % 2], &t.item, 0);
        runq_remove(&q[i % 2], &t.item);
        q[i % 2].vclock = t.item.vtime - lag;
        runq_detach(&q[i % 2], &t.item);
        if (t.item.vtime != lag)
            break;
    }
    ok(t.item.vtime == lag, "moving 100 times between clocks far apart keeps the distance");
}

/* The random model: what must hold after each step. */
#define MODEL_QUEUES 4u
#define MODEL_ITEMS  24u

struct model {
    struct runq q[MODEL_QUEUES];
    struct task t[MODEL_ITEMS];
    struct runq *where[MODEL_ITEMS];        /* where it competes or runs; NULL: OUT */
    struct runq *home[MODEL_ITEMS];
    uint64_t now, seed;
};

static const char *clock_wrong(const struct runq *q)
{
    uint64_t weight = q->running ? q->running->weight : 0;
    const struct runq_item *least = q->running;
    vtime_t most = q->running ? q->running->vtime : 0;

    LIST_FOR_EACH(p, &q->ready) {
        const struct runq_item *item = LIST_ITEM(p, struct runq_item, link);

        weight += item->weight;
        most = least ? MAX(most, item->vtime) : item->vtime;
        least = !least || item->vtime < least->vtime ? item : least;
    }
    if (weight != q->weight)
        return "the sum of weights is wrong";
    if (least && (q->vclock > most || q->vclock < least->vtime - (RUNQ_SLICE_MAX_NS << 16) / least->weight))
        return "the clock is not among those that compete";
    return NULL;
}

static const char *queue_wrong(struct model *m, unsigned i)
{
    struct runq *q = &m->q[i];
    unsigned ready = 0, ours = 0;
    const struct runq_item *before = NULL;

    LIST_FOR_EACH(p, &q->ready) {
        struct runq_item *item = LIST_ITEM(p, struct runq_item, link);

        if (item->state != RUNQ_READY || item->home != q)
            return "an item in the ready list is not READY here";
        if (before && before->vtime > item->vtime)
            return "the ready list is not sorted";
        before = item;
        ready++;
    }
    LIST_FOR_EACH(p, &q->parked) {
        struct runq_item *item = LIST_ITEM(p, struct runq_item, link);

        if (item->state != RUNQ_PARKED || item->budget_ns > 0 || !item->cap_ns)
            return "an item is parked without cause";
        ours++;
    }
    if (ready != q->nr_ready)
        return "nr_ready is wrong";
    if (q->running && q->running->state != RUNQ_RUNNING)
        return "the running one is not RUNNING";
    for (unsigned k = 0; k < MODEL_ITEMS; k++)
        ours -= m->where[k] == q;
    if (ours + ready + (q->running ? 1 : 0) != 0)
        return "an item is lost or twice there";
    return clock_wrong(q);
}

/* A woken item is behind the clock by its credit at most (the clock may then come back to it). */
static void woken_right(const struct runq_item *item, vtime_t clock)
{
    BUG_ON(item->vtime < clock - ((vtime_t)RUNQ_CREDIT_NS << 16) / item->weight);
}

static const char *step_pick(struct model *m, struct runq *q)
{
    struct runq_item *first = list_empty(&q->ready) ? NULL : LIST_ITEM(q->ready.next, struct runq_item, link);
    vtime_t least = first ? first->vtime : 0;
    uint64_t slice = 0, due = runq_next_replenish(q);
    struct runq_item *item = runq_pick(q, m->now, &slice);

    if (!item)
        return first || due <= m->now ? "nobody picked though someone may run" : NULL;
    if (first && item->vtime > least)
        return "picked one that is not the least";
    if (!slice || slice > RUNQ_SLICE_MAX_NS)
        return "a slice of no sense";
    if (item->cap_ns && item->budget_ns <= 0)
        return "picked one without budget";
    if (item->cap_ns && slice > MAX((uint64_t)item->budget_ns, RUNQ_BUDGET_MIN_NS))
        return "a slice beyond the budget";
    return NULL;
}

static void step_put(struct model *m, struct runq *q)
{
    struct runq_item *item = q->running;
    uint64_t ran = random_below(&m->seed, 12 * MS);

    m->now += ran;
    if (!random_below(&m->seed, 10))
        runq_item_set(item, (uint16_t)(1 + random_below(&m->seed, 2000)), item->cap_ns);
    runq_charge(q, ran, m->now);
    if (random_below(&m->seed, 4)) {
        runq_insert(q, item, m->now);
        return;
    }
    runq_remove(q, item);
    m->where[task_of(item) - m->t] = NULL;
}

static void step_item(struct model *m, unsigned k)
{
    struct runq_item *item = &m->t[k].item;
    struct runq *to = &m->q[random_below(&m->seed, MODEL_QUEUES)];
    vtime_t clock;

    if (m->where[k]) {
        if (item->state != RUNQ_RUNNING && !random_below(&m->seed, 3)) {
            runq_remove(m->where[k], item);
            m->where[k] = NULL;
        }
        return;
    }
    if (!random_below(&m->seed, 5))
        runq_item_set(item, (uint16_t)(1 + random_below(&m->seed, 2000)), random_below(&m->seed, 2)
                      ? 0 : 1 + random_below(&m->seed, RUNQ_PERIOD_NS));
    if (m->home[k] && m->home[k] != to)
        runq_detach(m->home[k], item);
    clock = to->vclock;
    runq_insert(to, item, m->now);
    woken_right(item, clock);
    m->where[k] = m->home[k] = to;
}

static void step_steal(struct model *m, struct runq *from, struct runq *to)
{
    unsigned ready = from->nr_ready;
    struct runq_item *item = runq_steal(from);

    if (!item)
        return;
    BUG_ON(item->pinned || ready < (from->running ? 1 : 2));
    runq_insert(to, item, m->now);
    m->where[task_of(item) - m->t] = m->home[task_of(item) - m->t] = to;
}

static const char *model_step(struct model *m)
{
    struct runq *q = &m->q[random_below(&m->seed, MODEL_QUEUES)];
    const char *wrong = NULL;

    m->now += random_below(&m->seed, MS);
    switch (random_below(&m->seed, 4)) {
    case 0:
    case 1:
        if (q->running)
            step_put(m, q);
        else
            wrong = step_pick(m, q);
        break;
    case 2:
        step_item(m, random_below(&m->seed, MODEL_ITEMS));
        break;
    case 3:
        step_steal(m, q, &m->q[random_below(&m->seed, MODEL_QUEUES)]);
        break;
    }
    return wrong ? wrong : queue_wrong(m, (unsigned)(q - m->q));
}

static void test_model(void)
{
    static struct model m;
    const char *wrong = NULL;
    unsigned step;

    m.seed = 0x5eed0001;
    for (unsigned i = 0; i < MODEL_QUEUES; i++)
        runq_init(&m.q[i]);
    for (unsigned k = 0; k < MODEL_ITEMS; k++) {
        task_init(&m.t[k], (uint16_t)(1 + random_below(&m.seed, 2000)), k % 3 ? 0 : 1 + k * MS, 1, 0);
        m.t[k].item.pinned = k % 5 == 0;
    }
    for (step = 0; step < 1000000 && !wrong; step++)
        wrong = model_step(&m);
    for (unsigned i = 0; i < MODEL_QUEUES && !wrong; i++)
        wrong = queue_wrong(&m, i);
    ok(!wrong, "a million random steps on four queues keep every rule%s%s", wrong ? ": " : "", wrong ? wrong : "");
    if (wrong)
        printf("# at step %u\n", step);
}

int main(void)
{
    test_shares();
    test_extreme_weights();
    test_long_sleep();
    test_caps();
    test_cap_with_late_slices();
    test_cap_does_not_add_up();
    test_capped_beside_busy();
    test_capped_runs_smoothly();
    test_place_of_the_woken();
    test_sleepers_are_served();
    test_no_hoarding();
    test_napping_cheat();
    test_naps_forfeit_nothing();
    test_wake_storm();
    test_preemption_rule();
    test_steal();
    test_equals_in_turn();
    test_migration_keeps_lag();
    test_model();
    return tap_end();
}
