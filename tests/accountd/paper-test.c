/* accountd/paper: the same bytes each time, nothing of half an invoice, strict signatures, keys that are whole. */
#include "accountd/paper/cades.h"
#include "accountd/paper/paper.h"
#include "accountd/paper/sshsig.h"
#include "tests/tap/tap.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static json_t *example(const char *name)
{
    char path[4096];
    json_t *invoice;

    snprintf(path, sizeof(path), "%s/%s.json", EXAMPLES, name);
    invoice = json_load_file(path, 0, NULL);
    if (!invoice) {
        printf("Bail out! %s is not readable\n", path);
        exit(1);
    }
    return invoice;
}

static void test_same_bytes(void)
{
    static const char *const names[] = { "normal", "three-periods", "long-names", "credit-note", "draft", "zero" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        json_t *invoice = example(names[i]);
        struct json_why why;
        size_t len = 0, again_len = 1;
        char *pdf = paper_pdf(invoice, &len, &why), *pdf_again = paper_pdf(invoice, &again_len, &why);
        char *xml = paper_cii(invoice, &why), *xml_again = paper_cii(invoice, &why);
        char *csv = paper_csv(invoice, &why), *csv_again = paper_csv(invoice, &why);

        check(pdf && pdf_again && len == again_len && memcmp(pdf, pdf_again, len) == 0, "%s: the same PDF twice",
              names[i]);
        check(xml && xml_again && strcmp(xml, xml_again) == 0 && csv && csv_again && strcmp(csv, csv_again) == 0,
              "%s: the same XML and CSV twice", names[i]);
        free(pdf);
        free(pdf_again);
        free(xml);
        free(xml_again);
        free(csv);
        free(csv_again);
        json_decref(invoice);
    }
}

/* All three refuse the invoice, and name the field. */
static bool refused(const json_t *invoice, const char *field)
{
    struct json_why why[3];
    size_t len;
    char *made[3] = { paper_pdf(invoice, &len, &why[0]), paper_cii(invoice, &why[1]), paper_csv(invoice, &why[2]) };
    bool good = true;

    for (int i = 0; i < 3; i++) {
        bool named = !made[i] && strstr(why[i].text, field);

        if (!named)
            printf("# %s: %s\n", field, made[i] ? "accepted" : why[i].text);
        good = good && named;
        free(made[i]);
    }
    return good;
}

