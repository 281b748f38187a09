/* The api with the real accountd, about money: every request here is answered by the code that keeps it. */
#include "common/id.h"
#include "common/json.h"
#include "tests/api/follower.h"
#include "tests/api/real.h"
#include "tests/api/tap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static struct rig rig;
static char key[64], account[40], instance[40], invoice[40], ann[64];
static pid_t accountd;

static struct response post_as(const char *who, const char *path, const char *body)
{
    char idem[ID_BYTES];

    return rig_post(&rig, who, path, id_make("tst_", idem), body);
}

/* One request, its status and a word of its answer. */
static void got(const char *who, const char *path, int status, const char *words, const char *what)
{
    said(rig_get(&rig, who, path), status, words, what);
}

static void operators(void)
{
    char id[40];

    rig_operator_key(&rig, "ann", "billing", ann, id);
}

/* Before anything runs: until then the money stands still. */
static void purses(void)
{
    struct response answer = post_as(key, "/v1/purchase_orders",
                                     "{\"name\":\"p\",\"amount\":\"2.00\",\"ends_at\":\"2099-01-01T00:00:00Z\"}");
    char path[160];

    snprintf(path, sizeof(path), "/v1/purchase_orders/%s/add", answer_text_of(&answer, "id"));
    said(answer, 201, "\"available\":\"2.00\"", "a purchase order");
    said(post_as(key, path, "{\"amount\":\"1.00\"}"), 201, "\"available\":\"3.00\"", "with more in it");
    said(post_as(key, path, "{\"amount\":\"100.00\"}"), 402, "\"needed\":\"100.00\"", "no more than there is");
    *strrchr(path, '/') = 0;
    got(key, path, 200, "2099-01-01T00:00:00.000Z", "it is shown");
    said(rig_call(&rig, &(struct call){.method = "DELETE", .path = path, .key = key}), 200, "closed", "and closed");
    got(key, "/v1/wallet", 200, "\"balance\":\"10.00\"", "what was left is back");
}

static void wallet(void)
{
    struct response answer;

    got(ann, "/v1/admin/ledger/accounts/host:deposits:credit/transfers", 200, "operator opk_",
        "operators see who gave credit");
    answer = rig_get(&rig, key, "/v1/wallet");
    ok(answer.status == 200 && strstr(answer.text, "\"refers\"") && !strstr(answer.text, "opk_"),
       "its customer does not");
    answer_free(&answer);
    got(key, "/v1/wallet/entries?limit=2", 200, "\"next_cursor\":", "the wallet's entries by pages");
    got(key, "/v1/holds", 200, instance, "the instance's hold");
}

static void vouchers(void)
{
    struct response answer = rig_post(&rig, ann, "/v1/admin/vouchers", "v-1", "{\"amount\":\"5.00\"}");
    struct response again = rig_post(&rig, ann, "/v1/admin/vouchers", "v-1", "{\"amount\":\"5.00\"}");
    char body[96];

    ok(answer.status == 201 && strncmp(answer_text_of(&answer, "code"), "XSV-", 4) == 0 &&
           strcmp(answer_text_of(&answer, "code"), answer_text_of(&again, "code")) == 0,
       "a voucher, the same when asked again");
    snprintf(body, sizeof(body), "{\"code\":\"%s\"}", answer_text_of(&answer, "code"));
    answer_free(&answer);
    answer_free(&again);
    said(post_as(key, "/v1/vouchers/redeem", body), 201, "\"available\":", "is redeemed");
    said(post_as(key, "/v1/vouchers/redeem", body), 409, "redeemed before", "once");
    said(post_as(key, "/v1/vouchers/redeem", "{\"code\":\"XSV-0000\"}"), 404, "code", "a wrong code");
}

static void bank(void)
{
    char *text = rig_file(TOP_SRCDIR "/tests/accountd/funding/unmatched.xml"), idem[ID_BYTES], path[160], body[96];
    struct call import = {.method = "POST",
                          .path = "/v1/admin/bank_imports",
                          .key = ann,
                          .body = text,
                          .type = "application/xml",
                          .idem = id_make("tst_", idem)};
    struct response answer;

    said(rig_call(&rig, &import), 201, "\"state\":\"suspense\"", "a statement is imported");
    free(text);
    answer = rig_get(&rig, ann, "/v1/admin/bank_entries?state=suspense");
    snprintf(path, sizeof(path), "/v1/admin/bank_entries/%s/assign",
             json_string_value(json_object_get(json_array_get(json_object_get(answer.json, "data"), 0), "id")));
    answer_free(&answer);
    snprintf(body, sizeof(body), "{\"customer_id\":\"%s\"}", account);
    said(post_as(ann, path, body), 201, "assigned", "what nobody was found for is assigned");
    import.body = "<Document/>";
    import.idem = "import-bad";
    said(rig_call(&rig, &import), 422, "\"field\":\"camt053\"", "what is no statement is refused");
}

