/* CAdES signatures by OpenSSL's CMS. */
#include "accountd/paper/cades.h"

#include <limits.h>
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#define FLAGS (CMS_DETACHED | CMS_BINARY | CMS_CADES | CMS_NOSMIMECAP)

/* The attribute is set before the signer is finished, or OpenSSL would read the clock. */
static int add_signer(CMS_ContentInfo *cms, const struct paper_cades *cades, int64_t signing_time_ms)
{
    CMS_SignerInfo *signer = CMS_add1_signer(cms, cades->certificate, cades->key, EVP_sha256(), FLAGS | CMS_PARTIAL);
    ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)(signing_time_ms / 1000));
    int good = signer && time &&
               CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_signingTime, time->type, time, -1) == 1;

    ASN1_TIME_free(time);
    return good ? 0 : -1;
}

static int encode(CMS_ContentInfo *cms, uint8_t **der, size_t *der_len)
{
    int len = i2d_CMS_ContentInfo(cms, NULL);
    uint8_t *bytes = len > 0 ? malloc((size_t)len) : NULL, *at = bytes;

    if (!bytes)
        return -1;
    i2d_CMS_ContentInfo(cms, &at);
    *der = bytes;
    *der_len = (size_t)len;
    return 0;
}

int paper_cades_sign(const struct paper_cades *cades, const void *bytes, size_t len, int64_t signing_time_ms, uint8_t **der,
                     size_t *der_len)
{
    BIO *content = len <= INT_MAX ? BIO_new_mem_buf(bytes, (int)len) : NULL;
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, FLAGS | CMS_PARTIAL);
    int rc = -1;

    if (content && cms && add_signer(cms, cades, signing_time_ms) == 0 && CMS_final(cms, content, NULL, FLAGS) == 1)
        rc = encode(cms, der, der_len);
    CMS_ContentInfo_free(cms);
    BIO_free(content);
    return rc;
}

/* Who checks in twenty years trusts the certificate for what it signed, so its dates are not asked. */
static X509_STORE *trust(X509 *certificate)
{
    X509_STORE *store = X509_STORE_new();

    if (store && (X509_STORE_add_cert(store, certificate) != 1 ||
                  X509_STORE_set_flags(store, X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_PARTIAL_CHAIN) != 1)) {
        X509_STORE_free(store);
        store = NULL;
    }
    return store;
}

/* What a signature does not cover is compared: one signer, no unsigned attributes, the one certificate, DER. */
static bool is_ours(CMS_ContentInfo *cms, X509 *certificate, const uint8_t *der, size_t der_len)
{
    STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
    STACK_OF(X509) *certificates = CMS_get1_certs(cms);
    uint8_t *again = NULL;
    size_t again_len;
    bool ours = sk_CMS_SignerInfo_num(signers) == 1 && sk_X509_num(certificates) == 1 &&
                X509_cmp(sk_X509_value(certificates, 0), certificate) == 0 &&
                CMS_unsigned_get_attr_count(sk_CMS_SignerInfo_value(signers, 0)) <= 0 &&
                encode(cms, &again, &again_len) == 0 && again_len == der_len && memcmp(again, der, der_len) == 0;

    free(again);
    sk_X509_pop_free(certificates, X509_free);
    return ours;
}

static bool verify(X509 *certificate, BIO *content, const uint8_t *der, size_t der_len)
{
    const uint8_t *at = der;
    CMS_ContentInfo *cms = der_len <= LONG_MAX ? d2i_CMS_ContentInfo(NULL, &at, (long)der_len) : NULL;
    X509_STORE *store = trust(certificate);
    bool good = cms && store && CMS_get0_type(cms) && OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_signed &&
                is_ours(cms, certificate, der, der_len) &&
                CMS_verify(cms, NULL, store, content, NULL, CMS_BINARY | CMS_CADES) == 1;

    X509_STORE_free(store);
    CMS_ContentInfo_free(cms);
    return good;
}

bool paper_cades_verify(const char *certificate_pem, const void *bytes, size_t len, const uint8_t *der, size_t der_len)
{
    BIO *pem = BIO_new_mem_buf(certificate_pem, -1);
    BIO *content = len <= INT_MAX ? BIO_new_mem_buf(bytes, (int)len) : NULL;
    X509 *certificate = pem ? PEM_read_bio_X509(pem, NULL, NULL, NULL) : NULL;
    bool good = certificate && content && verify(certificate, content, der, der_len);

    X509_free(certificate);
    BIO_free(content);
    BIO_free(pem);
    return good;
}
