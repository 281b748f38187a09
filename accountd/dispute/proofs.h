/* Records of an invoice with their proofs under its checkpoint, and the sum of them. */
#ifndef ACCOUNTD_DISPUTE_PROOFS_H
#define ACCOUNTD_DISPUTE_PROOFS_H

#include "accountd/accountd.h"
#include "accountd/statement.h"

/* The billed records of one incarnation. */
struct proofs_chain {
    char incarnation[RECORD_HEX_BYTES], instance[RECORD_NAME_BYTES];
    uint64_t first_idx, last_idx;
    char *first, *last;                 /* leaves */
    struct meter_point from, to;
};
struct proofs {
    struct accountd *a;
    const struct ledger_invoice *invoice;
    struct statement statement;         /* of the records; its tax is the caller's to set before */
    struct proofs_chain *chains;
    size_t chains_count;
    int64_t records;
    struct json_why why;
};
/* Reads the records from context_idx on and sums them up. -1 with the reason in `why`; proofs_free in either case. */
int proofs_read(struct proofs *proofs, uint64_t context_idx);
void proofs_free(struct proofs *proofs);
/* Of the evidence. New references, NULL on failure. */
json_t *proofs_chains(const struct proofs *proofs);
json_t *proofs_books(const struct proofs *proofs);
const struct proofs_chain *proofs_find(const struct proofs *proofs, const char *incarnation);

#endif
