/* What stands on the ledger's verbs (registrations, price books, credit), and
 * the SQLite driver where the verbs cannot show it: what the database itself
 * refuses, should the code be wrong, and that a balance changed behind its back is
 * found. The verbs' own test is ledger-conformance.c. */
#include "accountd/ledger/db.h"
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>

static struct life life;
static struct ledger *ledger;

static enum ledger_result apply(const char *id, const char *kind, const char *debit, const char *credit, int64_t nano,
                                const char *pending)
{
    return ledger_apply(ledger, &(struct ledger_transfer){ .id = id, .kind = kind, .debit = debit, .credit = credit,
                                                           .amount_nano = nano, .pending_id = pending, .code = "usage",
                                                           .reason = "test", .refers = "", .at_ms = 1 });
}

static bool has(const char *account, int64_t posted, int64_t held)
{
    struct ledger_account a = { .balance = { -1, -1 } };

    ledger_account_get(ledger, account, &a);
    if (a.balance.posted_nano != posted || a.balance.held_nano != held)
        printf("# %s: posted %jd, held %jd\n", account, (intmax_t)a.balance.posted_nano, (intmax_t)a.balance.held_nano);
    return a.balance.posted_nano == posted && a.balance.held_nano == held;
}

static void test_fund(void)
{
    life_account(&life, "a", 0);
    check(ledger_fund(ledger, "f1", "nobody", 1000, NULL, "sorry", 1) == LEDGER_NOT_FOUND,
          "nobody cannot be given credit");
    check(ledger_fund(ledger, "f1", "a", 1000, NULL, "sorry", 1) == LEDGER_OK && has("a", 1000, 0) &&
          has(LEDGER_DEPOSITS_CREDIT, -1000, 0), "credit is given");
    check(ledger_fund(ledger, "f1", "a", 1000, NULL, "sorry", 99) == LEDGER_EXISTS && has("a", 1000, 0), "once");
    check(ledger_fund(ledger, "f1", "a", 1000, NULL, "refund", 1) == LEDGER_EXISTS_DIFFERENT, "for one reason");
    check(ledger_fund(ledger, "f1", "a", 1000, "op", "sorry", 1) == LEDGER_EXISTS_DIFFERENT, "by one operator");
    check(apply("t1", "posted", "a", "revenue:cpu_used", 200, NULL) == LEDGER_OK &&
          apply("h1", "pending", "a", LEDGER_HOLDS, 300, NULL) == LEDGER_OK &&
          apply("v1", "void", "a", LEDGER_HOLDS, 300, "h1") == LEDGER_OK && has("a", 800, 0), "and used");
}

static void test_registration(void)
{
    struct ledger_registration r = { .account = "a", .instance = "i", .incarnation = "11111111111111111111111111111111",
                                     .domain_uuid = "22222222222222222222222222222222", .reserved = { 1, 64 },
                                     .price_book = 1 }, got;
    int64_t held = 0, room = 0;

    check(ledger_register(ledger, &r, 801, 1, &held, &room) == LEDGER_INSUFFICIENT && room == 800,
          "a hold that is too large says what there is");
    check(ledger_registration(ledger, r.incarnation, &got) == LEDGER_NOT_FOUND && has("a", 800, 0),
          "and nothing has been registered");
    check(ledger_register(ledger, &r, 300, 1, &held, &room) == LEDGER_OK && held == 300 && has("a", 800, 300),
          "registered with its hold");
    check(ledger_register(ledger, &r, 500, 1, &held, &room) == LEDGER_EXISTS && held == 300 && has("a", 800, 300),
          "again, it is the same");
    r.reserved.vcpus = 2;
    check(ledger_register(ledger, &r, 300, 1, &held, &room) == LEDGER_EXISTS_DIFFERENT,
          "with more vCPUs it is another");
    r.incarnation[0] = '3';
    check(ledger_register(ledger, &r, 600, 1, &held, &room) == LEDGER_OK && held == 600 && has("a", 800, 600),
          "the next incarnation tops the hold up");
    r.incarnation[0] = '4';
    check(ledger_register(ledger, &r, 100, 1, &held, &room) == LEDGER_OK && held == 600, "a smaller one keeps it");
    ledger_account_open(ledger, "b", "Bob", "EUR", 1);
    r.incarnation[0] = '5';
    strcpy(r.account, "b");
    check(ledger_register(ledger, &r, 0, 1, &held, &room) == LEDGER_CONFLICT,
          "another account cannot have the instance");
    strcpy(r.account, "a");
    check(ledger_instance_close(ledger, "i") == LEDGER_OK && ledger_instance_close(ledger, "i") == LEDGER_EXISTS,
          "closed, and again");
    check(ledger_register(ledger, &r, 0, 1, &held, &room) == LEDGER_CONFLICT, "closed, it takes no more incarnations");
    check(ledger_instance_close(ledger, "j") == LEDGER_NOT_FOUND, "what is not known cannot be closed");
    check(ledger_release_hold(ledger, "i", 1) == LEDGER_OK && has("a", 800, 0), "its hold is released");
    check(ledger_release_hold(ledger, "i", 1) == LEDGER_OK && has("a", 800, 0), "once");
}

