/* JSON arguments. One place checks, so that every daemon refuses the same way. */
#include "common/json.h"
#include "common/id.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refuse(struct json_why *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int refuse(struct json_why *why, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(why->text, sizeof(why->text), fmt, args);
    va_end(args);
    return -1;
}

bool json_has(const json_t *object, const char *key)
{
    return json_object_get(object, key) != NULL;
}

const char *json_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

void json_words(const char *words, char *out, size_t size)
{
    json_t *text = NULL;

    snprintf(out, size, "%s", words ? words : "");
    for (int i = 0; i < 4 && *out && !(text = json_string(out)); i++)
        out[strlen(out) - 1] = 0;
    if (!text)
        out[0] = 0;
    json_decref(text);
}

static bool has_control(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return true;
    return false;
}

int json_arg_string(const json_t *object, const char *key, size_t len_max, const char **out, struct json_why *why)
{
    const json_t *value = json_object_get(object, key);
    size_t len = value ? json_string_length(value) : 0;

    if (!value)
        return refuse(why, "%s: missing", key);
    if (!json_is_string(value))
        return refuse(why, "%s: must be a string", key);
    if (len == 0 || len > len_max)
        return refuse(why, "%s: must have 1 to %zu bytes, has %zu", key, len_max, len);
    if (has_control(json_string_value(value), len))
        return refuse(why, "%s: must not contain control characters", key);
    *out = json_string_value(value);
    return 0;
}

int json_arg_int(const json_t *object, const char *key, int64_t min, int64_t max, int64_t *out, struct json_why *why)
{
    const json_t *value = json_object_get(object, key);

    if (!value)
        return refuse(why, "%s: missing", key);
    if (!json_is_integer(value) || json_integer_value(value) < min || json_integer_value(value) > max)
        return refuse(why, "%s: must be an integer from %jd to %jd", key, (intmax_t)min, (intmax_t)max);
    *out = json_integer_value(value);
    return 0;
}

bool json_u128_parse(const char *text, unsigned __int128 *out)
{
    unsigned __int128 value = 0;

    if (!*text || (text[0] == '0' && text[1]))
        return false;
    for (; *text; text++) {
        unsigned digit = (unsigned)(*text - '0');

        if (digit > 9 || __builtin_mul_overflow(value, 10u, &value) || __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *out = value;
    return true;
}

bool json_decimal_parse(const char *text, int64_t *out)
{
    bool negative = text[0] == '-';
    unsigned __int128 magnitude;

    if (!json_u128_parse(text + negative, &magnitude) || (negative && magnitude == 0))
        return false;
    if (magnitude > (unsigned __int128)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(-(__int128)magnitude) : (int64_t)magnitude;
    return true;
}

int json_arg_decimal(const json_t *object, const char *key, int64_t min, int64_t max, int64_t *out,
                     struct json_why *why)
{
    const json_t *value = json_object_get(object, key);
    int64_t number;

    if (!value)
        return refuse(why, "%s: missing", key);
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value) ||
        !json_decimal_parse(json_string_value(value), &number) || number < min || number > max)
        return refuse(why, "%s: must be a string with a decimal number from %jd to %jd", key, (intmax_t)min,
                      (intmax_t)max);
    *out = number;
    return 0;
}

int json_arg_bool(const json_t *object, const char *key, bool *out, struct json_why *why)
{
    const json_t *value = json_object_get(object, key);

    if (!value)
        return refuse(why, "%s: missing", key);
    if (!json_is_boolean(value))
        return refuse(why, "%s: must be true or false", key);
    *out = json_is_true(value);
    return 0;
}

int json_arg_id(const json_t *object, const char *key, const char *prefix, const char **out, struct json_why *why)
{
    const char *text;

    if (json_arg_string(object, key, ID_BYTES - 1, &text, why))
        return -1;
    if (!id_valid(prefix, text))
        return refuse(why, "%s: must be %s and %d characters of 0-9 and a-z", key, prefix, ID_DIGITS);
    *out = text;
    return 0;
}

int json_arg_hex(const json_t *object, const char *key, uint8_t *out, size_t bytes, struct json_why *why)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);

    if (!value)
        return refuse(why, "%s: missing", key);
    if (!text || json_string_length(value) != 2 * bytes || strspn(text, "0123456789abcdef") != 2 * bytes)
        return refuse(why, "%s: must be %zu lower-case hex digits", key, 2 * bytes);
    sodium_hex2bin(out, bytes, text, 2 * bytes, NULL, NULL, NULL);
    return 0;
}

static bool in_list(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = list; *at; at += strcspn(at, " "), at += strspn(at, " "))
        if (strcspn(at, " ") == len && strncmp(at, word, len) == 0)
            return true;
    return false;
}

int json_arg_only(const json_t *object, const char *keys, struct json_why *why)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
        if (!in_list(keys, key))
            return refuse(why, "%.60s: unknown; known are: %s", key, keys);
    return 0;
}

json_t *json_decimal(int64_t value)
{
    return json_sprintf("%jd", (intmax_t)value);
}

json_t *json_decimal_u64(uint64_t value)
{
    return json_decimal_u128(value);
}

json_t *json_decimal_u128(unsigned __int128 value)
{
    char text[40];
    int at = sizeof(text) - 1;
    uint64_t low;

    text[at] = 0;
    /* Dividing 128 bits is a call; nearly all that comes here has 64. */
    for (; value > UINT64_MAX; value /= 10)
        text[--at] = (char)('0' + (unsigned)(value % 10));
    low = (uint64_t)value;
    do {
        text[--at] = (char)('0' + (unsigned)(low % 10));
        low /= 10;
    } while (low);
    return json_string(text + at);
}

json_t *json_hex(const uint8_t *bytes, size_t count)
{
    char text[129];

    if (count > (sizeof(text) - 1) / 2)
        return NULL;
    sodium_bin2hex(text, sizeof(text), bytes, count);
    return json_string(text);
}

/* Whether the keys of all objects stand in byte order, as they do in what was read from canonical text. */
static bool in_order(const json_t *value)
{
    const char *key, *last = NULL;
    json_t *child;
    size_t i;

    json_object_foreach((json_t *)value, key, child) {
        if ((last && strcmp(last, key) > 0) || !in_order(child))
            return false;
        last = key;
    }
    json_array_foreach(value, i, child)
        if (!in_order(child))
            return false;
    return true;
}

/* Sorting is a third of the writing, and jansson keeps the order in which keys came. */
char *json_canonical(const json_t *value)
{
    return json_dumps(value, (in_order(value) ? 0 : JSON_SORT_KEYS) | JSON_COMPACT | JSON_ENCODE_ANY);
}
