/* Hypercall 55, meter_op: the contract is hv/include/xs/meter.h. */
#ifndef STATS_METER_OP_H
#define STATS_METER_OP_H

#include "hv/lib/types.h"

long do_meter_op(unsigned cmd, uint64_t arg_va);

#endif
