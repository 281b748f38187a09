/* Quantities and a price book in, amounts out. Pure: no I/O, no clock.
 *
 * A price is a fraction: num / den nano of the currency for one priced unit
 * of a meter (meter.h names the unit). An amount is exact as a fraction and
 * rounded once, half to even, where it becomes an invoice line or a quote.
 */
#ifndef ACCOUNTD_RATE_H
#define ACCOUNTD_RATE_H

#include "accountd/meter.h"
#include "common/json.h"

#define RATE_PRICE_MAX 1000000000000000ll       /* num and den of a price */

struct rate_price {
    int64_t num_nano;
    int64_t den;
};
struct rate_book {
    int64_t version;
    char currency[4];
    struct rate_price price[METER_QUANTITIES];
};

/* A price book: {"version":1,"currency":"EUR","meters":[{"meter":"cpu_used",
 * "unit":"CPU-second","num_nano":"5","den":"1"},...]}, each meter exactly
 * once, with meter.h's unit. -1 with the reason. */
int rate_book_parse(const json_t *object, struct rate_book *book, struct json_why *why);

/* The amount in nano; -1 when it does not fit (larger than 9.2 billion). */
int rate_amount(const struct rate_book *book, enum meter_quantity meter, unsigned __int128 quantity,
                int64_t *amount_nano);
/* As rate_amount, rounded down: what may be charged before the line is rounded. */
int rate_amount_floor(const struct rate_book *book, enum meter_quantity meter, unsigned __int128 quantity,
                      int64_t *amount_nano);

/* What this much of reservation would use in so many seconds at cpu_percent of each vCPU. */
struct meter_usage rate_forecast(const struct meter_reserved *reserved, int64_t seconds, int64_t cpu_percent);

/* Sums the amounts of all meters; -1 when one does not fit. */
int rate_total(const struct rate_book *book, const struct meter_usage *usage, int64_t *total_nano);

#endif
