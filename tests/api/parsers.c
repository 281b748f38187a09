/* The pure parts: bodies and fields, money, times, keys, buckets, routes. */
#include "api/auth.h"
#include "api/fields.h"
#include "api/limit.h"
#include "api/present.h"
#include "api/route.h"
#include "api/rows.h"
#include "common/json.h"
#include "tests/api/tap.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void body_refused(const char *text, const char *why_part)
{
    char why[256] = "";
    json_t *json = body_parse(text, strlen(text), why, sizeof(why));

    ok(!json && strstr(why, why_part), "a body of %zu bytes is refused: \"%s\"", strlen(text), why_part);
    json_decref(json);
}

static void bodies(void)
{
    static const char quoted[] = "{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[\\\"{{\"}";
    char deep[64] = "", why[256];
    json_t *json;

    body_refused("", "empty");
    body_refused("{\"name\": \"a\",\n \"im", "line 2, column");
    body_refused("[1]", "must be a JSON object");
    body_refused("{\"a\":1,\"a\":2}", "duplicate");
    body_refused("{\"a\":1}x", "end of file expected");
    body_refused("{\"a\":\"\\u0000\"}", "line 1");
    body_refused("{\"a\":\"\xff\"}", "decode byte");
    body_refused("{\"a\":1e999}", "overflow");
    for (int i = 0; i < 17; i++)
        strcat(deep, "[");
    body_refused(deep, "deeper than 16");
    json = body_parse(quoted, strlen(quoted), why, sizeof(why));
    ok(json != NULL, "brackets inside a string are not depth");
    json_decref(json);
}

/* The code of the error for field "f", "" if there is none. */
static const char *error_of(struct fields *fields, char *code, size_t size)
{
    json_t *errors = fields_done(fields);
    json_t *first = json_array_get(errors, 0);
    const char *name = json_string_value(json_object_get(first, "field"));

    snprintf(code, size, "%s", first && strcmp(name, "f") == 0 ? json_string_value(json_object_get(first, "code")) : "");
    json_decref(errors);
    return code;
}

enum kind { NAME, TEXT, DOCUMENT, INTEGER, MONEY, SET, FLAG, TEXTS, INTEGERS };

static void field_case(enum kind kind, const char *value, const char *want)
{
    static const char *const set[] = { "a", "b", NULL };
    char body[512], why[256], code[64];
    struct fields fields;
    const char *text;
    const json_t *list;
    int64_t number;
    json_t *json;
    bool flag;

    snprintf(body, sizeof(body), *value ? "{\"f\":%s}" : "{}", value);
    json = body_parse(body, strlen(body), why, sizeof(why));
    if (!json)
        tap_bail("test body %s: %s", body, why);
    fields_start(&fields, json);
    if (kind == NAME)
        fields_name(&fields, "f", &text);
    else if (kind == TEXT)
        fields_text(&fields, "f", 8, &text);
    else if (kind == DOCUMENT)
        fields_document(&fields, "f", 8, &text);
    else if (kind == FLAG)
        fields_flag(&fields, "f", &flag);
    else if (kind == TEXTS)
        fields_texts(&fields, "f", 2, 8, &list);
    else if (kind == INTEGERS)
        fields_integers(&fields, "f", 2, 1, 100, &list);
    else if (kind == INTEGER)
        fields_integer(&fields, "f", 1, 100, &number);
    else if (kind == MONEY)
        fields_money(&fields, "f", INT64_C(5000000000), &number);
    else
        fields_set(&fields, "f", set, &list);
    ok_text(error_of(&fields, code, sizeof(code)), want, "field %s: %s", *value ? value : "(missing)",
            *want ? want : "taken");
    json_decref(json);
}

