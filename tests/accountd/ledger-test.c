/* ledger.c against its contract: what applies, what is the same again, what is
 * refused; and the database's own refusals, should the code be wrong. */
#include "accountd/ledger/db.h"
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>

static struct ledger *ledger;

static enum ledger_result apply(const char *id, const char *kind, const char *debit, const char *credit, int64_t nano,
                                const char *pending)
{
    struct ledger_transfer t = { .id = id, .kind = kind, .debit = debit, .credit = credit, .amount_nano = nano,
                                 .pending_id = pending, .code = "usage", .reason = "test", .refers = "", .at_ms = 1 };
    enum ledger_result result;

    if (ledger_begin(ledger))
        return LEDGER_FAILED;
    result = ledger_apply_locked(ledger, &t);
    if (result == LEDGER_OK)
        return ledger_commit(ledger) ? LEDGER_FAILED : LEDGER_OK;
    ledger_rollback(ledger);
    return result;
}

static bool has(const char *account, int64_t posted, int64_t held)
{
    struct ledger_balance b = { -1, -1 };
    char name[129], currency[4];

    ledger_account(ledger, account, &b, name, currency);
    if (b.posted_nano != posted || b.held_nano != held)
        printf("# %s: posted %jd, held %jd\n", account, (intmax_t)b.posted_nano, (intmax_t)b.held_nano);
    return b.posted_nano == posted && b.held_nano == held;
}

static void test_accounts(void)
{
    check(ledger_account_open(ledger, "a", "Ann", "EUR", 1) == LEDGER_OK, "an account is opened");
    check(ledger_account_open(ledger, "a", "Ann", "EUR", 2) == LEDGER_EXISTS, "opened again, it exists");
    check(ledger_account_open(ledger, "a", "Bob", "EUR", 1) == LEDGER_EXISTS_DIFFERENT, "not under another name");
    check(ledger_account_open(ledger, "a", "Ann", "USD", 1) == LEDGER_EXISTS_DIFFERENT, "nor in another currency");
}

static void test_fund(void)
{
    check(ledger_fund(ledger, "f1", "nobody", 100, NULL, "voucher", 1) == LEDGER_NOT_FOUND, "nobody cannot be funded");
    check(ledger_fund(ledger, "f1", "a", 100, NULL, "voucher", 1) == LEDGER_OK && has("a", 100, 0), "a payment is posted");
    check(ledger_fund(ledger, "f1", "a", 100, NULL, "voucher", 99) == LEDGER_EXISTS && has("a", 100, 0),
          "the same payment again, later: nothing happens");
    check(ledger_fund(ledger, "f1", "a", 101, NULL, "voucher", 1) == LEDGER_EXISTS_DIFFERENT && has("a", 100, 0),
          "the same id with another amount is refused");
    check(ledger_fund(ledger, "f1", "a", 100, NULL, "refund", 1) == LEDGER_EXISTS_DIFFERENT, "with another reason too");
}

static void test_transfers(void)
{
    check(apply("t1", "posted", "a", "revenue:cpu_used", 60, NULL) == LEDGER_OK && has("a", 40, 0), "money moves");
    check(apply("t2", "posted", "a", "revenue:cpu_used", 41, NULL) == LEDGER_INSUFFICIENT && has("a", 40, 0),
          "never more than there is");
    check(apply("t2", "posted", "a", "nowhere", 1, NULL) == LEDGER_NOT_FOUND, "nor to an account that is not there");
    check(apply("t3", "posted", "a", "revenue:cpu_used", 40, NULL) == LEDGER_OK && has("a", 0, 0), "down to zero");
    check(has("revenue:cpu_used", 100, 0) && has("host:deposits:credit", -100, 0), "both sides are kept");
}

