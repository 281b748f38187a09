/* xs about money, as customers and operators use it. */
#include "tests/api/rig.h"
#include "common/json.h"
#include "tests/api/tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct rig rig;
static char key[64], account[40];
static char out[1 << 16];

static void xs(int status, const char *words, const char *what, ...)
{
    const char *argv[24] = {"tests/api/xs"};
    int count = 1, got;
    va_list args;

    va_start(args, what);
    while (count < 23 && (argv[count] = va_arg(args, const char *)) != NULL)
        count++;
    va_end(args);
    got = rig_run(argv, "", out, sizeof(out));
    if (!ok(got == status && strstr(out, words), "xs %s: %d, %s", what, status, words))
        printf("# %d: %.1000s\n", got, out);
}

static void be(const char *who)
{
    setenv("XS_KEY", who, 1);
}

static void file_write(const char *name, const char *text, char path[static 256])
{
    FILE *file;

    snprintf(path, 256, "%s/%s", rig.dir, name);
    file = fopen(path, "we");
    if (!file || fputs(text, file) == EOF || fclose(file) != 0)
        tap_bail("%s", path);
}

/* The field of the JSON that xs has just printed. */
static void field(const char *name, char value[static 64])
{
    json_t *json = json_loads(out, 0, NULL);

    snprintf(value, 64, "%s", json_text(json, name));
    json_decref(json);
}

static void wallet(void)
{
    xs(0, "balance 10.00 EUR, held 0.00, free to use 10.00", "wallet", "wallet", NULL);
    ok_has(out, "an hour costs 2.50 EUR as things run now; the money lasts until 2026-01-01T01:00",
           "how long it lasts");
    ok_has(out, "RF18XS0001", "and what a bank transfer has to say");
    xs(0, "5.00; free to use 15.00", "voucher redeem", "voucher", "redeem", "XSV-1", NULL);
    xs(1, "no such voucher", "a wrong code", "voucher", "redeem", "X", NULL);
    xs(0, "project", "po create", "po", "create", "project", "4.00", "--ends-at", "2036-12-31T23:59:59Z", NULL);
    xs(0, "5.00", "po add by its name", "po", "add", "project", "1.00", NULL);
    xs(1, "needed: 1000.00", "more than there is", "po", "add", "project", "1000.00", NULL);
    xs(1, "no purchase order called \"other\"", "another name", "po", "show", "other", NULL);
    xs(0, "pending", "create --purchase-order", "create", "web", "--image", "tiny", "--flavor", "xs1",
       "--purchase-order", "project", NULL);
    xs(0, "0.0036", "holds --json", "holds", "--json", NULL);
    xs(0, "closed", "po close", "po", "close", "project", NULL);
    xs(0, "50, 100", "budget create", "budget", "create", "20.00", "--steps", "50,100", NULL);
    xs(2, "--steps x: must be a whole number", "a step that is none", "budget", "create", "20.00", "--steps", "50,x",
       NULL);
    xs(0, "less than a day", "alerts", "alerts", "--standing", NULL);
    xs(0, "Ulm", "details set", "details", "set", "--name", "Ann", "--street", "Lane 1", "--postcode", "1", "--city",
       "Ulm", "--country", "DE", "--email", "a@example.org", NULL);
    xs(1, "country: must be two capital letters", "a wrong country", "details", "set", "--name", "Ann", "--country",
       "de", NULL);
}

static void use(void)
{
    char folder[256], command[600];

    xs(0, "vcpu_reserved", "usage by day", "usage", "--by", "day,meter", "--from", "2026-01-01", "--to", "2026-01-31",
       NULL);
    xs(0, "day,meter,quantity,unit,amount\r\n2026-01-01,vcpu_reserved,", "usage as CSV", "usage", "--csv", "--from",
       "2026-01-01", "--to", "2026-01-31", NULL);
    xs(0, "{\"day\":\"2026-01-01\"", "usage as NDJSON", "usage", "--ndjson", "--from", "2026-01-01", "--to",
       "2026-01-31", NULL);
    xs(2, "--from 2026/01/01", "a day that cannot be one", "usage", "--from", "2026/01/01", NULL);
    xs(1, "from: must be a day", "or is none", "usage", "--from", "2026-01-32", NULL);
    xs(0, "xs-usage/v1 use", "records", "records", "web", NULL);
    snprintf(folder, sizeof(folder), "%s/proofs", rig.dir);
    snprintf(command, sizeof(command), "mkdir %s", folder);
    if (system(command) != 0)
        tap_bail("%s", command);
    xs(0, "1 records, 0 of them not under a signed head yet", "records --proofs", "records", "web", "--proofs", folder,
       NULL);
    snprintf(command, sizeof(command),
             "grep -q tlog-proof@v1 %s/000000000001.tlog-proof && grep -q amount_nano %s/000000000001.leaf", folder,
             folder);
    ok_int(system(command), 0, "the proof and the leaf are files");
    xs(0, "published_at", "prices", "prices", "--json", NULL);
    xs(0, "\"num_nano\": \"7000\"", "prices show", "prices", "show", "1", NULL);
    xs(2, "VERSION x: must be a whole number", "a version that is none", "prices", "show", "x", NULL);
}

