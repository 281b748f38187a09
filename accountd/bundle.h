/* The invoice bundle's file names and texts, shared with xs-verify. */
#ifndef ACCOUNTD_BUNDLE_H
#define ACCOUNTD_BUNDLE_H

#include "accountd/keys.h"
#include "accountd/statement.h"
#include "accountd/ustar.h"

#define BUNDLE_SUMS        "SHA256SUMS"
#define BUNDLE_SIGNERS     "allowed_signers"    /* ssh-keygen(1)'s */
#define BUNDLE_CERTIFICATE "invoice-cert.pem"
#define BUNDLE_MINISIG     ".minisig"
#define BUNDLE_SSHSIG      ".sshsig"
#define BUNDLE_CADES       ".p7s"
#define BUNDLE_NAMESPACE_BYTES 80

/* What is signed three times: invoice.json, invoice.pdf, invoice.xml, lines.csv. */
#define BUNDLE_DOCUMENTS 4
extern const char *const bundle_documents[BUNDLE_DOCUMENTS];
/* The SSH signatures' namespace, "invoice@HOST". */
char *bundle_namespace(const json_t *invoice, char namespace[static BUNDLE_NAMESPACE_BYTES]);

/* "SHA256SUMS" over all files of the tar but itself and its signature. malloc'd. */
char *bundle_sums(const struct ustar *tar);
/* The first file whose sum is not as listed, or NULL: the list is what bundle_sums writes. */
const char *bundle_sums_check(const struct ustar *tar, const char *sums);
/* How to check with stock tools; commands stand on lines that begin with four spaces. malloc'd. */
char *bundle_verify_text(const json_t *invoice);
/* One line of records.jsonl. malloc'd. */
char *bundle_record_line(uint64_t index, const char *leaf);
/* "proofs/000000000012.tlog-proof" */
char *bundle_proof_name(uint64_t index, char name[static USTAR_NAME_BYTES]);
char *bundle_book_name(int64_t version, char name[static USTAR_NAME_BYTES]);
/* What a signature's trusted comment says. */
char *bundle_comment(const char *file, const json_t *invoice, char text[static 160]);

#endif