static void fields_all(void)
{
    static const struct {
        enum kind kind;
        const char *value;
        const char *want;
    } cases[] = {
        { NAME, "\"web-1\"", "" },
        { NAME, "", "missing" },
        { NAME, "\"\"", "invalid_name" },
        { NAME, "\"Web\"", "invalid_name" },
        { NAME, "\"-a\"", "invalid_name" },
        { NAME, "\"a-\"", "invalid_name" },
        { NAME, "\"a b\"", "invalid_name" },
        { NAME, "\"../../etc\"", "invalid_name" },
        { NAME, "\"\\u202eabc\"", "invalid_name" },
        { NAME, "\"a\\nb\"", "invalid_name" },
        { NAME, "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", "" },
        { NAME, "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", "invalid_name" },
        { NAME, "7", "wrong_type" },
        { NAME, "null", "wrong_type" },
        { TEXT, "\"\\u0007\"", "control_character" },
        { TEXT, "\"123456789\"", "wrong_length" },
        { DOCUMENT, "\"a\\n\\tb\\r\"", "" },
        { DOCUMENT, "\"a\\u001bb\"", "control_character" },
        { DOCUMENT, "\"123456789\"", "wrong_length" },
        { FLAG, "true", "" },
        { FLAG, "false", "" },
        { FLAG, "1", "wrong_type" },
        { FLAG, "null", "wrong_type" },
        { TEXTS, "[]", "" },
        { TEXTS, "[\"a\",\"b\"]", "" },
        { TEXTS, "[\"a\",\"a\"]", "duplicate" },
        { TEXTS, "[\"a\",\"b\",\"c\"]", "too_many" },
        { TEXTS, "[\"\"]", "wrong_length" },
        { TEXTS, "[\"a\\nb\"]", "control_character" },
        { TEXTS, "[1]", "wrong_type" },
        { TEXTS, "\"a\"", "wrong_type" },
        { INTEGERS, "[1,100]", "" },
        { INTEGERS, "[1,1.0]", "duplicate" },
        { INTEGERS, "[0]", "out_of_range" },
        { INTEGERS, "[1.5]", "fraction" },
        { INTEGERS, "[\"1\"]", "wrong_type" },
        { INTEGERS, "{}", "wrong_type" },
        { INTEGER, "1", "" },
        { INTEGER, "100", "" },
        { INTEGER, "0", "out_of_range" },
        { INTEGER, "-1", "out_of_range" },
        { INTEGER, "101", "out_of_range" },
        { INTEGER, "1.5", "fraction" },
        { INTEGER, "1e300", "out_of_range" },
        { INTEGER, "-1e300", "out_of_range" },
        { INTEGER, "9223372036854775808", "out_of_range" },
        { INTEGER, "99999999999999999999999999999999999999", "out_of_range" },
        { INTEGER, "\"1\"", "wrong_type" },
        { INTEGER, "true", "wrong_type" },
        { MONEY, "\"5.00\"", "" },
        { MONEY, "\"0.000000001\"", "" },
        { MONEY, "\"5.000000001\"", "out_of_range" },
        { MONEY, "\"0\"", "out_of_range" },
        { MONEY, "\"-1\"", "invalid_money" },
        { MONEY, "\"1.\"", "invalid_money" },
        { MONEY, "\".5\"", "invalid_money" },
        { MONEY, "\"01\"", "invalid_money" },
        { MONEY, "\"1e3\"", "invalid_money" },
        { MONEY, "\"1.0000000001\"", "invalid_money" },
        { MONEY, "\"9999999999.999999999\"", "invalid_money" },
        { MONEY, "5", "wrong_type" },
        { SET, "[\"a\",\"b\"]", "" },
        { SET, "[]", "wrong_type" },
        { SET, "[\"a\",\"a\"]", "twice" },
        { SET, "[\"c\"]", "unknown" },
        { SET, "[1]", "unknown" },
        { SET, "\"a\"", "wrong_type" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        field_case(cases[i].kind, cases[i].value, cases[i].want);
}

static void unknown_field(void)
{
    json_t *json = json_pack("{s:s, s:i}", "f", "x", "price", 0);
    struct fields fields;
    const char *text;
    json_t *errors;

    fields_start(&fields, json);
    fields_text(&fields, "f", 8, &text);
    errors = fields_done(&fields);
    ok(json_array_size(errors) == 1 && strcmp(json_string_value(json_object_get(json_array_get(errors, 0), "field")), "price") == 0,
       "a field that nobody asked for is named");
    json_decref(errors);
    json_decref(json);
}

static void money(void)
{
    static const struct {
        int64_t nano;
        const char *text;
    } cases[] = {
        { 0, "0.00" },
        { 1, "0.000000001" },
        { 10000000, "0.01" },
        { 12500000000, "12.50" },
        { -12500000000, "-12.50" },
        { 1234567891, "1.234567891" },
        { INT64_MAX, "9223372036.854775807" },
        { INT64_MIN, "-9223372036.854775808" },
    };
    char text[MONEY_BYTES];
    int64_t back;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ok_text(money_print(cases[i].nano, text), cases[i].text, "%lld nano", (long long)cases[i].nano);
        if (cases[i].nano >= 0)
            ok(money_parse(text, &back) && back == cases[i].nano, "%s and back", text);
    }
}

static void times(void)
{
    char text[TIME_BYTES];
    json_t *in = json_pack("{s:s, s:n, s:I, s:I, s:[{s:s}]}", "posted_nano", "1500000000", "proposed_nano", "created_ms",
                           (json_int_t)1767225600250, "last_sample_age_ms", (json_int_t)7, "lines", "amount_nano", "-1");
    json_t *out = present_copy(in);

    ok_text(time_print(1767225600250, text), "2026-01-01T00:00:00.250Z", "a time");
    ok_text(time_print(INT64_MAX, text), "", "a time beyond the calendar is empty");
    ok_text(json_string_value(json_object_get(out, "posted")), "1.50", "nano becomes money");
    ok(json_is_null(json_object_get(out, "proposed")) && !json_object_get(out, "proposed_nano"),
       "and is null under its outside name where there is none");
    ok_text(json_string_value(json_object_get(out, "created_at")), "2026-01-01T00:00:00.250Z", "ms becomes a time");
    ok_int(json_integer_value(json_object_get(out, "last_sample_age_ms")), 7, "a duration stays a number");
    ok_text(json_string_value(json_object_get(json_array_get(json_object_get(out, "lines"), 0), "amount")),
            "-0.000000001", "inside lists too");
    json_decref(in);
    json_decref(out);
}

static void times_in(void)
{
    static const struct {
        const char *text;
        int64_t ms;                     /* -1: refused */
    } cases[] = {
        { "2026-01-01T00:00:00.250Z", 1767225600250 }, { "2026-01-01T00:00:00Z", 1767225600000 },
        { "2024-02-29T12:00:00Z", 1709208000000 },     { "2026-02-29T12:00:00Z", -1 },
        { "2026-01-01T24:00:00Z", -1 },                { "2026-13-01T00:00:00Z", -1 },
        { "2026-01-01T00:00:60Z", -1 },                { "2026-01-01 00:00:00Z", -1 },
        { "2026-01-01T00:00:00+01:00", -1 },           { "2026-01-01", -1 },
        { "2026-00-10T00:00:00Z", -1 },                { "2026-01-01T00:00:00Zx", -1 },
        { "0000-01-01T00:00:00Z", -1 },                { "", -1 },
    };
    int64_t ms;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool good = time_parse(cases[i].text, &ms);

        ok(good == (cases[i].ms >= 0) && (!good || ms == cases[i].ms), "the time \"%s\"", cases[i].text);
    }
    ok(day_valid("2026-11-30") && !day_valid("2026-11-31") && !day_valid("2026-1-1") && !day_valid("2026-11"), "days");
    ok(month_valid("2026-12") && !month_valid("2026-13") && !month_valid("2026-12-01") && !month_valid(""), "months");
}

