/* What an invoice looks like: invoice.json (xs-invoice/v2) in, the files of its bundle out.
 *
 * Pure, and the same bytes each time: dates are the invoice's own, no clock is read. The caller is whoever writes
 * bundles, and xs-verify, which may make XML and CSV again and compare. Each returns malloc'd bytes, or NULL with
 * the reason, which names the field ("lines[3].amount_nano: missing"); nothing is printed that does not add up.
 *
 * What is refused beyond missing or misspelled fields: sums that do not hold (net = lines, total = net + tax =
 * paid + payable, tax within a cent of its rate), a detail without its line, more than one tax entry (lines do not
 * say which is theirs: a change of tax status closes an invoice), and what EN 16931 would refuse: VAT charged or
 * reversed without the seller's VAT id (BR-S-02, BR-AE-02), reversed without the buyer's. */
#ifndef ACCOUNTD_PAPER_PAPER_H
#define ACCOUNTD_PAPER_PAPER_H

#include "common/json.h"

/* Where Debian's fonts-open-sans has them, on the build machine and in dom0's root. Latin, Greek and Cyrillic; what
 * the font lacks is printed as its empty box, and is whole in XML and JSON. */
#define PAPER_FONT_DIR "/usr/share/fonts/truetype/open-sans"

/* A4, PDF 1.x, embedded fonts; with an EPC069-12 QR code if the seller has an IBAN. */
char *paper_pdf(const json_t *invoice, size_t *len, struct json_why *why);

/* EN 16931 in CII syntax (UN/CEFACT D16B CrossIndustryInvoice, as Factur-X's profile EN16931 has it). UTF-8,
 * terminated. Type code (UNTDID 1001): 380 invoice, 381 credit note, 325 pro forma for a draft. A line's net price
 * (BT-146) is its amount for its whole quantity (BT-149 = BT-129), as tiers and rounding to months leave no one
 * price: BT-131 is exact. */
char *paper_cii(const json_t *invoice, struct json_why *why);

/* lines.csv: FOCUS 1.0 column names, RFC 4180. A Usage row for each detail, an Adjustment for what rounding a line
 * to cents added to its details, a Tax row. BilledCost adds up to the total, to the nano. A credit note has a
 * Credit row for each line, a Tax row, and they add up to minus its total. */
char *paper_csv(const json_t *invoice, struct json_why *why);

#endif
