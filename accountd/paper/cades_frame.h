/* The bytes around a CMS signature that the signature itself does not cover. */
#ifndef ACCOUNTD_PAPER_CADES_FRAME_H
#define ACCOUNTD_PAPER_CADES_FRAME_H

#include <openssl/cms.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether der is what paper_cades_sign writes around the signed attributes and the signature of this message. */
bool cades_framed(CMS_ContentInfo *cms, X509 *certificate, const uint8_t *der, size_t der_len);

#endif
