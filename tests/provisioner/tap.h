/* One line per check, the plan at the end. The exit status is non-zero when a
 * check failed or none was made. */
#ifndef TESTS_PROVISIONER_TAP_H
#define TESTS_PROVISIONER_TAP_H

#include <stdbool.h>
#include <stdio.h>

static int tap_count, tap_failed;

static inline bool tap_check(bool good, const char *name, const char *file, int line)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++tap_count, name);
    if (!good) {
        tap_failed++;
        printf("# %s:%d\n", file, line);
    }
    fflush(stdout);
    return good;
}
#define check(condition, name) tap_check((condition), (name), __FILE__, __LINE__)

static inline int tap_end(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed || !tap_count;
}

#endif
