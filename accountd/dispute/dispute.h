/* Disputes: a customer says that an invoice is wrong. What is known of it then is gathered and signed at once
 * (evidence.h), so that nobody can look for it later; if the records give less than was billed, a credit note is
 * drafted. An operator ends the dispute, once: the credit note is issued in the same transaction. */
#ifndef ACCOUNTD_DISPUTE_H
#define ACCOUNTD_DISPUTE_H

#include "accountd/dispute/evidence.h"

/* OK or EXISTS. EXISTS_DIFFERENT: the id asked for something else. NOT_FOUND: no such invoice of the account.
 * CONFLICT with the reason: evidence.h, or the line is disputed already. */
enum ledger_result dispute_open(struct accountd *a, const struct evidence_request *request, struct json_why *why);

struct dispute_resolution {
    const char *dispute_id, *operator_id, *outcome, *reason;    /* outcome: "accepted" or "rejected" */
    const json_t *lines;                /* [{line, amount_nano}] to give back; NULL: what the evidence proposes */
};
/* OK or EXISTS. EXISTS_DIFFERENT: it ended otherwise. NOT_FOUND. CONFLICT with the reason: nothing is proposed and no
 * lines are given, lines with "rejected", or more than is left of a line. */
enum ledger_result dispute_resolve(struct accountd *a, const struct dispute_resolution *resolution,
                                   struct json_why *why);

/* {dispute_id, account_id, invoice_id, line (null: all), reason, claim, opened_ms, state: open|resolved, outcome,
 * resolution, operator, credit_note_id, resolved_ms (null while it is open), verdict, proposed_nano}; with `all` also
 * evidence {lines, claim, credit_note}, document (the signed text; null above 512 KiB) and signature. NULL on
 * failure. */
struct dispute_row;
json_t *dispute_json(const struct dispute_row *row, bool all);

#endif
