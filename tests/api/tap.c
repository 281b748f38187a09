#include "tests/api/tap.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned checks, failures;

static bool line(bool good, const char *fmt, va_list args)
{
    printf("%s %u - ", good ? "ok" : "not ok", ++checks);
    vprintf(fmt, args);
    putchar('\n');
    failures += !good;
    fflush(stdout);
    return good;
}

bool ok(bool good, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    line(good, fmt, args);
    va_end(args);
    return good;
}

bool ok_int(long long got, long long want, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    if (!line(got == want, fmt, args))
        printf("#   got %lld, want %lld\n", got, want);
    va_end(args);
    return got == want;
}

bool ok_text(const char *got, const char *want, const char *fmt, ...)
{
    bool good = got && strcmp(got, want) == 0;
    va_list args;

    va_start(args, fmt);
    if (!line(good, fmt, args))
        printf("#   got \"%s\", want \"%s\"\n", got ? got : "(nothing)", want);
    va_end(args);
    return good;
}

bool ok_has(const char *got, const char *part, const char *fmt, ...)
{
    bool good = got && strstr(got, part);
    va_list args;

    va_start(args, fmt);
    if (!line(good, fmt, args))
        printf("#   \"%s\" is not in \"%s\"\n", part, got ? got : "(nothing)");
    va_end(args);
    return good;
}

int tap_end(void)
{
    printf("1..%u\n", checks);
    return failures ? 1 : 0;
}

void tap_bail(const char *fmt, ...)
{
    int err = errno;
    va_list args;

    printf("Bail out! ");
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf(" (%s)\n", strerror(err));
    exit(99);
}
