/* Invoices around the bundle: months that close by themselves, drafts, credit
 * notes, who pays which tax, and what customers may say of themselves. */
#include "accountd/invoice.h"
#include "accountd/ledger/details.h"
#include "accountd/ledger/sums.h"
#include "client/verify/verify.h"
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>

#define S    1000000000ull
#define EUR  1000000000ll
#define CENT 10000000ll

/* A CPU-second of reservation is a cent, the first 30 of a month are free; at least 0.50 for memory. */
static const char prices[] =
    "{\"currency\":\"EUR\",\"meters\":["
    "{\"den\":\"1\",\"meter\":\"cpu_used\",\"num_nano\":\"0\",\"unit\":\"CPU-second\"},"
    "{\"den\":\"1\",\"free\":\"30\",\"meter\":\"vcpu_reserved\",\"num_nano\":\"10000000\",\"unit\":\"vCPU-second\"},"
    "{\"den\":\"1\",\"meter\":\"memory_reserved\",\"minimum_nano\":\"500000000\",\"num_nano\":\"1\",\"unit\":\"GiB-second\"},"
    "{\"den\":\"1\",\"meter\":\"memory_used\",\"num_nano\":\"0\",\"unit\":\"GiB-second\"},"
    "{\"den\":\"1\",\"meter\":\"disk_ops\",\"num_nano\":\"0\",\"unit\":\"operation\"},"
    "{\"den\":\"1\",\"meter\":\"disk_bytes\",\"num_nano\":\"0\",\"unit\":\"GiB\"},"
    "{\"den\":\"1\",\"meter\":\"net_packets\",\"num_nano\":\"0\",\"unit\":\"packet\"},"
    "{\"den\":\"1\",\"meter\":\"net_bytes_out\",\"num_nano\":\"0\",\"unit\":\"GiB\"},"
    "{\"den\":\"1\",\"meter\":\"net_bytes_in\",\"num_nano\":\"0\",\"unit\":\"GiB\"}],\"version\":1}";

static int64_t nano(const json_t *invoice, const char *key)
{
    int64_t value = -1;

    json_decimal_parse(json_text(invoice, key), &value);
    return value;
}

static int64_t line_nano(const json_t *invoice, const char *meter, const char *period)
{
    json_t *line;
    size_t i;

    json_array_foreach(json_object_get(invoice, "lines"), i, line)
        if (strcmp(json_text(line, "meter"), meter) == 0 && strcmp(json_text(line, "period"), period) == 0)
            return nano(line, "amount_nano");
    return -1;
}

static int bundle_of(void *arg, const struct ledger_invoice *invoice)
{
    struct { struct accountd *a; char path[512]; } *got = arg;
    struct json_why why;

    return invoice_bundle(got->a, invoice, got->path, sizeof(got->path), &why);
}

/* What xs-verify says of the document's bundle. */
static bool verifies(struct life *life, const char *id)
{
    struct { struct accountd *a; char path[512]; } got = { .a = &life->a };
    static char bytes[1 << 22];
    struct verify_summary summary;
    struct json_why why = { "no bundle" };
    size_t len = 0;
    FILE *in;
    bool right;

    if (ledger_invoice_get(life->a.ledger, NULL, id, bundle_of, &got) != LEDGER_OK || !(in = fopen(got.path, "re")))
        return false;
    len = fread(bytes, 1, sizeof(bytes), in);
    fclose(in);
    right = verify_bundle(bytes, len, NULL, &summary, &why) == 0;
    if (!right)
        printf("# %s: %s\n", id, why.text);
    return right;
}

static void begin(struct life *life)
{
    life_begin(life);
    life_account(life, "acc", 1000 * EUR);
    life_birth(life, 2, 0xaa);
    life_register(life, "acc", "ins", 0xaa);
    life_step(life, S);
}

static json_t *invoice(struct life *life, const char *id)
{
    json_t *body = NULL;
    struct json_why why = { "" };

    accountd_settle(&life->a, 0, "acc");
    if (invoice_create(&life->a, id, "acc", &body, &why) != LEDGER_OK)
        printf("# %s: %s\n", id, why.text);
    return body;
}

static int keep_body(void *arg, const struct ledger_invoice *row)
{
    json_t **list = arg;

    return json_array_append_new(*list, json_loads(row->body, 0, NULL));
}

