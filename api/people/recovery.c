#include "api/people/recovery.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define DIGITS 16

void recovery_code_make(char code[static RECOVERY_CODE_BYTES])
{
    char key[KEY_BYTES];

    key_random("", key);
    snprintf(code, RECOVERY_CODE_BYTES, "%.4s-%.4s-%.4s-%.4s", key, key + 4, key + 8, key + 12);
    sodium_memzero(key, sizeof(key));
}

bool recovery_code_hash(const char *code, uint8_t hash[static KEY_HASH_BYTES])
{
    char plain[DIGITS + 1];
    size_t used = 0;

    for (; *code; code++) {
        if (*code == '-' || *code == ' ')
            continue;
        if (used == DIGITS || !isalnum((unsigned char)*code))
            return false;
        plain[used++] = (char)tolower((unsigned char)*code);
    }
    plain[used] = 0;
    key_hash(plain, hash);
    sodium_memzero(plain, sizeof(plain));
    return used == DIGITS;
}
