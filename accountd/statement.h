/* What an account used, as the lines of an invoice. Pure; accountd fills it from
 * the sums that it keeps beside the ledger, xs-verify from the records, and both
 * must come to the same.
 *
 * A line is one meter in one period (the UTC month in which a record begins,
 * "2026-11") under one price book, all instances of the account together. Prices
 * are of the whole period (tiers, free quantity, minimum), so a line knows the
 * quantity that earlier invoices of the period covered. Its amount is
 * cents(F(before + quantity)) - cents(F(before)), F being rate.h's exact price
 * and cents rounding half to even: so all invoices of a period add up to the
 * period rounded once. A detail is what one instance had of it, charged record by record as
 * floor(F) of what was used till then: exact to the nano, not rounded to cents.
 */
#ifndef ACCOUNTD_STATEMENT_H
#define ACCOUNTD_STATEMENT_H

#include "accountd/rate.h"
#include "accountd/record.h"
#include "accountd/tax.h"

#define STATEMENT_PERIOD_BYTES 8        /* "2026-11" */

struct statement_line {
    char period[STATEMENT_PERIOD_BYTES];
    const struct rate_book *book;
    enum meter_quantity meter;
    unsigned __int128 before, quantity;
    int64_t charged_nano;               /* floor(F(before + quantity)) - floor(F(before)), set by statement_close */
    int64_t amount_nano;                /* set by statement_close */
};
struct statement_detail {
    char period[STATEMENT_PERIOD_BYTES];
    const struct rate_book *book;
    char instance[RECORD_NAME_BYTES];
    enum meter_quantity meter;
    unsigned __int128 quantity;
    int64_t charged_nano;
};
struct statement {
    const struct rate_book *const *books;   /* those that records may name */
    size_t books_count;
    struct statement_line *lines;
    size_t lines_count, lines_room;
    struct statement_detail *details;
    size_t details_count, details_room;
    size_t detail_last;                 /* where the last record's instance was found */
    int64_t t0_ms, t1_ms;               /* of the records that are invoiced */
    struct tax tax;
    int64_t net_nano, tax_nano, total_nano;     /* set by statement_close */
};

/* The period of a record that begins at t0_ms (Unix, before the year 10000). */
char *statement_period(int64_t t0_ms, char period[static STATEMENT_PERIOD_BYTES]);

/* Adds what the record bills; a context record (invoiced before) counts only as
 * used before. Records come in the order of the log. -1 with the reason. */
int statement_add(struct statement *statement, const struct record *record, bool context, struct json_why *why);
/* The same from kept sums. NULL when out of memory or the book is unknown. */
struct statement_line *statement_line(struct statement *statement, const char *period, int64_t version,
                                      enum meter_quantity meter);
struct statement_detail *statement_detail(struct statement *statement, const char *period, int64_t version,
                                          const char *instance, enum meter_quantity meter);
/* Sorts, drops lines of nothing, prices and sums. -1 with the reason. */
int statement_close(struct statement *statement, struct json_why *why);
void statement_free(struct statement *statement);

/* Adds lines, details, tax and sums to an invoice, as invoice.json has them. -1 when out of memory. */
int statement_put(const struct statement *statement, json_t *invoice);

#endif
