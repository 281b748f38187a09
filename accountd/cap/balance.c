/* Alerts while there still is money: below half, a fifth, a tenth of the last
 * top-up, and less than a day at the present burn. */
#include "accountd/accountd.h"
#include "accountd/cap/alerts.h"
#include "accountd/cap/cap.h"

#include <stdio.h>

static const int percents[CAP_STEPS - 1] = { 50, 20, 10 };

static int tell(struct accountd *a, struct cap_payer *p, unsigned step, const char *key, const char *kind,
                const char *subject)
{
    char detail[200];

    snprintf(detail, sizeof(detail), "%jd nano are left of %s. When they are used up, its instances are suspended.",
             (intmax_t)cap_left(p), p->payer);
    if (alert_raise(a->ledger, key, kind, p->account, subject, detail, a->clock.utc_ms))
        return -1;
    p->told[step] = 1;
    return 0;
}

/* The database is asked when the answer changes, and once after a start. */
static int settle(struct accountd *a, struct cap_payer *p, unsigned step, bool low, bool well, const char *key,
                  const char *kind, const char *subject)
{
    if (low && p->told[step] != 1)
        return tell(a, p, step, key, kind, subject);
    if (!well || p->told[step] == -1)
        return 0;
    if (alert_clear(a->ledger, key, a->clock.utc_ms))
        return -1;
    p->told[step] = -1;
    return 0;
}

static int watch_step(struct accountd *a, struct cap_payer *p, unsigned step)
{
    bool low = (__int128)cap_left(p) * 100 < (__int128)p->top_up_nano * percents[step];
    char key[160], subject[160];

    snprintf(key, sizeof(key), "balance %s %d", p->payer, percents[step]);
    snprintf(subject, sizeof(subject), "Less than %d %% of the last top-up of %s is left", percents[step], p->payer);
    return settle(a, p, step, low, !low, key, "balance", subject);
}

static int watch_day(struct accountd *a, struct cap_payer *p)
{
    int64_t burn = cap_burn(p, CAP_HOUR_NS);
    bool low = burn > 0 && cap_left(p) / 24 < burn, well = burn > 0 && cap_left(p) / 48 >= burn;
    char key[160], subject[160];

    /* Between one day and two it stays as it is: a burn that changes each second is not told each second. */
    snprintf(key, sizeof(key), "lasts %s", p->payer);
    snprintf(subject, sizeof(subject), "The money of %s lasts for less than a day", p->payer);
    return settle(a, p, CAP_STEPS - 1, low, well, key, "lasts", subject);
}

int balance_watch(struct accountd *a, struct cap_payer *p)
{
    for (unsigned step = 0; p->top_up_nano > 0 && step < CAP_STEPS - 1; step++)
        if (watch_step(a, p, step))
            return -1;
    /* The first seconds say little of an hour. */
    return p->rounds >= CAP_RING ? watch_day(a, p) : 0;
}
