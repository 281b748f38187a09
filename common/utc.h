/* Instants of UTC as text (RFC 3339, whole seconds, always "Z"), as days and as months. */
#ifndef COMMON_UTC_H
#define COMMON_UTC_H

#include <stdbool.h>
#include <stdint.h>

#define UTC_TEXT_BYTES  21              /* "2026-12-01T00:00:00Z" */
#define UTC_DAY_BYTES   11              /* "2026-12-01" */
#define UTC_MONTH_BYTES 8               /* "2026-12" */
#define UTC_DAY_MS      86400000ll

/* Years 1970 to 9999, one spelling for each instant; false for anything else. */
bool utc_parse(const char *text, int64_t *at_ms);
/* A day's first millisecond. */
bool utc_day_parse(const char *text, int64_t *from_ms);
/* A month's first millisecond, and the one after its last. */
bool utc_month_parse(const char *text, int64_t *from_ms, int64_t *to_ms);

/* Rounded down to what is shown; an instant outside 1970 to 9999 shows the nearest that is inside. */
char *utc_text(int64_t at_ms, char text[static UTC_TEXT_BYTES]);
char *utc_day_text(int64_t at_ms, char text[static UTC_DAY_BYTES]);
char *utc_month_text(int64_t at_ms, char text[static UTC_MONTH_BYTES]);

#endif
