/* All SQL of this folder: references, receipts, events, vouchers in ledger.db.
 * Every function runs inside the caller's transaction where it writes.
 * int: 1 found, 0 not, -1 failed and logged; ledger_result where the caller passes it on. */
#ifndef ACCOUNTD_FUNDING_STORE_H
#define ACCOUNTD_FUNDING_STORE_H

#include "accountd/funding/reference.h"
#include "accountd/funding/voucher_code.h"
#include "accountd/ledger/ledger.h"
#include "accountd/record.h"

/* References of customers' accounts that have none yet are filed. 0 or -1. */
int store_references_fill(struct ledger *ledger);
/* Whose it is; 0 also if it is more than one's. */
int store_reference_account(struct ledger *ledger, const char *reference, char account[static RECORD_NAME_BYTES]);

/* *report is malloc'd. */
int store_import(struct ledger *ledger, const char *import_id, char sha256[static 65], char **report);
enum ledger_result store_import_put(struct ledger *ledger, const char *import_id, const char *sha256,
                                    const char *operator_id, const char *report, int64_t at_ms);

/* A receipt as it is written. */
struct receipt_row {
    const char *id, *source, *origin, *statement, *servicer_ref, *twin, *booked_on;
    int64_t nano;
    const char *currency, *payer, *payer_iban, *text, *state, *why;
    const char *account, *transfer_id;  /* NULL where there is none */
    int64_t at_ms;
};
enum ledger_result store_receipt_put(struct ledger *ledger, const struct receipt_row *row);

/* A receipt as it stands. */
struct receipt {
    char source[8], state[16];          /* credited, suspense, ignored, assigned, returned */
    char account[RECORD_NAME_BYTES];    /* whom it was credited or assigned to; "" */
    int64_t nano, taken_nano;           /* taken back by refunds and disputes */
    char end_transfer[RECORD_NAME_BYTES];       /* that assigned or returned it; "" */
};
int store_receipt(struct ledger *ledger, const char *receipt_id, struct receipt *receipt);
/* A receipt with the same fields and nothing that tells it from this one: in another statement, or without the bank's
 * id. */
int store_receipt_twin(struct ledger *ledger, const char *twin, const char *statement, const char *servicer_ref,
                       char receipt_id[static LEDGER_ID_BYTES]);
enum ledger_result store_receipt_end(struct ledger *ledger, const char *receipt_id, const char *kind,
                                     const char *account /* or NULL */, const char *transfer_id,
                                     const char *operator_id, const char *reason, int64_t at_ms);
/* state NULL: all. After this number, oldest first. NULL on failure. */
json_t *store_receipts(struct ledger *ledger, const char *state, int64_t after, int64_t limit);

struct event_row {
    const char *provider, *event_id, *type, *receipt_id /* or NULL */;
    int64_t refunded_nano;
    const char *dispute;
    int64_t disputed_nano;
    const char *outcome, *body;
    int64_t at_ms;
};
int store_event_outcome(struct ledger *ledger, const char *provider, const char *event_id, char outcome[static 32]);
enum ledger_result store_event_put(struct ledger *ledger, const struct event_row *row);
/* What the events so far say is to be taken back of a receipt: refunds, and each dispute once. */
int store_due(struct ledger *ledger, const char *receipt_id, int64_t *refunded_nano, int64_t *disputed_nano);
enum ledger_result store_taking_put(struct ledger *ledger, const char *receipt_id, const char *event_id,
                                    int64_t taken_nano, int64_t carried_nano, int64_t at_ms);

struct voucher {
    char id[RECORD_NAME_BYTES], operator_id[RECORD_NAME_BYTES];
    int64_t nano, expires_ms;           /* 0: never */
    char account[RECORD_NAME_BYTES], transfer_id[RECORD_NAME_BYTES];    /* of its redemption; "" */
};
int store_voucher(struct ledger *ledger, const char *voucher_id, struct voucher *voucher);
int store_voucher_by_hash(struct ledger *ledger, const uint8_t hash[static VOUCHER_HASH_BYTES],
                          struct voucher *voucher);
enum ledger_result store_voucher_put(struct ledger *ledger, const struct voucher *voucher,
                                     const uint8_t hash[static VOUCHER_HASH_BYTES], int64_t at_ms);
enum ledger_result store_redemption_put(struct ledger *ledger, const char *voucher_id, const char *account,
                                        const char *transfer_id, int64_t at_ms);

#endif
