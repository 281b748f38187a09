/* From money to who may run. */
#include "accountd/accountd.h"
#include "accountd/cap/alerts.h"
#include "accountd/cap/store.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_NS  60000000000ull
#define MARK_EACH_MS 60000              /* so much of a grace may be counted twice in the customer's favour */

struct cap_payer *cap_payer_find(struct cap *cap, const char *payer)
{
    for (unsigned n = 0; n < cap->payers_count; n++)
        if (strcmp(cap->payers[n].payer, payer) == 0)
            return &cap->payers[n];
    return NULL;
}

struct cap_instance *cap_instance_find(struct cap *cap, const char *instance)
{
    for (unsigned n = 0; n < cap->instances_count; n++)
        if (strcmp(cap->instances[n].instance, instance) == 0)
            return &cap->instances[n];
    return NULL;
}

void *cap_room(void *list, unsigned count, unsigned *room, size_t bytes)
{
    if (count < *room)
        return list;
    *room = *room ? 2 * *room : 16;
    list = reallocarray(list, *room, bytes);
    if (!list)
        fatal("cap");
    return list;
}

static struct cap_payer *payer_add(struct cap *cap, const struct cap_payer *payer)
{
    cap->payers = cap_room(cap->payers, cap->payers_count, &cap->payers_room, sizeof(*payer));
    cap->payers[cap->payers_count] = *payer;
    return &cap->payers[cap->payers_count++];
}

struct cap_payer *cap_payer_get(struct accountd *a, const char *payer, const char *account)
{
    struct cap_payer *p = cap_payer_find(&a->cap, payer), new = { .seq = INT64_MAX };

    if (p)
        return p;
    snprintf(new.payer, sizeof(new.payer), "%s", payer);
    snprintf(new.account, sizeof(new.account), "%s", account);
    /* After the newest transfer there is none: the sum begins here. */
    return cap_payer_read(a->ledger, &new) ? NULL : payer_add(&a->cap, &new);
}

struct cap_instance *cap_instance_add(struct cap *cap, const char *instance, const char *account, const char *payer)
{
    struct cap_instance *i;

    cap->instances = cap_room(cap->instances, cap->instances_count, &cap->instances_room, sizeof(*i));
    i = &cap->instances[cap->instances_count++];
    *i = (struct cap_instance){ .want = ACKER_SUSPEND, .barred = cap_bar_find(cap, account, instance) != NULL };
    snprintf(i->instance, sizeof(i->instance), "%s", instance);
    snprintf(i->account, sizeof(i->account), "%s", account);
    snprintf(i->payer, sizeof(i->payer), "%s", payer);
    return i;
}

static int load_payer(void *arg, const struct cap_payer *payer)
{
    struct accountd *a = arg;
    struct cap_payer *p = cap_payer_get(a, payer->payer, payer->account), row = *payer;

    if (!p)
        return -1;
    row.money_nano = p->money_nano;
    row.seq = p->seq;
    *p = row;
    return 0;
}

static int load_instance(void *arg, const struct cap_instance *instance)
{
    struct accountd *a = arg;
    struct cap_instance *i = cap_instance_add(&a->cap, instance->instance, instance->account, instance->payer);

    i->want = instance->want;
    i->held = instance->held;
    return 0;
}

int cap_open(struct accountd *a, const struct cap_graces *graces)
{
    a->cap = (struct cap){ .graces = *graces };
    return bar_each(a->ledger, bars_keep, &a->cap) || cap_each_payer(a->ledger, load_payer, a) ||
           cap_each_instance(a->ledger, load_instance, a) ? -1 : 0;
}

void cap_close(struct accountd *a)
{
    budgets_free(&a->cap);
    cap_prices_free(&a->cap);
    free(a->cap.payers);
    free(a->cap.instances);
    free(a->cap.bars);
    a->cap = (struct cap){ .payers = NULL };
}

static void instance_forget(struct cap *cap, struct cap_instance *i)
{
    *i = cap->instances[--cap->instances_count];
}

