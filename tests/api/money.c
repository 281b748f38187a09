/* The customer's money: wallet, purchase orders, holds, vouchers, prices, use, invoices, disputes, budgets; lists as
 * rows. */
#include "common/id.h"
#include "common/json.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static char key[64], account[40];

/* POST with a new Idempotency-Key. */
static struct response post(const char *path, const char *body)
{
    char idem[ID_BYTES];

    return rig_post(&rig, key, path, id_make("tst_", idem), body);
}

static const json_t *row_of(const struct response *answer, const char *list, size_t i)
{
    return json_array_get(json_object_get(answer->json, list), i);
}

static void wallet(void)
{
    struct response answer = rig_get(&rig, key, "/v1/wallet");

    ok_text(answer_text_of(&answer, "balance"), "10.00", "the wallet's balance");
    ok_text(answer_text_of(&answer, "burn_per_hour"), "2.50", "what an hour costs now");
    ok_text(answer_text_of(&answer, "lasts_until"), "2026-01-01T01:00:00.000Z", "until when the money lasts");
    ok_text(answer_text_of(&answer, "payment_reference"), "RF18XS0001", "what a bank transfer has to say");
    ok_text(json_text(row_of(&answer, "entries", 0), "amount"), "10.00", "its first entry");
    ok(json_is_string(json_object_get(row_of(&answer, "entries", 0), "refers")) && !strstr(answer.text, "opk_"),
       "does not say which operator gave it");
    answer_free(&answer);
}

static void vouchers(void)
{
    struct response answer = post("/v1/vouchers/redeem", "{\"code\":\"XSV-2026\"}");

    ok(answer.status == 201 && strcmp(answer_text_of(&answer, "amount"), "5.00") == 0, "a voucher is worth 5.00");
    ok(id_valid("trf_", answer_text_of(&answer, "id")), "and its transfer has an id");
    answer_free(&answer);
    answer = post("/v1/vouchers/redeem", "{\"code\":\"NO-SUCH\"}");
    ok_int(answer.status, 404, "a code that is none");
    ok_has(answer_text_of(&answer, "detail"), "no such voucher", "is told so");
    answer_free(&answer);
}

static void pages(void)
{
    struct response first = rig_get(&rig, key, "/v1/wallet/entries?limit=1"), second;
    char path[128];

    snprintf(path, sizeof(path), "/v1/wallet/entries?limit=1&after=%d",
             (int)json_integer_value(json_object_get(first.json, "next_cursor")));
    second = rig_get(&rig, key, path);
    ok(json_array_size(json_object_get(first.json, "data")) == 1 &&
           json_array_size(json_object_get(second.json, "data")) == 1,
       "a page of one entry, and another");
    ok(strcmp(json_text(row_of(&first, "data", 0), "transfer_id"), json_text(row_of(&second, "data", 0),
       "transfer_id")) !=
           0,
       "with different entries");
    answer_free(&first);
    answer_free(&second);
}

static struct response entries_as(const char *accept)
{
    return rig_call(
        &rig,
        &(struct call){.method = "GET", .path = "/v1/wallet/entries?limit=1&after=1", .key = key, .header = accept});
}

static void rows(void)
{
    struct response answer = entries_as("Accept: text/csv");

    ok_has(answer_header(&answer, "content-type"), "text/csv", "a list as CSV says so");
    ok(answer.text && strncmp(answer.text, "transfer_id,at,amount,code,reason,refers\r\ntrf_", 46) == 0,
       "a heading, then a row, with CRLF");
    ok_has(answer.text, ",2026-01-01T00:00:00.000Z,1.00,fund,\"more, \"\"much\"\" more\",\r\n",
           "quoted as RFC 4180 says");
    ok_text(answer_header(&answer, "x-next-cursor"), "2", "the next page's cursor is a header");
    answer_free(&answer);
    answer = entries_as("Accept: application/x-ndjson");
    ok_has(answer_header(&answer, "content-type"), "application/x-ndjson", "as NDJSON");
    ok(answer.json && json_is_object(answer.json) && answer.text[answer.size - 1] == '\n', "one object a line");
    answer_free(&answer);
    answer = entries_as("Accept: text/html, */*;q=0.5");
    ok(json_is_array(json_object_get(answer.json, "data")), "who wants nothing of ours gets JSON");
    answer_free(&answer);
    answer =
        rig_call(&rig, &(struct call){.method = "GET", .path = "/v1/wallet", .key = key, .header = "Accept: text/csv"});
    ok(json_is_object(answer.json), "what is no list stays JSON");
    answer_free(&answer);
}

