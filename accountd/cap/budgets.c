/* Budgets: an alert, once for each step and month. They stop nothing. */
#include "accountd/accountd.h"
#include "accountd/cap/alerts.h"
#include "accountd/cap/store.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A budget and what has been spent of it this month. */
struct budget_sum {
    struct budget budget;
    int64_t from_ms, seq, spent_nano;
    unsigned told;                      /* a bit for each step */
};

/* The UTC month of this instant. */
static void month_of(int64_t ms, int64_t *from_ms, int64_t *to_ms, char name[static 8])
{
    time_t s = ms / 1000;
    struct tm t, first = { .tm_mday = 1 };

    gmtime_r(&s, &t);
    first.tm_year = t.tm_year;
    first.tm_mon = t.tm_mon;
    strftime(name, 8, "%Y-%m", &t);
    *from_ms = (int64_t)timegm(&first) * 1000;
    first = (struct tm){ .tm_mday = 1, .tm_year = t.tm_year, .tm_mon = t.tm_mon + 1 };
    *to_ms = (int64_t)timegm(&first) * 1000;
}

static int add_sum(void *arg, const struct budget *budget)
{
    struct cap *cap = arg;
    struct budget_sum *more = reallocarray(cap->budgets, cap->budgets_count + 1, sizeof(*more));

    if (!more)
        fatal("budgets");
    cap->budgets = more;
    more[cap->budgets_count++] = (struct budget_sum){ .budget = *budget };
    return 0;
}

void budgets_free(struct cap *cap)
{
    free(cap->budgets);
    cap->budgets = NULL;
    cap->budgets_count = 0;
}

/* What is spent is the account's, not the budget's: an account that had a budget is not summed up anew. */
static void take_over(struct budget_sum *sum, const struct cap *before)
{
    for (unsigned n = 0; n < before->budgets_count; n++) {
        const struct budget_sum *known = &before->budgets[n];

        if (strcmp(known->budget.account, sum->budget.account) == 0) {
            sum->from_ms = known->from_ms;
            sum->seq = known->seq;
            sum->spent_nano = known->spent_nano;
            return;
        }
    }
}

static int read_all(struct accountd *a)
{
    struct cap *cap = &a->cap, before = { .budgets = cap->budgets, .budgets_count = cap->budgets_count };

    if (cap->budgets_read)
        return 0;
    cap->budgets = NULL;
    cap->budgets_count = 0;
    if (budget_each(a->ledger, add_sum, cap)) {
        budgets_free(cap);
        cap->budgets = before.budgets;
        cap->budgets_count = before.budgets_count;
        return -1;
    }
    for (unsigned n = 0; n < cap->budgets_count; n++)
        take_over(&cap->budgets[n], &before);
    budgets_free(&before);
    cap->budgets_read = true;
    return 0;
}

void budgets_forget(struct cap *cap)
{
    cap->budgets_read = false;
}

static int tell(struct accountd *a, struct budget_sum *s, unsigned step, const char *month)
{
    const struct budget *b = &s->budget;
    char key[200], subject[160], detail[200];

    snprintf(key, sizeof(key), "budget %s %jd %s %jd", b->id, (intmax_t)b->amount_nano, month,
             (intmax_t)b->steps[step]);
    snprintf(subject, sizeof(subject), "%jd %% of the budget %s are spent", (intmax_t)b->steps[step], b->id);
    snprintf(detail, sizeof(detail), "%jd of %jd nano in %s. A budget stops nothing.", (intmax_t)s->spent_nano,
             (intmax_t)b->amount_nano, month);
    if (alert_raise(a->ledger, key, "budget", b->account, subject, detail, a->clock.utc_ms))
        return -1;
    s->told |= 1u << step;
    return 0;
}

/* What came before a month is not of it, so a new month goes on where the last one ended; only a clock that was set
 * back has all of the account's transfers read. */
static int watch_one(struct accountd *a, struct budget_sum *s)
{
    int64_t from_ms, to_ms;
    char month[8];

    month_of(a->clock.utc_ms, &from_ms, &to_ms, month);
    if (from_ms != s->from_ms)
        *s = (struct budget_sum){ .budget = s->budget, .from_ms = from_ms, .seq = from_ms > s->from_ms ? s->seq : 0 };
    if (budget_spent(a->ledger, s->budget.account, from_ms, to_ms, &s->seq, &s->spent_nano))
        return -1;
    for (unsigned step = 0; step < s->budget.steps_count; step++)
        if (!(s->told & 1u << step) &&
            (__int128)s->spent_nano * 100 >= (__int128)s->budget.amount_nano * s->budget.steps[step] &&
            tell(a, s, step, month))
            return -1;
    return 0;
}

int budgets_watch(struct accountd *a)
{
    struct cap *cap = &a->cap;
    int64_t changes = cap_changes(a->ledger);
    int rc = 0;

    if (cap->budgets_read && changes == cap->budget_changes)
        return 0;
    if (read_all(a))
        return -1;
    for (unsigned n = 0; n < cap->budgets_count && rc == 0; n++)
        rc = watch_one(a, &cap->budgets[n]);
    cap->budget_changes = changes;
    return rc;
}

static json_t *sum_json(const struct budget_sum *s)
{
    const struct budget *b = &s->budget;
    int64_t from_ms, to_ms;
    json_t *steps = json_array();
    char month[8];

    month_of(s->from_ms, &from_ms, &to_ms, month);
    for (unsigned n = 0; n < b->steps_count; n++)
        json_array_append_new(steps, json_integer(b->steps[n]));
    return json_pack("{s:s, s:s, s:o, s:o, s:s, s:o}", "budget_id", b->id, "account_id", b->account, "amount_nano",
                     json_decimal(b->amount_nano), "steps", steps, "period", month, "spent_nano",
                     json_decimal(s->spent_nano));
}

json_t *budgets_json(struct accountd *a, const char *account)
{
    json_t *list = json_array();
    int rc = read_all(a);

    for (unsigned n = 0; n < a->cap.budgets_count && rc == 0; n++) {
        struct budget_sum *s = &a->cap.budgets[n];

        if (account && strcmp(account, s->budget.account) != 0)
            continue;
        rc = watch_one(a, s) || json_array_append_new(list, sum_json(s)) ? -1 : 0;
    }
    if (rc == 0)
        return list;
    json_decref(list);
    return NULL;
}
