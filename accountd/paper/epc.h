/* The text of an EPC QR code (EPC069-12, version 002): a SEPA transfer that refills the wallet, ready to be sent. */
#ifndef ACCOUNTD_PAPER_EPC_H
#define ACCOUNTD_PAPER_EPC_H

#include "accountd/paper/read.h"

#define EPC_BYTES 332                   /* the guideline's limit is 331 */

/* False where there is nothing to scan: the seller has no IBAN, or money goes the other way. */
bool paper_epc(const struct paper *paper, char text[static EPC_BYTES]);

#endif
