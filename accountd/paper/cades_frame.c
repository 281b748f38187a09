/* Writes the message again from what is signed, and compares: versions, algorithm names and the signer's name
 * are outside the signature, and OpenSSL reads several of them as it likes. RFC 5652, section 5. */
#include "accountd/paper/cades_frame.h"

#include <string.h>

#define FRAME_MAX 8192

enum { DER_INTEGER = 0x02, DER_OCTETS = 0x04, DER_SEQUENCE = 0x30, DER_SET = 0x31, DER_CONTEXT_0 = 0xa0 };

static const uint8_t oid_signed_data[] = { 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2 };
static const uint8_t oid_data[] = { 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1 };
static const uint8_t oid_sha256[] = { 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1 };
static const uint8_t oid_ecdsa_sha256[] = { 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2 };
static const uint8_t version_1[] = { DER_INTEGER, 1, 1 };

struct frame {
    uint8_t bytes[FRAME_MAX];
    size_t len;
    bool failed;                        /* it does not fit */
};

static void add(struct frame *f, const void *bytes, size_t len)
{
    if (len > FRAME_MAX - f->len) {
        f->failed = true;
        return;
    }
    memcpy(f->bytes + f->len, bytes, len);
    f->len += len;
}

/* Everything so far becomes the content of one element; lengths are at most FRAME_MAX. */
static void wrap(struct frame *f, uint8_t tag)
{
    uint8_t head[4] = { tag };
    size_t len = f->len, head_len = len < 0x80 ? 2 : len < 0x100 ? 3 : 4;

    if (len > FRAME_MAX - head_len) {
        f->failed = true;
        return;
    }
    if (head_len == 2)
        head[1] = (uint8_t)len;
    else
        head[1] = (uint8_t)(0x80 + head_len - 2);
    if (head_len > 2)
        head[head_len - 1] = (uint8_t)len;
    if (head_len == 4)
        head[2] = (uint8_t)(len >> 8);
    memmove(f->bytes + head_len, f->bytes, len);
    memcpy(f->bytes, head, head_len);
    f->len += head_len;
}

/* The element around a copy of inner, after what f has. */
static void add_wrapped(struct frame *f, uint8_t tag, struct frame *inner)
{
    wrap(inner, tag);
    add(f, inner->bytes, inner->len);
    f->failed |= inner->failed;
}

static void add_algorithm(struct frame *f, const uint8_t *oid, size_t len)
{
    struct frame algorithm = { .len = 0 };

    add(&algorithm, oid, len);
    add_wrapped(f, DER_SEQUENCE, &algorithm);
}

/* What i2d gave; negative where OpenSSL ran out of memory. Takes bytes. */
static void add_encoded(struct frame *f, unsigned char *bytes, int len)
{
    if (len < 0)
        f->failed = true;
    else
        add(f, bytes, (size_t)len);
    OPENSSL_free(bytes);
}

static void add_name(struct frame *f, X509 *certificate)
{
    struct frame name = { .len = 0 };
    unsigned char *bytes = NULL;
    int len = i2d_X509_NAME(X509_get_issuer_name(certificate), &bytes);

    add_encoded(&name, bytes, len);
    bytes = NULL;
    len = i2d_ASN1_INTEGER(X509_get_serialNumber(certificate), &bytes);
    add_encoded(&name, bytes, len);
    add_wrapped(f, DER_SEQUENCE, &name);
}

static void add_attributes(struct frame *f, const CMS_SignerInfo *signer)
{
    struct frame attributes = { .len = 0 };

    for (int i = 0; i < CMS_signed_get_attr_count(signer); i++) {
        unsigned char *bytes = NULL;
        int len = i2d_X509_ATTRIBUTE(CMS_signed_get_attr(signer, i), &bytes);

        add_encoded(&attributes, bytes, len);
    }
    add_wrapped(f, DER_CONTEXT_0, &attributes);
}

static void add_signer(struct frame *f, CMS_SignerInfo *signer, X509 *certificate)
{
    const ASN1_OCTET_STRING *signature = CMS_SignerInfo_get0_signature(signer);
    struct frame info = { .len = 0 }, octets = { .len = 0 };

    add(&info, version_1, sizeof(version_1));
    add_name(&info, certificate);
    add_algorithm(&info, oid_sha256, sizeof(oid_sha256));
    add_attributes(&info, signer);
    add_algorithm(&info, oid_ecdsa_sha256, sizeof(oid_ecdsa_sha256));
    add(&octets, ASN1_STRING_get0_data(signature), (size_t)ASN1_STRING_length(signature));
    add_wrapped(&info, DER_OCTETS, &octets);
    wrap(&info, DER_SEQUENCE);
    add_wrapped(f, DER_SET, &info);
}

static void write_frame(struct frame *f, CMS_SignerInfo *signer, X509 *certificate)
{
    struct frame body = { .len = 0 }, part = { .len = 0 };
    unsigned char *bytes = NULL;
    int len = i2d_X509(certificate, &bytes);

    add(&body, version_1, sizeof(version_1));
    add_algorithm(&part, oid_sha256, sizeof(oid_sha256));
    add_wrapped(&body, DER_SET, &part);
    add_algorithm(&body, oid_data, sizeof(oid_data));
    part.len = 0;
    add_encoded(&part, bytes, len);
    add_wrapped(&body, DER_CONTEXT_0, &part);
    add_signer(&body, signer, certificate);
    wrap(&body, DER_SEQUENCE);
    add(f, oid_signed_data, sizeof(oid_signed_data));
    add_wrapped(f, DER_CONTEXT_0, &body);
    wrap(f, DER_SEQUENCE);
}

bool cades_framed(CMS_ContentInfo *cms, X509 *certificate, const uint8_t *der, size_t der_len)
{
    STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
    struct frame frame = { .len = 0 };

    if (sk_CMS_SignerInfo_num(signers) != 1)
        return false;
    write_frame(&frame, sk_CMS_SignerInfo_value(signers, 0), certificate);
    return !frame.failed && frame.len == der_len && memcmp(frame.bytes, der, der_len) == 0;
}