static void webhook(void)
{
    char body[400], header[256];
    struct call event = {.method = "POST", .path = "/v1/webhooks/payments", .body = body, .header = header};

    real_payment(account, body, header);
    said(rig_call(&rig, &event), 200, "received", "a payment by card");
    said(rig_call(&rig, &event), 200, "received", "told twice");
    got(key, "/v1/wallet/entries", 200, "\"7.00\"", "is in the wallet");
    body[strlen(body) - 1] = ' ';
    said(rig_call(&rig, &event), 400, "not one that fits", "a body that was not signed");
}

static void prices_by_two(void)
{
    json_t *book = json_load_file(TOP_SRCDIR "/accountd/pricebook.json", 0, NULL);
    char *text;

    json_object_set_new(book, "version", json_integer(2));
    text = json_dumps(book, JSON_COMPACT);
    got(key, "/v1/prices", 200, "\"version\":1", "the published prices");
    got(key, "/v1/prices/1", 200, "\"num_nano\"", "as they were signed");
    said(post_as(ann, "/v1/admin/price_books", text), 201, "proposed", "others are proposed");
    got(ann, "/v1/admin/price_books/2/diff", 200, "\"from\":1", "compared");
    said(post_as(ann, "/v1/admin/price_books/2/approve", NULL), 403, "another operator",
         "not published by who proposed them");
    said(post_as(rig.operator_key, "/v1/admin/price_books/2/approve", NULL), 200, "published", "but by another");
    got(ann, "/v1/admin/price_books", 200, "\"version\":2", "and listed");
    free(text);
    json_decref(book);
}

static bool has_proof(const struct response *answer)
{
    return answer->text && strstr(answer->text, "tlog-proof@v1") && strstr(answer->text, "xs-usage/v1 use");
}

static void use(void)
{
    struct response answer;
    char path[160];

    snprintf(path, sizeof(path), "/v1/usage/records?instance_id=%s", instance);
    ok(real_until(&rig, key, path, has_proof, &answer), "records with their proofs");
    answer_free(&answer);
    got(key, "/v1/usage/summary?by=day,meter", 200, "\"meter\":\"cpu_used\"", "use by day and meter");
    said(rig_call(
             &rig,
             &(struct call){.method = "GET", .path = "/v1/usage/summary", .key = key, .header = "Accept: text/csv"}),
         200, "meter,quantity,quantity_per_unit,unit,units,amount\r\n", "as CSV");
    said(post_as(key, "/v1/budgets", "{\"amount\":\"20.00\",\"steps\":[50,100]}"), 201, "\"amount\":\"20.00\"",
         "a budget");
    got(key, "/v1/budgets", 200, "\"steps\":[50,100]", "is kept");
    for (int i = 1; i < 31; i++)
        said(post_as(key, "/v1/budgets", "{\"amount\":\"900.00\"}"), 201, "", "another");
    got(key, "/v1/alerts", 200, "\"data\":", "alerts");
}

/* This month under the second version, which has the same prices. */
static void replayed(void)
{
    char path[200], month[16];
    time_t now = time(NULL);
    struct tm utc;

    strftime(month, sizeof(month), "%Y-%m", gmtime_r(&now, &utc));
    snprintf(path, sizeof(path), "/v1/admin/price_books/2/replay?customer_id=%s&period=%s", account, month);
    got(ann, path, 200, "\"billed\":", "the month under another version");
}

