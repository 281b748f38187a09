#include "client/xs/args.h"
#include "client/xs/fail.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Returns how many arguments the flag took. */
static unsigned flag_take(char **argv, const struct flag *flags, const char *usage)
{
    for (const struct flag *flag = flags; flag && flag->name; flag++) {
        if (strcmp(flag->name, argv[0]) != 0)
            continue;
        if (flag->set) {
            *flag->set = true;
            return 1;
        }
        if (!argv[1])
            fail(EXIT_USAGE, "%s needs a value\nusage: xs %s", argv[0], usage);
        *flag->value = argv[1];
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
