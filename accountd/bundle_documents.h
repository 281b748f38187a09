/* The papers of a bundle, each signed three times. */
#ifndef ACCOUNTD_BUNDLE_DOCUMENTS_H
#define ACCOUNTD_BUNDLE_DOCUMENTS_H

#include "accountd/accountd.h"
#include "accountd/ustar.h"

struct bundle_signer {
    struct accountd *a;
    const json_t *body;                 /* invoice.json */
    const struct note_key *key;         /* the invoice key of its time */
};

/* bundle_documents, their signatures, the certificate and the list of signers. -1, with the reason where an invoice cannot be put on paper. */
int bundle_add_documents(const struct bundle_signer *signer, struct ustar *tar, struct json_why *why);
/* NAME.minisig for a file with these bytes. */
int bundle_add_minisig(const struct bundle_signer *signer, struct ustar *tar, const char *name, const char *bytes, size_t len);

#endif