static void paper(void)
{
    char path[160], *id = invoice;
    struct response answer;

    said(rig_call(&rig,
                  &(struct call){.method = "PUT",
                                 .path = "/v1/account/billing_details",
                                 .key = key,
                                 .body =
                                     "{\"name\":\"Ann\",\"street\":\"Lane 1\",\"postcode\":\"12345\",\"city\":\"Ulm\","
                                     "\"country\":\"DE\",\"email\":\"a@example.org\"}"}),
         200, "\"city\":\"Ulm\"", "who is billed");
    got(key, "/v1/account/billing_details", 200, "\"vat_id\":\"\"", "is kept");
    got(key, "/v1/invoices/draft", 200, "\"kind\":\"draft\"", "a draft");
    answer = rig_get(&rig, key, "/v1/invoices");
    if (json_array_size(json_object_get(answer.json, "data")) == 0) {
        answer_free(&answer);
        answer = post_as(key, "/v1/invoices", NULL);
        snprintf(invoice, sizeof(invoice), "%s", answer_text_of(&answer, "id"));
    } else {
        /* New details closed what was open under the old ones. */
        snprintf(invoice, sizeof(invoice), "%s",
                 json_string_value(json_object_get(json_array_get(json_object_get(answer.json, "data"), 0), "id")));
    }
    ok(id_valid("inv_", id), "an invoice");
    answer_free(&answer);
    snprintf(path, sizeof(path), "/v1/invoices/%s/files/json", id);
    got(key, path, 200, "xs-invoice/v2", "its JSON out of the bundle");
    snprintf(path, sizeof(path), "/v1/invoices/%s/files/xml", id);
    got(key, path, 200, "urn:cen.eu:en16931:2017", "its XML");
    snprintf(path, sizeof(path), "/v1/invoices/%s/files/csv", id);
    got(key, path, 200, "BilledCost", "its CSV");
    snprintf(path, sizeof(path), "/v1/invoices/%s/files/pdf", id);
    got(key, path, 200, "%PDF-", "its PDF");
    got(rig.operator_key, "/v1/admin/invoices", 200, account, "operators see all");
    snprintf(path, sizeof(path), "/v1/admin/invoices/%s", id);
    got(rig.operator_key, path, 200, "\"lines\":", "and each");
}

/* Of the instance's first record. */
static void incarnation_find(char incarnation[static 33])
{
    char path[120];
    struct response answer;
    const char *leaf, *at;

    snprintf(path, sizeof(path), "/v1/usage/records?instance_id=%s", instance);
    answer = rig_get(&rig, key, path);
    leaf = json_text(json_array_get(json_object_get(answer.json, "data"), 0), "leaf");
    at = strstr(leaf, "\"incarnation\":\"");
    snprintf(incarnation, 33, "%s", at ? at + strlen("\"incarnation\":\"") : "");
    answer_free(&answer);
}

/* The invoice is right, so a rejection is the end of it; the evidence says so. */
static void disputed(void)
{
    char body[256], path[120], id[ID_BYTES], incarnation[33];
    struct response answer;

    incarnation_find(incarnation);
    snprintf(body, sizeof(body), "{\"invoice_id\":\"%s\",\"reason\":\"I was not there\",\"claim\":"
             "{\"incarnation\":\"%s\",\"counter\":\"guest_ns\",\"value\":\"0\"}}", invoice, incarnation);
    answer = post_as(key, "/v1/disputes", body);
    snprintf(id, sizeof(id), "%s", answer_text_of(&answer, "id"));
    snprintf(path, sizeof(path), "/v1/disputes/%s", id);
    said(answer, 201, "\"state\":\"open\"", "a dispute is opened");
    got(key, path, 200, "same", "its evidence has a verdict on each line");
    got(key, path, 200, "\"claimed_more\":\"0\"", "and what the guest read beside what was recorded");
    got(key, "/v1/disputes", 200, "I was not there", "it is listed");
    snprintf(path, sizeof(path), "/v1/admin/disputes/%s/resolve", id);
    said(post_as(ann, path, "{\"outcome\":\"rejected\",\"reason\":\"your guest ran\"}"), 200, "rejected",
         "an operator rejects it");
    got(ann, "/v1/admin/disputes", 200, "your guest ran", "operators see all");
    got(ann, "/v1/admin/reconciliation", 200, "\"data\":", "the host's own books");
}

