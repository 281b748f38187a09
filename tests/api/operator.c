/* What operators do with money: in their own names, some of it only by two; and the provider's webhook. */
#include "common/id.h"
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOOK                                                                                                           \
    "{\"version\":7,\"currency\":\"EUR\",\"meters\":[{\"meter\":\"vcpu_used\",\"num_nano\":\"7000\",\"den\":\"3\"}]}"

static struct rig rig;
static char key[64], account[40];
static char ann[64], ann_id[40];

static struct response post_as(const char *who, const char *path, const char *body)
{
    char idem[ID_BYTES];

    return rig_post(&rig, who, path, id_make("tst_", idem), body);
}

/* One request, its status and a word of its answer. */
static void got(const char *path, int status, const char *words, const char *what)
{
    said(rig_get(&rig, rig.operator_key, path), status, words, what);
}

static void operators(void)
{
    struct response first, again;
    char path[128], command[256], key_id[40];

    rig_operator_key(&rig, "ann", "admin", ann, ann_id);
    snprintf(path, sizeof(path), "/v1/admin/operators/%s/keys", ann_id);
    first = rig_post(&rig, rig.operator_key, path, "op-1", "{\"name\":\"ann\"}");
    again = rig_post(&rig, rig.operator_key, path, "op-1", "{\"name\":\"ann\"}");
    snprintf(ann, sizeof(ann), "%s", answer_text_of(&first, "key"));
    snprintf(key_id, sizeof(key_id), "%s", answer_text_of(&first, "id"));
    ok(first.status == 201 && strncmp(ann, "xs_oper_", 8) == 0, "an operator's key is made");
    ok_text(answer_text_of(&again, "key"), ann, "its maker's retry sees it again");
    answer_free(&first);
    answer_free(&again);
    snprintf(command, sizeof(command), "grep -aq %s %s/db/api.db*", ann + 8, rig.dir);
    ok(system(command) != 0, "it is not in the database");
    first = rig_get(&rig, ann, "/v1/admin/operators");
    ok(first.status == 200 && strstr(first.text, ann_id) && !strstr(first.text, "xs_oper_"),
       "it works; lists show no text");
    answer_free(&first);
    first = post_as(ann, path, "{\"name\":\"bob\"}");
    snprintf(path, sizeof(path), "/v1/admin/operators/%s", answer_text_of(&first, "id"));
    snprintf(command, sizeof(command), "%s", answer_text_of(&first, "key"));
    answer_free(&first);
    first = rig_call(&rig, &(struct call){.method = "DELETE", .path = path, .key = ann});
    ok_int(first.status, 204, "a key is revoked");
    answer_free(&first);
    said(rig_get(&rig, command, "/v1/admin/operators"), 401, "key_revoked", "and no longer works");
    snprintf(path, sizeof(path), "/v1/admin/operators/%s", key_id);
    said(rig_call(&rig, &(struct call){.method = "DELETE", .path = path, .key = ann}), 409, "another operator",
         "nobody revokes the key in use");
    said(rig_call(&rig, &(struct call){.method = "DELETE", .path = "/v1/admin/operators/opk_bootstrap", .key = ann}),
         409, "configuration", "nor the bootstrap key");
}

static void two_for_prices(void)
{
    struct response answer = post_as(ann, "/v1/admin/price_books", BOOK);
    json_t *book = json_loads(BOOK, 0, NULL);

    ok_int(answer.status, 201, "a price book is proposed");
    ok_text(answer_text_of(&answer, "operator"), ann_id, "by the person's id");
    ok(json_equal(json_object_get(answer.json, "book"), book), "its book is what was sent, not a letter else");
    answer_free(&answer);
    json_decref(book);
    said(post_as(ann, "/v1/admin/price_books/7/approve", NULL), 403, "another operator must publish",
         "who proposed cannot publish");
    got("/v1/admin/price_books/7/diff", 200, "\"was\":\"7000/3 nano\"", "what it changes, against what holds now");
    got("/v1/admin/price_books/7/diff?against=0", 422, "against: must be a version", "against what is none");
    said(post_as(rig.operator_key, "/v1/admin/price_books/7/approve", NULL), 200, "\"decided_by\":\"opk_bootstrap\"",
         "another can");
    said(post_as(ann, "/v1/admin/price_books/9/withdraw", NULL), 200, "withdrawn", "a proposal is withdrawn");
    got("/v1/admin/price_books", 200, "\"state\":\"withdrawn\"", "the list has what is not published too");
    got("/v1/admin/price_books/7", 200, "\"num_nano\":\"7000\"", "one with its book");
    got("/v1/admin/price_books/1", 200, "signature", "the first, which nobody proposed");
    got("/v1/admin/price_books/77", 404, "not_found", "none");
    said(post_as(ann, "/v1/admin/price_books", "{\"version\":1.5}"), 422, "version",
         "a version that is no whole number");
}

