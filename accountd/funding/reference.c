/* ISO 7064 mod 97-10 over letters and digits, as ISO 11649 and ISO 13616 use it. */
#include "accountd/funding/reference.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define OURS_LEN     22                 /* RFcc XS and 16 hex digits */
#define OURS_PREFIX  "XS"
#define REFERENCE_LEN_MIN 5
#define IBAN_LEN_MIN 15

/* Copies letters and digits in upper case; false if there is more than room, or anything but these and spaces. */
static bool compact(const char *text, char *out, size_t bytes)
{
    size_t len = 0;

    for (; *text; text++) {
        if (*text == ' ')
            continue;
        if (!isalnum((unsigned char)*text) || len + 1 >= bytes)
            return false;
        out[len++] = (char)toupper((unsigned char)*text);
    }
    out[len] = 0;
    return true;
}

static unsigned mod97_step(unsigned rest, char c)
{
    return c <= '9' ? (rest * 10 + (unsigned)(c - '0')) % 97 : (rest * 100 + (unsigned)(c - 'A') + 10) % 97;
}

/* Of the text with its first four characters moved to the end. */
static unsigned mod97(const char *text)
{
    unsigned rest = 0;

    for (const char *at = text + 4; *at; at++)
        rest = mod97_step(rest, *at);
    for (int i = 0; i < 4; i++)
        rest = mod97_step(rest, text[i]);
    return rest;
}

/* Check digits run from 02 to 98: 00, 01 and 99 leave the same remainder as others, and are not made. */
static bool checked(const char *text)
{
    int digits;

    if (!isdigit((unsigned char)text[2]) || !isdigit((unsigned char)text[3]))
        return false;
    digits = (text[2] - '0') * 10 + text[3] - '0';
    return digits >= 2 && digits <= 98 && mod97(text) == 1;
}

char *reference_of_account(const char *account, char reference[static REFERENCE_BYTES])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    unsigned check;

    crypto_hash_sha256(hash, (const unsigned char *)account, strlen(account));
    snprintf(reference, REFERENCE_BYTES, "RF00" OURS_PREFIX "%02X%02X%02X%02X%02X%02X%02X%02X", hash[0], hash[1],
             hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]);
    check = 98 - mod97(reference);
    reference[2] = (char)('0' + check / 10);
    reference[3] = (char)('0' + check % 10);
    return reference;
}

bool reference_parse(const char *text, char reference[static REFERENCE_BYTES])
{
    char copy[REFERENCE_BYTES];

    if (!compact(text, copy, sizeof(copy)) || strlen(copy) < REFERENCE_LEN_MIN || strncmp(copy, "RF", 2) != 0 ||
        !checked(copy))
        return false;
    strcpy(reference, copy);
    return true;
}

bool iban_parse(const char *text, char iban[static IBAN_BYTES])
{
    char copy[IBAN_BYTES];

    if (!compact(text, copy, sizeof(copy)) || strlen(copy) < IBAN_LEN_MIN || !isalpha((unsigned char)copy[0]) ||
        !isalpha((unsigned char)copy[1]) || !checked(copy))
        return false;
    strcpy(iban, copy);
    return true;
}

void reference_scan_start(struct reference_scan *scan, const char *text)
{
    size_t len = 0;

    for (; *text && len + 1 < sizeof(scan->text); text++)
        if (isalnum((unsigned char)*text))
            scan->text[len++] = (char)toupper((unsigned char)*text);
    scan->text[len] = 0;
    scan->at = 0;
}

static bool creditor_at(const char *text, char found[static ID_BYTES])
{
    char candidate[OURS_LEN + 1], reference[REFERENCE_BYTES];

    snprintf(candidate, sizeof(candidate), "%s", text);
    if (strlen(candidate) != OURS_LEN || strncmp(candidate + 4, OURS_PREFIX, 2) != 0 ||
        !reference_parse(candidate, reference))
        return false;
    strcpy(found, reference);
    return true;
}

static bool account_at(const char *text, char found[static ID_BYTES])
{
    char id[ID_BYTES];
    size_t len = 0;

    if (strncmp(text, "ACC", 3) != 0)
        return false;
    len = (size_t)snprintf(id, sizeof(id), "acc_");
    for (text += 3; *text && len < 4 + ID_DIGITS; text++)
        id[len++] = (char)tolower((unsigned char)*text);
    id[len] = 0;
    if (!id_valid("acc_", id))
        return false;
    strcpy(found, id);
    return true;
}

enum reference_kind reference_scan_next(struct reference_scan *scan, char found[static ID_BYTES])
{
    while (scan->text[scan->at]) {
        const char *here = scan->text + scan->at++;

        if (creditor_at(here, found))
            return REFERENCE_CREDITOR;
        if (account_at(here, found))
            return REFERENCE_ACCOUNT;
    }
    return REFERENCE_NONE;
}
