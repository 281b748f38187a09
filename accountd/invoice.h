/* Invoices: what is charged and not invoiced yet, as lines, with everything that
 * a stranger needs to check them, in one tar; drafts of them; and the credit
 * notes that correct them. Numbers are given in the order of issue and have no holes.
 *
 * invoice.json, format xs-invoice/v2: canonical JSON, money as decimal strings
 * of nano. kind, invoice_id, number (0 in a draft), number_text, host, origin,
 * from_index, to_index, context_index (the bundle has the account's records from
 * here: those before from_index were invoiced, and count for prices of the period),
 * account_id, currency, issued_ms, period_start_ms, period_end_ms, records, chains, seller, buyer (party.h),
 * lines, details, net_nano, tax, total_nano (statement.h), carried_by_host_nano (of the total, what the host paid
 * because the wallet was empty), paid_nano, payable_nano (wallets are prepaid: 0), payment_reference (ISO 11649).
 * A credit note has refers {invoice_id, number_text, issued_ms} and reason; its amounts are positive and given back.
 */
#ifndef ACCOUNTD_INVOICE_H
#define ACCOUNTD_INVOICE_H

#include "accountd/accountd.h"
#include "accountd/statement.h"

/* What an invoice of now would say. NULL with the reason. */
json_t *invoice_draft(struct accountd *a, const char *account, struct json_why *why);

/* Makes the account's invoice of all that is charged. The caller has closed the
 * segments. OK or EXISTS with *body (the invoice, new reference); CONFLICT if
 * there is nothing to invoice; EXISTS_DIFFERENT if the id is another account's or a credit note's. */
enum ledger_result invoice_create(struct accountd *a, const char *invoice_id, const char *account, json_t **body,
                                  struct json_why *why);

/* invoice_month.c: invoices of what was used in months that are over, a few at a
 * call, under ids made of account and month. Called at each tick; -1 is logged and tried again. */
int invoice_month_run(struct accountd *a);

/* credit_note.c: gives back amounts of an invoice's lines ([{line, amount_nano}], each a
 * multiple of a cent; NULL: all that is left of every line) with the tax on them.
 * EXISTS_DIFFERENT as above; NOT_FOUND no such invoice; CONFLICT more than is left of a line. */
struct credit_note {
    const char *credit_note_id, *invoice_id, *reason, *operator_id;
    const json_t *lines;
};
enum ledger_result credit_note_create(struct accountd *a, const struct credit_note *note, json_t **body,
                                      struct json_why *why);
/* The same between ledger_begin and ledger_commit, of an id that is not known yet. */
enum ledger_result credit_note_create_locked(struct accountd *a, const struct credit_note *note, json_t **body,
                                             struct json_why *why);
/* What it would say, without a number (0); nothing is written. */
enum ledger_result credit_note_draft(struct accountd *a, const struct credit_note *note, json_t **body,
                                     struct json_why *why);

/* The common part of an invoice's and a credit note's body; number 0 makes a draft. New reference. */
json_t *invoice_head(struct accountd *a, const char *kind, const char *invoice_id, const char *account, int64_t number);
/* OK and *body if there is a document of this id, kind and account (or, for a credit note, invoice). */
enum ledger_result invoice_known(struct accountd *a, const char *invoice_id, const char *kind, const char *key,
                                 const char *value, json_t **body, struct json_why *why);

/* bundle_write.c: the path of the bundle, which is made if it is not there; 0 or -1 with the reason. */
int invoice_bundle(struct accountd *a, const struct ledger_invoice *invoice, char *path, size_t path_bytes,
                   struct json_why *why);

#endif
