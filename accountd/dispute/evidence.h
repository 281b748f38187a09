/* What is known of a disputed invoice at the moment of the dispute, as one document.
 *
 * Format xs-dispute/v1, canonical JSON, money as decimal strings of nano: format, dispute_id, account_id, opened_ms,
 * request {invoice_id, line (0: all), reason, claim}, invoice (as issued), checkpoint (the invoice's), records
 * {from_index, context_index, to_index, count}, chains [{incarnation, instance_id, first, last, counters {NAME:
 * {start, end}}}] where first and last are the billed records at both ends {index, leaf, proof (C2SP tlog-proof)},
 * price_books [{version, body, signature (minisig), leaf {index, leaf, proof}}], recomputed (statement.h, from the
 * records, as xs-verify does it), lines [{line (null: the invoice has none), period, price_book, meter,
 * invoiced_nano, recomputed_nano, credited_nano, difference_nano, verdict}], claim (the customer's value beside what
 * was recorded; or null), verdict, credit_note (a draft over what was billed too much in the disputed lines; or
 * null). A line's verdict: "same", "differs by N nano" (N above 0: billed too much) or, as the whole one's,
 * "unproven": the log of that invoice was lost. The whole verdict is "same" or "differs" for the disputed lines.
 */
#ifndef ACCOUNTD_DISPUTE_EVIDENCE_H
#define ACCOUNTD_DISPUTE_EVIDENCE_H

#include "accountd/accountd.h"

struct evidence_request {
    const char *dispute_id, *account, *invoice_id, *reason;
    int64_t line;                       /* 0: all of the invoice */
    const json_t *claim;                /* {incarnation, counter, value}, or NULL */
    int64_t opened_ms;
};
/* What asking again must say. New reference. */
json_t *evidence_asked(const struct evidence_request *request);
/* OK and *document (new reference). NOT_FOUND: no such invoice of the account; CONFLICT with the reason: no invoice,
 * no such line, or the claim is about what it does not bill. */
enum ledger_result evidence_make(struct accountd *a, const struct evidence_request *request, json_t **document,
                                 struct json_why *why);
/* The credit note that accepting this dispute issues. */
char *evidence_credit_note_id(const char *dispute_id, char id[static 32]);
/* [{line, amount_nano}] of a draft. New reference. */
json_t *evidence_proposed(const json_t *credit_note);

#endif
