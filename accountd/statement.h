/* From an account's records to the lines of an invoice. Pure; accountd writes
 * invoices with it and xs-verify writes them again to compare.
 *
 * A line is what one instance used of one meter under one price book. Its
 * amount is exact until it is rounded, once, half to even, to a nano. Lines
 * stand in the order of (instance, price book, meter); what was not used has none.
 */
#ifndef ACCOUNTD_STATEMENT_H
#define ACCOUNTD_STATEMENT_H

#include "accountd/rate.h"
#include "accountd/record.h"

struct statement_line {
    char instance[RECORD_NAME_BYTES];
    const struct rate_book *book;
    enum meter_quantity meter;
    unsigned __int128 quantity;
    int64_t amount_nano;                /* set by statement_close */
    int64_t charged_nano;               /* sum of the records' amounts, each rounded down */
};
struct statement {
    const struct rate_book *books;      /* those that records may name */
    size_t books_count;
    struct statement_line *lines;
    size_t count, room;
    int64_t t0_ms, t1_ms;               /* of the records */
    int64_t total_nano;
};

/* Adds what the record bills; -1 with the reason. A record of the host's own adds nothing. */
int statement_add(struct statement *statement, const struct record *record, struct json_why *why);
/* Sorts, drops empty lines, prices and sums. -1 with the reason. */
int statement_close(struct statement *statement, struct json_why *why);
void statement_free(struct statement *statement);

/* The lines as invoice.json has them, and as lines.csv (FOCUS column names). */
json_t *statement_lines_json(const struct statement *statement);
char *statement_csv(const struct statement *statement, const json_t *invoice);

/* "12.345678901 EUR" for people: nano with 9 decimals. */
char *statement_money(int64_t amount_nano, char text[static 32]);

#endif
