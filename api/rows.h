/* Lists in other forms than JSON, by the Accept header: text/csv (RFC 4180, a heading of field names) and
 * application/x-ndjson (one object a line). Every list can be had so; its next_cursor goes into X-Next-Cursor. */
#ifndef API_ROWS_H
#define API_ROWS_H

#include "api/request.h"

/* Turns the JSON answer of a list into what the request prefers; leaves everything else as it is. */
enum answer rows_render(const struct request *rq, struct reply *rp);

/* Whether the request's Accept names this type, letter by letter. */
bool rows_accepts(const struct request *rq, const char *type);

/* malloc'd; NULL when out of memory. Columns are the fields of all rows, in the order in which they first come up;
 * what is no plain value stands in its column as JSON. A text that a spreadsheet would calculate has an apostrophe
 * before it. */
char *rows_csv(const json_t *rows);
char *rows_ndjson(const json_t *rows);

#endif
