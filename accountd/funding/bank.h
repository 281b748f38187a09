/* Bank statements into the ledger: who paid what, once. */
#ifndef ACCOUNTD_FUNDING_BANK_H
#define ACCOUNTD_FUNDING_BANK_H

#include "accountd/funding/camt.h"
#include "accountd/ledger/ledger.h"

#define BANK_LISTED_MAX 500             /* payments that a report shows one by one */

struct bank_order {
    const char *import_id, *operator_id;
    const char *sha256;                 /* of the file's bytes, in hex */
    const char *iban, *currency;        /* the host's */
    int64_t at_ms;
};

/* Books a file in one transaction. Credits that are booked, to the host's
 * account and in its currency, go to the wallet whose reference or account id
 * they carry (host:deposits:bank -> wallet, code bank), else to host:suspense;
 * everything else is kept as ignored, with the reason.
 *
 * A payment is known again by the bank's id of it (AcctSvcrRef, else NtryRef) with day,
 * amount and direction, or, without one, by all of its fields; of equal ones in a
 * statement the first matches the first, and so on. So a file may come again and files may
 * overlap: only what is new is booked. Where a bank gives no AcctSvcrRef and another
 * statement had the same payment under another NtryRef, nobody can tell: it goes to
 * suspense, and `why` names the other.
 *
 * OK, EXISTS (this import_id and file: *report as it was), EXISTS_DIFFERENT, FAILED.
 * *report: {import_id, entries, credited, suspense, ignored, duplicates, credited_nano, suspense_nano,
 *           listed:[{line, entry_id, state, amount_nano, currency[, account_id][, why]}]} */
enum ledger_result bank_import(struct ledger *ledger, const struct bank_order *order, const struct camt_file *file,
                               json_t **report);

#endif
