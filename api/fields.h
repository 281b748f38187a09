/* A request's body: parsing with bounds, and fields out of it with an error
 * for each one that is wrong, so that a person corrects a form once.
 *
 * Getters return true and set *out, or note an error {field, code, detail} and
 * leave *out alone. After the last getter, fields_done() also notes what
 * nobody asked for. Numbers are read as doubles first: only so can a number
 * of forty digits be refused by the name of its field. */
#ifndef API_FIELDS_H
#define API_FIELDS_H

#include "api/reply.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BODY_BYTES_MAX 65536
#define BODY_DEPTH_MAX 16

/* A new object, or NULL with one sentence in `why` that names line and column. */
json_t *body_parse(const char *text, size_t size, char *why, size_t why_size);

#define FIELDS_MAX 32

struct fields {
    const json_t *object;
    json_t *errors;                     /* array, NULL while all is well */
    const char *asked[FIELDS_MAX];
    unsigned asked_count;
};

void fields_start(struct fields *fields, const json_t *object);
bool fields_has(struct fields *fields, const char *name);

/* 1 to 63 of a-z, 0-9 and '-', neither first nor last a '-': what a host can be called. */
bool fields_name(struct fields *fields, const char *name, const char **out);
/* 1 to max bytes of UTF-8 without control characters. */
bool fields_text(struct fields *fields, const char *name, size_t max, const char **out);
bool fields_integer(struct fields *fields, const char *name, int64_t min, int64_t max, int64_t *out);
/* "12.50": more than zero, at most nine decimals, at most `max_nano`. */
bool fields_money(struct fields *fields, const char *name, int64_t max_nano, int64_t *out_nano);
/* RFC 3339 in UTC, "2026-12-31T23:59:59Z": in milliseconds of Unix time. */
bool fields_time(struct fields *fields, const char *name, int64_t *out_ms);
/* Text of many lines: line ends and tabs are allowed too. */
bool fields_document(struct fields *fields, const char *name, size_t max, const char **out);
bool fields_flag(struct fields *fields, const char *name, bool *out);
/* Arrays of at most `count_max` different elements, perhaps none; *out is borrowed. Integers in it are doubles. */
bool fields_texts(struct fields *fields, const char *name, size_t count_max, size_t max, const json_t **out);
bool fields_integers(struct fields *fields, const char *name, size_t count_max, int64_t min, int64_t max,
                     const json_t **out);
/* One of a NULL-terminated list. */
bool fields_choice(struct fields *fields, const char *name, const char *const *choices, const char **out);
/* An array of distinct strings from the list; *out is borrowed. */
bool fields_set(struct fields *fields, const char *name, const char *const *choices, const json_t **out);

void fields_error(struct fields *fields, const char *name, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The end of `inner`, an object in the field `name`, at `where` there ("" or "element 3: "): what is wrong with it is
 * an error of the field. */
void fields_inner_done(struct fields *fields, const char *name, const char *where, struct fields *inner);

/* Takes the errors out (new reference), NULL if there are none. */
json_t *fields_done(struct fields *fields);
/* The same, into the reply: ANSWER_OK or ANSWER_INVALID_FIELDS. */
enum answer fields_end(struct fields *fields, struct reply *rp);

#endif
