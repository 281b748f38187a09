/* The pure parts of money from outside: references, account numbers, amounts,
 * codes of vouchers, signatures. */
#include "accountd/funding/camt.h"
#include "accountd/funding/voucher_code.h"
#include "accountd/funding/webhook.h"
#include "tests/tap/tap.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static void test_references(void)
{
    char reference[REFERENCE_BYTES], changed[REFERENCE_BYTES];
    bool all = true;

    check(reference_parse("RF18 5390 0754 7034", reference) && strcmp(reference, "RF18539007547034") == 0,
          "the example of ISO 11649 is right");
    check(reference_parse("rf18539007547034", reference), "in lower case too");
    check(!reference_parse("RF19539007547034", reference) && !reference_parse("RF1853900754703", reference) &&
              !reference_parse("RF18-539007547034", reference) && !reference_parse("RF18", reference) &&
              !reference_parse("", reference) && !reference_parse("XX18539007547034", reference),
          "what is none is refused");
    /* By an independent program. */
    reference_of_account("acc_00000000000000000000000ann", reference);
    check(strcmp(reference, "RF70XSDF2D68AEA7751E1E") == 0 && reference_parse(reference, changed),
          "an account's reference");
    for (size_t i = 0; reference[i]; i++) {
        strcpy(changed, reference);
        changed[i] = changed[i] == '7' ? '8' : '7';
        all &= !reference_parse(changed, changed);
    }
    check(all, "no digit of it can be mistyped");
    for (size_t i = 4; reference[i + 1]; i++) {
        strcpy(changed, reference);
        changed[i] = reference[i + 1];
        changed[i + 1] = reference[i];
        all &= strcmp(changed, reference) == 0 || !reference_parse(changed, changed);
    }
    check(all, "nor neighbours swapped");
}

/* RF00, RF01 and RF99 leave the remainder of RF97, RF98 and RF02. */
static void test_alias_digits(void)
{
    static const char digits[] = "0123456789ABCDEF";
    char reference[REFERENCE_BYTES], text[REFERENCE_BYTES];
    int seen = 0, accepted = 0;

    for (int i = 0; i < 256; i++) {
        snprintf(text, sizeof(text), "RF97XS%c%c", digits[i / 16], digits[i % 16]);
        if (!reference_parse(text, reference))
            continue;
        seen++;
        memcpy(text, "RF00", 4);
        accepted += reference_parse(text, reference);
    }
    check(seen > 0 && accepted == 0, "a reference has one spelling of its check digits");
}

static void test_ibans(void)
{
    char iban[IBAN_BYTES];

    check(iban_parse("DE89 3704 0044 0532 0130 00", iban) && strcmp(iban, "DE89370400440532013000") == 0, "an IBAN");
    check(iban_parse("gb82 west 1234 5698 7654 32", iban) && strcmp(iban, "GB82WEST12345698765432") == 0,
          "one with letters");
    check(!iban_parse("DE89370400440532013001", iban) && !iban_parse("DE8937040044053201300", iban) &&
          !iban_parse("8989370400440532013000", iban) && !iban_parse("DE89", iban), "what is none is refused");
}

