/* Checked fields. What common/json.h refuses by the key alone gets its path here. */
#include "accountd/paper/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define QUANTITY_DIGITS 39              /* of 2^128 - 1 */

void reader_refuse(struct reader *r, const char *key, const char *fmt, ...)
{
    char what[160];
    va_list args;

    if (r->failed)
        return;
    va_start(args, fmt);
    vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    snprintf(r->why->text, sizeof(r->why->text), "%s%s: %s", r->path, key, what);
    r->failed = true;
}

static void refused(struct reader *r, const struct json_why *why)
{
    snprintf(r->why->text, sizeof(r->why->text), "%s%.200s", r->path, why->text);
    r->failed = true;
}

/* U+FFFE and U+FFFF are characters for JSON and none for XML 1.0 (section 2.2). */
static bool has_no_character(const char *text)
{
    return strstr(text, "\xef\xbf\xbe") || strstr(text, "\xef\xbf\xbf");
}

const char *reader_text(struct reader *r, const char *key, size_t most)
{
    struct json_why why;
    const char *out = "";

    if (r->failed)
        return "";
    if (json_arg_string(r->at, key, most, &out, &why))
        refused(r, &why);
    else if (has_no_character(out))
        reader_refuse(r, key, "must not contain U+FFFE or U+FFFF");
    return out;
}

int64_t reader_integer(struct reader *r, const char *key, int64_t min, int64_t max)
{
    struct json_why why;
    int64_t out = 0;

    if (!r->failed && json_arg_int(r->at, key, min, max, &out, &why))
        refused(r, &why);
    return out;
}

int64_t reader_nano(struct reader *r, const char *key)
{
    struct json_why why;
    int64_t out = 0;

    if (!r->failed && json_arg_decimal(r->at, key, 0, INT64_MAX, &out, &why))
        refused(r, &why);
    return out;
}

unsigned __int128 reader_quantity(struct reader *r, const char *key)
{
    const char *digits = reader_text(r, key, QUANTITY_DIGITS);
    unsigned __int128 out = 0;

    if (!r->failed && !json_u128_parse(digits, &out))
        reader_refuse(r, key, "must be a whole number in decimal digits, less than 2^128");
    return out;
}

struct reader reader_inside(struct reader *r, const json_t *object, const char *fmt, ...)
{
    struct reader in = { .at = object, .why = r->why, .failed = r->failed };
    va_list args;

    va_start(args, fmt);
    vsnprintf(in.path, sizeof(in.path), fmt, args);
    va_end(args);
    if (!json_is_object(object))
        reader_refuse(&in, "", "must be an object");
    return in;
}

const json_t *reader_array(struct reader *r, const char *key, size_t min, size_t max)
{
    const json_t *value = json_object_get(r->at, key);

    if (!value)
        reader_refuse(r, key, "missing");
    else if (!json_is_array(value) || json_array_size(value) < min || json_array_size(value) > max)
        reader_refuse(r, key, "must be a list of %zu to %zu", min, max);
    return value;
}
