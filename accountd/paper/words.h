/* How numbers, dates and names are written, by all of the renderers. */
#ifndef ACCOUNTD_PAPER_WORDS_H
#define ACCOUNTD_PAPER_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#define WORDS_BYTES 64

/* "1234.56" for programs; "1,234.56" for people. Whole cents. */
char *words_cents(int64_t nano, char text[static WORDS_BYTES]);
char *words_money(int64_t nano, char text[static WORDS_BYTES]);
/* "0.123456789": every nano. */
char *words_nano(int64_t nano, char text[static WORDS_BYTES]);
/* quantity / per_unit, half to even, with `decimals` (at most 9) decimals; grouped: "2,592,000.000". */
char *words_ratio(unsigned __int128 quantity, unsigned __int128 per_unit, unsigned decimals, bool grouped,
                  char text[static WORDS_BYTES]);

/* A time in UTC by strftime's format. */
char *words_time(int64_t at_ms, const char *format, char text[static WORDS_BYTES]);
/* The month "2026-11": its first ms and the first of the next. */
void words_month(const char *period, int64_t *start_ms, int64_t *end_ms);

struct words_meter {
    const char *name;                   /* as in meter.h */
    const char *title;                  /* for people */
    const char *service;                /* FOCUS 1.0, ServiceCategory */
};
/* Of a meter that is not known here: its name for a title, category Other. */
struct words_meter words_meter(const char *name);
/* UN/ECE Recommendation 20: SEC, HUR, E62 (gibibyte), C62 (one) for what has no code of its own. */
const char *words_unit_code(const char *unit);
/* "Germany" for DE; the code itself where we have no name. */
const char *words_country(const char *code);

#endif
