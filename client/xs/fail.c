#include "client/xs/fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void fail(enum exit_status status, const char *fmt, ...)
{
    va_list args;

    fflush(stdout);
    fputs("xs: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    exit(status);
}
