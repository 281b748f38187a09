#include "provisioner/worker.h"
#include "common/clock.h"
#include "common/log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define RETRY_MIN_MS    50
#define RETRY_MAX_MS    5000

/* When a job may go on; what is known of it only while the daemon runs. */
struct timing {
    int64_t number;             /* of the job; 0: free */
    int64_t since_ms;           /* of the present step's first wait or retry, 0: none */
    int64_t due_ms;             /* not before */
    unsigned retries;
    bool waiting;               /* an event makes it due */
    bool recovered;
    int64_t spent_ms[JOB_STEPS_MAX];    /* in each step, of the whole job */
};

struct schedule {
    struct timing *timings;
    size_t room;
    bool reconcile;             /* something changed since the last time */
    unsigned failures;          /* of reconciliation, in a row */
    char fill_after[STORE_ID_BYTES];    /* of volumes_fill: the last one that could not be made in this round */
    unsigned fill_failures;     /* rounds with such, in a row */
    bool first;                 /* jobs found now were interrupted */
};

static struct timing *timing_find(struct schedule *s, int64_t number)
{
    struct timing *unused = NULL;

    for (size_t i = 0; i < s->room; i++) {
        if (s->timings[i].number == number)
            return &s->timings[i];
        if (!s->timings[i].number)
            unused = &s->timings[i];
    }
    if (!unused) {
        size_t room = s->room ? 2 * s->room : 64;
        struct timing *more = reallocarray(s->timings, room, sizeof(*more));

        if (!more)
            fatalx("out of memory");
        memset(more + s->room, 0, (room - s->room) * sizeof(*more));
        unused = more + s->room;
        s->timings = more;
        s->room = room;
    }
    *unused = (struct timing){ .number = number, .recovered = !s->first };
    return unused;
}

static void news(const struct worker *worker)
{
    if (eventfd_write(worker->news_fd, 1))
        log_warn("eventfd: a waiting caller is told late");
}

static int64_t retry_delay_ms(unsigned retries)
{
    int64_t delay_ms = (int64_t)RETRY_MIN_MS << (retries < 7 ? retries : 7);

    return delay_ms < RETRY_MAX_MS ? delay_ms : RETRY_MAX_MS;
}

static void timing_set(struct timing *t, const struct run *run, enum job_turn turn, int64_t now)
{
    if (turn == TURN_MORE || turn == TURN_AGAIN || turn == TURN_END) {
        t->number = turn == TURN_END ? 0 : t->number;
        t->since_ms = t->due_ms = 0;
        t->retries = 0;
        t->waiting = false;
        return;
    }
    if (!t->since_ms)
        t->since_ms = now;
    t->waiting = turn == TURN_WAIT;
    t->due_ms = now + (turn == TURN_WAIT ? run->wait_ms : retry_delay_ms(t->retries++));
}

/* Where a job's time went, for whoever finds it slow. */
static void spent_log(const struct run *run, const struct timing *t)
{
    const struct job_type *type = job_type_find(run->job.type);
    char text[512] = "";
    size_t used = 0;

    for (unsigned i = 0; i < job_type_steps(type) && used < sizeof(text); i++)
        if (t->spent_ms[i])
            used += (size_t)snprintf(text + used, sizeof(text) - used, " %s %jd", type->steps[i]->name,
                                     (intmax_t)t->spent_ms[i]);
    log_info("instance %s: %s, ms in each step:%s", run->job.instance_id, type->name, text);
}

/* One step of one job. */
static enum job_turn turn_take(struct worker *worker, struct schedule *s, struct run *run, struct timing *t)
{
    int64_t now = clock_monotonic_ms(), step = run->job.step;
    enum job_turn turn;

    run->tools = &worker->tools;
    if (store_instance_find(worker->tools.store, run->job.instance_id, &run->instance) != 1) {
        turn = TURN_RETRY;
    } else if (!t->recovered) {
        t->recovered = !job_recover(run);
        turn = t->recovered ? TURN_MORE : TURN_RETRY;
    } else {
        run->waited_ms = t->since_ms ? now - t->since_ms : 0;
        turn = job_advance(run);
    }
    t->spent_ms[step] += clock_monotonic_ms() - now;
    timing_set(t, run, turn, clock_monotonic_ms());
    if (turn == TURN_END) {
        spent_log(run, t);
        s->reconcile = true;
    }
    if (turn == TURN_END || turn == TURN_MORE)
        news(worker);
    return turn;
}

/* Each job that is due, as far as it goes: what one was promised (memory that
 * was free when it was admitted) is not given to the next, and the first of
 * many is not as late as the last. Returns when the next one is (now: something
 * was done), or -1 when nothing will ever be without an event. */
