/* Bank statements against the ledger: files of tests/accountd/funding, each
 * named by what it shows. Their references were computed by another program. */
#include "accountd/cap/alerts.h"
#include "accountd/funding/bank.h"
#include "accountd/funding/receipt.h"
#include "accountd/funding/store.h"
#include "accountd/ledger/db.h"
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANN "acc_00000000000000000000000ann"
#define BOB "acc_00000000000000000000000b0b"
#define IBAN "DE02120300000000202051"
#define EUR 1000000000ll

static struct life life;
static struct json_why why;
static json_t *report;

static char *read_file(const char *name, size_t *len)
{
    const char *source = getenv("srcdir");
    char path[512], *text = malloc(CAMT_BYTES_MAX);
    FILE *in;

    snprintf(path, sizeof(path), "%s/tests/accountd/funding/%s.xml", source ? source : "..", name);
    in = fopen(path, "re");
    if (!in || !text)
        exit(99);
    *len = fread(text, 1, CAMT_BYTES_MAX, in);
    fclose(in);
    return text;
}

static enum ledger_result import_as(const char *import_id, const char *name)
{
    struct bank_order order = {
        .import_id = import_id, .operator_id = "op", .sha256 = name, .iban = IBAN, .currency = "EUR", .at_ms = 1 };
    struct camt_file file;
    enum ledger_result result = LEDGER_FAILED;
    size_t len;
    char *text = read_file(name, &len);

    json_decref(report);
    report = NULL;
    if (camt_parse(text, len, &file, &why) == 0) {
        result = bank_import(life.a.ledger, &order, &file, &report);
        camt_free(&file);
    } else {
        printf("# %s: %s\n", name, why.text);
    }
    free(text);
    return result;
}

static int64_t said(const char *key)
{
    return json_integer_value(json_object_get(report, key));
}

/* Imports, and compares what the report says. */
static bool gives(const char *name, int64_t credited, int64_t suspense, int64_t ignored, int64_t duplicates)
{
    static unsigned imports;
    char import_id[32];

    snprintf(import_id, sizeof(import_id), "import%u", imports++);
    if (import_as(import_id, name) != LEDGER_OK)
        return false;
    if (said("credited") == credited && said("suspense") == suspense && said("ignored") == ignored &&
        said("duplicates") == duplicates)
        return true;
    json_dumpf(report, stdout, JSON_INDENT(1));
    return false;
}

static int64_t posted(const char *account)
{
    return life_posted(&life, account);
}

static bool have(int64_t ann, int64_t bob, int64_t suspense)
{
    if (posted(ANN) == ann && posted(BOB) == bob && posted(LEDGER_SUSPENSE) == suspense &&
        posted(LEDGER_DEPOSITS_BANK) == -(ann + bob + suspense))
        return true;
    printf("# ann %jd, bob %jd, suspense %jd, bank %jd\n", (intmax_t)posted(ANN), (intmax_t)posted(BOB),
           (intmax_t)posted(LEDGER_SUSPENSE), (intmax_t)posted(LEDGER_DEPOSITS_BANK));
    return false;
}

static void start(void)
{
    life_begin(&life);
    ledger_account_open(life.a.ledger, ANN, "Ann", "EUR", 1);
    ledger_account_open(life.a.ledger, BOB, "Bob", "EUR", 1);
}

static void end(void)
{
    char account[LEDGER_ACCOUNT_BYTES];

    check(ledger_audit(life.a.ledger, account) == LEDGER_OK, "the balances are the sums of the entries");
    life_end(&life);
}

static void test_matching(void)
{
    start();
    check(gives("matched-by-structured-reference", 2, 0, 0, 0) && have(25 * EUR, 12340000000, 0),
          "structured references, with and without spaces");
    end();
    start();
    check(gives("matched-by-text", 3, 0, 0, 0) && have(50 * EUR, 20 * EUR, 0),
          "a reference over two lines, an account id without its underscore, the entry's own line");
    end();
    start();
    check(gives("unmatched", 0, 5, 0, 0) && have(0, 0, 15 * EUR), "what names nobody, or two, waits in suspense");
    end();
    start();
    check(gives("nine-places", 3, 0, 0, 0) && have(1500000001, 1000000000 * EUR, 0), "amounts are exact to the nano");
    end();
}

