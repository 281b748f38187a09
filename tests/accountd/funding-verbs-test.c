/* Money from outside, asked of a running accountd as api and an operator ask. */
#include "tests/accountd/world.h"
#include "tests/tap/tap.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define ANN "acc_00000000000000000000000ann"
#define STRIPE_SECRET "whsec_test_of_the_verbs"

static struct world w;

static char *write_file(const char *name, const char *text, char path[128])
{
    FILE *out;

    snprintf(path, 128, "%s/%s", w.dir, name);
    out = fopen(path, "we");
    if (!out || fputs(text, out) < 0 || fclose(out) != 0 || chmod(path, 0600) != 0)
        exit(99);
    return path;
}

/* A host with a bank account and a payment provider, or with neither. */
static void begin(bool equipped)
{
    static char seller[128];
    char path[128], conf[256];
    int status;

    world_begin(&w);
    if (equipped) {
        write_file("payments", "{\"stripe\":[\"" STRIPE_SECRET "\"]}", path);
        snprintf(conf, sizeof(conf), "{\"host\":\"test.host\",\"interval_s\":1,\"payments\":\"%s\"}", path);
        write_file("conf", conf, path);
        w.seller = write_file("seller", "{\"name\":\"S\",\"country\":\"DE\",\"number_prefix\":\"XS\",\"iban\":"
                                        "\"DE02 1203 0000 0000 2020 51\"}", seller);
    }
    check(world_start(&w, &status), "accountd is ready");
    json_decref(world_ask(&w, "account_open", "{s:s,s:s,s:s}", "account_id", ANN, "name", "Ann", "currency", "EUR"));
}

static bool done(json_t *ok)
{
    if (!ok)
        printf("# %s: %s\n", world_code(&w), json_string_value(json_object_get(w.error, "detail")));
    json_decref(ok);
    return ok != NULL;
}

static bool refused(json_t *ok, const char *code)
{
    bool right = !ok && strcmp(world_code(&w), code) == 0;

    if (!right)
        printf("# %s: %s\n", ok ? "accepted" : world_code(&w), json_string_value(json_object_get(w.error, "detail")));
    json_decref(ok);
    return right;
}

static bool wallet_has(int64_t nano)
{
    json_t *ok = world_ask(&w, "wallet", "{s:s}", "account_id", ANN);
    const char *text = json_string_value(json_object_get(ok, "posted_nano"));
    bool has = text && strtoll(text, NULL, 10) == nano;

    if (!has)
        printf("# the wallet has %s\n", text ? text : "nothing to say");
    json_decref(ok);
    return has;
}

static json_t *import(const char *id, const char *name)
{
    static char text[100000];
    const char *source = getenv("srcdir");
    char path[512];
    FILE *in;

    snprintf(path, sizeof(path), "%s/tests/accountd/funding/%s.xml", source ? source : "..", name);
    in = fopen(path, "re");
    if (!in)
        exit(99);
    text[fread(text, 1, sizeof(text) - 1, in)] = 0;
    fclose(in);
    return world_ask(&w, "bank_import", "{s:s,s:s,s:s}", "import_id", id, "camt053", text, "operator", "op1");
}