static json_t *all_invoices(struct life *life)
{
    json_t *list = json_array();

    ledger_each_invoice(life->a.ledger, "acc", 0, -1, keep_body, &list);
    return list;
}

/* life's clock begins on 2023-11-14 22:13:20; December is 1,388,800 s away. */
static void test_month_closes(void)
{
    struct life life;
    json_t *list, *november, *december;

    begin(&life);
    life_step(&life, 59 * S);
    check(invoice_month_run(&life.a) == 0, "within a month it looks");
    list = all_invoices(&life);
    check(json_array_size(list) == 0,
          "within a month nothing is invoiced by itself");
    json_decref(list);
    life_step(&life, 1388800 * S);
    check(invoice_month_run(&life.a) == 0, "the month ends");
    list = all_invoices(&life);
    november = json_array_get(list, 0);
    check(json_array_size(list) == 1 && json_array_size(json_object_get(november, "lines")) > 0 &&
          line_nano(november, "vcpu_reserved", "2023-11") > 0 && line_nano(november, "vcpu_reserved", "2023-12") == -1,
          "November has its invoice, with the segment that was open at its end");
    check(verifies(&life, json_text(november, "invoice_id")), "and xs-verify agrees");
    json_decref(list);
    check(invoice_month_run(&life.a) == 0, "it looks again");
    list = all_invoices(&life);
    check(json_array_size(list) == 1, "it is made once");
    json_decref(list);
    life_step(&life, 100 * S);
    life_death(&life, 2);
    life_step(&life, S);
    december = invoice(&life, "dec");
    /* 2 vCPUs for 100.1 s: November's segment was closed 0.1 s before. 30 are free again. */
    check(line_nano(december, "vcpu_reserved", "2023-12") == (200 - 30) * CENT &&
          line_nano(december, "memory_reserved", "2023-12") == 50 * CENT,
          "December begins anew: its free quantity, its minimum (%jd)",
          (intmax_t)line_nano(december, "vcpu_reserved", "2023-12"));
    check(verifies(&life, "dec") && life_is_sound(&life), "xs-verify agrees, the ledger is sound");
    json_decref(december);
    life_end(&life);
}

/* However often a month is invoiced, its sum is the month rounded once. */
static void test_many_in_a_month(void)
{
    struct life life;
    int64_t sum = 0, left;
    char id[16];

    begin(&life);
    for (int i = 0; i < 20; i++) {
        json_t *body;

        life_step(&life, 1234567891);
        snprintf(id, sizeof(id), "inv%d", i);
        body = invoice(&life, id);
        sum += nano(body, "net_nano");
        json_decref(body);
    }
    left = life_posted(&life, "acc");
    /* Born at 1 s: 1 + 20 x 1.234567891 s, less 0.1 s that are not settled yet: 25.59135782 s x 2 = 51.18 vCPU-s, 30 free. */
    check(sum == 21 * CENT + 50 * CENT, "20 invoices add up to the month rounded once: %jd", (intmax_t)sum);
    check(left <= 1000 * EUR - sum && left > 1000 * EUR - sum - sum, "the wallet has paid that and the tax on it");
    check(verifies(&life, "inv0") && verifies(&life, "inv19"), "each can be checked by itself, its month is in its bundle");
    check(life_is_sound(&life), "the log and the ledger are sound");
    life_end(&life);
}

static void test_draft(void)
{
    struct json_why why;
    struct life life;
    json_t *draft, *final;

    begin(&life);
    life_step(&life, 120 * S);
    draft = invoice_draft(&life.a, "acc", &why);
    check(draft && strcmp(json_text(draft, "kind"), "draft") == 0 && nano(draft, "net_nano") > 0 &&
          json_integer_value(json_object_get(draft, "number")) == 0, "a draft has what is charged, and no number");
    final = invoice(&life, "inv");
    check(json_integer_value(json_object_get(final, "number")) == 1 && nano(final, "net_nano") >= nano(draft, "net_nano"),
          "it took no number away");
    json_decref(draft);
    json_decref(final);
    draft = invoice_draft(&life.a, "acc", &why);
    check(draft && nano(draft, "total_nano") == 0, "a draft of nothing is empty");
    json_decref(draft);
    life_end(&life);
}