static void test_batches(void)
{
    start();
    check(gives("batch-is-split", 2, 1, 0, 0) && have(10 * EUR, 15 * EUR, 5 * EUR),
          "an entry of three payers is divided");
    check(gives("batch-is-split", 0, 0, 0, 3), "and known again");
    end();
    start();
    check(gives("batch-is-split-v02", 3, 0, 0, 0) && have(20 * EUR, 10 * EUR, 0),
          "equal payments of one entry are two");
    end();
    start();
    check(gives("batch-without-amounts", 0, 1, 0, 0) && have(0, 0, 30 * EUR), "without amounts it is not guessed");
    end();
}

static void test_same_again(void)
{
    start();
    check(gives("two-entries-with-one-reference", 3, 0, 0, 0) && have(27 * EUR, 0, 0),
          "entries that share the bank's reference are entries all the same");
    check(gives("two-entries-with-one-reference", 0, 0, 0, 3) && have(27 * EUR, 0, 0), "and none is booked again");
    end();
    start();
    check(gives("overlap-first", 2, 0, 0, 0) && gives("overlap-second", 1, 0, 0, 1) && have(12 * EUR, 6 * EUR, 0),
          "of a file that overlaps another only the new entry is booked");
    check(gives("overlap-first", 0, 0, 0, 2) && have(12 * EUR, 6 * EUR, 0), "the first once more: nothing");
    end();
    start();
    check(gives("no-references", 3, 0, 0, 0) && have(15 * EUR, 0, 0),
          "entries without references are told apart by their place");
    check(gives("no-references", 0, 0, 0, 3), "and known again");
    check(gives("no-references-again", 0, 1, 0, 2) && have(15 * EUR, 0, 5 * EUR),
          "one more than before in another statement may be new: the operator is asked");
    end();
    start();
    check(gives("numbered-entries", 2, 0, 0, 0) && gives("numbered-otherwise", 1, 1, 0, 0) &&
              have(13 * EUR, 6 * EUR, 6 * EUR),
          "the same payment under another number may be a repetition: the operator is asked");
    end();
}

static void test_import_ids(void)
{
    start();
    check(import_as("i1", "overlap-first") == LEDGER_OK && import_as("i1", "overlap-first") == LEDGER_EXISTS &&
          said("credited") == 2 && said("duplicates") == 0, "the same import again answers as the first time");
    check(import_as("i1", "overlap-second") == LEDGER_EXISTS_DIFFERENT && have(5 * EUR, 6 * EUR, 0),
          "its id for another file is refused, and nothing is booked");
    end();
}

static bool ignored_for(const char *text)
{
    json_t *list = store_receipts(life.a.ledger, "ignored", 0, 100), *line;
    bool found = false;
    size_t i;

    json_array_foreach(list, i, line)
        found |= strstr(json_string_value(json_object_get(line, "why")), text) != NULL;
    json_decref(list);
    return found;
}

static void test_ignored(void)
{
    start();
    check(gives("not-for-us", 0, 0, 6, 0) && have(0, 0, 0), "what is no payment to us moves nothing");
    check(ignored_for("PDNG") && ignored_for("INFO") && ignored_for("debit") && ignored_for("USD") &&
          ignored_for("no amount") && ignored_for("another account"), "each is listed with its reason");
    check(gives("booked-at-last", 1, 0, 0, 0) && have(EUR, 0, 0),
          "what was pending is booked when the bank has booked it");
    end();
}

static bool alerted(const char *prefix)
{
    json_t *list = alert_list(life.a.ledger, NULL, true, 0, 100), *alert;
    bool found = false;
    size_t i;

    json_array_foreach(list, i, alert)
        found |= strncmp(json_string_value(json_object_get(alert, "key")), prefix, strlen(prefix)) == 0;
    json_decref(list);
    return found;
}

static void test_reversals(void)
{
    start();
    check(!alerted("bank-reversal") && gives("reversals", 1, 0, 2, 0) && have(3 * EUR, 0, 0),
          "reversals move nothing by themselves");
    check(alerted("bank-reversal"), "but the operator hears of money that the bank took back");
    end();
}

