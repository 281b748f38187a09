#include "client/xs/units.h"

#include <inttypes.h>
#include <stdio.h>

char *units_print(uint64_t bytes, char out[static UNITS_BYTES])
{
    static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    uint64_t rest = 0;
    unsigned unit = 0;

    for (; bytes >= 1024; bytes /= 1024) {
        rest = bytes % 1024;
        unit++;
    }
    if (unit == 0)
        snprintf(out, UNITS_BYTES, "%" PRIu64 " B", bytes);
    else
        snprintf(out, UNITS_BYTES, "%" PRIu64 ".%" PRIu64 " %s", bytes, rest * 10 / 1024, names[unit]);
    return out;
}
