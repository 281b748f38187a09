/* The system's clocks, in milliseconds. What must come out the same when it is done again takes its time as a parameter
 * instead. */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

/* For intervals: nobody sets it. */
int64_t clock_monotonic_ms(void);
/* Unix time: for what is written down. */
int64_t clock_unix_ms(void);

#endif