/* What is wrong, and the words that must say so. */
static const struct {
    const char *file, *says;
} bad[] = {
    { "bad-amount", "line 11: Amt: must be a decimal number" },
    { "bad-too-exact", "line 11: Amt: must be a decimal number of at most 9 places" },
    { "bad-currency", "line 11: Amt: Ccy" },
    { "bad-direction", "line 12: CdtDbtInd: must be CRDT or DBIT" },
    { "bad-date", "line 14: Dt: must be a date" },
    { "bad-iban", "line 9: IBAN: wrong check digits" },
    { "bad-version", "line 3: Document: must be a Document of camt.053" },
    { "bad-cut-short", "line 16: " },
    { "bad-no-statement", "BkToCstmrStmt/Stmt is missing" },
    { "bad-second-entry", "line 27: Amt: must be a decimal number" },
    { "batch-that-does-not-sum", "line 10: Ntry: line 19: the amounts of its TxDtls do not sum" },
    { "entity-bomb", "line 3: a document type is not accepted" },
    { "external-entity", "line 3: a document type is not accepted" },
};

static void test_bad_files(void)
{
    start();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        why.text[0] = 0;
        check(import_as("bad", bad[i].file) == LEDGER_FAILED && strstr(why.text, bad[i].says) && have(0, 0, 0),
              "%s: refused whole, by line and element", bad[i].file);
    }
    check(gives("matched-by-text", 3, 0, 0, 0), "the next good one is booked");
    end();
}

static void test_deep(void)
{
    struct camt_file file;
    size_t len = 0;
    char *text = malloc(CAMT_BYTES_MAX + 10);

    while (len < CAMT_BYTES_MAX - 4)
        len += (size_t)sprintf(text + len, "<a>");
    check(camt_parse(text, len, &file, &why) && strstr(why.text, "deeper"), "elements 230,000 deep are refused");
    memset(text, ' ', CAMT_BYTES_MAX + 1);
    check(camt_parse(text, CAMT_BYTES_MAX + 1, &file, &why) && strstr(why.text, "716801"),
          "so is a file that is too large");
    check(camt_parse("", 0, &file, &why), "and an empty one");
    free(text);
}

static void test_many(void)
{
    static const char head[] =
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02\"><BkToCstmrStmt><Stmt><Id>S</Id><Acct>"
        "<Id><IBAN>" IBAN "</IBAN></Id></Acct>",
                      tail[] = "</Stmt></BkToCstmrStmt></Document>";
    static const char entry[] = "<Ntry><Amt Ccy=\"EUR\">1</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts></Ntry>";
    char *text = malloc(CAMT_BYTES_MAX);
    struct camt_file file;
    size_t len = 0;
    bool room;

    len += (size_t)sprintf(text, "%s", head);
    for (int i = 0; i < CAMT_PAYMENTS_MAX; i++)
        len += (size_t)sprintf(text + len, "%s", entry);
    strcpy(text + len, tail);
    room = camt_parse(text, strlen(text), &file, &why) == 0 && file.count == CAMT_PAYMENTS_MAX;
    camt_free(&file);
    sprintf(text + len, "%s%s", entry, tail);
    check(room && camt_parse(text, strlen(text), &file, &why) && strstr(why.text, "shorter period"),
          "a file has %d payments and not one more", CAMT_PAYMENTS_MAX);
    free(text);
}

static enum ledger_result end_one(const char *transfer, const char *receipt, const char *account)
{
    struct receipt_order order = { .transfer_id = transfer,
                                  .receipt_id = receipt,
                                  .operator_id = "op",
                                  .reason = "by hand",
                                  .account = account,
                                  .at_ms = 2 };

    return receipt_end(life.a.ledger, &order);
}

/* The entry of this amount that waits. */
static const char *waiting(int64_t nano)
{
    static char id[LEDGER_ID_BYTES];
    json_t *list = store_receipts(life.a.ledger, "suspense", 0, 100), *line;
    size_t i;

    id[0] = 0;
    json_array_foreach(list, i, line)
        if (strtoll(json_string_value(json_object_get(line, "amount_nano")), NULL, 10) == nano)
            snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(line, "entry_id")));
    json_decref(list);
    return id;
}

