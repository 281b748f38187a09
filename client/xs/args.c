#include "client/xs/args.h"
#include "client/xs/fail.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Sets the value of a flag, or the next one of a flag that may come again. */
static void value_take(const struct flag *flag, const char *text)
{
    const char **at = flag->value;
    const char *dots = strstr(flag->name, "...");

    while (dots && *at)
        at++;
    if (dots && at == flag->value + ARGS_TIMES)
        fail(EXIT_USAGE, "%.*s: at most %d times", (int)(dots - flag->name), flag->name, ARGS_TIMES);
    *at = text;
}

static bool flag_is(const struct flag *flag, const char *text)
{
    size_t len = strcspn(flag->name, ".");

    return strlen(text) == len && strncmp(flag->name, text, len) == 0;
}

/* Returns how many arguments the flag took. */
static unsigned flag_take(char **argv, const struct flag *flags, const char *usage)
{
    for (const struct flag *flag = flags; flag && flag->name; flag++) {
        if (!flag_is(flag, argv[0]))
            continue;
        if (flag->set) {
            *flag->set = true;
            return 1;
        }
        if (!argv[1])
            fail(EXIT_USAGE, "%s needs a value\nusage: xs %s", argv[0], usage);
        value_take(flag, argv[1]);
        return 2;
    }
    fail(EXIT_USAGE, "%s: no such option\nusage: xs %s", argv[0], usage);
}

void args_take(char **argv, const struct flag *flags, const char **alone, unsigned count_min, unsigned count,
               const char *usage)
{
    unsigned found = 0;

    for (unsigned i = 0; i < count; i++)
        alone[i] = NULL;
    while (*argv) {
        if ((*argv)[0] == '-' && (*argv)[1]) {
            argv += flag_take(argv, flags, usage);
            continue;
        }
        if (found == count)
            fail(EXIT_USAGE, "\"%s\" is one argument too many\nusage: xs %s", *argv, usage);
        alone[found++] = *argv++;
    }
    if (found < count_min)
        fail(EXIT_USAGE, "something is missing\nusage: xs %s", usage);
}

int64_t args_number(const char *flag, const char *text, int64_t min, int64_t max)
{
    long long value;
    char *end;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (!*text || *end || errno || value < min || value > max)
        fail(EXIT_USAGE, "%s %s: must be a whole number from %jd to %jd", flag, text, (intmax_t)min, (intmax_t)max);
    return value;
}

#define SIZE_MIB_MAX (INT64_C(1) << 32) /* in bytes, what the API takes for a count */

int64_t args_size_mib(const char *flag, const char *text)
{
    static const char units[] = "KMGT";
    size_t len = strspn(text, "0123456789");
    const char *unit = text[len] ? strchr(units, text[len]) : NULL;
    int64_t kib;

    if (len == 0 || len > 9 || !unit || text[len + 1])
        fail(EXIT_USAGE, "%s %s: must be a number with K, M, G or T, such as 4G", flag, text);
    kib = strtoll(text, NULL, 10);
    for (; unit > units; unit--)
        kib *= 1024;
    if (kib / 1024 > SIZE_MIB_MAX)
        fail(EXIT_USAGE, "%s %s: must be at most 4096T", flag, text);
    if (kib < 1024 || kib % 1024)
        fail(EXIT_USAGE, "%s %s: must be a whole number of MiB (1M = 1024K)", flag, text);
    return kib / 1024;
}