static void replay(void)
{
    char path[160];

    snprintf(path, sizeof(path), "/v1/admin/price_books/1/replay?customer_id=%s&period=2026-01", account);
    got(path, 200, "\"total\":\"2.00\"", "a month under another version");
    got("/v1/admin/price_books/1/replay?period=2026-01", 422, "say whose month", "of nobody");
    snprintf(path, sizeof(path), "/v1/admin/price_books/1/replay?customer_id=%s&period=2026-13", account);
    got(path, 422, "period: must be a month", "a month that is none");
}

static void vouchers(void)
{
    struct response first = rig_post(&rig, ann, "/v1/admin/vouchers", "v-1", "{\"amount\":\"5.00\"}");
    struct response again = rig_post(&rig, ann, "/v1/admin/vouchers", "v-1", "{\"amount\":\"5.00\"}");
    char command[256];

    ok_text(answer_text_of(&first, "code"), "XSV-SECR-ETCO-DEOF-TEST", "a voucher shows its code");
    ok(json_equal(first.json, again.json) && strcmp(answer_header(&again, "idempotent-replayed"), "true") == 0,
       "a replay shows it again");
    answer_free(&first);
    answer_free(&again);
    snprintf(command, sizeof(command), "grep -aq SECR-ETCO %s/db/api.db*", rig.dir);
    ok(system(command) != 0, "but our database never has it");
}

static struct response import(const char *body, size_t size, const char *type)
{
    char idem[ID_BYTES];

    return rig_call(&rig, &(struct call){.method = "POST",
                                         .path = "/v1/admin/bank_imports",
                                         .key = ann,
                                         .body = body,
                                         .body_size = size,
                                         .type = type,
                                         .idem = id_make("tst_", idem)});
}

static void bank(void)
{
    size_t size = 700 * 1024;
    char *large = malloc(size + 2), body[96];
    struct response answer = import("<Document>\n<x a=\"1\"/></Document>", 0, "application/xml");

    ok(answer.status == 201 && json_integer_value(json_object_get(answer.json, "credited")) == 1 &&
           strcmp(answer_text_of(&answer, "credited_amount"), "5.00") == 0,
       "a statement is imported");
    answer_free(&answer);
    memset(large, ' ', size + 1);
    memcpy(large, "<Document>", 10);
    said(import(large, size, "text/xml"), 201, "imp_", "one of 700 KiB too");
    said(import(large, size + 1, "text/xml"), 413, "716800", "a larger one is not");
    said(import("nothing", 0, "application/xml"), 422, "line 1: no Document",
         "what is no statement is refused with its line");
    said(import("<Document/>", 0, "application/json"), 415, "application/xml", "and what is not called XML");
    said(import("\xff<Document/>", 0, "application/xml"), 400, "UTF-8", "and what is no text");
    free(large);
    got("/v1/admin/bank_entries?state=suspense", 200, "\"amount\":\"7.00\"", "what nobody was found for");
    got("/v1/admin/bank_entries?state=lost", 422, "state: must be", "in a state that is none");
    snprintf(body, sizeof(body), "{\"customer_id\":\"%s\"}", account);
    said(post_as(ann, "/v1/admin/bank_entries/e2/assign", body), 201, "assigned", "is given to a customer");
    said(post_as(ann, "/v1/admin/bank_entries/e2/assign", "{\"customer_id\":\"revenue:x\"}"), 422,
         "there is no customer", "to a customer alone");
    said(post_as(ann, "/v1/admin/bank_entries/e2/return", "{\"reason\":\"unknown\"}"), 201, "returned", "or sent back");
    said(post_as(ann, "/v1/admin/bank_entries/e3/return", "{\"reason\":\"unknown\"}"), 404, "no such thing",
         "one that is none");
}

