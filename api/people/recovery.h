/* Recovery codes: each stands once for a code of the second factor. Sixteen digits of base 32, 80 random bits: like
 * keys they need no slow hash. */
#ifndef API_PEOPLE_RECOVERY_H
#define API_PEOPLE_RECOVERY_H

#include "api/auth.h"

#define RECOVERY_CODES 10
#define RECOVERY_CODE_BYTES 20 /* "abcd-efgh-jkmn-pqrs" and a 0 */

void recovery_code_make(char code[static RECOVERY_CODE_BYTES]);
/* However it is spelled: capitals and missing hyphens do not matter. False if it cannot be one. */
bool recovery_code_hash(const char *code, uint8_t hash[static KEY_HASH_BYTES]);

#endif
