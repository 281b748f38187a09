/* An invoice out of its JSON: checked once, here, so that no renderer meets half an invoice. */
#ifndef ACCOUNTD_PAPER_READ_H
#define ACCOUNTD_PAPER_READ_H

#include "common/json.h"

#define PAPER_CENT_NANO 10000000

enum paper_kind { PAPER_INVOICE, PAPER_CREDIT_NOTE, PAPER_DRAFT };

/* Strings are the JSON's: it must outlive the struct. "" where something is not known. */
struct paper_party {
    const char *name, *street, *postcode, *city, *country, *vat_id, *email;
};
struct paper_line {
    int64_t price_book;
    const char *period;                 /* "2026-11", UTC */
    const char *meter, *unit, *price;
    unsigned __int128 quantity, per_unit;
    int64_t amount_nano;                /* whole cents */
    int64_t detailed_nano;              /* sum of its details */
};
struct paper_detail {
    const struct paper_line *line;
    const char *instance;
    unsigned __int128 quantity;
    int64_t charged_nano;
};
struct paper_tax {
    const char *category, *country, *reason;    /* S, AE, O or Z (UNTDID 5305) */
    int64_t rate_permyriad, taxable_nano, amount_nano;
};
struct paper {
    enum paper_kind kind;
    const char *id, *number, *host, *account, *currency, *payment_reference, *iban, *bic;
    int64_t issued_ms, period_start_ms, period_end_ms;
    struct paper_party seller, buyer;
    struct paper_line *lines;
    struct paper_detail *details;
    size_t lines_count, details_count;
    struct paper_tax tax;
    int64_t net_nano, total_nano, paid_nano, payable_nano;
    int64_t carried_nano;               /* of what is paid, by the host; whole cents, rounded down */
    const char *refers_number, *reason; /* a credit note's */
    int64_t refers_issued_ms;
};

/* 0, or -1 with the reason. Free it in either case. */
int paper_read(const json_t *invoice, struct paper *paper, struct json_why *why);
void paper_free(struct paper *paper);

#endif
