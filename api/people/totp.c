#include "api/people/totp.h"
#include "common/log.h"

#include <ctype.h>
#include <gnutls/crypto.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define SHA1_BYTES 20
#define ISSUER "XenoServer"

void totp_code(const uint8_t *secret, size_t secret_size, int64_t step, char code[static TOTP_DIGITS + 1])
{
    uint8_t counter[8], mac[SHA1_BYTES];
    uint32_t value;
    unsigned at;

    for (int i = 0; i < 8; i++)
        counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
    if (gnutls_hmac_fast(GNUTLS_MAC_SHA1, secret, secret_size, counter, sizeof(counter), mac) != 0)
        fatalx("GnuTLS has no HMAC-SHA-1");
    /* RFC 4226 section 5.3: the last four bits say where the 31 that count begin. */
    at = mac[SHA1_BYTES - 1] & 15;
    value = (uint32_t)(mac[at] & 127) << 24 | (uint32_t)mac[at + 1] << 16 | (uint32_t)mac[at + 2] << 8 | mac[at + 3];
    snprintf(code, TOTP_DIGITS + 1, "%06u", value % 1000000);
    sodium_memzero(mac, sizeof(mac));
}

int64_t totp_match(const uint8_t secret[static TOTP_SECRET_BYTES], const char *code, int64_t now_ms)
{
    int64_t now = now_ms / TOTP_STEP_MS, found = -1;
    char right[TOTP_DIGITS + 1];

    if (strlen(code) != TOTP_DIGITS)
        return -1;
    for (int64_t step = now - 1; step <= now + 1; step++) {
        totp_code(secret, TOTP_SECRET_BYTES, step, right);
        if (sodium_memcmp(right, code, TOTP_DIGITS) == 0)
            found = step;
    }
    sodium_memzero(right, sizeof(right));
    return found;
}

void totp_secret_text(const uint8_t secret[static TOTP_SECRET_BYTES], char out[static TOTP_SECRET_TEXT])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    unsigned bits = 0, held = 0;

    for (int i = 0, at = 0; i < TOTP_SECRET_TEXT - 1; i++) {
        if (held < 5) {
            bits = bits << 8 | secret[at++];
            held += 8;
        }
        held -= 5;
        out[i] = digits[bits >> held & 31];
    }
    out[TOTP_SECRET_TEXT - 1] = 0;
}

/* RFC 3986 section 2.1. What does not fit is cut between characters: the label is only shown. */
static void percent_encode(const char *text, char *out, size_t size)
{
    size_t used = 0;

    for (; *text && used + 4 <= size; text++)
        if (isalnum((unsigned char)*text) || strchr("-._~", *text))
            out[used++] = *text;
        else
            used += (size_t)snprintf(out + used, size - used, "%%%02X", (unsigned char)*text);
    out[used] = 0;
}

void totp_uri(const uint8_t secret[static TOTP_SECRET_BYTES], const char *login, char out[static TOTP_URI_BYTES])
{
    char text[TOTP_SECRET_TEXT], label[TOTP_URI_BYTES - 160];

    totp_secret_text(secret, text);
    percent_encode(login, label, sizeof(label));
    snprintf(out, TOTP_URI_BYTES,
             "otpauth://totp/" ISSUER ":%s?secret=%s&issuer=" ISSUER "&algorithm=SHA1&digits=%d&period=%d", label, text,
             TOTP_DIGITS, TOTP_STEP_MS / 1000);
}
