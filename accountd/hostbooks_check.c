/* What must hold, and who is named when it does not. The search for a leaf runs only then. */
#include "accountd/accountd.h"
#include "accountd/cap/alerts.h"
#include "accountd/hostbooks.h"
#include "accountd/ledger/price_books.h"
#include "accountd/ledger/sums.h"

#include <stdio.h>
#include <string.h>

/* 1 and the alert is over, 0 and it stands, -1. */
static int say(struct accountd *a, const char *key, bool closes, const char *subject, const char *detail)
{
    int rc = closes ? alert_clear(a->ledger, key, a->clock.utc_ms)
                    : alert_raise(a->ledger, key, "books", NULL, subject, detail, a->clock.utc_ms);

    return rc ? -1 : closes;
}

static int check_cpu(struct accountd *a, uint32_t i)
{
    const struct xs_stats_cpu *c = &a->sample.cpu[i];
    char key[32], subject[64], detail[300];
    intmax_t missing = (intmax_t)(c->charged_until_ns - c->online_ns - c->guest_ns - c->hv_ns - c->idle_ns);

    snprintf(key, sizeof(key), "books cpu %u", i);
    snprintf(subject, sizeof(subject), "cpu %u: its time does not add up", i);
    snprintf(detail, sizeof(detail),
             "CPU %u was charged for %ju ns since boot; guest %ju + hv %ju + idle %ju ns is %jd ns"
             " away from that. Its meter is wrong: bills of guests that ran on it are in doubt.",
             i, (uintmax_t)(c->charged_until_ns - c->online_ns), (uintmax_t)c->guest_ns, (uintmax_t)c->hv_ns,
             (uintmax_t)c->idle_ns, missing);
    return say(a, key, meter_cpu_conserved(c), subject, detail);
}

int hostbooks_check_cpus(struct accountd *a)
{
    int all = 1;

    for (uint32_t i = 0; i < a->sample.cpus; i++) {
        int closes = check_cpu(a, i);

        if (closes < 0)
            return -1;
        all = all && closes;
    }
    return all;
}

int hostbooks_check_slots(struct accountd *a, int64_t skew_ns, int64_t at_most_ns)
{
    const struct hostbooks *b = &a->books;
    bool closes = skew_ns <= at_most_ns && skew_ns >= -at_most_ns;
    char cause[200], detail[500];

    if (skew_ns < 0 && b->worst_ns > 0)
        snprintf(cause, sizeof(cause), "incarnation %s has %jd ns more than its vCPUs can have had, up to leaf %ju",
                 b->worst, (intmax_t)b->worst_ns, (uintmax_t)b->worst_idx);
    else if (skew_ns > 0 && b->lost[0])
        snprintf(cause, sizeof(cause), "incarnation %s went without a last record", b->lost);
    else
        snprintf(cause, sizeof(cause),
                 "no single incarnation stands out: compare the newest records with the statement before");
    snprintf(detail, sizeof(detail),
             "Since boot the CPUs ran %jd ns %s than all domains were given, where at most %jd ns"
             " may be between the two readings. Cause: %s.",
             (intmax_t)(skew_ns < 0 ? -skew_ns : skew_ns), skew_ns < 0 ? "less" : "more", (intmax_t)at_most_ns, cause);
    return say(a, "books slots", closes, "the domains' CPU time is not the CPUs'", detail);
}

static int price_tally(struct accountd *a, struct hostbooks_tally *t, int64_t *nano)
{
    const struct rate_book *book = price_book_get(a->ledger, t->version);
    int64_t more;

    for (int q = 0; q < METER_QUANTITIES; q++) {
        unsigned __int128 after;

        if (t->used.of[q] == 0)
            continue;
        if (!book || sums_quantity(a->ledger, t->account, a->head.origin, t->period, t->version, q, &after))
            return -1;
        /* A sum below its own records is its own kind of wrong: priced from 0, it will differ. */
        t->before.of[q] = after >= t->used.of[q] ? after - t->used.of[q] : 0;
        if (rate_charge(book, q, t->before.of[q], t->used.of[q], &more) || __builtin_add_overflow(*nano, more, nano))
            return -1;
    }
    return 0;
}