static void test_scan(void)
{
    struct reference_scan scan;
    char found[ID_BYTES], longest[4096];

    reference_scan_start(&scan, "x rf70-xsdf 2d68/aea7751e1E; ACC 00000000000000000000000B0B rf18539007547034");
    check(reference_scan_next(&scan, found) == REFERENCE_CREDITOR && strcmp(found, "RF70XSDF2D68AEA7751E1E") == 0 &&
              reference_scan_next(&scan, found) == REFERENCE_ACCOUNT &&
              strcmp(found, "acc_00000000000000000000000b0b") == 0 &&
              reference_scan_next(&scan, found) == REFERENCE_NONE,
          "a text gives up what is ours and no other's");
    memset(longest, 'R', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = 0;
    reference_scan_start(&scan, longest);
    check(reference_scan_next(&scan, found) == REFERENCE_NONE, "a long one ends");
}

static const struct {
    const char *text;
    int64_t nano;                       /* -1: refused */
} amounts[] = {
    {"0", 0},
    {"1", 1000000000},
    {"12.5", 12500000000},
    {"0.000000001", 1},
    {".5", 500000000},
    {"5.", 5000000000},
    {"00012.50", 12500000000},
    {"1000000000", 1000000000000000000},
    {"1000000000.000000000", 1000000000000000000},
    {"1000000000.000000001", -1},
    {"1000000001", -1},
    {"9223372036854775808", -1},
    {"99999999999999999999999999", -1},
    {"0.0000000001", -1},
    {"", -1},
    {".", -1},
    {"1.2.3", -1},
    {"-1", -1},
    {"+1", -1},
    {"1e3", -1},
    {"1,5", -1},
    {"0x10", -1},
    {"1 000", -1},
    {"NaN", -1},
};

static void test_amounts(void)
{
    for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
        int64_t nano = -1;
        bool good = camt_amount(amounts[i].text, &nano);

        check(good == (amounts[i].nano >= 0) && (!good || nano == amounts[i].nano), "amount \"%s\"%s", amounts[i].text,
              amounts[i].nano < 0 ? " is refused" : "");
    }
}

static void test_voucher_codes(void)
{
    static const uint8_t key[VOUCHER_KEY_BYTES] = { 1, 2, 3 }, other[VOUCHER_KEY_BYTES] = { 1, 2, 4 };
    char code[VOUCHER_CODE_BYTES], again[VOUCHER_CODE_BYTES], id[16], typed[64];
    int typos = 0, caught = 0;

    voucher_code(key, "v1", code);
    check(strcmp(voucher_code(key, "v1", again), code) == 0 && strlen(code) == 24 && strncmp(code, "XSV-", 4) == 0,
          "a voucher has one code: %s", code);
    check(strcmp(voucher_code(key, "v2", again), code) != 0 && strcmp(voucher_code(other, "v1", again), code) != 0,
          "another voucher, or another key, another");
    for (int i = 0; i < 500; i++) {
        snprintf(id, sizeof(id), "v%d", i);
        voucher_code(key, id, code);
        check(i > 0 || (voucher_code_parse(code, again) && strcmp(code, again) == 0), "it is read as it is written");
        for (size_t at = 4; code[at]; at++) {
            if (code[at] == '-')
                continue;
            strcpy(typed, code);
            typed[at] = typed[at] == '7' ? '8' : '7';
            typos++;
            caught += !voucher_code_parse(typed, again);
        }
        if (strpbrk(code, "*~$=U"))
            typos++;
    }
    check(typos == 500 * 17 && caught == typos, "no mistyped digit of 500 codes passes, and none needs quoting");
}

static void test_typed_codes(void)
{
    static const uint8_t key[VOUCHER_KEY_BYTES] = { 9 };
    char code[VOUCHER_CODE_BYTES], again[VOUCHER_CODE_BYTES], typed[64];
    size_t len = 0;

    voucher_code(key, "v", code);
    for (const char *at = code; *at; at++) {
        typed[len++] = *at == '0' ? 'o' : *at == '1' ? 'l' : *at == '-' ? ' ' : (char)(*at >= 'A' ? *at + 32 : *at);
        if (len % 7 == 0)
            typed[len++] = ' ';
    }
    typed[len] = 0;
    check(voucher_code_parse(typed, again) && strcmp(code, again) == 0, "\"%s\" is read as %s", typed, again);
    check(!voucher_code_parse("", again) && !voucher_code_parse("XSV", again) &&
              !voucher_code_parse("XSV-0000-0000-0000-0000", again) &&
              !voucher_code_parse("ABC-0000-0000-0000-00000", again) &&
              !voucher_code_parse("XSV-0000-0000-0000-000000", again) &&
              !voucher_code_parse("XSV-*000-0000-0000-00000", again),
          "what is no code is not");
    check(voucher_code_parse("XSV-0000-0000-0000-00000", again), "the code of nothing has check symbol 0");
}

#define SECRET "whsec_test_secret_1"
static const struct webhook_secrets secrets = { .secret = { "whsec_of_before_0", SECRET }, .count = 2 };