static void rows(void)
{
    json_t *list = json_pack("[{s:s, s:i}, {s:s, s:n, s:[i, i]}]", "a", "x\ny", "b", 1, "a", "", "b", "c", 1, 2);
    json_t *none = json_array();
    json_t *formulas = json_pack("[{s:s}, {s:s}, {s:s}, {s:s}, {s:s}, {s:s}, {s:s}]", "a", "=1+1", "a", "@x", "a", "-1+1",
                                 "a", "+a,b", "a", "-1.50", "a", "+2", "a", "-");
    char *text = rows_csv(list);

    ok_text(text, "a,b,c\r\n\"x\ny\",1,\r\n,,\"[1,2]\"\r\n", "CSV has the columns of all rows, and JSON where a value is no plain one");
    free(text);
    text = rows_csv(formulas);
    ok_text(text, "a\r\n'=1+1\r\n'@x\r\n'-1+1\r\n\"'+a,b\"\r\n-1.50\r\n+2\r\n'-\r\n",
            "a text that a spreadsheet would calculate is kept a text, a number with a sign stays one");
    free(text);
    text = rows_csv(none);
    ok_text(text, "", "no rows, no columns");
    free(text);
    text = rows_ndjson(list);
    ok_text(text, "{\"a\":\"x\\ny\",\"b\":1}\n{\"a\":\"\",\"b\":null,\"c\":[1,2]}\n", "NDJSON has a line for each");
    free(text);
    json_decref(list);
    json_decref(none);
    json_decref(formulas);
}

static void keys(void)
{
    char a[KEY_BYTES], b[KEY_BYTES], header[128];
    uint8_t hash_a[KEY_HASH_BYTES], hash_b[KEY_HASH_BYTES];

    key_derive(KEY_CUSTOMER_PREFIX, "creator", "salt-1", a);
    key_derive(KEY_CUSTOMER_PREFIX, "creator", "salt-2", b);
    ok(key_valid(KEY_CUSTOMER_PREFIX, a), "a derived key is a key: %s", a);
    ok(strcmp(a, b) != 0, "another salt, another key");
    key_derive(KEY_CUSTOMER_PREFIX, "creator", "salt-1", b);
    ok(strcmp(a, b) == 0, "the same again gives the same");
    key_derive(KEY_CUSTOMER_PREFIX, "Creator", "salt-1", b);
    ok(strcmp(a, b) != 0, "another creator, another key");
    key_hash(a, hash_a);
    key_hash(b, hash_b);
    ok(memcmp(hash_a, hash_b, sizeof(hash_a)) != 0, "hashes differ");
    snprintf(header, sizeof(header), "bearer %s", a);
    ok_text(auth_bearer(header), a, "the scheme's case does not matter");
    strcat(header, " ");
    ok(!auth_bearer(header) && !auth_bearer("Basic eHM6eHM=") && !auth_bearer("Bearer xs_live_") && !auth_bearer(NULL),
       "what is not a whole key is none");
}

