/* CAdES-BES (ETSI EN 319 122-1, level B-B without policy): CMS SignedData (RFC 5652), detached, DER, P-256 with
 * SHA-256, the signed attributes content type, message digest, signing time and signing-certificate-v2 (RFC 5035).
 * What
 *     openssl cms -verify -cades -binary -inform DER -in FILE.p7s -content FILE -CAfile invoice-cert.pem
 * accepts. The certificate is self-made, "HOST invoices", for ten years: who trusts it trusts keys.txt, which came
 * the same way.
 *
 * ECDSA as OpenSSL 3.0 does it draws a random number for each signature: whoever signs keeps the first result, for
 * a bundle made again must be the same bytes. */
#ifndef ACCOUNTD_PAPER_CADES_H
#define ACCOUNTD_PAPER_CADES_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct paper_cades {
    EVP_PKEY *key;
    X509 *certificate;
};

/* Loads DIR/invoice-x509.key (PKCS #8, PEM) and DIR/invoice-x509.pem, making what is missing, valid from now_ms
 * on; each is durable before it is used. Refuses a key that others may read, a certificate without its key, and
 * one of another key. The directory is there (keys_open). 0, or -1 after logging; close it in either case. */
int paper_cades_open(const char *dir, const char *host, int64_t now_ms, struct paper_cades *cades);
void paper_cades_close(struct paper_cades *cades);
/* invoice-cert.pem. malloc'd; NULL when out of memory. */
char *paper_cades_pem(const struct paper_cades *cades);

/* malloc'd DER. -1 when OpenSSL refuses or memory is out; *der is set only on success. */
int paper_cades_sign(const struct paper_cades *cades, const void *bytes, size_t len, int64_t signing_time_ms,
                     uint8_t **der, size_t *der_len);
/* By exactly this certificate, of exactly these bytes, in the one encoding; whatever day it is. */
bool paper_cades_verify(const char *certificate_pem, const void *bytes, size_t len, const uint8_t *der, size_t der_len);

#endif