static enum ledger_result credit(struct life *life, const char *id, int line, int64_t amount, json_t **body)
{
    struct json_why why = { "" };
    json_t *lines = line ? json_pack("[{s:i, s:o}]", "line", line, "amount_nano", json_decimal(amount)) : NULL;
    struct credit_note note = { .credit_note_id = id, .invoice_id = "inv", .reason = "the guest did not run",
                                .operator_id = "opk_1", .lines = lines };
    enum ledger_result result = credit_note_create(&life->a, &note, body, &why);

    json_decref(lines);
    if (result != LEDGER_OK && result != LEDGER_EXISTS)
        printf("# %s: %s\n", id, why.text);
    return result;
}

static void test_credit_notes(void)
{
    int64_t before, total, back = 0;
    json_t *inv, *note = NULL;
    struct life life;

    begin(&life);
    life_step(&life, 200 * S);
    life_death(&life, 2);
    life_step(&life, S);
    before = life_posted(&life, "acc");
    inv = invoice(&life, "inv");
    total = nano(inv, "total_nano");
    before = life_posted(&life, "acc");
    check(credit(&life, "cn1", 1, 33 * CENT, &note) == LEDGER_OK && nano(note, "net_nano") == 33 * CENT &&
          nano(note, "total_nano") == 39 * CENT && json_integer_value(json_object_get(note, "number")) == 2,
          "33 cents of a line go back with their tax, under the next number");
    back += nano(note, "total_nano");
    check(life_posted(&life, "acc") == before + back, "the wallet has them");
    check(verifies(&life, "cn1"), "xs-verify agrees");
    json_decref(note);
    check(credit(&life, "cn1", 1, 33 * CENT, &note) == LEDGER_EXISTS && life_posted(&life, "acc") == before + back,
          "asked again it is the same credit note, and nothing moves");
    json_decref(note);
    check(credit(&life, "cn1", 1, 34 * CENT, &note) == LEDGER_EXISTS_DIFFERENT &&
          credit(&life, "cn1", 2, 33 * CENT, &note) == LEDGER_EXISTS_DIFFERENT && life_posted(&life, "acc") == before + back,
          "another amount or line under its id is refused");
    check(credit(&life, "inv", 1, CENT, &note) == LEDGER_EXISTS_DIFFERENT, "an invoice's id is refused");
    check(credit(&life, "cn2", 1, nano(json_array_get(json_object_get(inv, "lines"), 0), "amount_nano"), &note) ==
          LEDGER_CONFLICT, "more than is left of a line is refused");
    check(credit(&life, "cn2", 1, CENT / 2, &note) == LEDGER_CONFLICT, "half a cent is refused");
    check(credit(&life, "cn2", 99, CENT, &note) == LEDGER_CONFLICT, "a line that is not there is refused");
    check(credit(&life, "cn2", 0, 0, &note) == LEDGER_OK && (back += nano(note, "total_nano")) == total &&
          life_posted(&life, "acc") == before + total, "the rest goes back, and both are the invoice's total to the cent");
    json_decref(note);
    check(credit(&life, "cn3", 0, 0, &note) == LEDGER_CONFLICT, "then nothing is left");
    check(verifies(&life, "inv") && verifies(&life, "cn2") && life_is_sound(&life), "all of it is sound");
    json_decref(inv);
    life_end(&life);
}

static const struct {
    const char *seller_vat, *country, *vat_id, *category, *where;
    int rate;
} taxes[] = {
    { "DE123456789", "", "", "S", "DE", 1900 },
    { "DE123456789", "DE", "", "S", "DE", 1900 },
    { "DE123456789", "DE", "DE999999999", "S", "DE", 1900 },
    { "DE123456789", "FR", "", "S", "FR", 2000 },
    { "DE123456789", "FR", "FR12345678901", "AE", "FR", 0 },
    { "DE123456789", "US", "", "O", "US", 0 },
    { "", "FR", "", "O", "DE", 0 },
};

static void test_tax_of_whom(void)
{
    json_t *rates = json_pack("{s:i, s:i}", "DE", 1900, "FR", 2000);

    for (size_t i = 0; i < sizeof(taxes) / sizeof(taxes[0]); i++) {
        struct tax tax;

        tax_decide("DE", taxes[i].seller_vat, rates, taxes[i].country, taxes[i].vat_id, &tax);
        check(strcmp(tax.category, taxes[i].category) == 0 && strcmp(tax.country, taxes[i].where) == 0 &&
              tax.rate_permyriad == taxes[i].rate && (tax.rate_permyriad != 0) == (tax.reason[0] == 0),
              "a buyer in \"%s\" with VAT id \"%s\": %s %d in %s", taxes[i].country, taxes[i].vat_id, tax.category,
              tax.rate_permyriad, tax.country);
    }
    json_decref(rates);
}

