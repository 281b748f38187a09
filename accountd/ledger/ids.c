/* Ids of transfers. */
#include "accountd/ledger/ledger.h"
#include "common/log.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>

char *ledger_derive_id(char id[static LEDGER_ID_BYTES], const char *fmt, ...)
{
    uint8_t hash[32];
    char text[512];
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    /* Cut off, two purposes could share an id. */
    if (len < 0 || (size_t)len >= sizeof(text))
        fatalx("ledger: the purpose of a transfer is longer than %zu bytes: %.60s...", sizeof(text) - 1, text);
    crypto_hash_sha256(hash, (const uint8_t *)text, (size_t)len);
    return sodium_bin2hex(id, LEDGER_ID_BYTES, hash, 16);
}
