/* Verdicts of the host tests: TAP, one line per check, the plan at the end, exit status 1 if any failed. */
#ifndef TESTS_HV_HARNESS_H
#define TESTS_HV_HARNESS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned tap_checks, tap_failures;

/* The verdict of one check; a failed one also says what it saw. */
__attribute__((format(printf, 4, 5)))
static inline void tap_check(bool good, const char *where, int line, const char *fmt, ...)
{
    va_list ap;

    printf("%s %u - ", good ? "ok" : "not ok", ++tap_checks);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
    if (!good) {
        tap_failures++;
        printf("# failed at %s:%d\n", where, line);
    }
    fflush(stdout);
}

#define ok(cond, ...) tap_check((cond), __FILE__, __LINE__, __VA_ARGS__)
#define is(got, want, ...) do { \
        long long got_ = (long long)(got), want_ = (long long)(want); \
        tap_check(got_ == want_, __FILE__, __LINE__, __VA_ARGS__); \
        if (got_ != want_) \
            printf("# got %lld, wanted %lld\n", got_, want_); \
    } while (0)

static inline int tap_end(void)
{
    printf("1..%u\n", tap_checks);
    return tap_failures ? 1 : 0;
}

/* xorshift64*, seeded: a failure is repeated by running the test again. */
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1Dull;
}

static inline unsigned random_below(uint64_t *state, unsigned n)
{
    return (unsigned)((random_next(state) >> 32) * n >> 32);
}

/* Bytes such as a hostile guest would choose: small numbers, limits, special ids, and anything. */
static inline void random_hostile(uint64_t *state, void *to, size_t bytes)
{
    static const uint16_t favourites[] = { 0, 1, 2, 3, 8, 9, 0x0FFF, 0x1000, 0x7FEF, 0x7FF0, 0x7FF2, 0x7FFF, 0xFFFF };
    uint16_t *words = to;

    for (size_t i = 0; i < bytes / 2; i++)
        words[i] = random_below(state, 4) ? favourites[random_below(state, sizeof(favourites) / sizeof(favourites[0]))]
                                          : (uint16_t)random_next(state);
}

#endif