/* The row first: what is not stored is said again. */
static bool came(struct accountd *a, struct cap_instance *i, enum acker_want want)
{
    struct cap_instance row = *i;

    if (i->want != want)
        return false;
    row.held = row.came = true;
    if (want == ACKER_RUN || want == ACKER_DELETE) {
        if (cap_instance_drop(a->ledger, i->instance))
            return false;
        instance_forget(&a->cap, i);
        return true;
    }
    if (!i->held && cap_instance_put(a->ledger, &row))
        return false;
    *i = row;
    return true;
}

bool cap_answers(struct accountd *a)
{
    char instance[RECORD_NAME_BYTES];
    enum acker_want want;
    bool any = false;

    while (acker_came(a->acker, instance, &want)) {
        struct cap_instance *i = cap_instance_find(&a->cap, instance);

        any |= i && came(a, i, want);
    }
    return any;
}

void cap_mark(struct accountd *a)
{
    for (struct journal_entry *e = a->journal.entries; e; e = e->next) {
        const struct cap_instance *i = e->started && a->cap.instances_count
            ? cap_instance_find(&a->cap, e->last.instance) : NULL;

        e->unpaid_next = i && i->held;
    }
}

static int64_t elapsed_ms(const struct accountd *a, const struct cap_payer *p)
{
    if (strcmp(p->boot, a->journal.boot) != 0 || a->sample.now_ns < p->mark_ns)
        return p->elapsed_ms;
    return p->elapsed_ms + (int64_t)((a->sample.now_ns - p->mark_ns) / 1000000);
}

static void mark(const struct accountd *a, struct cap_payer *p, int64_t so_far_ms)
{
    p->elapsed_ms = so_far_ms;
    p->mark_ns = a->sample.now_ns;
    snprintf(p->boot, sizeof(p->boot), "%s", a->journal.boot);
}

/* hv's clock begins anew with each boot: what has passed is stored from time to time. */
static int keep_time(struct accountd *a, struct cap_payer *p)
{
    struct cap_payer row = *p;
    int64_t now_ms = elapsed_ms(a, p);

    if (strcmp(p->boot, a->journal.boot) == 0 && now_ms - p->elapsed_ms < MARK_EACH_MS)
        return 0;
    mark(a, &row, now_ms);
    if (cap_payer_put(a->ledger, &row))
        return -1;
    *p = row;
    return 0;
}

int64_t cap_grace_left_ms(const struct accountd *a, const struct cap_payer *p)
{
    return 1000 * (p->state == CAP_SUSPENDED ? a->cap.graces.suspended_s : a->cap.graces.retention_s) -
           elapsed_ms(a, p);
}

enum acker_want cap_want(enum cap_state state, bool barred)
{
    static const enum acker_want wants[CAP_STATES] = { ACKER_RUN, ACKER_SUSPEND, ACKER_STOP, ACKER_DELETE };

    return state == CAP_OK && barred ? ACKER_SUSPEND : wants[state];
}

/* The payer's new state and what is wanted of its instances, in one transaction; memory follows. */
static int turn(struct accountd *a, struct cap_payer *p, enum cap_state state)
{
    struct cap_payer row = *p;
    int rc = ledger_begin(a->ledger);

    if (rc)
        return -1;
    row.state = state;
    row.since_ms = a->clock.utc_ms;
    mark(a, &row, 0);
    rc = state == CAP_OK ? cap_payer_drop(a->ledger, p->payer) : cap_payer_put(a->ledger, &row);
    for (unsigned n = 0; n < a->cap.instances_count && rc == 0; n++) {
        struct cap_instance i = a->cap.instances[n];

        i.want = cap_want(state, i.barred);
        if (strcmp(i.payer, p->payer) == 0)
            rc = cap_instance_put(a->ledger, &i);
    }
    if (rc == 0 && state != CAP_OK)
        rc = cap_say(a, &row);
    if (rc)
        ledger_rollback(a->ledger);
    if (rc || ledger_commit(a->ledger))
        return -1;
    *p = row;
    for (unsigned n = 0; n < a->cap.instances_count; n++)
        if (strcmp(a->cap.instances[n].payer, p->payer) == 0) {
            a->cap.instances[n].want = cap_want(state, a->cap.instances[n].barred);
            a->cap.instances[n].came = false;
        }
    return 0;
}