/* What no page shows and no sum needs. */
static bool unused(const char *key)
{
    static const char *const keys[] = { "number", "origin", "from_index", "to_index", "context_index", "records",
                                        "chains", "carried_by_host_nano", "quantity_before",
                                        "line" };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

/* Without each key in turn, and with something else in its place. */
static unsigned without_each_key(json_t *invoice, json_t *object, unsigned *tried)
{
    json_t *keys = json_deep_copy(object);
    unsigned bad = 0;
    const char *key;
    json_t *value;

    json_object_foreach(keys, key, value) {
        if (unused(key))
            continue;
        json_object_del(object, key);
        bad += !refused(invoice, key);
        json_object_set_new(object, key, json_real(0.5));
        bad += !refused(invoice, key);
        json_object_set(object, key, value);
        *tried += 2;
    }
    json_decref(keys);
    return bad;
}

static void test_each_key(void)
{
    json_t *invoice = example("credit-note"), *details = example("normal");
    unsigned tried = 0, bad = without_each_key(invoice, invoice, &tried);

    bad += without_each_key(details, details, &tried);
    bad += without_each_key(invoice, json_object_get(invoice, "seller"), &tried);
    bad += without_each_key(invoice, json_object_get(invoice, "buyer"), &tried);
    bad += without_each_key(invoice, json_array_get(json_object_get(invoice, "lines"), 3), &tried);
    bad += without_each_key(invoice, json_array_get(json_object_get(invoice, "tax"), 0), &tried);
    json_object_del(json_object_get(invoice, "refers"), "invoice_id");
    bad += without_each_key(invoice, json_object_get(invoice, "refers"), &tried);
    bad += without_each_key(details, json_array_get(json_object_get(details, "details"), 5), &tried);
    check(bad == 0 && tried > 150, "%u invoices with a key missing or of another type are refused by its name", tried);
    check(refused(json_null(), "invoice"), "no invoice at all is refused");
    json_decref(invoice);
    json_decref(details);
}

/* A path of keys and indices, and what is put there. */
static const struct absurd {
    const char *file, *object;
    int index;
    const char *key, *value, *field;
} absurd[] = {
    { "normal", "", 0, "net_nano", "\"40690000000\"", "net_nano" },
    { "normal", "", 0, "total_nano", "\"48420000000\"", "total_nano" },
    { "normal", "", 0, "paid_nano", "\"48400000000\"", "paid_nano" },
    { "normal", "", 0, "net_nano", "\"40680000001\"", "net_nano: must be whole cents" },
    { "normal", "", 0, "net_nano", "\"-10000000\"", "net_nano" },
    { "normal", "", 0, "net_nano", "\"99999999999999999999\"", "net_nano" },
    { "normal", "", 0, "carried_by_host_nano", "\"-1\"", "carried_by_host_nano" },
    { "normal", "", 0, "currency", "\"USD\"", "currency" },
    { "normal", "", 0, "issued_ms", "253402300800000", "issued_ms" },
    { "normal", "", 0, "issued_ms", "-1", "issued_ms" },
    { "normal", "", 0, "period_end_ms", "0", "period_end_ms" },
    { "normal", "", 0, "kind", "\"receipt\"", "kind" },
    { "normal", "", 0, "kind", "\"credit_note\"", "reason" },
    { "normal", "", 0, "lines", "[]", "lines: must be a list of 1" },
    { "normal", "", 0, "number_text", "\"a\\nb\"", "number_text" },
    { "normal", "", 0, "number_text", "\"a\\uffffb\"", "number_text" },
    { "normal", "lines", 2, "amount_nano", "\"4770000000\"", "net_nano" },
    { "normal", "lines", 2, "amount_nano", "\"9223372036850000000\"", "net_nano" },
    { "normal", "lines", 2, "quantity_per_unit", "\"0\"", "lines[2].quantity_per_unit" },
    { "normal", "lines", 2, "quantity_per_unit", "\"1000000000000000001\"", "lines[2].quantity_per_unit" },
    { "normal", "lines", 2, "quantity", "\"340282366920938463463374607431768211456\"", "lines[2].quantity" },
    { "normal", "lines", 2, "period", "\"2026-13\"", "lines[2].period" },
    { "normal", "lines", 2, "period", "\"november\"", "lines[2].period" },
    { "normal", "lines", 2, "period", "\"2026-+1\"", "lines[2].period" },
    { "normal", "lines", 2, "meter", "\"other\"", "details[" },
    { "normal", "details", 4, "price_book", "2", "details[4].meter" },
    { "normal", "details", 4, "charged_nano", "\"9223372036854775807\"", "details[5].charged_nano" },
    { "normal", "tax", 0, "rate_permyriad", "0", "tax[0].rate_permyriad" },
    { "normal", "tax", 0, "rate_permyriad", "2000", "tax[0].amount_nano" },
    { "normal", "tax", 0, "category", "\"AE\"", "tax[0].rate_permyriad" },
    { "normal", "tax", 0, "category", "\"K\"", "tax[0].category" },
    { "normal", "tax", 0, "taxable_nano", "\"40670000000\"", "taxable_nano" },
    { "normal", "", 0, "tax", "[]", "tax: must be a list of 1 to 1" },
    { "normal", "seller", -1, "vat_id", "\"\"", "seller.vat_id" },
    { "normal", "seller", -1, "country", "\"Germany\"", "seller.country" },
    { "normal", "seller", -1, "iban", "\"DE89 3704 0044\"", "seller.iban" },
    { "normal", "seller", -1, "bic", "\"COBA\"", "seller.bic" },
    { "reverse-charge", "buyer", -1, "vat_id", "\"\"", "buyer.vat_id" },
};

static void test_absurd(void)
{
    for (size_t i = 0; i < sizeof(absurd) / sizeof(absurd[0]); i++) {
        json_t *invoice = example(absurd[i].file);
        json_t *at = *absurd[i].object ? json_object_get(invoice, absurd[i].object) : invoice;

        if (json_is_array(at))
            at = json_array_get(at, (size_t)absurd[i].index);
        json_object_set_new(at, absurd[i].key, json_loads(absurd[i].value, JSON_DECODE_ANY, NULL));
        check(refused(invoice, absurd[i].field), "%s %s of %s", absurd[i].object, absurd[i].key, absurd[i].value);
        json_decref(invoice);
    }
}

/* Names at their limit, in characters of all lengths, and quantities at theirs are printed. */
static void test_limits(void)
{
    json_t *invoice = example("normal"), *line = json_array_get(json_object_get(invoice, "lines"), 0);
    struct json_why why = { "" };
    char long_name[401];
    size_t len = 0;
    char *pdf, *xml;

    for (size_t i = 0; i + 4 <= 400; i += 4)
        memcpy(long_name + i, "\xf0\x9f\x90\xa2", 4);
    long_name[400] = 0;
    json_object_set_new(json_object_get(invoice, "buyer"), "name", json_string(long_name));
    json_object_set_new(line, "quantity", json_string("340282366920938463463374607431768211455"));
    json_object_set_new(line, "quantity_per_unit", json_string("1"));
    memset(long_name, 'x', 400);
    json_object_set_new(line, "price", json_string(long_name));
    pdf = paper_pdf(invoice, &len, &why);
    xml = paper_cii(invoice, &why);
    check(pdf && len > 1000 && xml && strstr(xml, ">340282366920938463463374607431768211455.000000<"),
          "names of 400 bytes and a quantity of 2^128 - 1 are printed");
    free(pdf);
    free(xml);
    json_decref(invoice);
}

static void test_csv_quoting(void)
{
    json_t *invoice = example("normal");
    struct json_why why;
    char *csv;

    json_object_set_new(json_object_get(invoice, "buyer"), "name", json_string("Anna \"A\", Co."));
    csv = paper_csv(invoice, &why);
    check(csv && strstr(csv, ",\"Anna \"\"A\"\", Co.\",EUR,"), "quotes and commas are quoted as RFC 4180 has it");
    free(csv);
    json_decref(invoice);
}

static void test_sshsig(void)
{
    static const char message[] = "an invoice\n";
    struct note_key key = { { 0 }, { 0 } }, other;
    unsigned accepted = 0;
    char *sig, *again;

    crypto_sign_seed_keypair(key.public_key, key.secret_key, (const uint8_t[crypto_sign_SEEDBYTES]){ 7 });
    crypto_sign_seed_keypair(other.public_key, other.secret_key, (const uint8_t[crypto_sign_SEEDBYTES]){ 8 });
    sig = paper_sshsig(message, strlen(message), "invoice@h", &key);
    again = paper_sshsig(message, strlen(message), "invoice@h", &key);
    check(sig && again && strcmp(sig, again) == 0 &&
          paper_sshsig_verify(sig, message, strlen(message), "invoice@h", &key),
          "SSHSIG: accepted, and the same twice");
    check(!paper_sshsig_verify(sig, message, strlen(message) - 1, "invoice@h", &key), "SSHSIG: not for other bytes");
    check(!paper_sshsig_verify(sig, message, strlen(message), "file", &key), "SSHSIG: not for another namespace");
    check(!paper_sshsig_verify(sig, message, strlen(message), "invoice@h", &other), "SSHSIG: not by another key");
    for (size_t bit = 0; bit < 8 * strlen(again); bit++) {
        sig[bit / 8] = (char)(sig[bit / 8] ^ 1 << bit % 8);
        accepted += paper_sshsig_verify(sig, message, strlen(message), "invoice@h", &key);
        sig[bit / 8] = again[bit / 8];
    }
    check(accepted == 0, "SSHSIG: each of %zu bits flipped is refused", 8 * strlen(again));
    sig[strlen(sig) - 1] = 0;
    check(!paper_sshsig_verify(sig, message, strlen(message), "invoice@h", &key), "SSHSIG: cut short, it is refused");
    free(sig);
    free(again);
}

static void test_cades(const struct paper_cades *cades, const struct paper_cades *other)
{
    static const char message[] = "an invoice\n";
    char *pem = paper_cades_pem(cades), *other_pem = paper_cades_pem(other);
    unsigned accepted = 0;
    uint8_t *der = NULL;
    size_t len = 0;

    check(paper_cades_sign(cades, message, strlen(message), 1795000000000, &der, &len) == 0 &&
          paper_cades_verify(pem, message, strlen(message), der, len), "CAdES: accepted");
    check(!paper_cades_verify(pem, message, strlen(message) - 1, der, len), "CAdES: not for other bytes");
    check(!paper_cades_verify(other_pem, message, strlen(message), der, len), "CAdES: not by another key");
    check(!paper_cades_verify(pem, message, strlen(message), der, len - 1), "CAdES: cut short, it is refused");
    for (size_t bit = 0; bit < 8 * len; bit++) {
        der[bit / 8] ^= (uint8_t)(1 << bit % 8);
        accepted += paper_cades_verify(pem, message, strlen(message), der, len);
        der[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    check(accepted == 0, "CAdES: each of %zu bits flipped is refused, %u are not", 8 * len, accepted);
    free(der);
    free(pem);
    free(other_pem);
}

/* Opens and closes; whether it opened. */
static bool opens(const char *dir)
{
    struct paper_cades cades;
    bool good = paper_cades_open(dir, "h", 1764000000000, &cades) == 0;

    paper_cades_close(&cades);
    return good;
}

static void write_text(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");

    if (!out || fputs(text, out) < 0 || fclose(out) != 0)
        printf("Bail out! %s: %s\n", path, strerror(errno));
}

static void test_keys(const char *dir, const char *other_dir)
{
    char key[300], pem[300], other_pem[300], spare[300];

    snprintf(key, sizeof(key), "%s/invoice-x509.key", dir);
    snprintf(pem, sizeof(pem), "%s/invoice-x509.pem", dir);
    snprintf(other_pem, sizeof(other_pem), "%s/invoice-x509.pem", other_dir);
    snprintf(spare, sizeof(spare), "%s/spare", dir);
    check(opens(dir), "key and certificate are read again");
    chmod(key, 0640);
    check(!opens(dir), "a key that others may read is refused");
    chmod(key, 0600);
    rename(key, spare);
    check(!opens(dir) && access(key, F_OK) != 0, "a certificate without its key is refused, and no other key is made");
    write_text(key, "-----BEGIN PRIVATE KEY-----\n");
    chmod(key, 0600);
    check(!opens(dir), "a damaged key is refused");
    rename(spare, key);
    unlink(pem);
    check(opens(dir) && access(pem, F_OK) == 0, "a key without certificate, as a crash leaves it, gets one");
    rename(pem, spare);
    rename(other_pem, pem);
    check(!opens(dir), "a certificate of another key is refused");
    write_text(pem, "");
    check(!opens(dir), "a damaged certificate is refused");
    rename(spare, pem);
    check(opens(dir), "with all as it was, it opens");
}

static void test_signatures(void)
{
    char dir[] = "/tmp/paper-test-XXXXXX", other_dir[] = "/tmp/paper-test-XXXXXX", command[100];
    struct paper_cades cades, other;

    if (!mkdtemp(dir) || !mkdtemp(other_dir)) {
        check(false, "no folder for keys");
        return;
    }
    check(paper_cades_open(dir, "h", 1764000000000, &cades) == 0 &&
          paper_cades_open(other_dir, "h", 1764000000000, &other) == 0, "keys and certificates are made");
    test_cades(&cades, &other);
    paper_cades_close(&cades);
    paper_cades_close(&other);
    test_keys(dir, other_dir);
    snprintf(command, sizeof(command), "rm -r %s %s", dir, other_dir);
    check(system(command) == 0, "the keys are removed");
}

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    test_same_bytes();
    test_each_key();
    test_absurd();
    test_limits();
    test_csv_quoting();
    test_sshsig();
    test_signatures();
    return tap_end();
}
