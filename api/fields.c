/* Strangers' JSON. Nothing here recurses on it: depth is counted before the parser sees it. */
#include "api/fields.h"
#include "api/present.h"
#include "common/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SAFE_INTEGER_MAX 9007199254740991.0     /* 2^53 - 1: what every JSON reader keeps exactly */

/* Where nesting passes the bound, or -1. Strings are skipped, escapes included. */
static ssize_t depth_excess(const char *text, size_t size)
{
    bool in_string = false;
    int depth = 0;

    for (size_t i = 0; i < size; i++) {
        char c = text[i];

        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > BODY_DEPTH_MAX)
                return (ssize_t)i;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return -1;
}

json_t *body_parse(const char *text, size_t size, char *why, size_t why_size)
{
    json_error_t error;
    ssize_t deep = depth_excess(text, size);
    json_t *object;

    if (deep >= 0) {
        snprintf(why, why_size, "nested deeper than %d levels at byte %zd", BODY_DEPTH_MAX, deep);
        return NULL;
    }
    if (size == 0) {
        snprintf(why, why_size, "the body is empty: send a JSON object");
        return NULL;
    }
    object = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
    if (!object) {
        snprintf(why, why_size, "line %d, column %d: %s", error.line, error.column, error.text);
        return NULL;
    }
    if (!json_is_object(object)) {
        snprintf(why, why_size, "the body must be a JSON object");
        json_decref(object);
        return NULL;
    }
    return object;
}

void fields_start(struct fields *fields, const json_t *object)
{
    memset(fields, 0, sizeof(*fields));
    fields->object = object;
}

void fields_error(struct fields *fields, const char *name, const char *code, const char *fmt, ...)
{
    char detail[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(detail, sizeof(detail), fmt, args);
    va_end(args);
    if (!fields->errors)
        fields->errors = json_array();
    json_array_append_new(fields->errors, json_pack("{s:s, s:s, s:s}", "field", name, "code", code, "detail", detail));
}

bool fields_has(struct fields *fields, const char *name)
{
    if (fields->asked_count < FIELDS_MAX)
        fields->asked[fields->asked_count++] = name;
    return json_object_get(fields->object, name) != NULL;
}

static const json_t *field_get(struct fields *fields, const char *name)
{
    if (fields_has(fields, name))
        return json_object_get(fields->object, name);
    fields_error(fields, name, "missing", "must be given");
    return NULL;
}

static const char *text_get(struct fields *fields, const char *name)
{
    const json_t *value = field_get(fields, name);

    if (value && !json_is_string(value))
        fields_error(fields, name, "wrong_type", "must be a string");
    return json_string_value(value);
}

bool fields_name(struct fields *fields, const char *name, const char **out)
{
    const char *text = text_get(fields, name);
    size_t len = text ? strlen(text) : 0;

    if (!text)
        return false;
    if (len < 1 || len > 63 || strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") != len || text[0] == '-' ||
        text[len - 1] == '-') {
        fields_error(fields, name, "invalid_name",
                     "must be 1 to 63 characters of a-z, 0-9 and '-', and neither begin nor end with '-'");
        return false;
    }
    *out = text;
    return true;
}

static bool text_check(struct fields *fields, const char *name, const char *text, size_t max, const char *allowed)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++)
        if (((unsigned char)text[i] < 0x20 || text[i] == 0x7f) && !strchr(allowed, text[i])) {
            fields_error(fields, name, "control_character", "must not hold control characters (byte %zu)", i);
            return false;
        }
    if (len < 1 || len > max) {
        fields_error(fields, name, "wrong_length", "must be 1 to %zu bytes long, not %zu", max, len);
        return false;
    }
    return true;
}

bool fields_text(struct fields *fields, const char *name, size_t max, const char **out)
{
    const char *text = text_get(fields, name);

    if (!text || !text_check(fields, name, text, max, ""))
        return false;
    *out = text;
    return true;
}

bool fields_document(struct fields *fields, const char *name, size_t max, const char **out)
{
    const char *text = text_get(fields, name);

    if (!text || !text_check(fields, name, text, max, "\n\r\t"))
        return false;
    *out = text;
    return true;
}

bool fields_flag(struct fields *fields, const char *name, bool *out)
{
    const json_t *value = field_get(fields, name);

    if (value && !json_is_boolean(value))
        fields_error(fields, name, "wrong_type", "must be true or false");
    if (!json_is_boolean(value))
        return false;
    *out = json_is_true(value);
    return true;
}

static bool number_check(struct fields *fields, const char *name, const json_t *value, int64_t min, int64_t max,
                         int64_t *out)
{
    double number;

    if (!json_is_number(value)) {
        fields_error(fields, name, "wrong_type", "must be a number");
        return false;
    }
    number = json_number_value(value);
    if (fabs(number) <= SAFE_INTEGER_MAX && number != floor(number)) {
        fields_error(fields, name, "fraction", "must be a whole number");
        return false;
    }
    if (fabs(number) > SAFE_INTEGER_MAX || (int64_t)number < min || (int64_t)number > max) {
        fields_error(fields, name, "out_of_range", "must be from %jd to %jd", (intmax_t)min, (intmax_t)max);
        return false;
    }
    *out = (int64_t)number;
    return true;
}

bool fields_integer(struct fields *fields, const char *name, int64_t min, int64_t max, int64_t *out)
{
    const json_t *value = field_get(fields, name);

    return value && number_check(fields, name, value, min, max, out);
}

