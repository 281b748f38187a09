/* What of a bundle is made from the invoice alone: the papers and their signatures. */
#include "accountd/bundle_documents.h"
#include "accountd/bundle.h"
#include "accountd/paper/paper.h"
#include "accountd/paper/sshsig.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_sshsig(const struct bundle_signer *signer, struct ustar *tar, const char *name, const char *bytes, size_t len)
{
    char namespace[BUNDLE_NAMESPACE_BYTES], sig_name[USTAR_NAME_BYTES + 16];

    snprintf(sig_name, sizeof(sig_name), "%s" BUNDLE_SSHSIG, name);
    return ustar_add_text(tar, sig_name, paper_sshsig(bytes, len, bundle_namespace(signer->body, namespace), signer->key));
}

/* The first one that was made is kept: ECDSA draws a random number each time. */
static int add_cades(const struct bundle_signer *signer, struct ustar *tar, const char *name, const char *bytes, size_t len)
{
    const char *id = json_string_value(json_object_get(signer->body, "invoice_id"));
    int64_t issued_ms = json_integer_value(json_object_get(signer->body, "issued_ms"));
    char sig_name[USTAR_NAME_BYTES + 16];
    uint8_t *der = NULL;
    char *copy;
    size_t der_len;
    int known = ledger_cades(signer->a->ledger, id, name, &der, &der_len);

    if (known < 0)
        return -1;
    if (known == 0 && (paper_cades_sign(&signer->a->cades, bytes, len, issued_ms, &der, &der_len) ||
                       ledger_cades_put(signer->a->ledger, id, name, der, der_len))) {
        free(der);
        return -1;
    }
    copy = realloc(der, der_len + 1);
    if (!copy) {
        free(der);
        return -1;
    }
    copy[der_len] = 0;
    snprintf(sig_name, sizeof(sig_name), "%s" BUNDLE_CADES, name);
    return ustar_add(tar, sig_name, copy, der_len);
}

int bundle_add_minisig(const struct bundle_signer *signer, struct ustar *tar, const char *name, const char *bytes, size_t len)
{
    char comment[160], sig_name[USTAR_NAME_BYTES + 16];

    snprintf(sig_name, sizeof(sig_name), "%s" BUNDLE_MINISIG, name);
    return ustar_add_text(tar, sig_name, note_minisig(bytes, len, bundle_comment(name, signer->body, comment), signer->key));
}

/* Steals bytes. */
static int add_document(const struct bundle_signer *signer, struct ustar *tar, const char *name, char *bytes, size_t len)
{
    if (!bytes || bundle_add_minisig(signer, tar, name, bytes, len) || add_sshsig(signer, tar, name, bytes, len) ||
        add_cades(signer, tar, name, bytes, len)) {
        free(bytes);
        return -1;
    }
    return ustar_add(tar, name, bytes, len);
}

static int add_text_document(const struct bundle_signer *signer, struct ustar *tar, const char *name, char *text)
{
    return add_document(signer, tar, name, text, text ? strlen(text) : 0);
}

int bundle_add_documents(const struct bundle_signer *signer, struct ustar *tar, struct json_why *why)
{
    char namespace[BUNDLE_NAMESPACE_BYTES];
    size_t pdf_len = 0;
    char *pdf = paper_pdf(signer->body, &pdf_len, why);

    return add_document(signer, tar, "invoice.pdf", pdf, pdf_len) ||
           add_text_document(signer, tar, "invoice.json", json_canonical(signer->body)) ||
           add_text_document(signer, tar, "invoice.xml", paper_cii(signer->body, why)) ||
           add_text_document(signer, tar, "lines.csv", paper_csv(signer->body, why)) ||
           ustar_add_text(tar, BUNDLE_CERTIFICATE, paper_cades_pem(&signer->a->cades)) ||
           ustar_add_text(tar, BUNDLE_SIGNERS, paper_ssh_allowed(signer->a->head.host,
                                                                 bundle_namespace(signer->body, namespace), signer->key))
        ? -1 : 0;
}
