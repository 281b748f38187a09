/* Invoices: what is final and not invoiced yet, as lines, with everything that
 * a stranger needs to check them, in one tar. */
#ifndef ACCOUNTD_INVOICE_H
#define ACCOUNTD_INVOICE_H

#include "accountd/accountd.h"

/* Makes the account's invoice of all leaves so far. The caller has closed the
 * segments. OK or EXISTS with *body (the invoice, new reference); CONFLICT if
 * there is nothing to invoice; EXISTS_DIFFERENT if the id is another account's. */
enum ledger_result invoice_create(struct accountd *a, const char *invoice_id, const char *account, json_t **body,
                                  struct json_why *why);
/* The path of the bundle, which is made if it is not there; 0 or -1 with the reason. */
int invoice_bundle(struct accountd *a, const struct ledger_invoice *invoice, char *path, size_t path_bytes,
                   struct json_why *why);

#endif