/* The array, if it is one, is not too long, and has no element twice. */
static const json_t *list_get(struct fields *fields, const char *name, size_t count_max)
{
    const json_t *list = field_get(fields, name);

    if (list && !json_is_array(list))
        fields_error(fields, name, "wrong_type", "must be an array");
    if (!json_is_array(list))
        return NULL;
    if (json_array_size(list) > count_max) {
        fields_error(fields, name, "too_many", "must have at most %zu elements", count_max);
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(list); i++)
        for (size_t j = 0; j < i; j++)
            if (json_equal(json_array_get(list, i), json_array_get(list, j))) {
                fields_error(fields, name, "duplicate", "elements %zu and %zu are the same", j, i);
                return NULL;
            }
    return list;
}

bool fields_texts(struct fields *fields, const char *name, size_t count_max, size_t max, const json_t **out)
{
    const json_t *list = list_get(fields, name, count_max);

    if (!list)
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));

        if (!text)
            fields_error(fields, name, "wrong_type", "element %zu must be a string", i);
        if (!text || !text_check(fields, name, text, max, ""))
            return false;
    }
    *out = list;
    return true;
}

bool fields_integers(struct fields *fields, const char *name, size_t count_max, int64_t min, int64_t max,
                     const json_t **out)
{
    const json_t *list = list_get(fields, name, count_max);
    int64_t number;

    if (!list)
        return false;
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!number_check(fields, name, json_array_get(list, i), min, max, &number))
            return false;
    *out = list;
    return true;
}

bool fields_money(struct fields *fields, const char *name, int64_t max_nano, int64_t *out_nano)
{
    const json_t *value = field_get(fields, name);
    char max[MONEY_BYTES];
    int64_t nano;

    if (!value)
        return false;
    if (!json_is_string(value)) {
        fields_error(fields, name, "wrong_type", "must be a decimal string such as \"12.50\", never a JSON number");
        return false;
    }
    if (!money_parse(json_string_value(value), &nano)) {
        fields_error(fields, name, "invalid_money",
                     "must look like \"12.50\": digits, at most nine decimals, no sign, no spaces");
        return false;
    }
    if (nano <= 0 || nano > max_nano) {
        fields_error(fields, name, "out_of_range", "must be more than 0 and at most %s", money_print(max_nano, max));
        return false;
    }
    *out_nano = nano;
    return true;
}

bool fields_time(struct fields *fields, const char *name, int64_t *out_ms)
{
    const char *text = text_get(fields, name);

    if (!text)
        return false;
    if (!time_parse(text, out_ms)) {
        fields_error(fields, name, "invalid_time", "must be a time in UTC such as \"2026-12-31T23:59:59Z\"");
        return false;
    }
    return true;
}

static bool chosen(const char *const *choices, const char *text)
{
    for (; *choices; choices++)
        if (strcmp(*choices, text) == 0)
            return true;
    return false;
}

static void choices_list(const char *const *choices, char *out, size_t size)
{
    size_t used = 0;

    out[0] = 0;
    for (; *choices && used < size; choices++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", *choices);
}

bool fields_choice(struct fields *fields, const char *name, const char *const *choices, const char **out)
{
    const char *text = text_get(fields, name);
    char list[384];

    if (!text)
        return false;
    if (!chosen(choices, text)) {
        choices_list(choices, list, sizeof(list));
        fields_error(fields, name, "unknown", "must be one of: %s", list);
        return false;
    }
    *out = text;
    return true;
}

bool fields_set(struct fields *fields, const char *name, const char *const *choices, const json_t **out)
{
    const json_t *value = field_get(fields, name);
    char list[384];

    if (!value)
        return false;
    choices_list(choices, list, sizeof(list));
    if (!json_is_array(value) || json_array_size(value) == 0) {
        fields_error(fields, name, "wrong_type", "must be an array with at least one of: %s", list);
        return false;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *text = json_string_value(json_array_get(value, i));

        if (!text || !chosen(choices, text)) {
            fields_error(fields, name, "unknown", "element %zu must be one of: %s", i, list);
            return false;
        }
        for (size_t j = 0; j < i; j++)
            if (strcmp(text, json_string_value(json_array_get(value, j))) == 0) {
                fields_error(fields, name, "twice", "element %zu repeats \"%s\"", i, text);
                return false;
            }
    }
    *out = value;
    return true;
}

void fields_inner_done(struct fields *fields, const char *name, const char *where, struct fields *inner)
{
    json_t *errors = fields_done(inner);
    const json_t *first = json_array_get(errors, 0);

    if (first)
        fields_error(fields, name, "wrong_element", "%s%s %s", where, json_text(first, "field"),
                     json_text(first, "detail"));
    json_decref(errors);
}

json_t *fields_done(struct fields *fields)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)fields->object, name, value) {
        bool asked = false;

        for (unsigned i = 0; i < fields->asked_count; i++)
            asked |= strcmp(name, fields->asked[i]) == 0;
        if (!asked)
            fields_error(fields, name, "unknown_field", "no such field: remove it or correct its spelling");
    }
    return fields->errors;
}

enum answer fields_end(struct fields *fields, struct reply *rp)
{
    rp->errors = fields_done(fields);
    return rp->errors ? reply_fail(rp, ANSWER_INVALID_FIELDS, "see errors") : ANSWER_OK;
}