/* All of its instances that run are to have rows; those that get one now are stored by `turn` or one by one. */
static unsigned take_in(struct accountd *a, const struct cap_payer *p)
{
    unsigned place = (unsigned)(p - a->cap.payers) + 1, added = 0;

    for (const struct journal_entry *e = a->journal.entries; e; e = e->next)
        if (e->payer == place && e->started && !e->ended && e->seen && !cap_instance_find(&a->cap, e->last.instance)) {
            cap_instance_add(&a->cap, e->last.instance, p->account, p->payer);
            added++;
        }
    return added;
}

static int suspend(struct accountd *a, struct cap_payer *p)
{
    unsigned before = a->cap.instances_count;

    p->minute_nano = cap_burn(p, MINUTE_NS);
    take_in(a, p);
    if (turn(a, p, CAP_SUSPENDED)) {
        a->cap.instances_count = before;
        return -1;
    }
    stops_begin(a, p);
    log_warnx("payer %s: %jd nano are left: its %u instances are suspended", p->payer, (intmax_t)cap_left(p), p->live);
    return 0;
}

/* One that was registered in the same second. */
static int suspend_more(struct accountd *a, const struct cap_payer *p)
{
    unsigned before = a->cap.instances_count;

    for (unsigned n = 0, added = take_in(a, p); n < added; n++)
        if (cap_instance_put(a->ledger, &a->cap.instances[before + n])) {
            a->cap.instances_count = before + n;
            return -1;
        }
    return 0;
}

static int go_on(struct accountd *a, struct cap_payer *p)
{
    char prefix[160];

    log_info("payer %s: there is money again", p->payer);
    p->stopping = false;
    p->rounds = 0;
    snprintf(prefix, sizeof(prefix), "cap %s ", p->payer);
    return turn(a, p, CAP_OK) || alert_clear_all(a->ledger, prefix, a->clock.utc_ms) ? -1 : 0;
}

static int watch_payer(struct accountd *a, struct cap_payer *p)
{
    int64_t left = cap_left(p);

    if (p->state == CAP_OK)
        return p->live && left <= cap_burn(p, CAP_LOOP_NS) ? suspend(a, p) : balance_watch(a, p);
    if (left > p->minute_nano)
        return go_on(a, p);
    if (suspend_more(a, p) || keep_time(a, p))
        return -1;
    if (p->state == CAP_DELETED || cap_grace_left_ms(a, p) > 0)
        return 0;
    return turn(a, p, p->state == CAP_SUSPENDED ? CAP_STOPPED : CAP_DELETED);
}

int cap_watch(struct accountd *a)
{
    int rc = cap_measure(a);

    for (unsigned n = 0; n < a->cap.payers_count && rc == 0; n++)
        rc = watch_payer(a, &a->cap.payers[n]);
    rc = rc || bars_watch(a) ? -1 : 0;
    for (unsigned n = 0; n < a->cap.instances_count && a->acker; n++)
        if (!a->cap.instances[n].came)
            acker_want(a->acker, a->cap.instances[n].instance, a->cap.instances[n].want, a->cap.instances[n].barred);
    return rc || stops_watch(a) || budgets_watch(a) ? -1 : 0;
}

bool cap_allows(struct accountd *a, const char *payer)
{
    struct cap_payer *p = cap_payer_find(&a->cap, payer);

    if (!p || p->state == CAP_OK)
        return true;
    /* It may have been topped up a moment ago. */
    cap_watch(a);
    return cap_payer_find(&a->cap, payer)->state == CAP_OK;
}
