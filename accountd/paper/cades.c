/* CAdES signatures by OpenSSL's CMS. */
#include "accountd/paper/cades.h"
#include "accountd/paper/cades_frame.h"

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

int paper_cades_sign(const struct paper_cades *cades, const void *bytes, size_t len, int64_t signing_time_ms,
                     uint8_t **der, size_t *der_len)
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

static bool verify(X509 *certificate, BIO *content, const uint8_t *der, size_t der_len)
{
    const uint8_t *at = der;
    CMS_ContentInfo *cms = der_len <= LONG_MAX ? d2i_CMS_ContentInfo(NULL, &at, (long)der_len) : NULL;
    X509_STORE *store = trust(certificate);
    bool good = cms && store && CMS_get0_type(cms) && OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_signed &&
                cades_framed(cms, certificate, der, der_len) &&
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