static const struct {
    int64_t net, permyriad, floor, rounded;
} amounts[] = {
    { 0, 1900, 0, 0 },
    { 1, 1900, 0, 0 },
    { 100 * CENT, 1900, 19 * CENT, 19 * CENT },
    { 50 * CENT, 1900, 95 * CENT / 10, 10 * CENT },            /* 9.5 to even 10 */
    { 150 * CENT, 1700, 255 * CENT / 10, 26 * CENT },          /* 25.5 to even 26 */
    { 50 * CENT, 1300, 65 * CENT / 10, 6 * CENT },             /* 6.5 to even 6 */
    { INT64_MAX, 0, 0, 0 },
};

static void test_tax_amounts(void)
{
    for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
        struct tax tax = { .rate_permyriad = (int)amounts[i].permyriad };
        int64_t floor = -1, rounded = -1;

        check(tax_floor(&tax, amounts[i].net, &floor) == 0 && tax_round(&tax, amounts[i].net, &rounded) == 0 &&
              floor == amounts[i].floor && rounded == amounts[i].rounded, "%jd nano at %jd: %jd, on the invoice %jd",
              (intmax_t)amounts[i].net, (intmax_t)amounts[i].permyriad, (intmax_t)floor, (intmax_t)rounded);
    }
}

/* A customer of another country: its own tax, from its first record on. */
static void test_tax_is_drawn(void)
{
    json_t *party = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name", "Chantal", "street", "1, rue X", "postcode",
                              "75001", "city", "Paris", "country", "FR", "vat_id", "", "email", "c@example.org");
    struct life life;
    json_t *body, *tax;

    life_begin(&life);
    life_account(&life, "acc", 1000 * EUR);
    check(ledger_details_put(life.a.ledger, "acc", party, 1) == LEDGER_OK &&
          ledger_details_put(life.a.ledger, "acc", party, 2) == LEDGER_EXISTS, "a customer says who she is");
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    life_step(&life, S);
    life_step(&life, 100 * S);
    body = invoice(&life, "inv");
    tax = json_array_get(json_object_get(body, "tax"), 0);
    check(strcmp(json_text(tax, "country"), "FR") == 0 && nano(tax, "amount_nano") * 5 <= nano(body,
          "net_nano") + 5 * CENT &&
          nano(tax, "amount_nano") * 5 >= nano(body, "net_nano") - 5 * CENT, "she pays France's fifth");
    check(1000 * EUR - life_posted(&life, "acc") == nano(body, "total_nano"), "the wallet has paid the total with tax");
    check(verifies(&life, "inv"), "xs-verify agrees");
    json_decref(body);
    json_decref(party);
    life_end(&life);
}

static const struct {
    const char *text, *why;
} parties[] = {
    { "{\"name\":\"A\",\"country\":\"De\"}", "country" },
    { "{\"name\":\"\"}", "name" },
    { "{\"country\":\"DE\"}", "name" },
    { "{\"name\":\"A\",\"vat_id\":\"DE123\"}", "vat_id" },
    { "{\"name\":\"A\",\"country\":\"FR\",\"vat_id\":\"DE123\"}", "vat_id" },
    { "{\"name\":\"A\",\"country\":\"GR\",\"vat_id\":\"GR123456789\"}", "vat_id" },
    { "{\"name\":\"A\",\"city\":7}", "city" },
    { "{\"name\":\"A\",\"fax\":\"1\"}", "fax" },
};

static void test_parties(void)
{
    for (size_t i = 0; i < sizeof(parties) / sizeof(parties[0]); i++) {
        json_t *object = json_loads(parties[i].text, 0, NULL), *party;
        struct json_why why = { "" };

        party = party_read(object, PARTY_BUYER_KEYS, "", &why);
        check(!party && strstr(why.text, parties[i].why), "%s is refused: %s", parties[i].text, why.text);
        json_decref(party);
        json_decref(object);
    }
}

int main(void)
{
    life_prices = prices;
    test_month_closes();
    test_many_in_a_month();
    test_draft();
    test_credit_notes();
    test_tax_of_whom();
    test_tax_amounts();
    test_tax_is_drawn();
    test_parties();
    return tap_end();
}
