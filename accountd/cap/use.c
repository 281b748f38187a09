/* What the running instances of each payer have used since they were last
 * charged, and how fast: live counters of the newest sample, priced as the
 * records will be. */
#include "accountd/accountd.h"
#include "accountd/cap/store.h"

#include <string.h>

int64_t cap_used(const struct cap_payer *p)
{
    return p->charged_nano + p->uncharged_nano;
}

int64_t cap_left(const struct cap_payer *p)
{
    return p->money_nano - p->uncharged_nano;
}

static int64_t burn_between(const struct cap_payer *p, unsigned from, unsigned to, uint64_t ns)
{
    uint64_t t = p->ring[to % CAP_RING].t_ns - p->ring[from % CAP_RING].t_ns;
    int64_t nano = p->ring[to % CAP_RING].used_nano - p->ring[from % CAP_RING].used_nano;
    unsigned __int128 burn;

    if (t == 0 || nano <= 0)
        return 0;
    burn = (unsigned __int128)nano * ns / t;
    return burn > INT64_MAX ? INT64_MAX : (int64_t)burn;
}

int64_t cap_burn(const struct cap_payer *p, uint64_t ns)
{
    unsigned newest = p->rounds - 1, oldest = p->rounds > CAP_RING ? p->rounds - CAP_RING : 0;
    int64_t all, last;

    if (p->rounds < 2)
        return 0;
    all = burn_between(p, oldest, newest, ns);
    /* An hour is for people and steady; the next turn of the loop is for the cap and careful. */
    last = ns <= CAP_LOOP_NS ? burn_between(p, newest - 1, newest, ns) : 0;
    return all > last ? all : last;
}

/* Whose use is the cap's affair: started, running, a customer's. */
bool cap_entry_runs(const struct journal_entry *e)
{
    return e->started && !e->ended && e->seen && e->slot.state == XS_SLOT_LIVE && e->last.price_book != 0;
}

/* The sample's own instant. A record ends a little before it, where hv has surely published all (meter.h). */
static struct meter_point point_now(const struct journal_entry *e)
{
    struct meter_point point = e->point;

    if (e->now_ns > point.t_ns) {
        point.at[METER_PAGE_NS] += (unsigned __int128)e->slot.pages * (e->now_ns - point.t_ns);
        point.t_ns = e->now_ns;
    }
    point.at[METER_GUEST_NS] += meter_running_ns(&e->slot, e->now_ns);
    return point;
}

static int look_up(struct accountd *a, struct journal_entry *e)
{
    struct ledger_registration r;
    struct cap_payer *p;

    if (ledger_registration(a->ledger, e->incarnation, &r) != LEDGER_OK)
        return -1;
    p = cap_payer_get(a, r.payer, r.account);
    if (!p)
        return -1;
    e->payer = (unsigned)(p - a->cap.payers) + 1;
    return 0;
}

static int add_use(struct accountd *a, struct journal_entry *e)
{
    struct meter_point now = point_now(e);
    struct cap_payer *p;
    struct meter_usage usage;
    int64_t nano;
    const char *fell;

    if (e->payer == 0 && look_up(a, e))
        return -1;
    p = &a->cap.payers[e->payer - 1];
    if (e->unpaid)
        return 0;
    p->live++;
    /* A counter that fell: its record will be an anomaly and bill nothing. */
    if (meter_between(&e->last.to, &now, &e->last.reserved, &usage, &fell))
        return 0;
    if (cap_price(a, e, &usage, &nano) || __builtin_add_overflow(p->uncharged_nano, nano, &p->uncharged_nano))
        return -1;
    return 0;
}

static int read_ledger(struct accountd *a, int64_t changes)
{
    if (changes == a->cap.changes)
        return 0;
    for (unsigned n = 0; n < a->cap.payers_count; n++)
        if (cap_payer_read(a->ledger, &a->cap.payers[n]))
            return -1;
    a->cap.changes = changes;
    return 0;
}

int cap_measure(struct accountd *a)
{
    struct cap *cap = &a->cap;
    int64_t changes = cap_changes(a->ledger);

    for (unsigned n = 0; n < cap->payers_count; n++)
        cap->payers[n].live = 0, cap->payers[n].uncharged_nano = 0;
    cap_prices_begin(cap, changes != cap->changes);
    for (struct journal_entry *e = a->journal.entries; e; e = e->next)
        if (cap_entry_runs(e) && add_use(a, e))
            return -1;
    if (read_ledger(a, changes))
        return -1;
    for (unsigned n = 0; n < cap->payers_count; n++) {
        struct cap_payer *p = &cap->payers[n];
        unsigned newest = p->rounds ? (p->rounds - 1) % CAP_RING : 0;

        /* Looked at again within one sample: its place in the ring stays. */
        if (p->rounds == 0 || p->ring[newest].t_ns != a->sample.now_ns)
            newest = p->rounds++ % CAP_RING;
        p->ring[newest].t_ns = a->sample.now_ns;
        p->ring[newest].used_nano = cap_used(p);
    }
    return 0;
}
