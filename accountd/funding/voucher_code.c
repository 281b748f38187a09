/* Codes of vouchers. */
#include "accountd/funding/voucher_code.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define DIGITS  16
#define MODULUS 37

/* The symbols after the 32 digits serve as check symbols only. */
static const char symbols[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";

static unsigned check_of(const uint8_t digits[static DIGITS])
{
    unsigned rest = 0;

    for (int i = 0; i < DIGITS; i++)
        rest = (rest * 32 + digits[i]) % MODULUS;
    return rest;
}

static void draw(const uint8_t *key, const char *voucher, uint8_t turn, uint8_t digits[static DIGITS])
{
    static const char purpose[] = "xs voucher code";
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, key, VOUCHER_KEY_BYTES);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)purpose, sizeof(purpose));
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)voucher, strlen(voucher) + 1);
    crypto_auth_hmacsha256_update(&state, &turn, 1);
    crypto_auth_hmacsha256_final(&state, mac);
    for (int i = 0; i < DIGITS; i++)
        digits[i] = mac[i] & 31;
    sodium_memzero(mac, sizeof(mac));
    sodium_memzero(&state, sizeof(state));
}

static char *spell(const uint8_t digits[static DIGITS], char code[static VOUCHER_CODE_BYTES])
{
    char *at = code + sprintf(code, "XSV");

    for (int i = 0; i < DIGITS; i++) {
        if (i % 4 == 0)
            *at++ = '-';
        *at++ = symbols[digits[i]];
    }
    *at++ = symbols[check_of(digits)];
    *at = 0;
    return code;
}

char *voucher_code(const uint8_t key[static VOUCHER_KEY_BYTES], const char *voucher,
                   char code[static VOUCHER_CODE_BYTES])
{
    uint8_t digits[DIGITS], turn = 0;

    /* Drawn again, 5 times in 37, until the check symbol is a digit: the others need quoting in a shell. A code
     * that 256 draws do not give (10^-222) is spelled with its symbol. */
    do {
        draw(key, voucher, turn, digits);
    } while (check_of(digits) >= 32 && ++turn != 0);
    return spell(digits, code);
}

static int value_of(char c)
{
    const char *at;

    c = (char)toupper((unsigned char)c);
    if (c == 'O')
        return 0;
    if (c == 'I' || c == 'L')
        return 1;
    at = c ? strchr(symbols, c) : NULL;
    return at ? (int)(at - symbols) : -1;
}

bool voucher_code_parse(const char *text, char code[static VOUCHER_CODE_BYTES])
{
    int value[3 + DIGITS + 1], count = 0;
    uint8_t digits[DIGITS];

    for (; *text; text++) {
        if (*text == ' ' || *text == '-')
            continue;
        if (count == 3 + DIGITS + 1 || (value[count++] = value_of(*text)) < 0)
            return false;
    }
    if (count != 3 + DIGITS + 1 || value[0] != value_of('X') || value[1] != value_of('S') || value[2] != value_of('V'))
        return false;
    for (int i = 0; i < DIGITS; i++) {
        if (value[3 + i] >= 32)
            return false;
        digits[i] = (uint8_t)value[3 + i];
    }
    if (value[3 + DIGITS] != (int)check_of(digits))
        return false;
    spell(digits, code);
    return true;
}

void voucher_code_hash(const char *code, uint8_t hash[static VOUCHER_HASH_BYTES])
{
    crypto_hash_sha256(hash, (const uint8_t *)code, strlen(code));
}
