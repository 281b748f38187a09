/* What use that is not charged yet will cost: as charge.c will draw it, after
 * what the account's month has come to, with its tax. Kept while the ledger
 * does not change. */
#include "accountd/accountd.h"
#include "accountd/cap/cap.h"
#include "accountd/ledger/sums.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An account's use of one month and price book: charged, and with what this sample has added. */
struct cap_base {
    char account[RECORD_NAME_BYTES], period[STATEMENT_PERIOD_BYTES];
    int64_t version;
    const struct rate_book *book;
    unsigned bill;
    struct meter_usage charged, used;
};

/* An account's tax, drawn from the sum of all its use since its last invoice. */
struct cap_bill {
    char account[RECORD_NAME_BYTES];
    struct tax tax;
    int64_t charged_nano, charged_tax_nano;
    int64_t net_nano, tax_nano;
};

void cap_prices_begin(struct cap *cap, bool changed)
{
    if (changed)
        cap->bases_count = cap->bills_count = 0;
    for (unsigned n = 0; n < cap->bases_count; n++)
        cap->bases[n].used = cap->bases[n].charged;
    for (unsigned n = 0; n < cap->bills_count; n++) {
        cap->bills[n].net_nano = cap->bills[n].charged_nano;
        cap->bills[n].tax_nano = cap->bills[n].charged_tax_nano;
    }
}

void cap_prices_free(struct cap *cap)
{
    free(cap->bases);
    free(cap->bills);
}

/* Its place, or -1. */
static int bill_of(struct accountd *a, const char *account)
{
    struct cap *cap = &a->cap;
    struct cap_bill bill = { .charged_nano = 0 };
    struct sums_open open;
    enum ledger_result result;

    for (unsigned n = 0; n < cap->bills_count; n++)
        if (strcmp(cap->bills[n].account, account) == 0)
            return (int)n;
    snprintf(bill.account, sizeof(bill.account), "%s", account);
    result = sums_open(a->ledger, account, a->head.origin, &open);
    if (result == LEDGER_OK) {
        bill.tax = open.tax;
        bill.net_nano = bill.charged_nano = open.net_nano;
        bill.tax_nano = bill.charged_tax_nano = open.tax_nano;
    } else if (result != LEDGER_NOT_FOUND || charge_tax(a, account, &bill.tax)) {
        return -1;
    }
    cap->bills = cap_room(cap->bills, cap->bills_count, &cap->bills_room, sizeof(bill));
    cap->bills[cap->bills_count] = bill;
    return (int)cap->bills_count++;
}

static struct cap_base *base_add(struct accountd *a, const struct record *last, const char *period)
{
    struct cap *cap = &a->cap;
    struct cap_base base = { .version = last->price_book, .book = price_book_get(a->ledger, last->price_book) };
    int bill = bill_of(a, last->account);

    if (!base.book || bill < 0)
        return NULL;
    base.bill = (unsigned)bill;
    snprintf(base.account, sizeof(base.account), "%s", last->account);
    snprintf(base.period, sizeof(base.period), "%s", period);
    for (int q = 0; q < METER_QUANTITIES; q++)
        if (sums_quantity(a->ledger, last->account, a->head.origin, period, last->price_book, q, &base.charged.of[q]))
            return NULL;
    base.used = base.charged;
    cap->bases = cap_room(cap->bases, cap->bases_count, &cap->bases_room, sizeof(base));
    cap->bases[cap->bases_count] = base;
    return &cap->bases[cap->bases_count++];
}

static bool is_base_of(const struct cap_base *b, const struct record *last, const char *period)
{
    return b->version == last->price_book && strcmp(b->account, last->account) == 0 && strcmp(b->period, period) == 0;
}

static struct cap_base *base_of(struct accountd *a, struct journal_entry *e)
{
    struct cap *cap = &a->cap;
    char period[STATEMENT_PERIOD_BYTES];

    statement_period(e->last.t1_ms, period);
    if (e->cap_base < cap->bases_count && is_base_of(&cap->bases[e->cap_base], &e->last, period))
        return &cap->bases[e->cap_base];
    for (e->cap_base = 0; e->cap_base < cap->bases_count; e->cap_base++)
        if (is_base_of(&cap->bases[e->cap_base], &e->last, period))
            return &cap->bases[e->cap_base];
    return base_add(a, &e->last, period);
}

int cap_price(struct accountd *a, struct journal_entry *e, const struct meter_usage *usage, int64_t *nano)
{
    struct cap_base *base = base_of(a, e);
    struct cap_bill *bill;
    int64_t net_nano, due_nano;

    if (!base || rate_total(base->book, &base->used, usage, &net_nano) || meter_add(&base->used, usage))
        return -1;
    bill = &a->cap.bills[base->bill];
    if (__builtin_add_overflow(bill->net_nano, net_nano, &bill->net_nano) ||
        tax_floor(&bill->tax, bill->net_nano, &due_nano))
        return -1;
    *nano = net_nano + (due_nano - bill->tax_nano);
    bill->tax_nano = due_nano;
    return 0;
}
