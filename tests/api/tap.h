/* One line a check, TAP. */
#ifndef TESTS_API_TAP_H
#define TESTS_API_TAP_H

#include <stdbool.h>

/* Returns `good`, so that a test can stop where going on has no meaning. */
bool ok(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool ok_int(long long got, long long want, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool ok_text(const char *got, const char *want, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* True if `part` occurs in `got`. */
bool ok_has(const char *got, const char *part, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The plan; main's return value. */
int tap_end(void);

/* The test itself cannot go on. */
_Noreturn void tap_bail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
