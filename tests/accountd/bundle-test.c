/* The invoice and its bundle: amounts, the stock tools' verdict, and what
 * xs-verify refuses: every flipped bit, and bundles that are signed again by
 * the right keys but do not add up. */
#include "accountd/bundle.h"
#include "accountd/paper/sshsig.h"
#include "client/verify/verify.h"
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define S   1000000000ull
#define EUR 1000000000ll

/* Dear enough for cents. */
static const char prices[] =
    "{\"currency\":\"EUR\",\"meters\":["
    "{\"den\":\"3\",\"meter\":\"cpu_used\",\"num_nano\":\"7000000\",\"unit\":\"CPU-second\"},"
    "{\"den\":\"7\",\"meter\":\"vcpu_reserved\",\"num_nano\":\"1000000000\",\"unit\":\"vCPU-second\"},"
    "{\"den\":\"11\",\"meter\":\"memory_reserved\",\"num_nano\":\"500000000\",\"unit\":\"GiB-second\"},"
    "{\"den\":\"13\",\"meter\":\"memory_used\",\"num_nano\":\"250000000\",\"unit\":\"GiB-second\"},"
    "{\"den\":\"17\",\"meter\":\"disk_ops\",\"num_nano\":\"5000000\",\"unit\":\"operation\"},"
    "{\"den\":\"1\",\"meter\":\"disk_bytes\",\"num_nano\":\"1000000000\",\"unit\":\"GiB\"},"
    "{\"den\":\"1\",\"meter\":\"net_packets\",\"num_nano\":\"0\",\"unit\":\"packet\"},"
    "{\"den\":\"1\",\"meter\":\"net_bytes_out\",\"num_nano\":\"1000000000\",\"unit\":\"GiB\"},"
    "{\"den\":\"1\",\"meter\":\"net_bytes_in\",\"num_nano\":\"0\",\"unit\":\"GiB\"}],\"version\":1}";

static char *read_file(const char *path, size_t *len)
{
    FILE *in = fopen(path, "re");
    char *bytes = calloc(1, 1 << 22);

    *len = in ? fread(bytes, 1, 1 << 22, in) : 0;
    if (in)
        fclose(in);
    return bytes;
}

static int bundle_of(void *arg, const struct ledger_invoice *invoice)
{
    struct { struct accountd *a; char path[512]; } *got = arg;
    struct json_why why;

    return invoice_bundle(got->a, invoice, got->path, sizeof(got->path), &why);
}

static char *bundle(struct life *life, const char *id, size_t *len)
{
    struct { struct accountd *a; char path[512]; } got = { .a = &life->a };

    if (ledger_invoice_get(life->a.ledger, "acc", id, bundle_of, &got) != LEDGER_OK)
        return NULL;
    return read_file(got.path, len);
}

static json_t *create(struct life *life, const char *id)
{
    json_t *body = NULL;
    struct json_why why;

    life->a.sample.now_ns = life->now_ns;
    accountd_settle(&life->a, 0, "acc");
    if (invoice_create(&life->a, id, "acc", &body, &why) == LEDGER_OK)
        return body;
    printf("# no invoice %s: %s\n", id, why.text);
    return NULL;
}

static void one_guest(struct life *life)
{
    life_begin(life);
    life_account(life, "acc", 10000 * EUR);
    life_birth(life, 2, 0xaa);
    life_register(life, "acc", "ins", 0xaa);
    life_step(life, S);
    life_slot(life, 2)->guest_ns = 123456789;
    life_slot(life, 2)->disk_read_ops = 3;
    life_step(life, 10 * S);
}

static bool verifies(const char *archive, size_t len, const char *keys)
{
    struct verify_summary summary;
    struct json_why why = { "" };

    return verify_bundle(archive, len, keys, &summary, &why) == 0;
}