static void test_bank(void)
{
    json_t *list, *wallet = world_ask(&w, "wallet", "{s:s}", "account_id", ANN);
    const char *entry;

    check(strcmp(json_string_value(json_object_get(wallet, "payment_reference")), "RF70XSDF2D68AEA7751E1E") == 0,
          "the wallet says what a transfer must carry");
    json_decref(wallet);
    check(done(import("i1", "matched-by-structured-reference")) && wallet_has(25000000000),
          "a transfer with it comes to the wallet");
    check(done(import("i1", "matched-by-structured-reference")) &&
              done(import("i2", "matched-by-structured-reference")) && wallet_has(25000000000),
          "once, under the same import and another");
    check(refused(import("i1", "overlap-first"), "conflict"), "an import's id is for one file");
    check(refused(import("i3", "bad-amount"), "bad_request") &&
              strstr(json_string_value(json_object_get(w.error, "detail")), "line 11: Amt"),
          "a bad file is refused by line and element");
    /* Bob is not this host's: his payment waits. */
    list = world_ask(&w, "bank_entries", "{s:s}", "state", "suspense");
    check(json_array_size(json_object_get(list, "entries")) == 1, "what names nobody is listed");
    entry = json_string_value(json_object_get(json_array_get(json_object_get(list, "entries"), 0), "entry_id"));
    check(done(world_ask(&w, "bank_assign", "{s:s,s:s,s:s,s:s}", "transfer_id", "t1", "entry_id", entry, "account_id",
                         ANN, "operator", "op1")) &&
              wallet_has(37340000000),
          "the operator assigns it");
    check(refused(world_ask(&w, "bank_return", "{s:s,s:s,s:s,s:s}", "transfer_id", "t2", "entry_id", entry, "operator",
                            "op1", "reason", "not ours"),
                  "conflict"),
          "and cannot return it then");
    json_decref(list);
    check(refused(world_ask(&w, "bank_entries", "{s:s}", "state", "lost"), "bad_request"),
          "a state that is none is named");
}

static json_t *send_event(const char *body, int64_t at_s)
{
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    char header[200], hex[65], time_text[24];

    snprintf(time_text, sizeof(time_text), "%jd.", (intmax_t)at_s);
    crypto_auth_hmacsha256_init(&state, (const uint8_t *)STRIPE_SECRET, strlen(STRIPE_SECRET));
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)time_text, strlen(time_text));
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)body, strlen(body));
    crypto_auth_hmacsha256_final(&state, mac);
    snprintf(header, sizeof(header), "t=%jd,v1=%s", (intmax_t)at_s, sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac)));
    return world_ask(&w, "payment_event", "{s:s,s:s,s:s}", "provider", "stripe", "signature", header, "body", body);
}

static void test_events(void)
{
    static const char body[] =
        "{\n  \"id\": \"evt_1\",\n  \"type\": \"payment_intent.succeeded\",\n  \"data\": {\"object\": {\"id\":"
        " \"pi_1\", \"amount_received\": 1000, \"currency\": \"eur\", \"metadata\": {\"account_id\": \"" ANN
        "\"}}}\n}\n";
    json_t *ok = send_event(body, time(NULL));

    check(json_is_true(json_object_get(ok, "new")) && wallet_has(47340000000),
          "a signed event, line breaks and all, is credited");
    json_decref(ok);
    ok = send_event(body, time(NULL));
    check(json_is_false(json_object_get(ok, "new")) && wallet_has(47340000000), "again: it is not new");
    json_decref(ok);
    check(refused(send_event(body, time(NULL) - 400), "forbidden"), "a signature of yesterday is refused");
    check(refused(world_ask(&w, "payment_event", "{s:s,s:s,s:s}", "provider", "stripe", "signature", "t=1,v1=00",
                            "body", body),
                  "forbidden"),
          "a signature that is none too");
    check(refused(world_ask(&w, "payment_event", "{s:s,s:s,s:s}", "provider", "paypal", "signature", "t=1,v1=00",
                            "body", body),
                  "bad_request"),
          "another provider is not known");
    check(refused(send_event("{\"id\":\"evt_2\",\"type\":\"payment_intent.succeeded\"}", time(NULL)), "bad_request"),
          "an event that cannot be read is sent again by the provider");
}

static json_t *redeem(const char *transfer, const char *code)
{
    return world_ask(&w, "voucher_redeem", "{s:s,s:s,s:s}", "transfer_id", transfer, "account_id", ANN, "code", code);
}

static json_t *make(const char *id, const char *nano)
{
    return world_ask(&w, "voucher_create", "{s:s,s:s,s:s}", "voucher_id", id, "amount_nano", nano, "operator", "op1");
}

