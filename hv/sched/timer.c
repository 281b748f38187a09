/* Per-CPU lists by rising time. Lists, not heaps: a CPU has a timer per vCPU and a slice, and most are set near the
 * front. */
#include "hv/sched/timer.h"
#include "hv/arch/lapic.h"
#include "hv/arch/percpu.h"
#include "hv/arch/tsc.h"

static struct timer_cpu {
    struct spinlock lock;               /* order 9 in LOCKING.md; two: lower CPU first */
    struct list armed;
    struct timer *firing;               /* its fire() runs now; written under the lock */
} timer_cpu[CPUS_MAX];

void timer_init_cpu(void)
{
    list_init(&timer_cpu[this_cpu()->id].armed);
}

void timer_init(struct timer *t, void (*fire)(void *), void *arg)
{
    list_init(&t->link);
    t->at_ns = TIME_NEVER;
    t->cpu = this_cpu()->id;
    t->fire = fire;
    t->arg = arg;
}

/* Programs the hardware for the first timer. Own CPU, its lock held. */
static void program(struct timer_cpu *c)
{
    lapic_timer_set(list_empty(&c->armed) ? TIME_NEVER : LIST_ITEM(c->armed.next, struct timer, link)->at_ns);
}

/* Locks the list that t is or was last on, and this CPU's: t->cpu changes under both only. So a timer that two CPUs set
 * at once (its fire() arms it again here while its vCPU, moved elsewhere, sets it there) is on one list at any time. */
static struct timer_cpu *lock_both(struct timer *t)
{
    struct timer_cpu *mine = &timer_cpu[this_cpu()->id];

    for (;;) {
        struct timer_cpu *old = &timer_cpu[READ_ONCE(t->cpu)];

        spin_lock_two(&old->lock, &mine->lock);
        if (&timer_cpu[t->cpu] == old)
            return old;
        spin_unlock_two(&old->lock, &mine->lock);
    }
}

void timer_stop(struct timer *t)
{
    struct timer_cpu *mine = &timer_cpu[this_cpu()->id], *old = lock_both(t);

    list_del(&t->link);
    t->at_ns = TIME_NEVER;              /* hardware may fire for nothing, once */
    spin_unlock_two(&old->lock, &mine->lock);
}

/* Until a look at all CPUs finds none in fire(): one that was there may have armed it again, and it may have fired. */
void timer_stop_sync(struct timer *t)
{
    bool fired;

    do {
        timer_stop(t);
        fired = false;
        for (unsigned i = 0; i < cpus_online; i++) {
            while (i != this_cpu()->id && READ_ONCE(timer_cpu[i].firing) == t) {
                fired = true;
                __builtin_ia32_pause();
            }
        }
    } while (fired);
}

void timer_set(struct timer *t, uint64_t at_ns)
{
    struct timer_cpu *c = &timer_cpu[this_cpu()->id], *old;
    struct list *at;

    if (at_ns == TIME_NEVER) {
        timer_stop(t);
        return;
    }
    old = lock_both(t);
    list_del(&t->link);
    t->cpu = this_cpu()->id;
    t->at_ns = at_ns;
    for (at = c->armed.next; at != &c->armed; at = at->next) {
        if (LIST_ITEM(at, struct timer, link)->at_ns > at_ns)
            break;
    }
    list_add_before(&t->link, at);
    if (c->armed.next == &t->link)
        program(c);
    spin_unlock_two(&old->lock, &c->lock);
}

void timer_interrupt(void)
{
    struct timer_cpu *c = &timer_cpu[this_cpu()->id];

    spin_lock(&c->lock);
    while (!list_empty(&c->armed)) {
        struct timer *t = LIST_ITEM(c->armed.next, struct timer, link);

        if (t->at_ns > now_ns())
            break;
        list_del(&t->link);
        t->at_ns = TIME_NEVER;
        WRITE_ONCE(c->firing, t);
        spin_unlock(&c->lock);
        t->fire(t->arg);
        spin_lock(&c->lock);
        WRITE_ONCE(c->firing, NULL);
    }
    program(c);
    spin_unlock(&c->lock);
}
