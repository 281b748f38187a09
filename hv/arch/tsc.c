#include "hv/arch/tsc.h"
#include "hv/arch/io.h"
#include "hv/console/printk.h"

uint64_t tsc_base;
uint32_t tsc_mul;
int32_t tsc_shift;
uint32_t tsc_khz;

#define PM_TIMER_HZ 3579545u            /* ACPI 6.4, 4.8.2.1 */
#define SAMPLE_PM_TICKS (PM_TIMER_HZ / 100)

static void set_scale(uint64_t khz)
{
    uint64_t hz = khz * 1000;

    /* mul = 10^9 * 2^32 / (hz * 2^shift) must fit 32 bits and keep its top bit for precision. */
    tsc_shift = 0;
    while (hz > 2 * NS_PER_SEC) {
        hz >>= 1;
        tsc_shift--;
    }
    while (hz <= NS_PER_SEC) {
        hz <<= 1;
        tsc_shift++;
    }
    hz = tsc_shift < 0 ? khz * 1000 >> -tsc_shift : khz * 1000 << tsc_shift;
    tsc_mul = (uint32_t)((NS_PER_SEC << 32) / hz);     /* 4.3e18: fits */
    tsc_khz = (uint32_t)khz;
}

/* Counts TSC ticks over 10 ms of the PM timer; the best of three, since an interruption only makes it longer. */
void tsc_init(uint16_t pm_timer_port, bool pm_timer_32bit)
{
    uint32_t mask = pm_timer_32bit ? UINT32_MAX : 0xFFFFFF;
    uint64_t best = UINT64_MAX;

    tsc_base = rdtsc();
    for (unsigned i = 0; i < 3; i++) {
        uint32_t start = inl(pm_timer_port) & mask, elapsed;
        uint64_t tsc = rdtsc();

        do
            elapsed = (inl(pm_timer_port) - start) & mask;
        while (elapsed < SAMPLE_PM_TICKS);
        best = MIN(best, (rdtsc() - tsc) * PM_TIMER_HZ / elapsed / 1000);
    }
    set_scale(best);
    printk("tsc: %u.%03u MHz by the PM timer\n", tsc_khz / 1000, tsc_khz % 1000);
}