static int64_t pass_make(struct worker *worker, struct schedule *s)
{
    struct run run;
    int64_t after = 0, next_ms = -1;
    int rc;

    while ((rc = store_job_next(worker->tools.store, after, &run.job)) == 1) {
        struct timing *t = timing_find(s, run.job.number);

        after = run.job.number;
        while (t->due_ms <= clock_monotonic_ms() && turn_take(worker, s, &run, t) == TURN_MORE &&
               !atomic_load(&worker->stop))
            ;
        if (!t->due_ms)
            next_ms = 0;
        if (t->due_ms && (next_ms < 0 || t->due_ms < next_ms))
            next_ms = t->due_ms;
    }
    if (rc < 0)
        return clock_monotonic_ms() + RETRY_MAX_MS;
    s->first = false;
    return next_ms;
}

/* A volume that is to be a copy of an image, and belongs to no instance whose job
 * would see to it. One that cannot be made (its image is not offered any more) keeps no other
 * from its turn. When to go on (0: now), -1 when there is none. */
static int64_t volumes_fill(struct worker *worker, struct schedule *s)
{
    struct volume v;
    int percent, rc = store_volume_waiting(worker->tools.store, s->fill_after, &v);

    if (rc < 0)
        return clock_monotonic_ms() + RETRY_MAX_MS;
    if (!rc && !*s->fill_after) {
        s->fill_failures = 0;
        return -1;
    }
    if (!rc) {
        s->fill_after[0] = 0;
        return clock_monotonic_ms() + retry_delay_ms(s->fill_failures++);
    }
    rc = volume_make(&worker->tools, &v, &percent);
    if (rc >= 0)
        return 0;
    if (!s->fill_failures)
        log_warnx("volume %s: %s; tried again and again", v.volume_id, strerror(-rc));
    snprintf(s->fill_after, sizeof(s->fill_after), "%s", v.volume_id);
    return 0;
}

static int64_t sooner(int64_t a_ms, int64_t b_ms)
{
    return a_ms < 0 || (b_ms >= 0 && b_ms < a_ms) ? b_ms : a_ms;
}

static void waiters_wake(struct schedule *s)
{
    for (size_t i = 0; i < s->room; i++)
        if (s->timings[i].waiting)
            s->timings[i].due_ms = 0;
}

/* Until something happens or until_ms (-1: no limit). */
static void events_take(struct worker *worker, struct schedule *s, int64_t until_ms)
{
    struct pollfd at[2] = { { .fd = worker->wake_fd, .events = POLLIN },
                            { .fd = xenstore_fd(worker->tools.xenstore), .events = POLLIN } };
    int64_t left = until_ms - clock_monotonic_ms();
    enum xenstore_event event;
    eventfd_t ignored;

    if (until_ms >= 0 && left < 0)
        left = 0;
    if (poll(at, 2, until_ms < 0 ? -1 : (int)left) < 0 && errno != EINTR)
        fatal("poll");
    if (at[0].revents) {
        eventfd_read(worker->wake_fd, &ignored);
        waiters_wake(s);
        s->reconcile |= atomic_exchange(&worker->settle, false);
    }
    if (at[1].revents & (POLLERR | POLLHUP))
        fatalx("xenstored has gone: restart it, and then this daemon");
    while ((event = xenstore_changed(worker->tools.xenstore))) {
        waiters_wake(s);
        s->reconcile |= event == XENSTORE_DOMAIN;
    }
}

void worker_run(struct worker *worker, bool until_idle)
{
    struct schedule s = { .first = true, .reconcile = true };
    bool leftovers = true;

    while (!atomic_load(&worker->stop)) {
        int64_t next_ms = pass_make(worker, &s);

        next_ms = sooner(next_ms, volumes_fill(worker, &s));
        if (next_ms == 0)
            continue;
        if (s.reconcile) {
            int rc = reconcile(&worker->tools);

            if (!rc && leftovers) {
                rc = reconcile_leftovers(&worker->tools);
                leftovers = rc != 0;
            }
            s.reconcile = rc != 0;
            if (!rc) {
                s.failures = 0;
                continue;               /* it may have added jobs */
            }
            log_warnx("reconciliation: %s; tried again", strerror(-rc));
            next_ms = sooner(next_ms, clock_monotonic_ms() + retry_delay_ms(s.failures++));
        }
        if (until_idle && next_ms < 0)
            break;
        events_take(worker, &s, next_ms);
    }
    free(s.timings);
}
