/* Arguments out of JSON objects, with errors that name the argument, and the
 * canonical bytes of an object.
 *
 * The getters return 0 and set *out, or -1 and set `why` to one sentence fit
 * for the caller ("vcpus: must be an integer from 1 to 32"). Out-parameters
 * are set only on success. Strings stay owned by the object. Getters ask for
 * an argument that must be there; json_has() says whether an optional one is.
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_why {
    char text[256];
};

bool json_has(const json_t *object, const char *key);
/* A member's text, which stays the object's; "" if there is none, it is no string, or there is no object. */
const char *json_text(const json_t *object, const char *key);

/* A stranger's words, as far as they fit and JSON can hold them: cut, perhaps in the middle of a character, which then
 * goes too; "" if they are no UTF-8, or NULL. */
void json_words(const char *words, char *out, size_t size);

/* 1 to len_max bytes, no control characters. */
int json_arg_string(const json_t *object, const char *key, size_t len_max, const char **out, struct json_why *why);
/* A JSON integer from min to max. */
int json_arg_int(const json_t *object, const char *key, int64_t min, int64_t max, int64_t *out, struct json_why *why);
/* A string of decimal digits, as money and 64-bit counters travel: "-12", no sign on zero, no leading zeros. */
int json_arg_decimal(const json_t *object, const char *key, int64_t min, int64_t max, int64_t *out,
                     struct json_why *why);
int json_arg_bool(const json_t *object, const char *key, bool *out, struct json_why *why);
/* An id of common/id.h with this prefix. */
int json_arg_id(const json_t *object, const char *key, const char *prefix, const char **out, struct json_why *why);
/* Exactly 2 * bytes lower-case hex digits. */
int json_arg_hex(const json_t *object, const char *key, uint8_t *out, size_t bytes, struct json_why *why);
/* Refuses keys that are not in the space-separated list. */
int json_arg_only(const json_t *object, const char *keys, struct json_why *why);

/* Strict decimal text to integer; false unless it is spelled the one right way and fits. */
bool json_decimal_parse(const char *text, int64_t *out);
bool json_u128_parse(const char *text, unsigned __int128 *out);

/* New references: decimal strings. */
json_t *json_decimal(int64_t value);
json_t *json_decimal_u64(uint64_t value);
json_t *json_decimal_u128(unsigned __int128 value);
json_t *json_hex(const uint8_t *bytes, size_t count);

/* Sorted keys, no spaces: the bytes that are hashed and signed. malloc'd, NULL when out of memory. */
char *json_canonical(const json_t *value);

#endif
