/* What an operator has suspended: an account, or one instance. A bar is a row of its own beside money's word, so that
 * neither undoes the other; while one stands the guests are paused and bill nothing, no grace runs, and nothing more is
 * launched. It ends when an operator ends it. */
#include "accountd/accountd.h"
#include "accountd/cap/alerts.h"
#include "accountd/cap/store.h"
#include "common/log.h"

#include <stdio.h>
#include <string.h>

bool cap_bar_is_about(const struct cap_bar *bar, const char *account, const char *instance)
{
    return strcmp(bar->subject, account) == 0 || strcmp(bar->subject, instance) == 0;
}

const struct cap_bar *cap_bar_find(const struct cap *cap, const char *account, const char *instance)
{
    for (unsigned n = 0; n < cap->bars_count; n++)
        if (cap_bar_is_about(&cap->bars[n], account, instance))
            return &cap->bars[n];
    return NULL;
}

void bars_keep(struct cap *cap, const struct cap_bar *bar)
{
    cap->bars = cap_room(cap->bars, cap->bars_count, &cap->bars_room, sizeof(*bar));
    cap->bars[cap->bars_count++] = *bar;
}

static int say(struct accountd *a, const struct cap_bar *bar)
{
    bool all = strcmp(bar->subject, bar->account) == 0;
    char key[160], subject[160];

    snprintf(key, sizeof(key), "bar %s", bar->subject);
    snprintf(subject, sizeof(subject), "The operator has suspended %s%s", all ? "this account" : "instance ",
             all ? "" : bar->subject);
    return alert_raise(a->ledger, key, "barred", bar->account, subject,
                       "What runs of it is paused and costs nothing; its memory and disks are kept, and nothing is"
                       " deleted because of this. Ask the operator of this host.", bar->at_ms);
}

enum ledger_result cap_bar_put(struct accountd *a, const struct cap_bar *bar)
{
    const struct cap_bar *known = cap_bar_find(&a->cap, bar->subject, bar->subject);

    if (known)
        return LEDGER_EXISTS;
    if (ledger_begin(a->ledger))
        return LEDGER_FAILED;
    if (bar_put_locked(a->ledger, bar) || say(a, bar)) {
        ledger_rollback(a->ledger);
        return LEDGER_FAILED;
    }
    if (ledger_commit(a->ledger))
        return LEDGER_FAILED;
    bars_keep(&a->cap, bar);
    log_warnx("%s: suspended by operator %s: %s", bar->subject, bar->operator_id, bar->reason);
    return LEDGER_OK;
}

enum ledger_result cap_bar_drop(struct accountd *a, const char *subject)
{
    const struct cap_bar *bar = cap_bar_find(&a->cap, subject, subject);
    char key[160];

    if (!bar)
        return LEDGER_NOT_FOUND;
    snprintf(key, sizeof(key), "bar %s", subject);
    if (ledger_begin(a->ledger))
        return LEDGER_FAILED;
    if (bar_drop_locked(a->ledger, subject) || alert_clear(a->ledger, key, a->clock.utc_ms)) {
        ledger_rollback(a->ledger);
        return LEDGER_FAILED;
    }
    if (ledger_commit(a->ledger))
        return LEDGER_FAILED;
    a->cap.bars[bar - a->cap.bars] = a->cap.bars[--a->cap.bars_count];
    log_info("%s: an operator lets it go on", subject);
    return LEDGER_OK;
}

/* Guests that run and are barred get a row: paused from its word on, until the bar is gone. */
static int take_in(struct accountd *a)
{
    for (const struct journal_entry *e = a->journal.entries; e && a->cap.bars_count; e = e->next) {
        struct cap_instance *i;

        if (!cap_entry_runs(e) || !e->payer || !cap_bar_find(&a->cap, e->last.account, e->last.instance) ||
            cap_instance_find(&a->cap, e->last.instance))
            continue;
        i = cap_instance_add(&a->cap, e->last.instance, e->last.account, a->cap.payers[e->payer - 1].payer);
        if (cap_instance_put(a->ledger, i)) {
            a->cap.instances_count--;
            return -1;
        }
    }
    return 0;
}

/* Brings one row into line with the bars. While its payer has no money either, only who says so may change. */
static int settle(struct accountd *a, struct cap_instance *i)
{
    const struct cap_payer *p = cap_payer_find(&a->cap, i->payer);
    struct cap_instance row = *i;

    row.barred = cap_bar_find(&a->cap, i->account, i->instance) != NULL;
    if (!p || p->state == CAP_OK)
        row.want = cap_want(CAP_OK, row.barred);
    if (row.want == i->want && row.barred == i->barred)
        return 0;
    if (row.want != i->want && cap_instance_put(a->ledger, &row))
        return -1;
    row.came = false;
    *i = row;
    return 0;
}

int bars_watch(struct accountd *a)
{
    int rc = take_in(a);

    for (unsigned n = 0; n < a->cap.instances_count && rc == 0; n++)
        rc = settle(a, &a->cap.instances[n]);
    return rc;
}
