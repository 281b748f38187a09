/* Certificates that the openssl command would not make, expired ones among them. */
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>

void rig_certificate(const char *crt_path, const char *key_path, long from_s, long to_s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *crt = X509_new();
    X509_NAME *name = X509_get_subject_name(crt);
    X509_EXTENSION *san;
    FILE *file;

    X509_set_version(crt, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(crt), 1);
    X509_gmtime_adj(X509_getm_notBefore(crt), from_s);
    X509_gmtime_adj(X509_getm_notAfter(crt), to_s);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(crt, name);
    X509_set_pubkey(crt, key);
    san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    if (!san || X509_add_ext(crt, san, -1) != 1)
        tap_bail("subjectAltName");
    X509_EXTENSION_free(san);
    if (X509_sign(crt, key, EVP_sha256()) == 0)
        tap_bail("cannot sign a certificate");
    file = fopen(crt_path, "we");
    if (!file || !PEM_write_X509(file, crt) || fclose(file) != 0)
        tap_bail("%s", crt_path);
    file = fopen(key_path, "we");
    if (!file || !PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) || fclose(file) != 0)
        tap_bail("%s", key_path);
    X509_free(crt);
    EVP_PKEY_free(key);
}
