/* What stands on a voucher: XSV-XXXX-XXXX-XXXX-XXXXC, 80 bits in Crockford's
 * base 32 and its check symbol C (the number modulo 37; crockford.com/base32.html). Pure.
 *
 * The code follows from the host's voucher key and the voucher's id, so asking
 * again shows the same one, and only its hash need be kept. Its 80 bits are
 * the HMAC's: who has the ledger without the key cannot make one, nor find one
 * from its hash.
 */
#ifndef ACCOUNTD_FUNDING_VOUCHER_CODE_H
#define ACCOUNTD_FUNDING_VOUCHER_CODE_H

#include <stdbool.h>
#include <stdint.h>

#define VOUCHER_CODE_BYTES 25
#define VOUCHER_KEY_BYTES  32
#define VOUCHER_HASH_BYTES 32

char *voucher_code(const uint8_t key[static VOUCHER_KEY_BYTES], const char *voucher,
                   char code[static VOUCHER_CODE_BYTES]);
/* Any case, with or without spaces and hyphens, O for 0, I and L for 1. False if it is no code; `code` is its one
 * spelling. */
bool voucher_code_parse(const char *text, char code[static VOUCHER_CODE_BYTES]);
/* Of a code in its one spelling. */
void voucher_code_hash(const char *code, uint8_t hash[static VOUCHER_HASH_BYTES]);

#endif
