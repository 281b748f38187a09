/* How the daemons' quantities look outside: money as decimal strings, times as
 * RFC 3339, internal fields left out. Pure. */
#ifndef API_PRESENT_H
#define API_PRESENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define MONEY_BYTES 24
#define MONEY_NANO_MAX (INT64_C(1000000) * 1000000000)  /* what one request may move */
#define TIME_BYTES  32

/* Nano to "12.50": at least two decimals, no zeros after them. Returns out. */
char *money_print(int64_t nano, char out[static MONEY_BYTES]);
/* Strict: digits, perhaps a point and one to nine digits; no sign; fits int64 nano. */
bool money_parse(const char *text, int64_t *nano);

/* "2026-01-31T12:00:00.250Z". Returns out. */
char *time_print(int64_t unix_ms, char out[static TIME_BYTES]);
/* Strict: what time_print writes, or the same without the fraction, until the year 9999; a day that exists. */
bool time_parse(const char *text, int64_t *unix_ms);
/* "2026-11-30", "2026-11": a day or month that exists. */
bool day_valid(const char *text);
bool month_valid(const char *text);
/* A string, or null for 0, which the daemons write for "not yet". */
json_t *time_json(int64_t unix_ms);

/* A copy of what a daemon answered, for a customer: every `x_nano`, a decimal
 * or null, becomes money `x` (and `x_nano_per_hour` money `x_per_hour`); points in time become RFC 3339 (`created_ms` the time
 * `created_at`, `as_of_ms` the time `as_of`, `lasts_until_ms` the time `lasts_until`). Everything else stays, a price
 * book
 * (`book`) with all that is in it, since it is signed so. NULL stays NULL. */
json_t *present_copy(const json_t *value);

/* The same for a thing of the caller's: `id_name` becomes `id`, whose it is goes. */
json_t *present_thing(const json_t *value, const char *id_name);

/* A collection's only page. Steals the list. */
json_t *present_page(json_t *list);

#endif