static void test_price_books(void)
{
    struct rate_book book;
    char *body = NULL, *changed;

    check(ledger_price_book(ledger, 0, &book, &body) == LEDGER_OK && book.version == 1,
          "the newest price book is found");
    check(price_book_first(ledger, 1, body, 9) == LEDGER_EXISTS, "published again, it exists");
    changed = strdup(body);
    *strstr(changed, "250") = '3';
    check(price_book_first(ledger, 1, changed, 9) == LEDGER_EXISTS_DIFFERENT, "a version never changes");
    free(changed);
    free(body);
    check(ledger_price_book(ledger, 7, &book, &body) == LEDGER_NOT_FOUND, "there is no version 7");
}

/* Statements that must fail whatever the code above them does, and what SQLite says then. */
#define ENTRY                                                                                                          \
    "INSERT INTO transfer (transfer_id, kind, debit, credit, amount_nano, pending_id, expires_ms, code, reason,"       \
    " refers, at_ms) SELECT "
#define REST  ", 'c', 'r', '', 1"
static const struct {
    const char *sql, *says;
} forbidden[] = {
    {"UPDATE transfer SET amount_nano = 1", "never changed"},
    {"UPDATE transfer SET reason = 'another' WHERE transfer_id = 'f1'", "never changed"},
    {"DELETE FROM transfer", "never removed"},
    {"REPLACE INTO transfer SELECT * FROM transfer WHERE transfer_id = 't1'", "never replaced"},
    {"REPLACE INTO account SELECT * FROM account WHERE account_id = 'b'", "never replaced"},
    {"REPLACE INTO price_book SELECT version, '{}', at_ms FROM price_book", "never replaced"},
    {"UPDATE account SET overdraft = 1 WHERE account_id = 'a'", "never changed"},
    {"DELETE FROM account WHERE account_id = 'b'", "never removed"},
    {"UPDATE price_book SET body = '{}'", "never changed"},
    {"DELETE FROM price_book", "never removed"},
    {ENTRY "'x1', 'posted', 'a', 'revenue:cpu_used', 801, NULL, NULL" REST, "overdraft = 1 OR posted_nano"},
    {ENTRY "'x2', 'posted', 'a', 'a', 1, NULL, NULL" REST, "debit <> credit"},
    {ENTRY "'x3', 'posted', 'a', 'b', 0, NULL, NULL" REST, "amount_nano > 0"},
    {ENTRY "'x4', 'posted', 'a', 'b', -5, NULL, NULL" REST, "amount_nano > 0"},
    {ENTRY "'x5', 'posted', 'a', 'nobody', 1, NULL, NULL" REST, "FOREIGN KEY"},
    {ENTRY "'f1', 'posted', 'host:suspense', 'a', 1000, NULL, NULL" REST, "never replaced"},
    {ENTRY "'x6', 'pending', 'a', 'host:holds', 801, NULL, NULL" REST, "overdraft = 1 OR posted_nano"},
    {ENTRY "'x7', 'post', 'a', 'host:holds', 300, 'h1', NULL" REST, "a hold ends once"},
    {"REPLACE INTO transfer SELECT NULL, 'x7', kind, debit, credit, amount_nano, pending_id, code, reason, refers, "
     "at_ms,"
     " NULL FROM transfer WHERE transfer_id = 'v1'",
     "a hold ends once"},
    {ENTRY "'x7', 'post', 'a', 'host:holds', 1, 't1', NULL" REST, "not a hold"},
    {ENTRY "'x8', 'void', 'a', 'host:holds', 1, NULL, NULL" REST, "pending_id IS NOT NULL"},
    {ENTRY "'x9', 'posted', 'host:suspense', 'a', 9223372036854775807, NULL, NULL" REST, "cannot store REAL"},
    {ENTRY "'x9', 'posted', 'host:suspense', 'a', 1.5, NULL, NULL" REST, "cannot store REAL"},
    {ENTRY "'x9', 'posted', 'host:suspense', 'a', 1, NULL, 5" REST, "expires_ms IS NULL"},
    {ENTRY "'x9', 'given', 'host:suspense', 'a', 1, NULL, NULL" REST, "kind IN"},
};