static void orders(void)
{
    struct response answer =
        post("/v1/purchase_orders", "{\"name\":\"project\",\"amount\":\"4.00\",\"ends_at\":\"2036-12-31T23:59:59Z\"}");
    char id[40], path[128], body[256];

    ok_int(answer.status, 201, "a purchase order");
    snprintf(id, sizeof(id), "%s", answer_text_of(&answer, "id"));
    snprintf(path, sizeof(path), "/v1/purchase_orders/%s", id);
    ok_text(answer_header(&answer, "location"), path, "Location is where it can be seen");
    ok_text(answer_text_of(&answer, "ends_at"), "2036-12-31T23:59:59.000Z", "its end");
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/purchase_orders/%s/add", id);
    answer = post(path, "{\"amount\":\"1.00\"}");
    ok_text(answer_text_of(&answer, "available"), "5.00", "more is moved into it");
    answer_free(&answer);
    answer = post(path, "{\"amount\":\"1000.00\"}");
    ok_int(answer.status, 402, "not more than the wallet has");
    answer_free(&answer);
    snprintf(body, sizeof(body), "{\"name\":\"n\",\"image\":\"tiny\",\"flavor\":\"xs1\",\"purchase_order_id\":\"%s\"}",
             id);
    answer = post("/v1/instances", body);
    ok_int(answer.status, 202, "an instance that it pays for");
    answer_free(&answer);
    answer =
        post("/v1/instances", "{\"name\":\"n\",\"image\":\"tiny\",\"flavor\":\"xs1\",\"purchase_order_id\":\"po_1\"}");
    ok(answer.status == 422 && answer.text && strstr(answer.text, "you have no purchase order po_1"),
       "but no other's, or none");
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/purchase_orders/%s", id);
    answer = rig_call(&rig, &(struct call){.method = "DELETE", .path = path, .key = key});
    ok_text(answer_text_of(&answer, "state"), "closed", "it is closed");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/holds");
    ok_text(json_text(row_of(&answer, "data", 0), "amount"), "0.0036", "the instance's hold");
    answer_free(&answer);
}