static void paper(char invoice[static 64])
{
    char path[256], dispute[64];
    FILE *file;
    char line[64] = "";

    xs(0, "draft", "invoice draft", "invoice", "draft", NULL);
    ok_has(out, "7000/3 nano", "with how it is priced");
    xs(0, "inv_", "invoice new", "invoice", "new", "--json", NULL);
    field("id", invoice);
    xs(0, "XS-2026-000001", "invoice list", "invoice", "list", NULL);
    snprintf(path, sizeof(path), "%s/i.pdf", rig.dir);
    xs(0, "i.pdf", "invoice pdf", "invoice", "pdf", invoice, "-o", path, NULL);
    file = fopen(path, "re");
    ok(file && fgets(line, sizeof(line), file) && strncmp(line, "%PDF-1.7", 8) == 0, "is a PDF");
    if (file)
        fclose(file);
    xs(1, "no such file", "a form that this invoice has not", "invoice", "xml", invoice, "-o", path, NULL);
    xs(0, "no credit notes", "credit-notes", "credit-notes", NULL);
    xs(2, "must be INCARNATION:COUNTER=VALUE", "a claim that is none", "dispute", "open", invoice, "r", "--claim",
       "guest_ns=12", NULL);
    xs(0, "\"counter\": \"guest_ns\"", "dispute open", "dispute", "open", invoice, "I was not there", "--line", "1",
       "--claim", "0f1e:guest_ns=12", "--json", NULL);
    field("id", dispute);
    xs(0, "open", "dispute show", "dispute", "show", dispute, NULL);
    xs(0, "There are no disputes", "dispute list --after the last", "dispute", "list", "--after", "1", NULL);
    be(rig.operator_key);
    xs(0, "I was not there", "admin disputes", "admin", "disputes", NULL);
    xs(0, "resolved", "admin dispute resolve", "admin", "dispute", "resolve", dispute, "accepted", "so it was",
       "--line", "1=0.50", NULL);
    xs(0, "credit_note", "admin credit-note create", "admin", "credit-note", "create", invoice, "not there", "--line",
       "1=0.50", NULL);
    xs(2, "--line 1: must be the line's number", "a line without an amount", "admin", "credit-note", "create", invoice,
       "r", "--line", "1", NULL);
    xs(0, account, "admin credit-notes", "admin", "credit-notes", NULL);
    xs(0, "XS-2026-000001", "admin invoices of a customer", "admin", "invoices", "--customer-id", account, NULL);
    be(key);
}

static void prices_by_two(void)
{
    char path[256], ann[64];

    be(rig.operator_key);
    xs(0, "xs_oper_", "admin operator add", "admin", "operator", "add", "ann", "--json", NULL);
    field("key", ann);
    file_write("book.json", "{\"version\":5,\"currency\":\"EUR\",\"meters\":[]}", path);
    xs(0, "proposed", "admin prices propose", "admin", "prices", "propose", path, NULL);
    xs(1, "another operator", "admin prices approve, by who proposed it", "admin", "prices", "approve", "5", NULL);
    xs(0, "8000/3 nano", "admin prices diff", "admin", "prices", "diff", "5", NULL);
    be(ann);
    xs(0, "published", "admin prices approve, by another", "admin", "prices", "approve", "5", NULL);
    xs(0, "2.00 under version 1, 1.00 as it was billed", "admin prices replay", "admin", "prices", "replay", "1",
       account, "2026-01", NULL);
    xs(0, "bootstrap", "admin operator list", "admin", "operator", "list", NULL);
    file_write("broken.json", "{\"version\":5,\n", path);
    xs(2, "line 2", "a book that is no JSON", "admin", "prices", "propose", path, NULL);
}

static void outside(void)
{
    char path[256];

    be(rig.operator_key);
    xs(0, "XSV-SECR-ETCO-DEOF-TEST", "admin voucher", "admin", "voucher", "5.00", NULL);
    file_write("statement.xml", "<Document>\n</Document>\n", path);
    xs(0, "1 credited (5.00), 1 to suspense (7.00)", "admin bank import", "admin", "bank", "import", path, NULL);
    file_write("nothing.xml", "nothing", path);
    xs(1, "line 1: no Document", "what is no statement", "admin", "bank", "import", path, NULL);
    xs(0, "Somebody", "admin bank list", "admin", "bank", "list", "--state", "suspense", NULL);
    xs(0, "assigned", "admin bank assign", "admin", "bank", "assign", "e2", account, NULL);
    xs(0, "returned", "admin bank return", "admin", "bank", "return", "e2", "unknown", NULL);
    xs(0, "the entries add up to the balances", "admin ledger balance", "admin", "ledger", "balance", NULL);
    xs(0, "host:deposits:credit", "admin ledger transfers", "admin", "ledger", "transfers", "revenue:vcpu_used", NULL);
    xs(2, "no account of the ledger", "an account that can be none", "admin", "ledger", "transfers", "a/b", NULL);
    snprintf(path, sizeof(path), "%s/host.journal", rig.dir);
    xs(0, "hledger -f", "admin ledger journal", "admin", "ledger", "journal", "-o", path, NULL);
    xs(0, "cpu 1", "admin reconciliation", "admin", "reconciliation", NULL);
    xs(0, "suspended", "admin suspensions", "admin", "suspensions", NULL);
    xs(0, "0.0015", "admin cap", "admin", "cap", NULL);
    xs(0, "CUSTOMER", "admin alerts", "admin", "alerts", NULL);
}

int main(void)
{
    char invoice[64];

    rig_start(&rig);
    rig_customer(&rig, "money", key, account);
    setenv("XS_URL", rig.url, 1);
    setenv("XS_FINGERPRINT", rig.fingerprint, 1);
    be(key);
    wallet();
    use();
    paper(invoice);
    prices_by_two();
    outside();
    rig_end(&rig);
    return tap_end();
}