/* The Idempotency-Key covers a body that is no JSON too. */
static void import_once(void)
{
    int before = rig_count(&rig, "accountd", "bank_import");
    struct call call = {.method = "POST",
                        .path = "/v1/admin/bank_imports",
                        .key = ann,
                        .body = "<Document>1</Document>",
                        .type = "application/xml",
                        .idem = "import-1"};
    struct response first = rig_call(&rig, &call), again = rig_call(&rig, &call);

    ok(first.status == 201 && json_equal(first.json, again.json), "the same statement again has the same answer");
    answer_free(&first);
    answer_free(&again);
    call.body = "<Document>2</Document>";
    said(rig_call(&rig, &call), 422, "idempotency_key_reused", "another under the same key");
    ok_int(rig_count(&rig, "accountd", "bank_import") - before, 1, "one import");
}

/* Large bodies are for operators: anybody else's is cut at 64 KiB. */
static void large_for_operators(void)
{
    size_t size = 70000;
    char *body = calloc(1, size + 1), idem[ID_BYTES];

    memset(body, 'x', size);
    said(rig_call(&rig, &(struct call){.method = "POST",
                                       .path = "/v1/admin/bank_imports",
                                       .key = key,
                                       .body = body,
                                       .type = "application/xml",
                                       .idem = id_make("tst_", idem)}),
         403, "wrong_role", "a customer imports nothing");
    said(rig_call(&rig, &(struct call){.method = "POST",
                                       .path = "/v1/webhooks/payments",
                                       .body = body,
                                       .header = "Stripe-Signature: t=1,v1=good"}),
         413, "65536", "an event of 70 kB");
    free(body);
}

static void webhook(void)
{
    struct call event = {.method = "POST",
                         .path = "/v1/webhooks/payments",
                         .body = "{\"id\":\"evt_1\"}",
                         .header = "Stripe-Signature: t=1,v1=good"};

    said(rig_call(&rig, &event), 200, "\"received\":true", "the provider's event");
    said(rig_call(&rig, &event), 200, "\"received\":true", "is acknowledged again");
    event.header = "Stripe-Signature: t=1,v1=bad";
    said(rig_call(&rig, &event), 400, "not one that fits", "a wrong signature");
    event.header = NULL;
    said(rig_call(&rig, &event), 400, "Stripe-Signature is missing", "none");
    event.header = "Stripe-Signature: t=1,v1=good";
    event.body = "";
    said(rig_call(&rig, &event), 400, "empty", "an event without a body");
}

static void ledger(void)
{
    char path[160];

    got("/v1/admin/ledger/trial_balance", 200, "\"sound\":true", "the trial balance");
    got("/v1/admin/ledger/accounts/revenue:vcpu_used/transfers?limit=2", 200, "\"next_cursor\":2",
        "an account's transfers by pages");
    got("/v1/admin/ledger/accounts/a%20b/transfers", 404, "not_found", "an account that can be none");
    got("/v1/admin/log/leaves/1?origin=host.example/usage/e1", 200, "\"customer_id\":\"acc_1\"", "the leaf that a transfer refers to");
    got("/v1/admin/log/leaves/1", 200, "{\\\"amount_nano\\\":\\\"5\\\"", "comes as it was hashed");
    got("/v1/admin/log/leaves/2", 404, "no such thing", "one that is not there");
    got("/v1/admin/log/leaves/1?origin=host.example/usage/e2", 404, "no such thing", "or another log's");
    got("/v1/admin/log/leaves/1e1", 404, "no such leaf", "what is no place");
    got("/v1/admin/ledger/journal", 200, "account host", "the journal of the host");
    snprintf(path, sizeof(path), "/v1/admin/ledger/journal?customer_id=%s", account);
    got(path, 200, account, "or of a customer");
}

