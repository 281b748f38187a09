/* Logging: one write(2) per line, so that lines of several daemons on one
 * stderr never mix. No levels to configure and no file handling: whoever
 * starts the daemon owns its stderr. */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

static const char *program_name = "xs";

void log_init(const char *program)
{
    program_name = program;
}

static void write_line(const char *fmt, va_list args, int err)
{
    char line[LINE_MAX_BYTES];
    int n = snprintf(line, sizeof(line), "%s: ", program_name);
    int m = vsnprintf(line + n, sizeof(line) - n - 1, fmt, args);

    if (m > 0)
        n += m;
    if (n > LINE_MAX_BYTES - 2)
        n = LINE_MAX_BYTES - 2;
    if (err && n < LINE_MAX_BYTES - 2) {
        m = snprintf(line + n, sizeof(line) - n - 1, ": %s", strerror(err));
        n = n + m > LINE_MAX_BYTES - 2 ? LINE_MAX_BYTES - 2 : n + m;
    }
    for (int i = 0; i < n; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    line[n++] = '\n';
    /* Nobody is left to tell when stderr is gone. */
    if (write(STDERR_FILENO, line, n) < 0)
        return;
}

void log_info(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    write_line(fmt, args, 0);
    va_end(args);
}

void log_warn(const char *fmt, ...)
{
    int err = errno;
    va_list args;

    va_start(args, fmt);
    write_line(fmt, args, err);
    va_end(args);
    errno = err;
}

void log_warnx(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    write_line(fmt, args, 0);
    va_end(args);
}

_Noreturn void fatal(const char *fmt, ...)
{
    int err = errno;
    va_list args;

    va_start(args, fmt);
    write_line(fmt, args, err);
    va_end(args);
    exit(1);
}

_Noreturn void fatalx(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    write_line(fmt, args, 0);
    va_end(args);
    exit(1);
}
