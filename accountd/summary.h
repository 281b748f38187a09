/* Usage summed by meter, instance and day, in any combination. Pure. */
#ifndef ACCOUNTD_SUMMARY_H
#define ACCOUNTD_SUMMARY_H

#include "accountd/ledger/day_sums.h"
#include "accountd/rate.h"

enum summary_by { SUMMARY_METER = 1, SUMMARY_INSTANCE = 2, SUMMARY_DAY = 4 };

struct summary;
/* `by` of enum summary_by. NULL when out of memory. */
struct summary *summary_new(unsigned by);
void summary_free(struct summary *summary);
/* -1: a sum does not fit, or out of memory. */
int summary_add(struct summary *summary, const struct day_sum *sum);
size_t summary_count(const struct summary *summary);
/* [{day, instance_id, meter, quantity, quantity_per_unit, unit, units, amount_nano}] in this order: what is not in
 * `by` is left out, and the four of quantities without SUMMARY_METER. What was used and cost nothing has its row. */
json_t *summary_rows(const struct summary *summary);

#endif