static void bad_orders(void)
{
    static const struct {
        const char *body, *words;
    } cases[] = {
        {"{\"name\":\"n\",\"amount\":\"-1\"}", "\"field\":\"amount\""},
        {"{\"name\":\"n\",\"amount\":1}", "never a JSON number"},
        {"{\"name\":\"n\",\"amount\":\"1.00\",\"ends_at\":\"2020-01-01T00:00:00Z\"}", "must be in the future"},
        {"{\"name\":\"n\",\"amount\":\"1.00\",\"ends_at\":\"2036-02-30T00:00:00Z\"}", "must be a time in UTC"},
        {"{\"name\":\"n\",\"amount\":\"1.00\",\"ends_at\":\"2036-02-28T24:00:00Z\"}", "must be a time in UTC"},
        {"{\"name\":\"n\",\"amount\":\"1.00\",\"ends_at\":\"tomorrow\"}", "must be a time in UTC"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct response answer = post("/v1/purchase_orders", cases[i].body);

        ok(answer.status == 422 && strstr(answer.text, cases[i].words), "%s: %s", cases[i].body, cases[i].words);
        answer_free(&answer);
    }
}

static void prices(void)
{
    struct response answer = rig_get(&rig, key, "/v1/prices");

    ok_int(json_integer_value(json_object_get(row_of(&answer, "data", 0), "version")), 1,
           "the published book is listed");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/prices/1");
    ok_has(answer_text_of(&answer, "signature"), "untrusted comment", "and shown with its signature");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/prices/01");
    ok_int(answer.status, 404, "a version is a number as it is written");
    answer_free(&answer);
}

static void status_of(const char *path, int status, const char *words, const char *what)
{
    struct response answer = rig_get(&rig, key, path);

    ok(answer.status == status && strstr(answer.text, words), "%s: %d, %s", what, status, words);
    answer_free(&answer);
}

static void use(void)
{
    struct response answer = rig_get(&rig, key, "/v1/usage/summary?from=2026-01-01&to=2026-01-31&by=day,meter");
    char id[40], path[128];

    ok_text(json_text(row_of(&answer, "data", 0), "day"), "2026-01-01", "use by day");
    ok_text(json_text(row_of(&answer, "data", 0), "amount"), "1.037451337", "and what it costs");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/usage/summary");
    ok_has(json_text(row_of(&answer, "data", 0), "day"), "-01", "by default from the first of this month");
    answer_free(&answer);
    status_of("/v1/usage/summary?from=2026-02-30", 422, "from: must be a day", "a day that is none");
    status_of("/v1/usage/summary?by=colour", 422, "by: must be", "by what is unknown");
    status_of("/v1/usage/summary?by=day,day", 422, "by: must be", "by the same twice");
    status_of("/v1/usage/summary?from=2026-02-02&to=2026-02-01", 422, "is after to", "an end before the beginning");
    rig_instance(&rig, key, "use", id);
    snprintf(path, sizeof(path), "/v1/usage/records?instance_id=%s", id);
    answer = rig_get(&rig, key, path);
    ok_has(json_text(row_of(&answer, "data", 0), "proof"), "c2sp.org/tlog-proof@v1\nindex 1\n",
           "a record with its proof file");
    ok_has(json_text(row_of(&answer, "data", 0), "leaf"), "\"amount_nano\":\"5\"", "and the leaf as it was hashed");
    answer_free(&answer);
    status_of("/v1/usage/records", 422, "say whose records", "no instance named");
}

static void details(void)
{
    static const char right[] =
        "{\"name\":\"Ann\",\"street\":\"Lane 1\",\"postcode\":\"12345\",\"city\":\"Ulm\",\"country\":\"DE\","
        "\"vat_id\":\"DE123456789\",\"email\":\"ann@example.org\"}";
    struct call put = {.method = "PUT", .path = "/v1/account/billing_details", .key = key, .body = right};
    struct response answer = rig_call(&rig, &put);

    ok_text(answer_text_of(&answer, "vat_id"), "DE123456789", "who is billed is said");
    answer_free(&answer);
    answer = rig_get(&rig, key, put.path);
    ok_text(answer_text_of(&answer, "city"), "Ulm", "and kept");
    answer_free(&answer);
    put.body = "{\"name\":\"Ann\",\"country\":\"de\",\"email\":\"ann\",\"vat_id\":\"x y\"}";
    answer = rig_call(&rig, &put);
    ok_int((long long)json_array_size(json_object_get(answer.json, "errors")), 6, "each wrong field is named at once");
    answer_free(&answer);
}

static void invoices(char id[static 40])
{
    struct response answer = rig_get(&rig, key, "/v1/invoices/draft");
    char path[128];

    ok_text(answer_text_of(&answer, "kind"), "draft", "what an invoice would say now");
    answer_free(&answer);
    answer = post("/v1/invoices", NULL);
    ok_text(answer_text_of(&answer, "number_text"), "XS-2026-000001", "an invoice");
    ok_text(answer_text_of(&answer, "net"), "1.037451337", "with its amounts");
    snprintf(id, 40, "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/invoices/%s/files/json", id);
    answer = rig_get(&rig, key, path);
    ok_text(answer.text, "{\"format\":\"xs-invoice/v2\"}", "its JSON by itself, byte for byte");
    ok_text(answer_header(&answer, "content-type"), "application/json", "with its type");
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/invoices/%s/files/csv", id);
    answer = rig_get(&rig, key, path);
    ok(answer.size > 3000000 && strstr(answer.text, "line 99999 of inv_") && strncmp(answer.text, "line 0 of", 9) == 0,
       "its CSV, whole (%zu bytes)", answer.size);
    ok_has(answer_header(&answer, "content-disposition"), ".csv\"", "with a name");
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/invoices/%s/files/xml", id);
    status_of(path, 404, "this invoice has no such file", "a file that its bundle has not");
    answer = rig_get(&rig, key, "/v1/credit_notes");
    ok(answer.status == 200 && json_array_size(json_object_get(answer.json, "data")) == 0,
       "an invoice is no credit note");
    answer_free(&answer);
}

static void disputed(const char *invoice)
{
    char body[256], path[128];
    struct response answer;

    snprintf(body, sizeof(body), "{\"invoice_id\":\"%s\",\"line\":1,\"reason\":\"I was\\nnot there\"}", invoice);
    answer = post("/v1/disputes", body);
    ok(answer.status == 201 && strcmp(answer_text_of(&answer, "state"), "open") == 0, "a dispute is open");
    ok(json_is_null(json_object_get(answer.json, "proposed")), "the records propose nothing to give back");
    snprintf(path, sizeof(path), "/v1/disputes/%s", answer_text_of(&answer, "id"));
    ok_text(answer_header(&answer, "location"), path, "at its Location");
    answer_free(&answer);
    answer = rig_get(&rig, key, path);
    ok_text(json_string_value(json_object_get(json_object_get(answer.json, "evidence"), "recomputed")), "1.234567891",
            "with its evidence");
    answer_free(&answer);
    answer = post("/v1/disputes", "{\"invoice_id\":\"inv_1\",\"reason\":\"r\"}");
    ok_int(answer.status, 422, "an invoice that is none");
    answer_free(&answer);
    snprintf(body, sizeof(body), "{\"invoice_id\":\"%s\",\"reason\":\"r\",\"claim\":"
             "{\"incarnation\":\"0f\",\"counter\":\"guest_ns\",\"value\":\"12\"}}", invoice);
    answer = post("/v1/disputes", body);
    ok(answer.status == 201 && strcmp(json_text(json_object_get(answer.json, "claim"), "value"), "12") == 0,
       "what the guest read is claimed");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/disputes?limit=1");
    snprintf(path, sizeof(path), "/v1/disputes?limit=1&after=%d",
             (int)json_integer_value(json_object_get(answer.json, "next_cursor")));
    ok(json_array_size(json_object_get(answer.json, "data")) == 1 &&
           !json_is_object(json_object_get(row_of(&answer, "data", 0), "claim")),
       "disputes come by pages");
    answer_free(&answer);
    answer = rig_get(&rig, key, path);
    ok(json_is_object(json_object_get(row_of(&answer, "data", 0), "claim")) &&
           json_is_null(json_object_get(answer.json, "next_cursor")),
       "and the next is the last");
    answer_free(&answer);
    snprintf(body, sizeof(body), "{\"invoice_id\":\"%s\",\"reason\":\"r\",\"claim\":{\"counter\":\"guest_ns\"}}",
             invoice);
    answer = post("/v1/disputes", body);
    ok_has(answer.text, "incarnation must be given", "a claim that says too little");
    ok_int(answer.status, 422, "is refused");
    answer_free(&answer);
}

static void budgets(void)
{
    struct response answer = post("/v1/budgets", "{\"amount\":\"20.00\",\"steps\":[50,100]}");
    char path[128];

    ok(answer.status == 201 && json_array_size(json_object_get(answer.json, "steps")) == 2, "a budget with two steps");
    snprintf(path, sizeof(path), "/v1/budgets/%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    answer = post("/v1/budgets", "{\"amount\":\"20.00\",\"steps\":[]}");
    ok_int(answer.status, 422, "a budget without steps says nothing");
    answer_free(&answer);
    answer = rig_call(&rig, &(struct call){.method = "DELETE", .path = path, .key = key});
    ok_int(answer.status, 204, "it is removed");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/budgets");
    ok_int((long long)json_array_size(json_object_get(answer.json, "data")), 0, "and gone");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/alerts");
    ok_int((long long)json_array_size(json_object_get(answer.json, "data")), 2, "alerts");
    ok_text(json_text(row_of(&answer, "data", 0), "cleared_at"), "2026-01-01T00:00:00.000Z", "one is over");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/alerts?standing=true&limit=1");
    ok(json_array_size(json_object_get(answer.json, "data")) == 1 &&
           json_is_null(json_object_get(row_of(&answer, "data", 0), "cleared_at")),
       "and one stands");
    answer_free(&answer);
    status_of("/v1/alerts?standing=maybe", 422, "standing: must be true or false", "a flag that is none");
}

int main(void)
{
    char path[128], invoice[40];
    struct response answer;

    rig_start(&rig);
    rig_customer(&rig, "money", key, account);
    wallet();
    snprintf(path, sizeof(path), "/v1/admin/customers/%s/credits", account);
    answer = rig_post(&rig, rig.operator_key, path, "credit-2",
                      "{\"amount\":\"1.00\",\"reason\":\"more, \\\"much\\\" more\"}");
    ok_int(answer.status, 201, "more credit");
    answer_free(&answer);
    vouchers();
    pages();
    rows();
    orders();
    bad_orders();
    prices();
    use();
    details();
    invoices(invoice);
    disputed(invoice);
    budgets();
    rig_end(&rig);
    return tap_end();
}
