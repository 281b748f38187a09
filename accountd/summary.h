/* Usage summed by meter, instance and day, in any combination. Pure.
 *
 * Fed with the account's records in the order of the log, from the first of the first day's month on: prices are
 * of whole months, so what a record costs depends on what was used before it. A record belongs to the UTC day
 * in which it begins, as it belongs to the month.
 */
#ifndef ACCOUNTD_SUMMARY_H
#define ACCOUNTD_SUMMARY_H

#include "accountd/rate.h"
#include "accountd/record.h"

enum summary_by { SUMMARY_METER = 1, SUMMARY_INSTANCE = 2, SUMMARY_DAY = 4 };

struct summary;
/* Days from from_ms (a day's first millisecond) up to to_ms; `by` of enum summary_by. */
struct summary *summary_new(unsigned by, int64_t from_ms, int64_t to_ms);
void summary_free(struct summary *summary);
/* `book` is the record's. -1: a sum does not fit, or out of memory. */
int summary_add(struct summary *summary, const struct record *record, const struct rate_book *book);
size_t summary_count(const struct summary *summary);
/* [{day, instance_id, meter, quantity, quantity_per_unit, unit, units, amount_nano}] in this order: what is not in
 * `by` is left out, and the four of quantities without SUMMARY_METER. What was used and cost nothing has its row. */
json_t *summary_rows(struct summary *summary);

#endif