/* As the provider does; OpenSSL's and Stripe's own agree (stripe.sh). */
static char *sign(const char *secret, const char *time, const char *body, char out[256])
{
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    char hex[65];

    crypto_auth_hmacsha256_init(&state, (const uint8_t *)secret, strlen(secret));
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)time, strlen(time));
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)".", 1);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)body, strlen(body));
    crypto_auth_hmacsha256_final(&state, mac);
    snprintf(out, 256, "t=%s,v1=%s", time, sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac)));
    return out;
}

static bool verifies(const char *header, const char *body, int64_t now_s)
{
    struct json_why why;
    bool good = webhook_verify(header, body, strlen(body), &secrets, now_s, &why) == 0;

    if (!good)
        printf("# %s\n", why.text);
    return good;
}

static void test_signatures(void)
{
    char h[256], both[600], other[256];

    sign(SECRET, "1000", "{}", h);
    check(verifies(h, "{}", 1000) && verifies(h, "{}", 1300) && verifies(h, "{}", 700), "a signature within 300 s");
    check(!verifies(h, "{}", 1301) && !verifies(h, "{}", 699), "not a second longer, either way");
    check(!verifies(h, "{ }", 1000) && !verifies(h, "{}x", 1000) && !verifies(h, "", 1000), "nor over another body");
    check(verifies(sign("whsec_of_before_0", "1000", "{}", other), "{}", 1000), "while secrets rotate, by either");
    check(!verifies(sign("whsec_of_nobody", "1000", "{}", other), "{}", 1000), "by no other");
    snprintf(both, sizeof(both), "%s,v0=00,%s", other, strchr(h, ',') + 1);
    check(verifies(both, "{}", 1000), "one of several signatures is enough, unknown schemes are passed over");
    h[3] = '1';
    check(!verifies(h, "{}", 1100), "the time is signed too");
}

static void test_headers(void)
{
    static const char mac[] = "v1=00000000000000000000000000000000000000000000000000000000000000ff";
    static const char *const bad[] = { "",         "t=1000",     "v1=",   "t=1000,v1=", "t=1000,v1=zz",
                                      "t=,v1=00", "t=-1,v1=00", "t=1e3", "t=01000" };
    char header[4096];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        check(!verifies(bad[i], "{}", 1000), "header \"%s\" is refused", bad[i]);
    snprintf(header, sizeof(header), "%s", mac);
    check(!verifies(header, "{}", 1000), "a signature without its time is refused");
    snprintf(header, sizeof(header), "t=1000,t=1000,%s", mac);
    check(!verifies(header, "{}", 1000), "two times are refused");
    strcpy(header, "t=1000");
    for (int i = 0; i < 9; i++)
        sprintf(header + strlen(header), ",%s", mac);
    check(!verifies(header, "{}", 1000), "so are nine signatures");
}

static void test_secrets(void)
{
    static const char *const bad[] = { "{}",
                                      "{\"stripe\":[]}",
                                      "{\"stripe\":[\"sk_live_0123456789\"]}",
                                      "{\"stripe\":[\"whsec_short\"]}",
                                      "{\"stripe\":\"whsec_0123456789\"}",
                                      "{\"stripe\":[\"whsec_0123456789\"],\"x\":1}" };
    struct webhook_secrets read;
    struct json_why why;
    json_t *object;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        object = json_loads(bad[i], 0, NULL);
        check(webhook_secrets_parse(object, &read, &why), "secrets %s are refused: %s", bad[i], why.text);
        json_decref(object);
    }
    object = json_loads("{\"stripe\":[\"whsec_0123456789\",\"whsec_9876543210\"]}", 0, NULL);
    check(webhook_secrets_parse(object, &read, &why) == 0 && read.count == 2, "two are read");
    json_decref(object);
}

int main(void)
{
    if (sodium_init() < 0)
        return 99;
    test_references();
    test_alias_digits();
    test_ibans();
    test_scan();
    test_amounts();
    test_voucher_codes();
    test_typed_codes();
    test_signatures();
    test_headers();
    test_secrets();
    return tap_end();
}