static void test_vouchers(void)
{
    json_t *ok = make("v1", "5000000000"), *again = make("v1", "5000000000");
    const char *code = json_string_value(json_object_get(ok, "code"));
    int status;

    check(code && strcmp(code, json_string_value(json_object_get(again, "code"))) == 0,
          "asked again, a voucher shows the same code");
    check(refused(make("v1", "5000000001"), "conflict"), "its id is for one amount");
    check(done(redeem("r1", code)) && wallet_has(52340000000), "it is redeemed");
    check(done(redeem("r1", code)) && wallet_has(52340000000), "the same again answers the same");
    check(refused(redeem("r2", code), "conflict") && wallet_has(52340000000),
          "another transfer does not redeem it again");
    world_kill(&w, SIGKILL);
    check(world_start(&w, &status) && refused(redeem("r2", code), "conflict"), "nor after a restart");
    json_decref(again);
    again = make("v1", "5000000000");
    check(strcmp(code, json_string_value(json_object_get(again, "code"))) == 0, "the code is the same then");
    json_decref(again);
    json_decref(ok);
}

static bool refers(const char *transfer, const char *text)
{
    json_t *ok = world_ask(&w, "wallet", "{s:s}", "account_id", ANN), *entry;
    bool found = false;
    size_t i;

    json_array_foreach(json_object_get(ok, "entries"), i, entry)
        found |= strcmp(json_string_value(json_object_get(entry, "transfer_id")), transfer) == 0 &&
                 strcmp(json_string_value(json_object_get(entry, "refers")), text) == 0;
    json_decref(ok);
    return found;
}

static void test_credit(void)
{
    check(done(world_ask(&w, "fund", "{s:s,s:s,s:s,s:s,s:s}", "transfer_id", "c1", "account_id", ANN, "amount_nano",
                         "1", "reason", "for the outage", "operator", "op1")) &&
              refers("c1", "operator op1") && wallet_has(52340000001),
          "an operator's credit says whose it is");
    check(refused(world_ask(&w, "fund", "{s:s,s:s,s:s,s:s,s:s}", "transfer_id", "c1", "account_id", ANN, "amount_nano",
                            "1", "reason", "for the outage", "operator", "op2"),
                  "conflict"),
          "it is not another's as well");
    check(refused(world_ask(&w, "fund", "{s:s,s:s,s:s,s:s}", "transfer_id", "c2", "account_id", ANN, "amount_nano",
                            "1", "reason", "for the outage"),
                  "bad_request"),
          "nor nobody's");
}

static void test_expired(void)
{
    json_t *ok = world_ask(&w, "voucher_create", "{s:s,s:s,s:I,s:s}", "voucher_id", "v2", "amount_nano", "1",
                           "expires_ms", (json_int_t)1000, "operator", "op1");
    char wrong[256];

    check(refused(redeem("r3", "XSV-0000-0000-0000-00000"), "not_found"), "a code that nobody made is refused");
    snprintf(wrong, sizeof(wrong), "%s", json_string_value(json_object_get(w.error, "detail")));
    check(refused(redeem("r3", json_string_value(json_object_get(ok, "code"))), "not_found") &&
              strcmp(wrong, json_string_value(json_object_get(w.error, "detail"))) == 0,
          "an expired one in the same words");
    json_decref(ok);
}

static void test_guessing(void)
{
    json_t *ok = make("v3", "1000000000");
    const char *code = json_string_value(json_object_get(ok, "code"));

    for (int i = 0; i < 8; i++)
        json_decref(redeem("r4", "guess"));
    check(refused(redeem("r4", "guess"), "quota_exceeded") && refused(redeem("r4", code), "quota_exceeded"),
          "after ten wrong codes an account waits, with a right one too");
    check(done(world_ask(&w, "account_open", "{s:s,s:s,s:s}", "account_id", "other", "name", "O", "currency", "EUR")) &&
              done(world_ask(&w, "voucher_redeem", "{s:s,s:s,s:s}", "transfer_id", "r5", "account_id", "other", "code",
                             code)),
          "others do not");
    json_decref(ok);
}

static void test_not_set_up(void)
{
    begin(false);
    check(refused(import("i1", "overlap-first"), "conflict"), "a host without a bank account takes no statement");
    check(refused(send_event("{}", time(NULL)), "unavailable"), "and without a provider no event");
    world_end(&w);
}

int main(void)
{
    begin(true);
    test_bank();
    test_events();
    test_vouchers();
    test_credit();
    test_expired();
    test_guessing();
    world_end(&w);
    test_not_set_up();
    return tap_end();
}
