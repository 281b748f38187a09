/* Ids: 128 bits from the kernel, printed most significant digit first. */
#include "common/id.h"

#include <sodium.h>
#include <string.h>

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

char *id_from(const char *prefix, const unsigned char random[static ID_RANDOM_BYTES], char id[static ID_BYTES])
{
    size_t len = strnlen(prefix, ID_PREFIX_MAX);
    unsigned __int128 bits;

    memcpy(&bits, random, sizeof(bits));
    memcpy(id, prefix, len);
    for (size_t i = ID_DIGITS; i-- > 0; bits >>= 5)
        id[len + i] = digits[(unsigned)(bits & 31)];
    id[len + ID_DIGITS] = 0;
    return id;
}

char *id_make(const char *prefix, char id[static ID_BYTES])
{
    unsigned char random[ID_RANDOM_BYTES];

    randombytes_buf(random, sizeof(random));
    return id_from(prefix, random, id);
}

char *id_derive(const char *prefix, const char *text, char id[static ID_BYTES])
{
    unsigned char hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(hash, (const unsigned char *)text, strlen(text));
    return id_from(prefix, hash, id);
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
