/* How far the cap was overrun: from the moment when a payer's money was used
 * up until the guest_ns of each of its guests stood still, and what was used
 * between. A restart of the daemon in these seconds loses the measurement, and
 * nothing else. */
#include "accountd/accountd.h"
#include "accountd/cap/store.h"
#include "common/log.h"

#include <string.h>

/* On the line through the last two samples; never before the one in which there still was money. */
static uint64_t gone_at(const struct accountd *a, const struct cap_payer *p, int64_t left_nano)
{
    uint64_t now = a->sample.now_ns, before = p->rounds > 1 ? p->ring[(p->rounds - 2) % CAP_RING].t_ns : now;
    int64_t burn = cap_burn(p, CAP_LOOP_NS);
    __int128 at = now;

    if (burn > 0)
        at += (__int128)left_nano * CAP_LOOP_NS / burn;
    return at < before ? before : (uint64_t)at;
}

void stops_begin(struct accountd *a, struct cap_payer *p)
{
    int64_t left = cap_left(p);

    p->stopping = true;
    p->gone_ns = gone_at(a, p, left);
    p->gone_used_nano = cap_used(p) + left;
    p->gone_ms = a->clock.utc_ms + ((int64_t)p->gone_ns - (int64_t)a->sample.now_ns) / 1000000;
}

static const struct journal_entry *live_entry(const struct accountd *a, const char *instance)
{
    for (const struct journal_entry *e = a->journal.entries; e; e = e->next)
        if (e->started && !e->ended && e->seen && strcmp(e->last.instance, instance) == 0)
            return e;
    return NULL;
}

static void stopped_at(const struct cap_payer *p, struct cap_instance *i, uint64_t ns)
{
    i->stopped = true;
    i->stop_ms = ns > p->gone_ns ? (int64_t)((ns - p->gone_ns) / 1000000) : 0;
}

static void look(const struct accountd *a, const struct cap_payer *p, struct cap_instance *i)
{
    const struct journal_entry *e = live_entry(a, i->instance);

    if (!e) {
        stopped_at(p, i, a->sample.now_ns);
    } else if (i->seen_ns == 0 || e->slot.guest_ns != i->guest_ns || e->slot.vcpus_running) {
        i->guest_ns = e->slot.guest_ns;
        i->seen_ns = e->now_ns;
    } else if (i->held && e->unpaid && e->now_ns != i->seen_ns) {
        stopped_at(p, i, i->seen_ns);
    }
}

static int put_event(struct accountd *a, struct cap_payer *p, unsigned count, int64_t stop_ms)
{
    int64_t over = cap_used(p) - p->gone_used_nano;
    int rc = ledger_begin(a->ledger);

    if (rc)
        return -1;
    rc = cap_event_put_locked(a->ledger, p, count, stop_ms, over > 0 ? over : 0);
    for (unsigned n = 0; n < a->cap.instances_count && rc == 0; n++)
        if (strcmp(a->cap.instances[n].payer, p->payer) == 0)
            rc = cap_stop_put_locked(a->ledger, &a->cap.instances[n]);
    if (rc)
        ledger_rollback(a->ledger);
    if (rc || ledger_commit(a->ledger))
        return -1;
    p->stopping = false;
    log_info("payer %s: %u instances stopped within %jd ms of the end of its money, %jd nano past it", p->payer, count,
             (intmax_t)stop_ms, (intmax_t)(over > 0 ? over : 0));
    return 0;
}

static int watch(struct accountd *a, struct cap_payer *p)
{
    unsigned count = 0, running = 0;
    int64_t most_ms = 0;

    for (unsigned n = 0; n < a->cap.instances_count; n++) {
        struct cap_instance *i = &a->cap.instances[n];

        if (strcmp(i->payer, p->payer) != 0)
            continue;
        if (!i->stopped)
            look(a, p, i);
        count++;
        running += !i->stopped;
        most_ms = i->stop_ms > most_ms ? i->stop_ms : most_ms;
    }
    return running ? 0 : put_event(a, p, count, most_ms);
}

int stops_watch(struct accountd *a)
{
    int rc = 0;

    for (unsigned n = 0; n < a->cap.payers_count; n++)
        if (a->cap.payers[n].stopping)
            rc |= watch(a, &a->cap.payers[n]);
    return rc;
}