/* From a line of the ledger to the record, and from that to the counter of the stats page. */
static void walked(void)
{
    struct response line = rig_get(&rig, ann, "/v1/admin/ledger/accounts/revenue:cpu_used/transfers?limit=1"), leaf;
    const char *refers = json_text(json_array_get(json_object_get(line.json, "data"), 0), "refers");
    char origin[128] = "", path[256];
    unsigned index = 0;

    ok_int(sscanf(refers, "leaf %127s %u", origin, &index), 2, "a charge refers to its leaf: %s", refers);
    snprintf(path, sizeof(path), "/v1/admin/log/leaves/%u?origin=%s", index, origin);
    leaf = rig_get(&rig, ann, path);
    ok_text(answer_text_of(&leaf, "instance_id"), instance, "the leaf is the instance's");
    ok_text(answer_text_of(&leaf, "customer_id"), account, "and its customer's");
    ok_text(answer_text_of(&leaf, "incarnation"), REAL_INCARNATION, "of that life");
    ok_has(answer_text_of(&leaf, "leaf"), "\"guest_ns_1\":\"3000000000\"", "with the counter as the stats page had it");
    answer_free(&leaf);
    answer_free(&line);
    snprintf(path, sizeof(path), "/v1/admin/log/leaves/%u?origin=%s-before", index, origin);
    got(ann, path, 404, "no such thing", "another log has other leaves there");
    got(ann, "/v1/admin/log/leaves/0", 200, "\"customer_id\":null", "a leaf about the host is nobody's");
    got(ann, "/v1/admin/log/leaves/999999999", 404, "no such thing", "the log is not so long");
}

static void books(void)
{
    char path[160];

    got(ann, "/v1/admin/ledger/trial_balance", 200, "\"sound\":true", "the trial balance");
    snprintf(path, sizeof(path), "/v1/admin/ledger/accounts/%s/transfers?limit=1", account);
    got(ann, path, 200, "\"next_cursor\":", "a wallet's transfers");
    got(ann, "/v1/admin/ledger/accounts/host:deposits:card/transfers", 200, "\"amount\":\"7.00\"", "the card's");
    got(ann, "/v1/admin/ledger/journal", 200, "account ", "the journal");
    snprintf(path, sizeof(path), "/v1/admin/ledger/journal?customer_id=%s", account);
    got(ann, path, 200, account, "and a customer's");
    got(ann, "/v1/admin/cap", 200, "\"loop_ms\":", "the cap");
    got(ann, "/v1/admin/suspensions", 200, "\"data\":[]", "nobody stands still");
    got(ann, "/v1/admin/alerts", 200, "\"data\":", "alerts");
}

static int times(const struct follower *f, const char *type, const char *object)
{
    json_t *event;
    int count = 0;
    size_t i;

    json_array_foreach(f->events, i, event)
        count += strcmp(json_text(event, "type"), type) == 0 && (!object || strcmp(json_text(event, "object"), object) == 0);
    return count;
}

static void await_type(struct follower *f, const char *type, const char *object)
{
    int64_t until_s = now_s() + FOLLOWER_PATIENCE_S;

    while (!times(f, type, object) && !f->ended && now_s() < until_s)
        turn();
}

/* Events of what accountd did, over a kill of it. */
static void told(void)
{
    struct follower f = { .events = json_array() };
    struct response answer;

    follow(&rig, &f, "/v1/events?after=0", key, -1);
    await_type(&f, "invoice.issued", invoice);
    ok_int(times(&f, "invoice.issued", invoice), 1, "the invoice is an event");
    await_type(&f, "deposit.arrived", NULL);
    ok(times(&f, "deposit.arrived", NULL) > 0, "so is money that arrived");
    kill(accountd, SIGKILL);
    waitpid(accountd, NULL, 0);
    accountd = real_accountd_start(&rig);
    ok(real_until(&rig, NULL, "/healthz", real_is_ok, &answer), "accountd was killed, and is up again");
    answer_free(&answer);
    said(post_as(key, "/v1/budgets", "{\"amount\":\"0.01\",\"steps\":[1]}"), 201, "", "a small budget");
    said(post_as(key, "/v1/budgets", "{\"amount\":\"900.00\"}"), 409, "\"quota\":\"budgets_max\",\"limit\":32,\"used\":32",
         "a 33rd is one too many");
    await_type(&f, "alert.budget", NULL);
    ok_int(times(&f, "alert.budget", NULL), 1, "that it is reached is an event");
    ok_int(times(&f, "invoice.issued", invoice), 1, "and the invoice no second one");
    forget(&f);
    followers_end();
}

int main(void)
{
    rig_start(&rig);
    real_page_write(&rig);
    accountd = real_begin(&rig);
    rig_customer(&rig, "money", key, account);
    operators();
    purses();
    ok(real_register(&rig, key, account, instance), "a guest runs");
    wallet();
    vouchers();
    bank();
    webhook();
    prices_by_two();
    use();
    replayed();
    paper();
    disputed();
    books();
    walked();
    told();
    kill(accountd, SIGTERM);
    waitpid(accountd, NULL, 0);
    rig_end(&rig);
    return tap_end();
}