static void test_holds(void)
{
    ledger_fund(ledger, "f2", "a", 1000, NULL, "voucher", 1);
    check(apply("h1", "pending", "a", "host:holds", 300, NULL) == LEDGER_OK && has("a", 1000, 300), "a hold sets aside");
    check(apply("h2", "pending", "a", "host:holds", 701, NULL) == LEDGER_INSUFFICIENT, "held money is not there twice");
    check(apply("t4", "posted", "a", "revenue:cpu_used", 701, NULL) == LEDGER_INSUFFICIENT, "nor to be spent");
    check(apply("p1", "post", "a", "host:holds", 301, "h1") == LEDGER_CONFLICT, "no more is posted than was held");
    check(apply("p1", "post", "a", "revenue:cpu_used", 10, "h1") == LEDGER_CONFLICT, "nor elsewhere");
    check(apply("p1", "post", "a", "host:holds", 200, "nothing") == LEDGER_NOT_FOUND, "nor of a hold that is not there");
    check(apply("p1", "post", "a", "host:holds", 200, "h1") == LEDGER_OK && has("a", 800, 0),
          "part of it is posted, the rest is free again");
    check(apply("p1", "post", "a", "host:holds", 200, "h1") == LEDGER_EXISTS && has("a", 800, 0), "once");
    check(apply("v1", "void", "a", "host:holds", 300, "h1") == LEDGER_CONFLICT, "a hold ends once");
    apply("h3", "pending", "a", "host:holds", 50, NULL);
    check(apply("v3", "void", "a", "host:holds", 50, "h3") == LEDGER_OK && has("a", 800, 0), "a void gives it back");
    check(apply("v4", "void", "a", "host:holds", 50, "t1") == LEDGER_NOT_FOUND, "what was posted cannot be voided");
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
    check(ledger_register(ledger, &r, 300, 1, &held, &room) == LEDGER_EXISTS_DIFFERENT, "with more vCPUs it is another");
    r.incarnation[0] = '3';
    check(ledger_register(ledger, &r, 600, 1, &held, &room) == LEDGER_OK && held == 600 && has("a", 800, 600),
          "the next incarnation tops the hold up");
    r.incarnation[0] = '4';
    check(ledger_register(ledger, &r, 100, 1, &held, &room) == LEDGER_OK && held == 600, "a smaller one keeps it");
    ledger_account_open(ledger, "b", "Bob", "EUR", 1);
    r.incarnation[0] = '5';
    strcpy(r.account, "b");
    check(ledger_register(ledger, &r, 0, 1, &held, &room) == LEDGER_CONFLICT, "another account cannot have the instance");
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

    check(ledger_price_book(ledger, 0, &book, &body) == LEDGER_OK && book.version == 1, "the newest price book is found");
    check(price_book_first(ledger, 1, body, 9) == LEDGER_EXISTS, "published again, it exists");
    changed = strdup(body);
    *strstr(changed, "250") = '3';
    check(price_book_first(ledger, 1, changed, 9) == LEDGER_EXISTS_DIFFERENT, "a version never changes");
    free(changed);
    free(body);
    check(ledger_price_book(ledger, 7, &book, &body) == LEDGER_NOT_FOUND, "there is no version 7");
}

/* Statements that must fail whatever the code above them does. */
static const char *const forbidden[] = {
    "UPDATE transfer SET amount_nano = 1",
    "DELETE FROM transfer",
    "UPDATE account SET overdraft = 1 WHERE account_id = 'a'",
    "DELETE FROM account WHERE account_id = 'b'",
    "UPDATE price_book SET body = '{}'",
    "DELETE FROM price_book",
    "INSERT INTO transfer VALUES (NULL, 'x1', 'posted', 'a', 'revenue:cpu_used', 801, NULL, 'c', 'r', '', 1, NULL)",
    "INSERT INTO transfer VALUES (NULL, 'x2', 'posted', 'a', 'a', 1, NULL, 'c', 'r', '', 1, NULL)",
    "INSERT INTO transfer VALUES (NULL, 'x3', 'posted', 'a', 'b', 0, NULL, 'c', 'r', '', 1, NULL)",
    "INSERT INTO transfer VALUES (NULL, 'x4', 'posted', 'a', 'b', -5, NULL, 'c', 'r', '', 1, NULL)",
    "INSERT INTO transfer VALUES (NULL, 'x5', 'posted', 'a', 'c', 1, NULL, 'c', 'r', '', 1, NULL)",
    "INSERT INTO transfer VALUES (NULL, 'f2', 'posted', 'host:deposits:credit', 'a', 1000, NULL, 'c', 'r', '', 1, NULL)",
    "INSERT INTO transfer VALUES (NULL, 'x6', 'pending', 'a', 'host:holds', 801, NULL, 'c', 'r', '', 1, NULL)",
    "INSERT INTO transfer VALUES (NULL, 'x7', 'post', 'a', 'host:holds', 1, 'h1', 'c', 'r', '', 1, NULL)",
    "INSERT INTO transfer VALUES (NULL, 'x8', 'void', 'a', 'host:holds', 1, NULL, 'c', 'r', '', 1, NULL)",
    "INSERT INTO transfer VALUES (NULL, 'x9', 'posted', 'host:deposits:credit', 'a', 9223372036854775807, NULL, 'c', 'r', '', 1, NULL)",
};

static void test_database_refuses(void)
{
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
        char *error = NULL;

        check(sqlite3_exec(ledger->db, forbidden[i], NULL, NULL, &error) != SQLITE_OK && has("a", 800, 0),
              "the database refuses: %.60s... (%s)", forbidden[i], error ? error : "");
        sqlite3_free(error);
    }
}

int main(void)
{
    struct life life;

    life_begin(&life);
    ledger = life.a.ledger;
    test_accounts();
    test_fund();
    test_transfers();
    test_holds();
    test_registration();
    test_price_books();
    test_database_refuses();
    check(life_is_sound(&life), "every balance is the sum of its transfers");
    life_end(&life);
    return tap_end();
}
