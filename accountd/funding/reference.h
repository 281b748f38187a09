/* Creditor references (ISO 11649: "RF", two check digits, up to 21 letters and
 * digits) and account numbers (ISO 13616: IBAN). Pure.
 *
 * What people type is read forgivingly (spaces, lower case); check digits are
 * not. An account's reference follows from its id alone: RFcc XS and the first
 * 16 hex digits of SHA-256(account id), so it can be printed anywhere.
 */
#ifndef ACCOUNTD_FUNDING_REFERENCE_H
#define ACCOUNTD_FUNDING_REFERENCE_H

#include "common/id.h"

#include <stdbool.h>
#include <stddef.h>

#define REFERENCE_BYTES 26
#define IBAN_BYTES      35

char *reference_of_account(const char *account, char reference[static REFERENCE_BYTES]);
/* True if the text is a reference with right check digits; `reference` is its electronic format then. */
bool reference_parse(const char *text, char reference[static REFERENCE_BYTES]);
/* Likewise. The length that a country prescribes is not looked at: the check digits find a digit too few. */
bool iban_parse(const char *text, char iban[static IBAN_BYTES]);

/* Goes through what a free text may hold: references of ours, and account ids
 * as common/id.h makes them. Only letters and digits count: banks wrap lines,
 * drop underscores and change case. */
#define REFERENCE_TEXT_BYTES 1024
struct reference_scan {
    char text[REFERENCE_TEXT_BYTES];
    size_t at;
};
enum reference_kind { REFERENCE_NONE, REFERENCE_CREDITOR, REFERENCE_ACCOUNT };
/* A longer text is looked at as far as REFERENCE_TEXT_BYTES go. */
void reference_scan_start(struct reference_scan *scan, const char *text);
/* The next one, or NONE at the end. */
enum reference_kind reference_scan_next(struct reference_scan *scan, char found[static ID_BYTES]);

#endif
