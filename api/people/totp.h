/* Time-based one-time passwords: RFC 6238 with HMAC-SHA-1, 30 s and six digits, which is what every authenticator
 * knows. Pure: the time is a parameter; that a step is taken once is the store's. */
#ifndef API_PEOPLE_TOTP_H
#define API_PEOPLE_TOTP_H

#include <stddef.h>
#include <stdint.h>

#define TOTP_SECRET_BYTES 20 /* RFC 4226 section 4, R6: 160 bits are recommended */
#define TOTP_SECRET_TEXT 33  /* base 32, RFC 4648 section 6; ends with a 0 */
#define TOTP_DIGITS 6
#define TOTP_STEP_MS 30000
#define TOTP_URI_BYTES 512

void totp_code(const uint8_t *secret, size_t secret_size, int64_t step, char code[static TOTP_DIGITS + 1]);

/* The step whose code this is: the present one, the one before or the one after (a clock may be off by as much;
 * RFC 6238 section 6); -1 if none's. Takes as long whichever it is. */
int64_t totp_match(const uint8_t secret[static TOTP_SECRET_BYTES], const char *code, int64_t now_ms);

void totp_secret_text(const uint8_t secret[static TOTP_SECRET_BYTES], char out[static TOTP_SECRET_TEXT]);
/* "otpauth://totp/XenoServer:login?secret=..." for a picture that authenticators read. */
void totp_uri(const uint8_t secret[static TOTP_SECRET_BYTES], const char *login, char out[static TOTP_URI_BYTES]);

#endif