static void test_database_refuses(void)
{
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
        char *error = NULL;
        int rc = sqlite3_exec(ledger->db, forbidden[i].sql, NULL, NULL, &error);

        check(rc != SQLITE_OK && error && strstr(error, forbidden[i].says) && has("a", 800, 0),
              "the database refuses: %.70s... (%s)", forbidden[i].sql, error ? error : "");
        sqlite3_free(error);
    }
}

static int count_ten(void *arg)
{
    ++*(unsigned *)arg;
    return 0;
}

static int no_more(void *arg, const struct ledger_transfer *transfer)
{
    (void)arg;
    (void)transfer;
    return 0;
}

/* SQLite's steps, in tens, for the newest page of the account. */
static unsigned page_steps(const char *account)
{
    struct ledger_walk walk = { .account = account, .newest_first = true, .limit = 5 };
    unsigned tens = 0;

    sqlite3_progress_handler(ledger->db, 10, count_ten, &tens);
    if (ledger_each_transfer(ledger, &walk, no_more, NULL))
        exit(99);
    sqlite3_progress_handler(ledger->db, 0, NULL, NULL);
    return tens;
}

static void test_page(void)
{
    unsigned before, after;

    life_account(&life, "page", 1000);
    for (int i = 0; i < 10; i++)
        apply((char[12]){ 'p', 'a', 'g', 'e', (char)('0' + i) }, "posted", "page", "revenue:cpu_used", 1, NULL);
    before = page_steps("page");
    for (int i = 0; i < 100; i++)
        apply((char[12]){ 'm', 'o', 'r', 'e', (char)('0' + i / 10), (char)('0' + i % 10) }, "posted", "page",
              "revenue:cpu_used", 1, NULL);
    after = page_steps("page");
    check(before && after <= before + 1 && has("page", 890, 0),
          "a page costs the same after 110 entries as after 10 (%u and %u steps)", 10 * after, 10 * before);
}

/* A statement of someone else's, with the file open elsewhere. */
static void behind(const char *sql)
{
    char path[128];
    sqlite3 *db;

    snprintf(path, sizeof(path), "%s/ledger.db", life.dir);
    if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        exit(99);
    sqlite3_close(db);
}

static bool differs(const char *wanted)
{
    char account[LEDGER_ACCOUNT_BYTES] = "";

    return ledger_audit(ledger, account) == LEDGER_CONFLICT && strcmp(account, wanted) == 0;
}

static void test_audit(void)
{
    char account[LEDGER_ACCOUNT_BYTES];

    check(ledger_audit(ledger, account) == LEDGER_OK, "every balance is the sum of its entries");
    behind("UPDATE balance SET posted_nano = posted_nano + 1 WHERE account_id = 'revenue:cpu_used'");
    check(differs("revenue:cpu_used"), "a balance changed behind the ledger's back is found");
    behind("UPDATE balance SET held_nano = held_nano + 1 WHERE account_id = 'a'");
    check(differs("a"), "what is held too; the first is named");
    check(!life_reopen(&life), "and the ledger does not open (above)");
    behind("UPDATE balance SET posted_nano = posted_nano - 1 WHERE account_id = 'revenue:cpu_used';"
           "UPDATE balance SET held_nano = held_nano - 1 WHERE account_id = 'a'");
    check(life_reopen(&life), "put right, it does");
    ledger = life.a.ledger;
    behind("UPDATE balance SET overdraft = 1 WHERE account_id = 'a'");
    check(differs("a"), "an account that may suddenly overdraw is found");
    behind("UPDATE balance SET overdraft = 0 WHERE account_id = 'a'");
    behind("DROP TRIGGER transfer_no_delete; DELETE FROM transfer WHERE transfer_id = 't1'");
    check(differs("a"), "an entry that is gone is found");
}

int main(void)
{
    life_begin(&life);
    ledger = life.a.ledger;
    test_fund();
    test_registration();
    test_price_books();
    test_database_refuses();
    test_page();
    check(life_is_sound(&life), "every balance is the sum of its transfers");
    test_audit();
    life_end(&life);
    return tap_end();
}
