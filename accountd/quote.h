/* What a use to come would cost, by the prices that bill it. Pure.
 *
 * Prices are of calendar months, so a quote that runs past the end of one begins the next with its
 * free quantities and minimums, as billing will. The use is taken to be even over the time.
 */
#ifndef ACCOUNTD_QUOTE_H
#define ACCOUNTD_QUOTE_H

#include "accountd/rate.h"

struct quote {
    int64_t amount_nano[METER_QUANTITIES];
    int64_t total_nano;
};

/* `usage` in all of the seconds from from_ms on, after `before` of the month of from_ms (NULL: nothing). Billing the
 * same use gives the same nano. -1 when it does not fit. */
int quote_price(const struct rate_book *book, const struct meter_usage *before, const struct meter_usage *usage,
                int64_t from_ms, int64_t seconds, struct quote *quote);

#endif
