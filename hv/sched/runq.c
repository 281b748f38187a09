/* The run queue: see runq.h for the rules. Queues are short and mostly changed at the ends (who ran goes to the back,
 * who wakes to the front), so they are sorted lists. */
#include "hv/sched/runq.h"
#include "hv/lib/bug.h"

#define VTIME_SHIFT 16
#define RAN_MAX_NS (1ull << 47)                 /* 39 hours in one go; keeps the product within 64 bits */

static vtime_t vtime_of(const struct runq_item *item, uint64_t ns)
{
    return (MIN(ns, RAN_MAX_NS) << VTIME_SHIFT) / item->weight;
}

static struct runq_item *item_of(struct list *link)
{
    return LIST_ITEM(link, struct runq_item, link);
}

void runq_init(struct runq *q)
{
    *q = (struct runq){ .vclock = 0 };
    list_init(&q->ready);
    list_init(&q->parked);
}

void runq_item_init(struct runq_item *item, struct vcpu *v, uint16_t weight, uint64_t cap_ns)
{
    *item = (struct runq_item){ .vcpu = v, .state = RUNQ_OUT };
    list_init(&item->link);
    item->budget_ns = RUNQ_PERIOD_NS;
    runq_item_set(item, weight, cap_ns);
}

void runq_item_set(struct runq_item *item, uint16_t weight, uint64_t cap_ns)
{
    ASSERT(item->state == RUNQ_OUT || item->state == RUNQ_RUNNING);
    ASSERT(weight > 0);
    if (item->state == RUNQ_RUNNING)
        item->home->weight += weight - (uint64_t)item->weight;
    item->weight = weight;
    item->cap_ns = cap_ns < RUNQ_PERIOD_NS ? cap_ns : 0;
    if (item->cap_ns)
        item->budget_ns = MIN(item->budget_ns, (int64_t)item->cap_ns);
}

/* Budgets of all the periods that began since, as one. */
static void budget_replenish(struct runq_item *item, uint64_t now_ns)
{
    uint64_t periods;

    if (!item->cap_ns || now_ns < item->period_start_ns + RUNQ_PERIOD_NS)
        return;
    periods = (now_ns - item->period_start_ns) / RUNQ_PERIOD_NS;
    item->period_start_ns += periods * RUNQ_PERIOD_NS;
    item->budget_ns = MIN(item->budget_ns + (int64_t)(periods * item->cap_ns), (int64_t)item->cap_ns);
}

/* The first replenishment that leaves something to run on. */
static uint64_t replenish_ns(const struct runq_item *item)
{
    uint64_t periods = (uint64_t)-item->budget_ns / item->cap_ns + 1;

    return item->period_start_ns + periods * RUNQ_PERIOD_NS;
}

static void park(struct runq *q, struct runq_item *item)
{
    struct list *at = q->parked.prev;

    while (at != &q->parked && replenish_ns(item_of(at)) > replenish_ns(item))
        at = at->prev;
    list_add(&item->link, at);
    item->state = RUNQ_PARKED;
}

static void queue(struct runq *q, struct runq_item *item)
{
    struct list *at = q->ready.prev;

    while (at != &q->ready && item->vtime < item_of(at)->vtime)
        at = at->prev;
    list_add(&item->link, at);
    item->state = RUNQ_READY;
    q->nr_ready++;
    q->weight += item->weight;
}

/* Keeps the clock among those that compete: not ahead of all, and behind the least by no more than what one slice too
 * many can have put it ahead. With nobody there it stands. */
static void vclock_bound(struct runq *q)
{
    struct runq_item *least = q->running, *most = q->running;

    if (!list_empty(&q->ready)) {
        struct runq_item *first = item_of(q->ready.next), *last = item_of(q->ready.prev);

        least = !least || first->vtime < least->vtime ? first : least;
        most = !most || last->vtime > most->vtime ? last : most;
    }
    if (!least)
        return;
    q->vclock = MIN(q->vclock, most->vtime);
    q->vclock = MAX(q->vclock, least->vtime - vtime_of(least, RUNQ_SLICE_MAX_NS));
}

static void place(struct runq *q, struct runq_item *item)
{
    vtime_t earliest = q->vclock - vtime_of(item, RUNQ_CREDIT_NS);

    item->vtime = MAX(item->vtime, earliest);
}

static void stop_running(struct runq *q, struct runq_item *item)
{
    ASSERT(q->running == item);
    q->running = NULL;
    q->weight -= item->weight;
    item->state = RUNQ_OUT;
}