static void test_suspense(void)
{
    char one[LEDGER_ID_BYTES], two[LEDGER_ID_BYTES];

    start();
    gives("unmatched", 0, 5, 0, 0);
    strcpy(one, waiting(EUR));
    strcpy(two, waiting(2 * EUR));
    check(end_one("t1", one, ANN) == LEDGER_OK && have(EUR, 0, 14 * EUR), "the operator assigns an entry");
    check(end_one("t1", one, ANN) == LEDGER_EXISTS && have(EUR, 0, 14 * EUR), "the same again: nothing");
    check(end_one("t1", one, BOB) == LEDGER_EXISTS_DIFFERENT && end_one("t2", one, BOB) == LEDGER_CONFLICT &&
          end_one("t2", one, NULL) == LEDGER_CONFLICT && have(EUR, 0, 14 * EUR), "it is assigned once");
    check(end_one("t1", two, ANN) == LEDGER_EXISTS_DIFFERENT, "a transfer's id is for one entry");
    check(end_one("t3", two, NULL) == LEDGER_OK && posted(LEDGER_DEPOSITS_BANK) == -13 * EUR &&
          posted(LEDGER_SUSPENSE) == 12 * EUR, "another goes back to whom it came from");
    check(end_one("t3", two, NULL) == LEDGER_EXISTS && end_one("t4", two, ANN) == LEDGER_CONFLICT, "once");
    check(alerted("suspense"), "the operator hears that money waits");
    check(end_one("t5", "nothing", ANN) == LEDGER_NOT_FOUND &&
              end_one("t5", waiting(3 * EUR), "nobody") == LEDGER_NOT_FOUND,
          "an entry or an account that is not there is named");
    for (int64_t euros = 3; euros <= 5; euros++) {
        snprintf(one, sizeof(one), "t%jd", (intmax_t)(10 + euros));
        end_one(one, waiting(euros * EUR), ANN);
    }
    check(posted(LEDGER_SUSPENSE) == 0 && !alerted("suspense"), "when nothing waits any more the alert goes");
    check(gives("unmatched", 0, 0, 0, 5), "what was settled does not come back with its file");
    end();
}

static bool refuses(const char *sql)
{
    bool refused = db_run(life.a.ledger->db, sql, "") != 0;

    if (!refused)
        printf("# taken: %s\n", sql);
    return refused;
}

static void test_only_added(void)
{
    static const char *const tables[] = { "bank_import", "receipt", "receipt_end" };
    char sql[200];
    bool refused = true;

    start();
    import_as("i1", "unmatched");
    end_one("t1", waiting(EUR), ANN);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        snprintf(sql, sizeof(sql), "UPDATE %s SET at_ms = 0", tables[i]);
        refused = refuses(sql) && refused;
        snprintf(sql, sizeof(sql), "DELETE FROM %s", tables[i]);
        refused = refuses(sql) && refused;
        snprintf(sql, sizeof(sql), "REPLACE INTO %s SELECT * FROM %s", tables[i], tables[i]);
        refused = refuses(sql) && refused;
    }
    check(refused, "the database itself refuses to change, remove or replace what came");
    end();
}

static int countdown;

static int die_at(unsigned kind, void *arg, void *stmt, void *sql)
{
    (void)kind;
    (void)arg;
    (void)stmt;
    (void)sql;
    if (countdown-- == 0)
        _exit(42);
    return 0;
}

/* Imports in a child that ends before its n-th statement of SQL; true if it got through. */
static bool import_killed(int n)
{
    pid_t pid;
    int status;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        if (!life_reopen(&life))
            _exit(99);
        countdown = n;
        sqlite3_trace_v2(life.a.ledger->db, SQLITE_TRACE_STMT, die_at, NULL);
        _exit(import_as("killed", "batch-is-split") == LEDGER_OK ? 0 : 99);
    }
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) == 99)
        exit(99);
    return WEXITSTATUS(status) == 0;
}

static void test_killed(void)
{
    bool all_or_nothing = true, through = false;
    int n;

    start();
    accountd_close(&life.a);
    for (n = 0; !through && n < 1000 && all_or_nothing; n++) {
        through = import_killed(n);
        life.a = (struct accountd){ 0 };
        if (!life_reopen(&life))
            exit(99);
        all_or_nothing = through ? have(10 * EUR, 15 * EUR, 5 * EUR) : have(0, 0, 0);
        accountd_close(&life.a);
    }
    check(all_or_nothing && through && n > 20,
          "killed before each of its %d statements, an import is whole or not there", n - 1);
    if (!life_reopen(&life))
        exit(99);
    check(gives("batch-is-split", 0, 0, 0, 3), "and is booked once");
    end();
}

int main(void)
{
    test_matching();
    test_batches();
    test_same_again();
    test_import_ids();
    test_ignored();
    test_reversals();
    test_bad_files();
    test_deep();
    test_many();
    test_suspense();
    test_only_added();
    test_killed();
    json_decref(report);
    xmlCleanupParser();
    return tap_end();
}
