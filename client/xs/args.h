/* A command's own arguments: `--name value`, `--name`, and what stands alone. */
#ifndef XS_ARGS_H
#define XS_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#define ARGS_TIMES 16

struct flag {
    const char *name;                   /* "--image"; NULL ends the list */
    const char **value;                 /* takes a value; or */
    bool *set;                          /* takes none */
};                                      /* "--volume...": up to ARGS_TIMES times, `value` is an array that a NULL ends */

/* Fills `alone` with exactly `count` arguments (optional ones beyond
 * `count_min` become NULL); exits 2 with `usage` otherwise. */
void args_take(char **argv, const struct flag *flags, const char **alone, unsigned count_min, unsigned count,
               const char *usage);

/* A whole number from min to max, or exits 2 naming the flag. */
int64_t args_number(const char *flag, const char *text, int64_t min, int64_t max);

/* "4G", "512M", "1T", "2048K" in MiB; exits 2 naming the flag, also when that is no whole number of them. */
int64_t args_size_mib(const char *flag, const char *text);

#endif