/* From outside: with the distance that it had from the clock, bounded by the credit. */
static void enter(struct runq *q, struct runq_item *item)
{
    ASSERT(item->state == RUNQ_OUT);
    ASSERT(!item->home || item->home == q);
    if (!item->home) {
        item->vtime += q->vclock;
        item->home = q;
    }
    place(q, item);
}

void runq_insert(struct runq *q, struct runq_item *item, uint64_t now_ns)
{
    if (item->state == RUNQ_RUNNING)
        stop_running(q, item);
    else
        enter(q, item);
    budget_replenish(item, now_ns);
    if (item->cap_ns && item->budget_ns <= 0)
        park(q, item);
    else
        queue(q, item);
    vclock_bound(q);
}

void runq_remove(struct runq *q, struct runq_item *item)
{
    ASSERT(item->home == q && item->state != RUNQ_OUT);
    if (item->state == RUNQ_RUNNING) {
        stop_running(q, item);
    } else {
        if (item->state == RUNQ_READY) {
            q->nr_ready--;
            q->weight -= item->weight;
        }
        list_del(&item->link);
        item->state = RUNQ_OUT;
    }
    vclock_bound(q);
}

void runq_detach(struct runq *q, struct runq_item *item)
{
    ASSERT(item->state == RUNQ_OUT);
    if (!item->home)
        return;
    ASSERT(item->home == q);
    item->vtime -= q->vclock;
    item->home = NULL;
}

static void unpark_due(struct runq *q, uint64_t now_ns)
{
    while (!list_empty(&q->parked) && replenish_ns(item_of(q->parked.next)) <= now_ns) {
        struct runq_item *item = item_of(q->parked.next);

        list_del(&item->link);
        budget_replenish(item, now_ns);
        place(q, item);
        queue(q, item);
    }
}

static uint64_t slice_of(const struct runq *q, const struct runq_item *item)
{
    uint64_t slice = RUNQ_LATENCY_NS / (q->nr_ready + 1);

    slice = MIN(MAX(slice, RUNQ_SLICE_MIN_NS), RUNQ_SLICE_MAX_NS);
    if (item->cap_ns)
        slice = MIN(slice, MAX((uint64_t)item->budget_ns, RUNQ_BUDGET_MIN_NS));
    return slice;
}

struct runq_item *runq_pick(struct runq *q, uint64_t now_ns, uint64_t *slice_ns)
{
    struct runq_item *item;

    ASSERT(!q->running);
    unpark_due(q, now_ns);
    if (list_empty(&q->ready))
        return NULL;
    item = item_of(q->ready.next);
    list_del(&item->link);
    q->nr_ready--;
    item->state = RUNQ_RUNNING;
    q->running = item;
    q->charged_until_ns = now_ns;
    budget_replenish(item, now_ns);
    *slice_ns = slice_of(q, item);
    vclock_bound(q);
    return item;
}

void runq_charge(struct runq *q, uint64_t ran_ns, uint64_t now_ns)
{
    struct runq_item *item = q->running;

    ASSERT(item);
    item->vtime += vtime_of(item, ran_ns);
    /* Not the least virtual time: that leaps when a heavy one naps and leaves a light one that is far ahead, and what
     * the heavy one was owed would be lost with each nap. */
    q->vclock += (MIN(ran_ns, RAN_MAX_NS) << VTIME_SHIFT) / q->weight;
    if (item->cap_ns)
        item->budget_ns -= (int64_t)MIN(ran_ns, RAN_MAX_NS);
    q->charged_until_ns = now_ns;
    vclock_bound(q);
}

bool runq_preempts(const struct runq *q, const struct runq_item *woken, uint64_t now_ns)
{
    const struct runq_item *running = q->running;
    uint64_t uncharged_ns;

    if (woken->state != RUNQ_READY)
        return false;
    if (!running)
        return true;
    uncharged_ns = now_ns > q->charged_until_ns ? now_ns - q->charged_until_ns : 0;
    return running->vtime + vtime_of(running, uncharged_ns) >= woken->vtime + vtime_of(woken, RUNQ_GRANULARITY_NS);
}

uint64_t runq_next_replenish(const struct runq *q)
{
    return list_empty(&q->parked) ? TIME_NEVER : replenish_ns(item_of(q->parked.next));
}

struct runq_item *runq_steal(struct runq *q)
{
    if (q->nr_ready < (q->running ? 1u : 2u))
        return NULL;
    for (struct list *at = q->ready.prev; at != &q->ready; at = at->prev) {
        struct runq_item *item = item_of(at);

        if (item->pinned)
            continue;
        runq_remove(q, item);
        runq_detach(q, item);
        return item;
    }
    return NULL;
}