static const char *field(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static const char *line_field(const json_t *invoice, const char *meter, const char *key)
{
    size_t i;
    json_t *line;

    json_array_foreach(json_object_get(invoice, "lines"), i, line)
        if (strcmp(field(line, "meter"), meter) == 0)
            return field(line, key);
    return "none";
}

static const char *line_amount(const json_t *invoice, const char *meter)
{
    return line_field(invoice, meter, "amount_nano");
}

static const char *line_quantity(const json_t *invoice, const char *meter)
{
    return line_field(invoice, meter, "quantity");
}

static void test_amounts(void)
{
    struct life life;
    json_t *first, *again = NULL, *second;
    int64_t paid, total;
    struct json_why why;

    one_guest(&life);
    first = create(&life, "inv1");
    check(first && json_integer_value(json_object_get(first, "number")) == 1, "the first invoice is number 1");
    /* 0.123456789 s x 7/3 of 0.001; 10.9 s x 2 x 1/7: born at 1 s, metered to 11.9 s; 3 x 5/17 of 0.001. */
    check(strcmp(line_amount(first, "cpu_used"), "0") == 0 &&
          strcmp(line_amount(first, "vcpu_reserved"), "3110000000") == 0 &&
          strcmp(line_amount(first, "disk_ops"), "0") == 0 && strcmp(line_amount(first, "net_bytes_out"), "none") == 0,
          "its lines are quantities times prices, rounded to the cent once");
    json_decimal_parse(field(first, "total_nano"), &total);
    paid = 10000 * EUR - life_posted(&life, "acc");
    check(paid == total, "the wallet has paid the total to the nano: %jd", (intmax_t)paid);
    check(invoice_create(&life.a, "inv1", "acc", &again, &why) == LEDGER_EXISTS && json_equal(first, again) &&
          life_posted(&life, "acc") == 10000 * EUR - paid, "asked again it is the same invoice, and nothing is paid twice");
    json_decref(again);
    check(invoice_create(&life.a, "inv2", "acc", &again, &why) == LEDGER_CONFLICT, "nothing new, no second invoice");
    life_slot(&life, 2)->guest_ns += 10000000007;
    life_step(&life, S);
    life_death(&life, 2);
    life_step(&life, S);
    second = create(&life, "inv3");
    check(second && json_integer_value(json_object_get(second, "number")) == 2 && strcmp(line_amount(second, "cpu_used"),
          "20000000") == 0 && strcmp(line_field(second, "cpu_used", "quantity_before"), "123456789") == 0,
          "numbers have no holes, and the second begins where the first ended");
    json_decref(first);
    json_decref(second);
    check(life_is_sound(&life), "the log and the ledger are sound");
    life_end(&life);
}

/* Known operations and packets in two segments and a second life: known lines; xs-verify finds the same. */
static void test_devices(void)
{
    static const struct {
        const char *meter, *quantity, *amount_nano;
    } lines[] = {
        /* (1000 + 200 + 30 + 4 + 7) x 5/17 of 0.001 = 0.365, half to even; 5 GiB + 1536 = 5.0000014 */
        { "disk_ops", "1241", "360000000" },
        { "disk_bytes", "5368710656", "5000000000" },
        { "net_packets", "70011", "0" },
        /* 1.5 GiB + 1 = 1.5000000009 */
        { "net_bytes_out", "1610612737", "1500000000" },
        { "net_bytes_in", "60", "0" },
    };
    static const char replays[] = "\\\"io_replays_1\\\":\\\"900\\\"";
    struct xs_stats_slot *slot;
    struct life life;
    json_t *invoice;
    size_t len;
    char *archive;

    one_guest(&life);
    slot = life_slot(&life, 2);
    slot->disk_read_ops = 1000;
    slot->disk_write_ops = 200;
    slot->disk_read_bytes = 5ull << 30;
    slot->disk_write_bytes = 512;
    slot->net_rx_packets = 11;
    slot->net_rx_bytes = 60;
    slot->io_replays = 900;
    life_step(&life, 70 * S);
    slot->disk_flush_ops = 30;
    slot->disk_discard_ops = 4;
    slot->disk_write_bytes = 1024;
    slot->net_tx_packets = 70000;
    slot->net_tx_bytes = 3ull << 29;
    slot->net_rx_drops = slot->net_tx_drops = 5000;
    life_death(&life, 2);
    life_step(&life, S);
    slot = life_birth(&life, 3, 0xbb);
    life_register(&life, "acc", "ins", 0xbb);
    life_step(&life, S);
    slot = life_slot(&life, 3);
    slot->disk_write_ops = 7;
    slot->disk_write_bytes = 512;
    slot->net_tx_bytes = 1;
    life_step(&life, S);
    invoice = create(&life, "inv1");
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        check(strcmp(line_quantity(invoice, lines[i].meter), lines[i].quantity) == 0 &&
              strcmp(line_amount(invoice, lines[i].meter), lines[i].amount_nano) == 0, "%s: %s cost %s nano (%s, %s)",
              lines[i].meter, lines[i].quantity, lines[i].amount_nano, line_quantity(invoice, lines[i].meter),
              line_amount(invoice, lines[i].meter));
    archive = bundle(&life, "inv1", &len);
    check(archive && verifies(archive, len, NULL), "xs-verify computes the same lines from the records");
    check(archive && memmem(archive, len, replays, sizeof(replays) - 1), "the replays are in the records");
    check(life_is_sound(&life), "the log and the ledger are sound");
    free(archive);
    json_decref(invoice);
    life_end(&life);
}

/* 81 instances with fractions of a nano each: the wallet still pays the total exactly. */
static void test_cent_drift(void)
{
    struct life life;
    json_t *invoice;
    int64_t total;

    life_begin(&life);
    life.a.sample.slots = 100;
    life_account(&life, "acc", 1000000 * EUR);
    for (unsigned i = 0; i < 81; i++) {
        char instance[16];

        snprintf(instance, sizeof(instance), "ins%u", i);
        life_birth(&life, i + 2, (uint8_t)(i + 2));
        life_register(&life, "acc", instance, (uint8_t)(i + 2));
    }
    for (int minute = 0; minute < 3; minute++) {
        for (unsigned i = 2; i < 83; i++)
            life_slot(&life, i)->guest_ns += 1000000000u + i * 333333333u;
        life_step(&life, 60 * S);
    }
    invoice = create(&life, "inv1");
    json_decimal_parse(field(invoice, "total_nano"), &total);
    check(json_array_size(json_object_get(invoice, "lines")) == 4 &&
          json_array_size(json_object_get(invoice, "details")) == 81 * 4 && total > 0 &&
          life_posted(&life, "acc") == 1000000 * EUR - total, "4 lines of 81 instances, 972 charges rounded down: paid %jd exactly",
          (intmax_t)total);
    check(life_is_sound(&life), "the log and the ledger are sound");
    json_decref(invoice);
    life_end(&life);
}

static void test_stock_tools(const char *archive, size_t len)
{
    static const char *const tools[] = {
        "sha256sum --quiet --strict -c SHA256SUMS",
        "minisign -Vm invoice.json -p invoice.pub",
        "signify-openbsd -V -p invoice.pub -x invoice.json.minisig -m invoice.json",
        "ssh-keygen -Y verify -f allowed_signers -I test.host -n invoice@test.host -s invoice.json.sshsig <invoice.json",
        "openssl cms -verify -cades -binary -inform DER -in invoice.json.p7s -content invoice.json -CAfile invoice-cert.pem"
        " -no_check_time -out /dev/null",
        NULL,
    };
    char dir[] = "/tmp/xs-bundle-XXXXXX", command[1024];
    FILE *out;

    if (!mkdtemp(dir))
        exit(99);
    snprintf(command, sizeof(command), "%s/b.tar", dir);
    out = fopen(command, "we");
    fwrite(archive, 1, len, out);
    fclose(out);
    snprintf(command, sizeof(command), "cd %s && tar xf b.tar && grep -c '^    ' VERIFY.txt >/dev/null && "
             "sed -n 's/^    //p' VERIFY.txt >commands && sh -e commands >out 2>&1 || { cat out; exit 1; }", dir);
    check(system(command) == 0, "every command of VERIFY.txt succeeds: minisign, signify, ssh-keygen, openssl, xmllint, hledger, sha256sum, jq, python3");
    snprintf(command, sizeof(command), "cd %s && sed -n '/included()/,/^for/p' commands >one && sh -e one && "
             "cp records.jsonl was && sed -i '1,/guest_ns_1/s/guest_ns_1/guest_ns_2/' records.jsonl && ! sh -e one >out 2>&1;"
             " test $? = 0 && mv was records.jsonl", dir);
    check(system(command) == 0, "openssl and jq refuse a record that is not in the log");
    for (const char *const *change = (const char *const[]){ "s/\"amount_nano\":\"3110000000\"/\"amount_nano\":\"3120000000\"/",
                                                             "s/\"net_nano\":\"/\"net_nano\":\"1/", NULL }; *change; change++) {
        snprintf(command, sizeof(command), "cd %s && sed -n '/^python3/,/^END/p' commands >one && sh -e one && "
                 "cp invoice.json was && sed -i '%s' invoice.json && ! sh -e one >out 2>&1 && mv was invoice.json", dir, *change);
        check(system(command) == 0, "python3 refuses another amount (%s)", *change);
    }
    snprintf(command, sizeof(command), "cd %s && cp records.jsonl was && "
             "sed -i '2s/\\\\\"number\\\\\":1/\\\\\"number\\\\\":7/' records.jsonl && "
             "grep -q number.*:7 records.jsonl && ! sh -e one >out 2>&1 && mv was records.jsonl", dir);
    check(system(command) == 0, "python3 refuses records that do not follow each other");
    for (const char *const *tool = tools; *tool; tool++) {
        snprintf(command, sizeof(command), "cd %s && cp invoice.json was && %s >out 2>&1 && "
                 "sed -i 's/\"number\":1/\"number\":2/' invoice.json && ! { %s ; } >out 2>&1 && mv was invoice.json", dir, *tool,
                 *tool);
        check(system(command) == 0, "refuses another invoice: %s", *tool);
    }
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    if (system(command) != 0)
        exit(99);
}

static void write_file(const char *dir, const char *name, const char *bytes, size_t len)
{
    char path[256];
    FILE *out;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    out = fopen(path, "we");
    if (!out || fwrite(bytes, 1, len, out) != len || fclose(out) != 0)
        exit(99);
}

static void test_flips(const struct life *life, const char *archive, size_t len, const char *keys)
{
    char command[512];

    write_file(life->dir, "flip.tar", archive, len);
    write_file(life->dir, "flip.keys", keys, strlen(keys));
    snprintf(command, sizeof(command), "tests/accountd/flip %s/flip.tar %s/flip.keys", life->dir, life->dir);
    check(system(command) == 0, "none of %zu bundles with one bit flipped is accepted", 8 * len);
    check(!verifies(archive, len - 512, keys) && !verifies(archive, len - 1, keys) && !verifies(archive, 0, keys),
          "none cut short either");
    check(verifies(archive, len, keys), "the bundle itself is");
}

/* What a dishonest host can do: it holds the keys. */
struct forgery {
    const char *name;
    const char *file, *was, *is;
};
static const struct forgery forgeries[] = {
    { "a line's amount", "invoice.json", "\"amount_nano\":\"3110000000\"", "\"amount_nano\":\"3120000000\"" },
    { "the total", "invoice.json", "\"total_nano\":\"", "\"total_nano\":\"1" },
    { "a quantity", "invoice.json", "\"quantity\":\"", "\"quantity\":\"1" },
    { "a line's price", "invoice.json", "\"price\":\"", "\"price\":\"1" },
    { "what an instance had", "invoice.json", "\"charged_nano\":\"", "\"charged_nano\":\"1" },
    { "the tax", "invoice.json", "\"rate_permyriad\":1900", "\"rate_permyriad\":2900" },
    { "the tax's category", "invoice.json", "\"category\":\"S\"", "\"category\":\"T\"" },
    { "what was used before", "invoice.json", "\"quantity_before\":\"0\"", "\"quantity_before\":\"1\"" },
    { "where the invoice begins", "invoice.json", "\"from_index\":3", "\"from_index\":4" },
    { "what the wallet paid", "invoice.json", "\"paid_nano\":\"", "\"paid_nano\":\"1" },
    { "the number of records", "invoice.json", "\"records\":3", "\"records\":4" },
    { "a chain's last number", "invoice.json", "\"last_number\":2", "\"last_number\":3" },
    { "the account", "invoice.json", "\"account_id\":\"acc\"", "\"account_id\":\"abc\"" },
    { "the period", "invoice.json", "\"period_start_ms\":17", "\"period_start_ms\":18" },
    { "a cost in the CSV", "lines.csv", ",EUR", ",USD" },
    { "an amount in the XML", "invoice.xml", "3.11", "3.12" },
    { "a price in the price book", "pricebook-1.json", "\"num_nano\":\"1000000000\"", "\"num_nano\":\"2000000000\"" },
    { "a counter in a record", "records.jsonl", "\\\"guest_ns_1\\\":\\\"123456789\\\"",
      "\\\"guest_ns_1\\\":\\\"923456789\\\"" },
    { "a disk's counter in a record", "records.jsonl", "\\\"disk_read_ops_1\\\":\\\"3\\\"",
      "\\\"disk_read_ops_1\\\":\\\"9\\\"" },
    { "a record's form", "records.jsonl", "\\\"io_replays_0\\\":\\\"0\\\",\\\"io_replays_1\\\":\\\"0\\\",", "" },
    { "a record's number", "records.jsonl", "\\\"number\\\":2", "\\\"number\\\":3" },
    { "a word in VERIFY.txt", "VERIFY.txt", "minisign", "xinisign" },
    { "a proof's index", "proofs/000000000001.tlog-proof", "index 1\n", "index 2\n" },
};

static void replace_text(struct ustar_file *file, const char *was, const char *is)
{
    char *at = strstr(file->bytes, was), *text;

    if (!at || asprintf(&text, "%.*s%s%s", (int)(at - file->bytes), file->bytes, is, at + strlen(was)) < 0) {
        fprintf(stderr, "%s: no %s\n", file->name, was);
        exit(99);
    }
    free(file->bytes);
    file->bytes = text;
    file->len = strlen(text);
}

static void replace_file(struct ustar *tar, const char *name, char *bytes, size_t len)
{
    struct ustar_file *file = (struct ustar_file *)ustar_find(tar, name);

    free(file->bytes);
    file->bytes = bytes;
    file->len = len;
}

/* The SSH and X.509 signatures of what has them. */
static void sign_document_again(struct life *life, struct ustar *tar, const json_t *invoice, const struct ustar_file *file)
{
    char name[USTAR_NAME_BYTES + 16], namespace[BUNDLE_NAMESPACE_BYTES], *text;
    uint8_t *der;
    size_t len;

    snprintf(name, sizeof(name), "%s" BUNDLE_SSHSIG, file->name);
    if (!ustar_find(tar, name))
        return;
    text = paper_sshsig(file->bytes, file->len, bundle_namespace(invoice, namespace), &life->a.keys.invoice);
    replace_file(tar, name, text, strlen(text));
    snprintf(name, sizeof(name), "%s" BUNDLE_CADES, file->name);
    if (paper_cades_sign(&life->a.cades, file->bytes, file->len, 1700000000000, &der, &len))
        exit(99);
    replace_file(tar, name, (char *)der, len);
}

static void sign_again(struct life *life, struct ustar *tar, const char *name)
{
    char sig_name[USTAR_NAME_BYTES + 16], comment[160];
    struct ustar_file *file = (struct ustar_file *)ustar_find(tar, name), *sig;
    json_t *invoice = json_loads(ustar_find(tar, "invoice.json")->bytes, 0, NULL);

    snprintf(sig_name, sizeof(sig_name), "%s" BUNDLE_MINISIG, name);
    sig = (struct ustar_file *)ustar_find(tar, sig_name);
    if (sig) {
        free(sig->bytes);
        sig->bytes = note_minisig(file->bytes, file->len, bundle_comment(name, invoice, comment), &life->a.keys.invoice);
        sig->len = strlen(sig->bytes);
    }
    sign_document_again(life, tar, invoice, file);
    json_decref(invoice);
}

static char *pack_again(struct life *life, struct ustar *tar, size_t *len)
{
    struct ustar_file *sums = (struct ustar_file *)ustar_find(tar, BUNDLE_SUMS);

    for (size_t i = 0; i < tar->count; i++)
        sign_again(life, tar, tar->files[i].name);
    free(sums->bytes);
    sums->bytes = bundle_sums(tar);
    sums->len = strlen(sums->bytes);
    sign_again(life, tar, BUNDLE_SUMS);
    return ustar_pack(tar, len);
}

static void test_forgeries(struct life *life, const char *archive, size_t len, const char *keys)
{
    for (size_t i = 0; i < sizeof(forgeries) / sizeof(forgeries[0]); i++) {
        struct verify_summary summary;
        struct json_why why = { "" };
        struct ustar tar;
        size_t forged_len;
        char *forged;
        bool refused;

        ustar_unpack(archive, len, &tar, &why);
        replace_text((struct ustar_file *)ustar_find(&tar, forgeries[i].file), forgeries[i].was, forgeries[i].is);
        forged = pack_again(life, &tar, &forged_len);
        refused = verify_bundle(forged, forged_len, keys, &summary, &why) == -1;
        check(refused, "signed again with %s changed, it is refused: %s", forgeries[i].name, why.text);
        free(forged);
        ustar_free(&tar);
    }
}

static void test_dropped_record(struct life *life, const char *archive, size_t len, const char *keys)
{
    struct verify_summary summary;
    struct json_why why = { "" };
    struct ustar tar;
    struct ustar_file *records;
    char *second, *third, *forged;
    size_t forged_len;

    ustar_unpack(archive, len, &tar, &why);
    records = (struct ustar_file *)ustar_find(&tar, "records.jsonl");
    second = strchr(records->bytes, '\n') + 1;
    third = strchr(second, '\n') + 1;
    memmove(second, third, strlen(third) + 1);
    records->len = strlen(records->bytes);
    forged = pack_again(life, &tar, &forged_len);
    check(verify_bundle(forged, forged_len, keys, &summary, &why) == -1 && strstr(why.text, "follow"),
          "signed again without its middle record, it is refused: %s", why.text);
    free(forged);
    ustar_free(&tar);
}

/* A price book that no leaf binds to the log: the other's leaf stands twice in its stead, a file of no use for its
 * proof. */
static void test_unlogged_book(struct life *life, const char *archive, size_t len, const char *keys)
{
    struct verify_summary summary;
    struct json_why why = { "" };
    struct ustar tar;
    struct ustar_file *records, book;
    char *twice, *leaf, *end, *forged;
    size_t forged_len;

    ustar_unpack(archive, len, &tar, &why);
    book = *ustar_find(&tar, "pricebook-1.json");
    book.bytes = strdup(book.bytes);
    replace_text(&book, "\"version\":1}", "\"version\":2}");
    if (ustar_add_text(&tar, "pricebook-2.json", book.bytes) ||
        ustar_add_text(&tar, "pricebook-2.json" BUNDLE_MINISIG, strdup("")) ||
        ustar_add_text(&tar, "proofs/000000000099.tlog-proof", strdup("")))
        exit(99);
    ustar_sort(&tar);
    records = (struct ustar_file *)ustar_find(&tar, "records.jsonl");
    leaf = strstr(records->bytes, "tariff");
    while (leaf > records->bytes && leaf[-1] != '\n')
        leaf--;
    end = strchr(leaf, '\n') + 1;
    if (asprintf(&twice, "%.*s%s", (int)(end - records->bytes), records->bytes, leaf) < 0)
        exit(99);
    replace_file(&tar, "records.jsonl", twice, strlen(twice));
    forged = pack_again(life, &tar, &forged_len);
    check(verify_bundle(forged, forged_len, keys, &summary, &why) == -1 && strstr(why.text, "pricebook-1.json"),
          "signed again with a price book that is not in the log, it is refused: %s", why.text);
    free(forged);
    ustar_free(&tar);
}

static void test_bundle(void)
{
    struct life life, other;
    size_t len, again_len;
    char *archive, *again, *keys, *other_keys, path[200];
    struct verify_summary summary;
    struct json_why why;

    one_guest(&life);
    json_decref(create(&life, "inv1"));
    archive = bundle(&life, "inv1", &len);
    keys = keys_text(&life.a.keys, life.a.head.host, life.a.head.origin);
    check(archive && verify_bundle(archive, len, keys, &summary, &why) == 0 && summary.records == 3,
          "the bundle verifies with the host's keys");
    check(verifies(archive, len, NULL), "and by itself");
    snprintf(path, sizeof(path), "%s/bundles/inv1.tar", life.dir);
    remove(path);
    life_step(&life, 100 * S);
    again = bundle(&life, "inv1", &again_len);
    check(again && len == again_len && memcmp(archive, again, len) == 0, "lost and made again later, it has the same bytes");
    life_begin(&other);
    other_keys = keys_text(&other.a.keys, other.a.head.host, other.a.head.origin);
    check(!verifies(archive, len, other_keys), "another host's keys do not fit");
    test_stock_tools(archive, len);
    test_forgeries(&life, archive, len, keys);
    test_dropped_record(&life, archive, len, keys);
    test_unlogged_book(&life, archive, len, keys);
    test_flips(&life, archive, len, keys);
    free(archive);
    free(again);
    free(keys);
    free(other_keys);
    life_end(&life);
    life_end(&other);
}

int main(void)
{
    life_prices = prices;
    test_amounts();
    test_devices();
    test_cent_drift();
    test_bundle();
    return tap_end();
}
