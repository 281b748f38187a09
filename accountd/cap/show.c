/* What the cap says of itself: alerts and the answers of its verbs. */
#include "accountd/accountd.h"
#include "accountd/cap/alerts.h"
#include "accountd/cap/store.h"

#include <stdio.h>
#include <string.h>

#define HOUR_NS 3600000000000ull

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

static json_t *instances_json(const struct cap *cap, const char *payer)
{
    json_t *list = json_array();

    for (unsigned n = 0; n < cap->instances_count; n++)
        if (strcmp(cap->instances[n].payer, payer) == 0)
            json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "instance_id", cap->instances[n].instance, "want",
                                                  acker_want_names[cap->instances[n].want], "held",
                                                  (int)cap->instances[n].held));
    return list;
}

json_t *cap_suspensions(struct accountd *a, const char *account)
{
    static const char *const next[CAP_STATES] = { NULL, "stop", "delete", NULL };
    json_t *list = json_array();

    for (unsigned n = 0; n < a->cap.payers_count; n++) {
        const struct cap_payer *p = &a->cap.payers[n];
        int64_t left_ms = cap_grace_left_ms(a, p);

        if (p->state == CAP_OK || (account && strcmp(p->account, account) != 0))
            continue;
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:I, s:s?, s:o, s:o}", "payer", p->payer, "account_id",
                                              p->account, "state", cap_state_names[p->state], "by", "money", "since_ms",
                                              (json_int_t)p->since_ms, "next", next[p->state], "next_in_ms",
                                              next[p->state] ? json_integer(left_ms > 0 ? left_ms : 0) : json_null(),
                                              "instances", instances_json(&a->cap, p->payer)));
    }
    for (unsigned n = 0; n < a->cap.bars_count; n++)
        if (!account || strcmp(a->cap.bars[n].account, account) == 0)
            json_array_append_new(list, cap_bar_json(a, &a->cap.bars[n]));
    return list;
}

void cap_show(struct accountd *a, const char *payer, json_t *object)
{
    const struct cap_payer *p = cap_payer_find(&a->cap, payer);
    int64_t hour = p && p->live ? cap_burn(p, HOUR_NS) : 0, left = p ? cap_left(p) : 0;
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
        json_object_set_new(report, "loop_ms", json_integer(CAP_LOOP_NS / 1000000));
        json_object_set_new(report, "grace_suspended_s", json_integer(a->cap.graces.suspended_s));
        json_object_set_new(report, "retention_s", json_integer(a->cap.graces.retention_s));
    }
    return report;
}
