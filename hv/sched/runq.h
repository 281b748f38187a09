/* The run queue of one CPU: who runs next and for how long. Pure: no locks, no clock, no allocation; the caller
 * (sched.c) holds the queue's lock and passes the time. The host tests drive it through years of simulated time.
 *
 * Rules
 * - Share. Each item has a virtual time that advances by ran_ns / weight; the least runs next. Over any stretch in
 *   which two items are both runnable here, their times on the CPU are as their weights, within a slice.
 * - Sleep. The queue's clock is what an item with exactly its due would have: it advances by the time run / the weights
 *   of all that compete. An item that wakes keeps its virtual time, but is never placed more than RUNQ_CREDIT_NS of its
 *   own running behind the clock: sleeping hoards nothing, so whoever wakes delays the others by that and a slice at
 *   most. Time ahead of the clock is kept too: a short sleep pays off no debt, neither the sleeper's nor the others'.
 * - Wake-up preemption. A woken item takes the CPU at once when it is RUNQ_GRANULARITY_NS or more behind the running
 *   one. Each such preemption uses up that much deficit, which bounds their rate to one per granularity.
 * - Slice. RUNQ_LATENCY_NS shared among those that wait, within RUNQ_SLICE_MIN_NS and RUNQ_SLICE_MAX_NS.
 * - Cap. An item with a cap has a budget of cap_ns in each period of RUNQ_PERIOD_NS. With none left it is parked
 *   until a replenishment makes it positive; running over the budget is a debt that later periods repay, so the
 *   long-run share never exceeds cap_ns / RUNQ_PERIOD_NS, whoever else is idle. Unused budget does not add up.
 *
 * Life of an item: OUT -insert-> READY (or PARKED: no budget) -pick-> RUNNING -charge, then insert or remove->.
 * PARKED items become READY inside pick. A queue knows the items that sleep on it only by item->home: to wake one on
 * another CPU, runq_detach it from its home first (under that queue's lock), then insert. */
#ifndef SCHED_RUNQ_H
#define SCHED_RUNQ_H

#include "hv/lib/list.h"

#define RUNQ_SLICE_MAX_NS   (10 * NS_PER_MS)
#define RUNQ_SLICE_MIN_NS   (2 * NS_PER_MS)
#define RUNQ_BUDGET_MIN_NS  (NS_PER_MS / 5)     /* a capped item's shortest slice; what is too much becomes debt */
#define RUNQ_LATENCY_NS     (40 * NS_PER_MS)
#define RUNQ_CREDIT_NS      (5 * NS_PER_MS)
#define RUNQ_GRANULARITY_NS NS_PER_MS
#define RUNQ_PERIOD_NS      (100 * NS_PER_MS)

/* A domain's cap in percent of one CPU, as the cap_ns of each of its vCPUs. 0 percent: no cap. */
#define RUNQ_CAP_NS(percent, nr_vcpus) ((uint64_t)(percent) * (RUNQ_PERIOD_NS / 100) / (nr_vcpus))

struct vcpu;
struct runq;

/* 2^16 per ns and weight: 64 bits would wrap within days at weight 1, and then a long sleeper would seem far ahead. */
typedef __int128 vtime_t __attribute__((aligned(8)));

enum runq_state { RUNQ_OUT = 0, RUNQ_READY, RUNQ_PARKED, RUNQ_RUNNING };

struct runq_item {
    struct list link;                   /* in ready or parked */
    struct vcpu *vcpu;                  /* the caller's; not looked at here */
    struct runq *home;                  /* where vtime counts; NULL: vtime is the distance from any queue's clock */
    vtime_t vtime;
    uint64_t cap_ns;                    /* per period; 0: none */
    int64_t budget_ns;
    uint64_t period_start_ns;
    uint16_t weight;
    bool pinned;                        /* runq_steal leaves it */
    enum runq_state state;
};

struct runq {
    struct list ready;                  /* by rising vtime; equals in order of arrival */
    struct list parked;                 /* by rising time of replenishment */
    struct runq_item *running;
    vtime_t vclock;
    uint64_t charged_until_ns;          /* of running */
    unsigned nr_ready;
    uint64_t weight;                    /* sum over ready and running */
};

void runq_init(struct runq *q);
/* weight 1 to 65535; cap_ns >= RUNQ_PERIOD_NS is no cap. */
void runq_item_init(struct runq_item *item, struct vcpu *v, uint16_t weight, uint64_t cap_ns);
/* The same, later: the item is OUT or RUNNING. */
void runq_item_set(struct runq_item *item, uint16_t weight, uint64_t cap_ns);

/* The item competes here from now on: it is OUT (woken, new, stolen) or RUNNING here (its slice ended, preempted). */
void runq_insert(struct runq *q, struct runq_item *item, uint64_t now_ns);
/* It stops: READY, PARKED or RUNNING here. The home stays. */
void runq_remove(struct runq *q, struct runq_item *item);
/* An OUT item forgets its home, to be inserted elsewhere. */
void runq_detach(struct runq *q, struct runq_item *item);

/* What runs next and until when at most; NULL: nobody may. None is RUNNING before. */
struct runq_item *runq_pick(struct runq *q, uint64_t now_ns, uint64_t *slice_ns);
/* The running item used ran_ns more, up to now. */
void runq_charge(struct runq *q, uint64_t ran_ns, uint64_t now_ns);

/* Should `woken`, just inserted, have the CPU before the running one's slice ends? True if nobody runs. */
bool runq_preempts(const struct runq *q, const struct runq_item *woken, uint64_t now_ns);
/* When a parked item may run again; TIME_NEVER: none is parked. */
uint64_t runq_next_replenish(const struct runq *q);
/* An item that another, idle CPU should run instead: the one that would wait longest here, taken out and detached.
 * NULL: nothing to spare (this CPU's own next one is not) or all are pinned. */
struct runq_item *runq_steal(struct runq *q);

#endif
