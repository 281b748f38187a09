/* The pure parts of logging in: one-time codes by the RFC's own vectors and beside oathtool's, recovery codes,
 * which passwords are taken. */
#include "api/people/password.h"
#include "api/people/recovery.h"
#include "api/people/totp.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* RFC 6238 appendix B, SHA-1; the last six of its eight digits. */
static void vectors(void)
{
    static const struct {
        int64_t at_s;
        const char *code;
    } rows[] = {{59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
                {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
    char code[TOTP_DIGITS + 1];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        totp_code((const uint8_t *)"12345678901234567890", 20, rows[i].at_s * 1000 / TOTP_STEP_MS, code);
        ok_text(code, rows[i].code, "RFC 6238: the code at %jd s", (intmax_t)rows[i].at_s);
    }
}

static void beside_oathtool(void)
{
    char text[TOTP_SECRET_TEXT], code[TOTP_DIGITS + 1], now[32], out[64];
    const char *argv[] = {"/usr/bin/oathtool", "--totp", "--base32", "--now", now, text, NULL};
    uint8_t secret[TOTP_SECRET_BYTES];
    unsigned differ = 0;

    for (int i = 0; i < 50; i++) {
        int64_t at_s = 1700000000 + (int64_t)randombytes_uniform(2000000000);

        randombytes_buf(secret, sizeof(secret));
        totp_secret_text(secret, text);
        totp_code(secret, sizeof(secret), at_s * 1000 / TOTP_STEP_MS, code);
        snprintf(now, sizeof(now), "@%jd", (intmax_t)at_s);
        if (rig_run(argv, "", out, sizeof(out)) != 0)
            tap_bail("oathtool: %s", out);
        out[strcspn(out, "\n")] = 0;
        differ += strcmp(out, code) != 0;
    }
    ok_int(differ, 0, "fifty secrets at fifty times: oathtool has the same codes");
}

static void drift(void)
{
    const uint8_t *secret = (const uint8_t *)"12345678901234567890";
    const int64_t now_ms = INT64_C(1111111111) * 1000, step = now_ms / TOTP_STEP_MS;
    char code[TOTP_DIGITS + 1];

    for (int64_t off = -2; off <= 2; off++) {
        totp_code(secret, 20, step + off, code);
        ok_int(totp_match(secret, code, now_ms), off >= -1 && off <= 1 ? step + off : -1, "a code %jd steps off is %s",
               (intmax_t)off, off >= -1 && off <= 1 ? "that step's" : "none's");
    }
    ok_int(totp_match(secret, "", now_ms), -1, "nothing is no code");
    ok_int(totp_match(secret, "0504710", now_ms), -1, "nor are seven digits");
}

static void uris(void)
{
    char uri[TOTP_URI_BYTES], longest[255];

    totp_uri((const uint8_t *)"12345678901234567890", "me+you@example.com", uri);
    ok_text(uri,
            "otpauth://totp/XenoServer:me%2Byou%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=XenoServer"
            "&algorithm=SHA1&digits=6&period=30",
            "what authenticators read");
    memset(longest, '@', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = 0;
    totp_uri((const uint8_t *)"12345678901234567890", longest, uri);
    ok_has(uri, "&period=30", "a long name does not push the secret out");
}

static void recovery(void)
{
    uint8_t hash[KEY_HASH_BYTES], other[KEY_HASH_BYTES];
    char code[RECOVERY_CODE_BYTES], again[RECOVERY_CODE_BYTES];

    recovery_code_make(code);
    recovery_code_make(again);
    ok(strlen(code) == 19 && strcmp(code, again) != 0, "recovery codes differ (%s)", code);
    ok(recovery_code_hash("abcd-efgh-jkmn-pqrs", hash) && recovery_code_hash("ABCDEFGH JKMNPQRS", other) &&
           memcmp(hash, other, sizeof(hash)) == 0,
       "capitals, spaces and hyphens do not matter");
    ok(recovery_code_hash("abcd-efgh-jkmn-pqrt", other) && memcmp(hash, other, sizeof(hash)) != 0, "digits do");
    ok(!recovery_code_hash("abcd-efgh-jkmn-pqr", hash), "fifteen are too few");
    ok(!recovery_code_hash("abcd-efgh-jkmn-pqrst", hash), "seventeen too many");
    ok(!recovery_code_hash("abcd-efgh-jkmn-pqr!", hash), "and others are none");
}

static void passwords(void)
{
    char hash[PASSWORD_HASH_BYTES], longest[PASSWORD_BYTES_MAX + 2];

    ok(!password_fault("four words and more", "me@example.com", "Me"), "a long one is taken");
    ok(password_fault("elevenbytes", "", ""), "eleven bytes are too few");
    ok(!password_fault("twelve bytes", "", ""), "twelve are enough");
    memset(longest, 'x', sizeof(longest));
    longest[1] = 'y';
    longest[PASSWORD_BYTES_MAX] = 0;
    ok(!password_fault(longest, "", ""), "256 are taken");
    memcpy(longest + PASSWORD_BYTES_MAX, "x", 2);
    ok(password_fault(longest, "", ""), "257 are not");
    ok(password_fault("aaaaaaaaaaaaaaaaaaaa", "", ""), "one letter again and again is refused");
    ok(password_fault("PassWord1234", "", ""), "so is one of the commonest, however it is spelled");
    ok(password_fault("ME@example.com", "me@example.com", ""), "and the email");
    ok(password_fault("Company Limited", "", "company limited"), "and the name");
    ok(password_hash("four words and more", hash) == PASSWORD_RIGHT &&
           strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31) == 0,
       "kept as Argon2id with 19 MiB and two passes");
    ok(password_check("four words and more", hash) == PASSWORD_RIGHT, "the same fits");
    ok(password_check("four words and mor", hash) == PASSWORD_WRONG, "another does not");
    ok(password_check("four words and more", "") == PASSWORD_WRONG, "nor does any fit who has none");
    ok(password_check("", "") == PASSWORD_WRONG, "not even the empty one");
}

int main(void)
{
    if (sodium_init() < 0)
        tap_bail("libsodium");
    vectors();
    beside_oathtool();
    drift();
    uris();
    recovery();
    passwords();
    return tap_end();
}
