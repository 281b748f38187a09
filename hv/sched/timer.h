/* One-shot timers on the CPU that armed them. The handler runs in that CPU's window, no locks held. */
#ifndef SCHED_TIMER_H
#define SCHED_TIMER_H

#include "hv/lib/list.h"

struct timer {
    struct list link;
    uint64_t at_ns;
    unsigned cpu;
    void (*fire)(void *arg);
    void *arg;
};

void timer_init(struct timer *t, void (*fire)(void *), void *arg);
void timer_set(struct timer *t, uint64_t at_ns);        /* re-arms; the past fires at the next window */
void timer_stop(struct timer *t);                       /* after this fire() is not called for the old setting, unless
                                                         * it is being called right now on another CPU */

/* timer_stop, and waits for a fire() under way elsewhere: then the timer's memory may go. No locks held. */
void timer_stop_sync(struct timer *t);

void timer_init_cpu(void);
void timer_interrupt(void);              /* VECTOR_TIMER on this CPU */

#endif
