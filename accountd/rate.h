/* Quantities and a price book in, amounts out. Pure: no I/O, no clock; amounts take no memory.
 *
 * What a meter costs in a month is a function F of the quantity used so far in
 * that month, and a charge is what F grew by: so many charges in a row sum to
 * one charge of the whole.
 *
 *   F(0) = 0;  F(Q) = max(minimum, sum over tiers of span x num / (den x per_unit)) nano
 *
 * `span` is how much of Q lies in the tier (above its `above`, up to the next
 * one's) and above `free`. per_unit is the meter's (meter.h: quantity in one
 * priced unit). All tiers of one meter share one den, so the sum is a single
 * fraction: it is exact, whatever the quantity, and rounded once. F never
 * falls as Q grows.
 */
#ifndef ACCOUNTD_RATE_H
#define ACCOUNTD_RATE_H

#include "accountd/meter.h"
#include "common/json.h"

#define RATE_PRICE_MAX  1000000000000000ll      /* num_nano and den of a price, priced units of a bound */
#define RATE_TIERS_MAX  8
#define RATE_CENT_NANO  10000000ll
#define RATE_TEXT_BYTES 1280
#define RATE_UNITS_BYTES 50

struct rate_tier {
    unsigned __int128 above;            /* cumulative quantity; 0 in the first, then rising */
    int64_t num_nano, den;
};
struct rate_price {
    unsigned __int128 free;             /* quantity a month that is not priced */
    int64_t minimum_nano;               /* a month, as soon as anything was used */
    unsigned tiers_count;
    struct rate_tier tiers[RATE_TIERS_MAX];
};
struct rate_book {
    int64_t version;
    char currency[4];
    int64_t valid_from_ms;              /* no registration takes it before; 0: at once */
    int64_t moves_running_ms;           /* running guests are moved to it then; 0: never */
    struct rate_price price[METER_QUANTITIES];
};

/* A price book: {"version":2,"currency":"EUR","valid_from":"2026-12-01T00:00:00Z",
 * "moves_running_at":"2027-01-01T00:00:00Z","meters":[{"meter":"cpu_used",
 * "unit":"CPU-second","num_nano":"7000","den":"3"},{"meter":"net_bytes_out",
 * "unit":"GiB","tiers":[{"above":"0","num_nano":"5","den":"1"},
 * {"above":"1000","num_nano":"4","den":"1"}],"free":"100","minimum_nano":"0"},...]}.
 *
 * Each meter exactly once, with meter.h's unit, and either one price or tiers. "above" and "free"
 * are in priced units. The two dates, "free" and "minimum_nano" may be left out; running
 * guests are not moved before valid_from. -1 with the reason. */
int rate_book_parse(const json_t *object, struct rate_book *book, struct json_why *why);

/* Whether a guest that runs under `version` is moved to this book at at_ms, or was before. What may follow in a chain
 * of records is this and nothing else: the next record's book moves `version` at that record's t0_ms. */
bool rate_book_moves(const struct rate_book *book, int64_t version, int64_t at_ms);

/* F of the cumulative quantity: rounded down to a nano, and rounded half to even to a
 * multiple of unit_nano (1, RATE_CENT_NANO). -1 when it does not fit (9.2 billion). */
int rate_floor(const struct rate_book *book, enum meter_quantity meter, unsigned __int128 cumulative, int64_t *nano);
int rate_round(const struct rate_book *book, enum meter_quantity meter, unsigned __int128 cumulative, int64_t unit_nano,
               int64_t *nano);
/* What `quantity` costs after `before` of the same month: the difference of two rate_floor. */
int rate_charge(const struct rate_book *book, enum meter_quantity meter, unsigned __int128 before,
                unsigned __int128 quantity, int64_t *nano);
/* The sum of rate_charge over all meters; `before` NULL: nothing was used before. */
int rate_total(const struct rate_book *book, const struct meter_usage *before, const struct meter_usage *usage,
               int64_t *total_nano);

/* The most that rate_total can be for this usage, whatever the month had used before: what a hold must cover. Every
 * unit at its meter's dearest tier, none free, and minimums. */
int rate_ceiling(const struct rate_book *book, const struct meter_usage *usage, int64_t *total_nano);

/* What this much of reservation would use in so many seconds at cpu_percent of each vCPU. */
struct meter_usage rate_forecast(const struct meter_reserved *reserved, int64_t seconds, int64_t cpu_percent);

/* How the meter is priced, for people: "first 100 GiB free; 0.02 EUR per GiB; above 1000 GiB: 0.015 EUR; at least
 * 0.10 EUR per month". A price without an end in decimals shows its fraction: "0.000002333333333... EUR (7000/3 nano)
 * per CPU-second". ASCII without commas and quotes. */
char *rate_price_text(const struct rate_book *book, enum meter_quantity meter, char text[static RATE_TEXT_BYTES]);
/* "12.5": a quantity in priced units, at most 9 decimals, rounded down. */
char *rate_units_text(enum meter_quantity meter, unsigned __int128 quantity, char text[static RATE_UNITS_BYTES]);

#endif
