#include "provisioner/uuid.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mark[4] = { 'x', 's', 'i', '1' };

void uuid_make(uint8_t uuid[16])
{
    randombytes_buf(uuid, 16);
    memcpy(uuid, mark, sizeof(mark));
    uuid[6] = (uint8_t)(0x80 | (uuid[6] & 0x0f));
    uuid[8] = (uint8_t)(0x80 | (uuid[8] & 0x3f));
}

bool uuid_ours(const uint8_t uuid[16])
{
    return !memcmp(uuid, mark, sizeof(mark)) && uuid[6] >> 4 == 8 && uuid[8] >> 6 == 2;
}

void hex_text(const uint8_t *bytes, size_t count, char *text)
{
    sodium_bin2hex(text, 2 * count + 1, bytes, count);
}

void uuid_text(const uint8_t uuid[16], char text[UUID_TEXT_BYTES])
{
    char hex[33];

    hex_text(uuid, 16, hex);
    snprintf(text, UUID_TEXT_BYTES, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

bool uuid_parse(const char *text, uint8_t uuid[16])
{
    char again[UUID_TEXT_BYTES];
    size_t bytes;

    if (sodium_hex2bin(uuid, 16, text, strlen(text), "-", &bytes, NULL) || bytes != 16)
        return false;
    uuid_text(uuid, again);
    return !strcmp(text, again);
}