static void paper(void)
{
    struct response answer = post_as(key, "/v1/invoices", NULL);
    char body[256], path[128], invoice[40];

    snprintf(invoice, sizeof(invoice), "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    got("/v1/admin/invoices", 200, invoice, "all customers' invoices");
    got("/v1/admin/invoices", 200, account, "say whose they are");
    got("/v1/admin/invoices?customer_id=acc_00000000000000000000000000", 200, "\"data\":[]", "or one customer's");
    snprintf(body, sizeof(body),
             "{\"invoice_id\":\"%s\",\"reason\":\"r\",\"lines\":[{\"line\":1,\"amount\":\"0.50\"}]}", invoice);
    said(post_as(ann, "/v1/admin/credit_notes", body), 201, "credit_note", "a credit note");
    got("/v1/admin/credit_notes", 200, "credit_note", "is listed");
    said(rig_get(&rig, key, "/v1/credit_notes"), 200, "credit_note", "by its customer too");
    snprintf(body, sizeof(body),
             "{\"invoice_id\":\"%s\",\"reason\":\"r\",\"lines\":[{\"line\":0,\"amount\":\"0.50\"}]}", invoice);
    said(post_as(ann, "/v1/admin/credit_notes", body), 422, "element 0: line must be from 1", "a line that is none");
    snprintf(body, sizeof(body), "{\"invoice_id\":\"%s\",\"reason\":\"wrong\"}", invoice);
    answer = post_as(key, "/v1/disputes", body);
    snprintf(path, sizeof(path), "/v1/admin/disputes/%s/resolve", answer_text_of(&answer, "id"));
    answer_free(&answer);
    got("/v1/admin/disputes", 200, "wrong", "disputes of all customers");
    said(post_as(ann, path, "{\"outcome\":\"perhaps\",\"reason\":\"r\"}"), 422, "accepted, rejected",
         "an outcome that is none");
    said(post_as(ann, path, "{\"outcome\":\"accepted\",\"reason\":\"r\"}"), 409, "say what to give back",
         "the records propose nothing");
    said(post_as(ann, path, "{\"outcome\":\"accepted\",\"reason\":\"r\",\"lines\":[{\"line\":1}]}"), 422,
         "element 0: amount must be given", "a line that gives nothing");
    said(post_as(ann, path, "{\"outcome\":\"accepted\",\"reason\":\"r\",\"lines\":[{\"line\":1,\"amount\":\"0.50\"}]}"),
         200, ann_id, "an operator does, and operators see which");
    answer = rig_get(&rig, key, "/v1/disputes");
    ok(answer.status == 200 && strstr(answer.text, "\"accepted\"") && !strstr(answer.text, "opk_"),
       "the customer sees the outcome alone");
    answer_free(&answer);
}

static void customer(void)
{
    char path[160], text[64], id[40], body[64];
    struct response answer;

    snprintf(path, sizeof(path), "/v1/admin/customers/%s", account);
    got(path, 200, "\"funded\":\"9.00\"", "a customer's money");
    got(path, 200, "\"last_stop_at\":\"2026-01-01T00:00:00.000Z\"", "the risk");
    got(path, 200, "\"free\":\"", "what is free of it");
    got(path, 200, "\"name\":\"customer\"", "the name");
    got("/v1/admin/customers/acc_00000000000000000000000000", 404, "no such customer", "nobody");
    said(rig_get(&rig, key, path), 403, "wrong_role", "a customer asks for what is the operators'");
    answer = post_as(key, "/v1/keys", "{\"name\":\"to go\"}");
    snprintf(text, sizeof(text), "%s", answer_text_of(&answer, "key"));
    snprintf(id, sizeof(id), "%s", answer_text_of(&answer, "id"));
    answer_free(&answer);
    got(path, 200, id, "keys, without their texts");
    answer = rig_get(&rig, ann, path);
    ok(answer.text && !strstr(answer.text, text), "which are nowhere");
    answer_free(&answer);
    snprintf(body, sizeof(body), "/v1/admin/keys/%s", id);
    answer = rig_call(&rig, &(struct call){ .method = "DELETE", .path = body, .key = ann });
    ok_int(answer.status, 204, "one is revoked");
    answer_free(&answer);
    said(rig_get(&rig, text, "/v1/account"), 401, "revoked", "and works no more");
    snprintf(path, sizeof(path), "/v1/admin/audit?customer_id=%s&order=newest", account);
    got(path, 200, id, "the audit log says whose it was");
}

static int resumed(const char *path, const char *body)
{
    struct response answer = post_as(ann, path, body);
    int status = answer.status;

    answer_free(&answer);
    return status;
}

static void suspending(void)
{
    char path[160], instance[40];

    snprintf(path, sizeof(path), "/v1/admin/customers/%s/suspension", account);
    got(path, 200, "\"burn_per_hour\":\"0.004\"", "what a suspension would stop");
    snprintf(path, sizeof(path), "/v1/admin/customers/%s/suspend", account);
    said(post_as(ann, path, "{}"), 422, "reason", "a suspension without a reason");
    said(post_as(ann, path, "{\"reason\":\"sends spam\"}"), 200, ann_id, "one with a reason, by a person");
    got("/v1/admin/audit?order=newest&limit=5", 200, "sends spam", "which the audit log keeps");
    snprintf(path, sizeof(path), "/v1/admin/customers/%s/resume", account);
    ok_int(resumed(path, "{\"reason\":\"stopped\"}"), 204, "it is resumed");
    rig_instance(&rig, key, "held", instance);
    got("/v1/admin/domains", 200, instance, "the host's instances");
    snprintf(path, sizeof(path), "/v1/admin/domains/%s", instance);
    got(path, 200, "\"guest_ns\"", "one with its raw counters");
    snprintf(path, sizeof(path), "/v1/admin/domains/%s/records", instance);
    got(path, 200, "xs-usage/v1", "its records");
    snprintf(path, sizeof(path), "/v1/admin/domains/%s/suspend", instance);
    said(post_as(ann, path, "{\"reason\":\"scans\"}"), 200, account, "it is suspended alone");
    snprintf(path, sizeof(path), "/v1/admin/domains/%s/actions", instance);
    said(post_as(ann, path, "{\"type\":\"delete\",\"reason\":\"r\"}"), 422, "type", "nothing is deleted by force");
    said(post_as(ann, path, "{\"type\":\"power_off\",\"reason\":\"hangs\"}"), 202, "power_off", "it is powered off");
    got("/v1/admin/domains/ins_00000000000000000000000000", 404, "no such instance", "none");
    snprintf(path, sizeof(path), "/v1/admin/domains/%s/records", account);
    got(path, 404, "no such instance", "none of a customer");
    snprintf(path, sizeof(path), "/v1/admin/domains/%s/suspend", account);
    said(post_as(ann, path, "{\"reason\":\"r\"}"), 404, "no such instance", "a customer is suspended as a customer alone");
    snprintf(path, sizeof(path), "/v1/admin/customers/%s/suspend", instance);
    said(post_as(ann, path, "{\"reason\":\"r\"}"), 404, "no such customer", "and an instance as one");
}

static void watch(void)
{
    got("/v1/admin/reconciliation", 200, "\"drift\":\"cpu 1\"", "the host's books");
    got("/v1/admin/alerts?standing=true", 200, "less than a day", "alerts");
    got("/v1/admin/suspensions", 200, "\"since\":\"2026-01-01T00:00:00.000Z\"", "who stands still");
    got("/v1/admin/host/domains", 200, "\"customer_id\":\"acc_1\"", "the stats page, and whose each domain is");
    got("/v1/admin/cap", 200, "\"overshoot_max\":\"0.0015\"", "how the cap holds");
}

int main(void)
{
    rig_start(&rig);
    rig_customer(&rig, "customer", key, account);
    operators();
    two_for_prices();
    replay();
    vouchers();
    bank();
    import_once();
    large_for_operators();
    webhook();
    ledger();
    paper();
    customer();
    suspending();
    watch();
    rig_end(&rig);
    return tap_end();
}
