/* Fields out of an invoice's JSON. The first thing wrong is kept, with its path; what follows it is not looked at: each
 * of these answers 0 or "" from then on. */
#ifndef ACCOUNTD_PAPER_READER_H
#define ACCOUNTD_PAPER_READER_H

#include "common/json.h"

struct reader {
    const json_t *at;                   /* the object that is read */
    char path[40];                      /* its name, as a prefix: "lines[3]." */
    struct json_why *why;
    bool failed;
};

/* Refuses the invoice because of this key, unless it is refused already. */
void reader_refuse(struct reader *r, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A string of 1 to `most` bytes without control characters, and without those that XML does not have. */
const char *reader_text(struct reader *r, const char *key, size_t most);
int64_t reader_integer(struct reader *r, const char *key, int64_t min, int64_t max);
/* Decimal strings: an amount, never negative; a quantity. */
int64_t reader_nano(struct reader *r, const char *key);
unsigned __int128 reader_quantity(struct reader *r, const char *key);
const json_t *reader_array(struct reader *r, const char *key, size_t min, size_t max);
/* A reader of an object inside the one that r reads; the caller takes its `failed` back. */
struct reader reader_inside(struct reader *r, const json_t *object, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
