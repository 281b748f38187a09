/* Lines of quotes and invoices, in units that people read. */
#include "client/xs/args.h"
#include "client/xs/commands.h"
#include "client/xs/fail.h"
#include "client/xs/units.h"

#include <stdio.h>
#include <string.h>

static unsigned __int128 big_number(const char *digits)
{
    unsigned __int128 v = 0;

    for (; *digits >= '0' && *digits <= '9'; digits++)
        v = v * 10 + (unsigned)(*digits - '0');
    return v;
}

/* A few KiB are 0.000004 GiB: what is counted in bytes is also shown as people read bytes. */
static void line_in_bytes(json_t *line, unsigned __int128 count)
{
    const char *meter = json_text(line, "meter");
    char text[UNITS_BYTES];

    if (strstr(meter, "_bytes") && count <= UINT64_MAX)
        json_object_set_new(line, "bytes", json_string(units_print((uint64_t)count, text)));
}

void credit_lines_take(json_t *body, const char **lines)
{
    json_t *list = json_array();

    for (const char **line = lines; *line; line++) {
        const char *amount = strchr(*line, '=');
        char number[16];

        if (!amount || (size_t)(amount - *line) >= sizeof(number))
            fail(EXIT_USAGE, "--line %s: must be the line's number, '=' and an amount, such as 3=0.50", *line);
        snprintf(number, sizeof(number), "%.*s", (int)(amount - *line), *line);
        json_array_append_new(list,
                              json_pack("{s:I, s:s}", "line", (json_int_t)args_number("--line", number, 1, 1000000),
                                        "amount", amount + 1));
    }
    if (json_array_size(list))
        json_object_set(body, "lines", list);
    json_decref(list);
}

/* Lines carry exact counts (ns, bytes) and how many of them make a priced unit. People read units: each line gets `units`
 * with six decimals, cut; what is counted one by one has none. Only for the eye: amounts come from the exact counts. */
void lines_in_units(json_t *lines)
{
    size_t i;
    json_t *line;

    json_array_foreach(lines, i, line) {
        unsigned __int128 count = big_number(json_text(line, "quantity"));
        unsigned __int128 per = big_number(json_text(line, "quantity_per_unit"));
        char text[64];

        if (!per)
            per = 1;
        if (per == 1)
            snprintf(text, sizeof(text), "%ju", (uintmax_t)count);
        else
            snprintf(text, sizeof(text), "%ju.%06ju", (uintmax_t)(count / per), (uintmax_t)(count % per * 1000000 / per));
        json_object_set_new(line, "units", json_string(text));
        line_in_bytes(line, count);
    }
}
