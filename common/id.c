/* Ids: 128 bits from the kernel, printed most significant digit first. */
#include "common/id.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

static char *id_write(const char *prefix, unsigned __int128 bits, char id[static ID_BYTES])
{
    int len = snprintf(id, ID_BYTES, "%.*s", ID_PREFIX_MAX, prefix);

    for (int i = ID_DIGITS - 1; i >= 0; i--) {
        id[len + i] = digits[(unsigned)(bits & 31)];
        bits >>= 5;
    }
    id[len + ID_DIGITS] = 0;
    return id;
}

char *id_make(const char *prefix, char id[static ID_BYTES])
{
    unsigned __int128 bits;

    randombytes_buf(&bits, sizeof(bits));
    return id_write(prefix, bits, id);
}

char *id_derive(const char *prefix, const char *text, char id[static ID_BYTES])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    unsigned __int128 bits;

    crypto_hash_sha256(hash, (const unsigned char *)text, strlen(text));
    memcpy(&bits, hash, sizeof(bits));
    return id_write(prefix, bits, id);
}

bool id_valid(const char *prefix, const char *text)
{
    size_t len = strlen(prefix);

    if (strncmp(text, prefix, len) != 0 || strlen(text + len) != ID_DIGITS)
        return false;
    if (strspn(text + len, digits) != ID_DIGITS)
        return false;
    /* 26 digits hold 130 bits: the two uppermost are zero, or one id had two spellings. */
    return text[len] <= '7';
}
