/* What the cap says of itself: alerts and the answers of its verbs. */
#include "accountd/accountd.h"
#include "accountd/cap/alerts.h"
#include "accountd/cap/store.h"

#include <stdio.h>
#include <string.h>

/* "3 h", "20 s": a grace, for people. */
static const char *span_text(int64_t s, char text[static 40])
{
    if (s >= 2 * 86400)
        snprintf(text, 40, "%jd days", (intmax_t)(s / 86400));
    else if (s >= 2 * 3600)
        snprintf(text, 40, "%jd hours", (intmax_t)(s / 3600));
    else
        snprintf(text, 40, "%jd s", (intmax_t)s);
    return text;
}

int cap_say(struct accountd *a, const struct cap_payer *p)
{
    char key[160], subject[160], detail[400], first[40], then[40];
    const char *state = cap_state_names[p->state];
    const struct cap_graces *g = &a->cap.graces;

    snprintf(key, sizeof(key), "cap %s %s", p->payer, state);
    snprintf(subject, sizeof(subject), "The money of %s is gone: its instances are %s", p->payer, state);
    if (p->state == CAP_SUSPENDED)
        snprintf(detail, sizeof(detail),
                 "They are paused and cost nothing; their memory is kept. Top up %s and they go on. After"
                 " %s they are powered off, and %s later deleted.",
                 p->payer, span_text(g->suspended_s, first), span_text(g->retention_s, then));
    else if (p->state == CAP_STOPPED)
        snprintf(detail, sizeof(detail),
                 "They were suspended for %s and are powered off now; their disks are kept. Top up %s and"
                 " start them yourself: money alone starts nothing. In %s they are deleted.",
                 span_text(g->suspended_s, first), p->payer, span_text(g->retention_s, then));
    else
        snprintf(detail, sizeof(detail), "They were kept for %s after they had been powered off.",
                 span_text(g->retention_s, then));
    return alert_raise(a->ledger, key, state, p->account, subject, detail, a->clock.utc_ms);
}

static json_t *instance_json(const struct cap_instance *i)
{
    return json_pack("{s:s, s:s, s:b}", "instance_id", i->instance, "want", acker_want_names[i->want], "held",
                     (int)i->held);
}

static json_t *payer_json(const struct accountd *a, const struct cap_payer *p)
{
    static const char *const next[CAP_STATES] = { NULL, "stop", "delete", NULL };
    int64_t left_ms = cap_grace_left_ms(a, p);
    json_t *instances = json_array();

    for (unsigned n = 0; n < a->cap.instances_count; n++)
        if (strcmp(a->cap.instances[n].payer, p->payer) == 0)
            json_array_append_new(instances, instance_json(&a->cap.instances[n]));
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s?, s:o, s:o}", "payer", p->payer, "account_id", p->account, "state",
                     cap_state_names[p->state], "by", "money", "since_ms", (json_int_t)p->since_ms, "next",
                     next[p->state], "next_in_ms",
                     next[p->state] ? json_integer(left_ms > 0 ? left_ms : 0) : json_null(), "instances", instances);
}

json_t *cap_bar_json(const struct accountd *a, const struct cap_bar *bar)
{
    json_t *instances = json_array();

    for (unsigned n = 0; n < a->cap.instances_count; n++)
        if (cap_bar_is_about(bar, a->cap.instances[n].account, a->cap.instances[n].instance))
            json_array_append_new(instances, instance_json(&a->cap.instances[n]));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:n, s:n, s:o}", "payer", bar->subject, "account_id",
                     bar->account, "state", "suspended", "by", "operator", "operator", bar->operator_id, "reason",
                     bar->reason, "since_ms", (json_int_t)bar->at_ms, "next", "next_in_ms", "instances", instances);
}

json_t *cap_suspensions(struct accountd *a, const char *account)
{
    json_t *list = json_array();

    for (unsigned n = 0; n < a->cap.payers_count; n++)
        if (a->cap.payers[n].state != CAP_OK && (!account || strcmp(a->cap.payers[n].account, account) == 0))
            json_array_append_new(list, payer_json(a, &a->cap.payers[n]));
    for (unsigned n = 0; n < a->cap.bars_count; n++)
        if (!account || strcmp(a->cap.bars[n].account, account) == 0)
            json_array_append_new(list, cap_bar_json(a, &a->cap.bars[n]));
    return list;
}

/* Of all that the account's payers use: what goes out in an hour, and what was used and is in no record yet. */
static json_t *burn_json(const struct accountd *a, const char *account)
{
    int64_t hour_nano = 0, uncharged_nano = 0;

    for (unsigned n = 0; n < a->cap.payers_count; n++) {
        const struct cap_payer *p = &a->cap.payers[n];

        if (strcmp(p->account, account) == 0 && p->live) {
            hour_nano += cap_burn(p, CAP_HOUR_NS);
            uncharged_nano += p->uncharged_nano;
        }
    }
    return json_pack("{s:o, s:o}", "burn_nano_per_hour", json_decimal(hour_nano), "uncharged_nano",
                     json_decimal(uncharged_nano));
}

json_t *cap_bar_preview(const struct accountd *a, const char *account, const char *instance)
{
    json_t *list = json_array(), *preview = burn_json(a, account);

    for (const struct journal_entry *e = a->journal.entries; e; e = e->next)
        if (cap_entry_runs(e) && strcmp(e->last.account, account) == 0 &&
            (!instance || strcmp(e->last.instance, instance) == 0))
            json_array_append_new(list, json_pack("{s:s, s:b}", "instance_id", e->last.instance, "paused",
                                                  (int)e->unpaid));
    json_object_set_new(preview, "instances", list);
    json_object_set_new(preview, "currency", json_string(LEDGER_CURRENCY));
    return preview;
}

void cap_show(struct accountd *a, const char *payer, json_t *object)
{
    const struct cap_payer *p = cap_payer_find(&a->cap, payer);
    int64_t hour = p && p->live ? cap_burn(p, CAP_HOUR_NS) : 0, left = p ? cap_left(p) : 0;
    __int128 ms = hour > 0 && left > 0 ? (__int128)left * 3600000 / hour : 0;

    json_object_set_new(object, "cap_state", json_string(cap_state_names[p ? p->state : CAP_OK]));
    json_object_set_new(object, "burn_nano_per_hour", json_decimal(hour));
    /* More than a thousand years is for ever. */
    json_object_set_new(object, "lasts_until_ms", hour > 0 && ms < (__int128)1000 * 366 * 86400000
                        ? json_integer(a->clock.utc_ms + (int64_t)ms) : json_null());
}

json_t *cap_report(struct accountd *a)
{
    json_t *report = cap_events(a->ledger);

    if (report) {
        json_object_set_new(report, "currency", json_string(LEDGER_CURRENCY));
        json_object_set_new(report, "loop_ms", json_integer(CAP_LOOP_NS / 1000000));
        json_object_set_new(report, "grace_suspended_s", json_integer(a->cap.graces.suspended_s));
        json_object_set_new(report, "retention_s", json_integer(a->cap.graces.retention_s));
    }
    return report;
}
