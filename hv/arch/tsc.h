/* hv's monotonic clock: ns since boot, from the TSC, calibrated once against the ACPI PM timer. */
#ifndef ARCH_TSC_H
#define ARCH_TSC_H

#include "hv/lib/types.h"

extern uint64_t tsc_base;               /* TSC at now_ns() == 0 */
extern uint32_t tsc_mul;                /* ns = ((tsc - base) << shift) * mul >> 32 */
extern int32_t tsc_shift;
extern uint32_t tsc_khz;

static inline uint64_t rdtsc(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}

static inline uint64_t tsc_to_ns(uint64_t tsc)
{
    uint64_t delta = tsc - tsc_base;

    delta = tsc_shift < 0 ? delta >> -tsc_shift : delta << tsc_shift;
    return (uint64_t)((unsigned __int128)delta * tsc_mul >> 32);
}

static inline uint64_t now_ns(void)
{
    return tsc_to_ns(rdtsc());
}

void tsc_init(uint16_t pm_timer_port, bool pm_timer_32bit);

#endif
