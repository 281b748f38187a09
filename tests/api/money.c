/* The customer's money: wallet, purchase orders, holds, vouchers, prices; lists as rows. */
#include "common/id.h"
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

static const char *cell_of(const json_t *row, const char *field)
{
    const char *text = json_string_value(json_object_get(row, field));

    return text ? text : "";
}

static void wallet(void)
{
    struct response answer = rig_get(&rig, key, "/v1/wallet");

    ok_text(answer_text_of(&answer, "balance"), "10.00", "the wallet's balance");
    ok_text(answer_text_of(&answer, "burn_per_hour"), "2.50", "what an hour costs now");
    ok_text(answer_text_of(&answer, "lasts_until"), "2026-01-01T01:00:00.000Z", "until when the money lasts");
    ok_text(answer_text_of(&answer, "payment_reference"), "RF18XS0001", "what a bank transfer has to say");
    ok_text(cell_of(row_of(&answer, "entries", 0), "amount"), "10.00", "its first entry");
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
    ok(json_array_size(json_object_get(first.json, "data")) == 1 && json_array_size(json_object_get(second.json, "data")) == 1,
       "a page of one entry, and another");
    ok(strcmp(cell_of(row_of(&first, "data", 0), "transfer_id"), cell_of(row_of(&second, "data", 0), "transfer_id")) != 0,
       "with different entries");
    answer_free(&first);
    answer_free(&second);
}

static struct response entries_as(const char *accept)
{
    return rig_call(&rig, &(struct call){ .method = "GET", .path = "/v1/wallet/entries?limit=1&after=1", .key = key, .header = accept });
}

static void rows(void)
{
    struct response answer = entries_as("Accept: text/csv");

    ok_has(answer_header(&answer, "content-type"), "text/csv", "a list as CSV says so");
    ok(answer.text && strncmp(answer.text, "transfer_id,at,amount,code,reason\r\ntrf_", 39) == 0,
       "a heading, then a row, with CRLF");
    ok_has(answer.text, ",2026-01-01T00:00:00.000Z,1.00,credit,\"more, \"\"much\"\" more\"\r\n", "quoted as RFC 4180 says");
    ok_text(answer_header(&answer, "x-next-cursor"), "2", "the next page's cursor is a header");
    answer_free(&answer);
    answer = entries_as("Accept: application/x-ndjson");
    ok_has(answer_header(&answer, "content-type"), "application/x-ndjson", "as NDJSON");
    ok(answer.json && json_is_object(answer.json) && answer.text[answer.size - 1] == '\n', "one object a line");
    answer_free(&answer);
    answer = entries_as("Accept: text/html, */*;q=0.5");
    ok(json_is_array(json_object_get(answer.json, "data")), "who wants nothing of ours gets JSON");
    answer_free(&answer);
    answer = rig_call(&rig, &(struct call){ .method = "GET", .path = "/v1/wallet", .key = key, .header = "Accept: text/csv" });
    ok(json_is_object(answer.json), "what is no list stays JSON");
    answer_free(&answer);
}

static void orders(void)
{
    struct response answer = post("/v1/purchase_orders",
                                  "{\"name\":\"project\",\"amount\":\"4.00\",\"ends_at\":\"2036-12-31T23:59:59Z\"}");
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
    snprintf(body, sizeof(body), "{\"name\":\"n\",\"image\":\"tiny\",\"flavor\":\"xs1\",\"purchase_order_id\":\"%s\"}", id);
    answer = post("/v1/instances", body);
    ok_int(answer.status, 202, "an instance that it pays for");
    answer_free(&answer);
    answer = post("/v1/instances", "{\"name\":\"n\",\"image\":\"tiny\",\"flavor\":\"xs1\",\"purchase_order_id\":\"po_1\"}");
    ok(answer.status == 422 && answer.text && strstr(answer.text, "you have no purchase order po_1"), "but no other's, or none");
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/purchase_orders/%s", id);
    answer = rig_call(&rig, &(struct call){ .method = "DELETE", .path = path, .key = key });
    ok_text(answer_text_of(&answer, "state"), "closed", "it is closed");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/holds");
    ok_text(cell_of(row_of(&answer, "data", 0), "amount"), "0.0036", "the instance's hold");
    answer_free(&answer);
}

static void bad_orders(void)
{
    static const struct {
        const char *body, *words;
    } cases[] = {
        { "{\"name\":\"n\",\"amount\":\"-1\"}", "\"field\":\"amount\"" },
        { "{\"name\":\"n\",\"amount\":1}", "never a JSON number" },
        { "{\"name\":\"n\",\"amount\":\"1.00\",\"ends_at\":\"2020-01-01T00:00:00Z\"}", "must be in the future" },
        { "{\"name\":\"n\",\"amount\":\"1.00\",\"ends_at\":\"2036-02-30T00:00:00Z\"}", "must be a time in UTC" },
        { "{\"name\":\"n\",\"amount\":\"1.00\",\"ends_at\":\"2036-02-28T24:00:00Z\"}", "must be a time in UTC" },
        { "{\"name\":\"n\",\"amount\":\"1.00\",\"ends_at\":\"tomorrow\"}", "must be a time in UTC" },
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

    ok_int(json_integer_value(json_object_get(row_of(&answer, "data", 0), "version")), 1, "the published book is listed");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/prices/1");
    ok_has(answer_text_of(&answer, "signature"), "untrusted comment", "and shown with its signature");
    answer_free(&answer);
    answer = rig_get(&rig, key, "/v1/prices/01");
    ok_int(answer.status, 404, "a version is a number as it is written");
    answer_free(&answer);
}

int main(void)
{
    char path[128];
    struct response answer;

    rig_start(&rig);
    rig_customer(&rig, "money", key, account);
    wallet();
    snprintf(path, sizeof(path), "/v1/admin/customers/%s/credits", account);
    answer = rig_post(&rig, rig.operator_key, path, "credit-2", "{\"amount\":\"1.00\",\"reason\":\"more, \\\"much\\\" more\"}");
    ok_int(answer.status, 201, "more credit");
    answer_free(&answer);
    vouchers();
    pages();
    rows();
    orders();
    bad_orders();
    prices();
    rig_end(&rig);
    return tap_end();
}
