/* Bank statements: ISO 20022 camt.053.001.02 and .001.08 (BankToCustomerStatement),
 * read into a flat list of payments. Pure; nothing is fetched, no document type
 * is accepted (so there are no entities to expand), depth and size are bounded.
 *
 * A file is read whole or refused whole, by line and element. What a payment
 * means is bank.c's to say: debits, reversals and entries that are not booked
 * are listed as they are.
 */
#ifndef ACCOUNTD_FUNDING_CAMT_H
#define ACCOUNTD_FUNDING_CAMT_H

#include "accountd/funding/reference.h"
#include "common/json.h"

#define CAMT_BYTES_MAX (700 * 1024)
#define CAMT_DEPTH_MAX 32
#define CAMT_PAYMENTS_MAX 3000          /* of which an import, one transaction, takes about a second */
#define CAMT_REF_BYTES  141             /* Max35Text: 35 characters of up to 4 bytes */
#define CAMT_NAME_BYTES 561             /* Max140Text */

/* An entry (Ntry), or one transaction (TxDtls) of an entry that has several. */
struct camt_payment {
    unsigned line;
    char statement[CAMT_REF_BYTES];     /* Stmt/Id */
    char account[IBAN_BYTES];           /* of the statement; "" if it has no IBAN */
    char status[CAMT_REF_BYTES];        /* BOOK, PDNG, INFO, ... */
    bool credit, reversal;
    int64_t entry_nano;                 /* of the whole entry */
    int64_t nano;                       /* of this payment */
    char currency[4];
    char booked_on[11];                 /* "2026-11-20"; "" if the bank did not say */
    char servicer_ref[CAMT_REF_BYTES];  /* AcctSvcrRef: the bank's own name of the entry, "" if none */
    char entry_ref[CAMT_REF_BYTES];     /* NtryRef: unique in its statement, "" if none */
    unsigned part;                      /* counts the payments of an entry from 0 */
    bool unsplit;                       /* several transactions without amounts of their own */
    char payer[CAMT_NAME_BYTES], payer_iban[IBAN_BYTES];
    char reference[CAMT_REF_BYTES];     /* structured creditor reference as it stands there, "" if none */
    char end_to_end[CAMT_REF_BYTES];
    char text[REFERENCE_TEXT_BYTES];    /* unstructured remittance information; cut off if it is longer */
};

struct camt_file {
    struct camt_payment *payments;
    size_t count, room;
    int64_t sum_nano;                   /* of all payments, whatever they are: it fits */
};

/* 0, or -1 and `why` names line and element. The caller frees `file` only after 0. */
int camt_parse(const char *text, size_t len, struct camt_file *file, struct json_why *why);
void camt_free(struct camt_file *file);

/* "12.5" to 12500000000: digits, at most one point, up to 9 places, nothing below the nano. */
bool camt_amount(const char *text, int64_t *nano);

#endif