int hostbooks_recompute(struct accountd *a, int64_t *nano)
{
    *nano = 0;
    for (size_t i = 0; i < a->books.tallies_count; i++)
        if (price_tally(a, &a->books.tallies[i], nano))
            return -1;
    return 0;
}

/* The first leaf whose charges are not what its record costs. */
struct search {
    struct accountd *a;
    char found[320];
};

static int take_amount(void *arg, const struct ledger_transfer *transfer)
{
    *(int64_t *)arg = transfer->amount_nano;
    return 0;
}

static int compare_charge(struct search *s, struct hostbooks_tally *t, uint64_t idx, const struct record *r,
                          enum meter_quantity meter, unsigned __int128 quantity)
{
    const struct rate_book *book = price_book_get(s->a->ledger, t->version);
    const char *name = meter_quantities[meter].name;
    int64_t expected, charged = 0;
    char id[LEDGER_ID_BYTES];

    ledger_derive_id(id, "usage %s %ju %s", s->a->head.origin, (uintmax_t)idx, name);
    if (!book || rate_charge(book, meter, t->before.of[meter], quantity, &expected) ||
        ledger_transfer_get(s->a->ledger, id, take_amount, &charged) == LEDGER_FAILED)
        return -1;
    t->before.of[meter] += quantity;
    if (charged == expected)
        return 0;
    snprintf(s->found, sizeof(s->found),
             "leaf %ju (account %s, instance %s): %s was charged with %jd nano, its record costs %jd", (uintmax_t)idx,
             r->account, r->instance, name, (intmax_t)charged, (intmax_t)expected);
    return 1;
}

static struct hostbooks_tally *tally_of(struct accountd *a, const struct record *r)
{
    char period[STATEMENT_PERIOD_BYTES];

    statement_period(r->t0_ms, period);
    for (size_t i = 0; i < a->books.tallies_count; i++) {
        struct hostbooks_tally *t = &a->books.tallies[i];

        if (t->version == r->price_book && strcmp(t->account, r->account) == 0 && strcmp(t->period, period) == 0)
            return t;
    }
    return NULL;
}

static int search_record(struct search *s, uint64_t idx, const struct record *r)
{
    struct hostbooks_tally *tally = tally_of(s->a, r);
    struct meter_usage usage;
    struct json_why why;
    int rc = tally && record_usage(r, &usage, &why) == 0 ? 0 : -1;

    for (int q = 0; q < METER_QUANTITIES && rc == 0; q++)
        if (usage.of[q])
            rc = compare_charge(s, tally, idx, r, q, usage.of[q]);
    return rc;
}

static int search_leaf(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    char leaf_type[CHAIN_TYPE_BYTES];
    struct json_why why;
    struct record record;
    json_t *fields = chain_leaf_parse(leaf, strlen(leaf), leaf_type, &why);
    int rc = 0;

    (void)type;
    if (json_has(fields, "account")) {
        rc = record_parse(leaf_type, fields, &record, &why);
        if (rc == 0 && strcmp(record.account, RECORD_HOST_ACCOUNT) != 0)
            rc = search_record(arg, idx, &record);
    }
    json_decref(fields);
    return rc;
}

int hostbooks_check_ledger(struct accountd *a, int64_t charged_nano, int64_t recomputed_nano)
{
    struct search search = { .a = a, .found = "no single leaf: a charge is there that belongs to none" };
    char detail[600];

    if (charged_nano != recomputed_nano &&
        store_each_leaf(a->store, NULL, NULL, a->books.from_idx, a->books.read_to, -1, search_leaf, &search) < 0)
        return -1;
    snprintf(detail, sizeof(detail),
             "From leaf %ju on the ledger was given %jd nano of usage, the records cost %jd nano."
             " Cause: %s.",
             (uintmax_t)a->books.from_idx, (intmax_t)charged_nano, (intmax_t)recomputed_nano, search.found);
    return say(a, "books ledger", charged_nano == recomputed_nano, "the ledger's charges are not its records'", detail);
}
