/* One line per check, the plan at the end. The exit status is non-zero when a
 * check failed or none was made. A check's name may be a format. */
#ifndef TESTS_TAP_TAP_H
#define TESTS_TAP_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 4, 5)))
static inline bool tap_check(bool good, const char *file, int line, const char *fmt, ...)
{
    va_list args;

    printf("%s %d - ", good ? "ok" : "not ok", ++tap_count);
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    putchar('\n');
    if (!good) {
        tap_failed++;
        printf("# %s:%d\n", file, line);
    }
    fflush(stdout);
    return good;
}
#define check(condition, ...) tap_check((condition), __FILE__, __LINE__, __VA_ARGS__)

static inline int tap_end(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed || !tap_count;
}

#endif
