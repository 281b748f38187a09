/* What a quote must know of the account: its month so far, and its tax. */
#include "accountd/accountd.h"
#include "accountd/ledger/sums.h"

int quote_before(struct accountd *a, const char *account, int64_t version, int64_t at_ms, struct meter_usage *before)
{
    char period[STATEMENT_PERIOD_BYTES];

    statement_period(at_ms, period);
    for (int q = 0; q < METER_QUANTITIES; q++)
        if (sums_quantity(a->ledger, account, a->head.origin, period, version, q, &before->of[q]))
            return -1;
    return 0;
}

int quote_tax(struct accountd *a, const char *account, int64_t net_nano, struct tax *tax, int64_t *tax_nano)
{
    struct sums_open open = { .net_nano = 0 };
    enum ledger_result result = sums_open(a->ledger, account, a->head.origin, &open);
    int64_t net, due;

    if ((result != LEDGER_OK && result != LEDGER_NOT_FOUND) ||
        (result == LEDGER_NOT_FOUND && charge_tax(a, account, &open.tax)) ||
        __builtin_add_overflow(open.net_nano, net_nano, &net) || tax_floor(&open.tax, net, &due))
        return -1;
    *tax = open.tax;
    *tax_nano = due - open.tax_nano;
    return 0;
}

int quote_hold(struct accountd *a, const char *account, const struct rate_book *book,
               const struct meter_reserved *reserved, int64_t *hold_nano)
{
    struct meter_usage usage = rate_forecast(reserved, a->hold_s, 100);
    int64_t net_nano, tax_nano;
    struct tax tax;

    if (rate_ceiling(book, &usage, &net_nano) || quote_tax(a, account, net_nano, &tax, &tax_nano))
        return -1;
    return __builtin_add_overflow(net_nano, tax_nano, hold_nano) ? -1 : 0;
}
