/* Quotes: month by month. */
#include "accountd/quote.h"
#include "common/utc.h"

static int64_t month_end(int64_t at_ms)
{
    char month[UTC_MONTH_BYTES];
    int64_t from_ms, to_ms = at_ms + 1;

    utc_month_parse(utc_month_text(at_ms, month), &from_ms, &to_ms);
    return to_ms;
}

/* quantity x part / whole, rounded down, without a product that could overflow. */
static unsigned __int128 share(unsigned __int128 quantity, uint64_t part, uint64_t whole)
{
    return quantity / whole * part + quantity % whole * part / whole;
}

static int add_month(const struct rate_book *book, const struct meter_usage *before, const struct meter_usage *usage,
                     int64_t start_ms, int64_t end_ms, int64_t whole_ms, struct quote *quote)
{
    for (int q = 0; q < METER_QUANTITIES; q++) {
        unsigned __int128 part = share(usage->of[q], (uint64_t)end_ms, (uint64_t)whole_ms) -
                                 share(usage->of[q], (uint64_t)start_ms, (uint64_t)whole_ms);
        int64_t nano;

        if (rate_charge(book, q, before ? before->of[q] : 0, part, &nano) ||
            __builtin_add_overflow(quote->amount_nano[q], nano, &quote->amount_nano[q]) ||
            __builtin_add_overflow(quote->total_nano, nano, &quote->total_nano))
            return -1;
    }
    return 0;
}

int quote_price(const struct rate_book *book, const struct meter_usage *before, const struct meter_usage *usage,
                int64_t from_ms, int64_t seconds, struct quote *quote)
{
    int64_t whole_ms = seconds * 1000, end_ms;
    struct quote sum = { .total_nano = 0 };

    for (int64_t start_ms = 0; start_ms < whole_ms; start_ms = end_ms) {
        end_ms = month_end(from_ms + start_ms) - from_ms;
        if (end_ms > whole_ms)
            end_ms = whole_ms;
        if (add_month(book, start_ms ? NULL : before, usage, start_ms, end_ms, whole_ms, &sum))
            return -1;
    }
    *quote = sum;
    return 0;
}