static void buckets(void)
{
    const struct limit_rate rates[BUCKET_COUNT] = { limit_per_s(2), limit_per_s(1), limit_per_s(1), limit_per_s(1),
                                                    limit_per_s(1), { .per_minute = 5, .burst = 5 } };
    struct limit_table *table = limit_new(rates);
    struct limit_verdict v = { 0 };
    int allowed = 0;

    for (int i = 0; i < 20; i++)
        allowed += (v = limit_take(table, "k", BUCKET_READ, 1000)).allowed;
    ok_int(allowed, 8, "four seconds' worth at once");
    ok_int(v.retry_after_s, 1, "then a wait is named");
    ok_int(v.reset_s, 4, "and when the bucket is full again");
    ok(limit_take(table, "other", BUCKET_READ, 1000).allowed, "another key has its own bucket");
    ok(limit_take(table, "k", BUCKET_WRITE, 1000).allowed, "writes have their own bucket");
    ok(!limit_take(table, "k", BUCKET_READ, 500).allowed, "a clock that steps back brings nothing");
    ok(limit_take(table, "k", BUCKET_READ, 1501).allowed, "half a second brings one");
    ok(!limit_take(table, "k", BUCKET_READ, 1501).allowed, "and only one");
    ok_int(limit_take(table, "k", BUCKET_READ, 1000000).remaining, 7, "long idle brings no more than the burst");
    for (int i = 0; i < 20000; i++) {
        char who[16];

        snprintf(who, sizeof(who), "s%d", i);
        limit_take(table, who, BUCKET_ANONYMOUS, 1000000);
    }
    for (int i = 0; i < 5; i++)
        ok(limit_take(table, "me@example.com", BUCKET_LOGIN, 5000000).allowed, "five logins at once");
    v = limit_take(table, "me@example.com", BUCKET_LOGIN, 5000000);
    ok(!v.allowed && v.retry_after_s == 12 && v.reset_s == 60, "the sixth waits twelve seconds");
    ok(!limit_take(table, "me@example.com", BUCKET_LOGIN, 5011999).allowed, "not a millisecond less");
    ok(limit_take(table, "me@example.com", BUCKET_LOGIN, 5012000).allowed, "nor more");
    ok(limit_take(table, "late", BUCKET_READ, 1000000).allowed, "twenty thousand strangers lock nobody out");
    limit_free(table);
}

static void paths(void)
{
    char param[PARAM_BYTES], allow[32], longer[200];

    ok(route_find("GET", "/v1/instances/x", param, allow) && strcmp(param, "x") == 0, "{id} is found");
    ok(!route_find("PUT", "/v1/instances", param, allow) && strcmp(allow, "POST, GET") == 0, "other methods are named");
    ok(!route_find("GET", "/v1/instances/", param, allow) && !*allow, "an empty id is no path");
    ok(!route_find("GET", "/v1/instances/a/b", param, allow) && !*allow, "a path has an end");
    ok(!route_find("GET", "/v1/instance", param, allow) && !*allow, "a prefix is no path");
    ok(!route_find("GET", "", param, allow) && !*allow, "nor is nothing");
    snprintf(longer, sizeof(longer), "/v1/instances/%0100d", 1);
    ok(!route_find("GET", longer, param, allow), "an id longer than any id is no path");
}

static const char *words_of(const char *words)
{
    static char out[8];

    json_words(words, out, sizeof(out));
    return out;
}

static void words(void)
{
    ok_text(words_of("curl/8"), "curl/8", "a stranger's words stay as they are");
    ok_text(words_of("curl/8.5.0"), "curl/8.", "as far as they fit");
    ok_text(words_of("abcde\xe2\x82\xac"), "abcde", "to the end of a character");
    ok_text(words_of("\xff\xfe\xff\xfe\xff\xfe"), "", "what is no UTF-8 is nothing");
    ok_text(words_of(NULL), "", "nor what is not there");
}

int main(void)
{
    if (sodium_init() < 0)
        tap_bail("libsodium");
    bodies();
    fields_all();
    unknown_field();
    money();
    times();
    times_in();
    rows();
    keys();
    buckets();
    paths();
    words();
    return tap_end();
}
