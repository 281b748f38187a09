/* Invoices: what is final and not invoiced yet, as lines, with everything that
 * a stranger needs to check them, in one tar. */
#ifndef ACCOUNTD_INVOICE_H
#define ACCOUNTD_INVOICE_H

#include "accountd/accountd.h"
#include "accountd/statement.h"

/* An account's records as lines: all price books, and the statement over them. */
struct invoice_draft {
    struct rate_book *books;
    size_t books_count;
    struct statement statement;
    json_t *chains;                     /* {incarnation: {first_number, last_number, ...}} */
    struct record last;                 /* the newest record */
    size_t records;
    struct json_why *why;
};

/* Reads the account's leaves from <= idx < to. -1 with the reason; free it in either case. */
int invoice_draft_read(struct accountd *a, const char *account, uint64_t from_idx, uint64_t to_idx,
                       struct invoice_draft *draft, struct json_why *why);
void invoice_draft_free(struct invoice_draft *draft);

/* Makes the account's invoice of all leaves so far. The caller has closed the
 * segments. OK or EXISTS with *body (the invoice, new reference); CONFLICT if
 * there is nothing to invoice; EXISTS_DIFFERENT if the id is another account's. */
enum ledger_result invoice_create(struct accountd *a, const char *invoice_id, const char *account, json_t **body,
                                  struct json_why *why);
/* The path of the bundle, which is made if it is not there; 0 or -1 with the reason. */
int invoice_bundle(struct accountd *a, const struct ledger_invoice *invoice, char *path, size_t path_bytes,
                   struct json_why *why);

#endif
