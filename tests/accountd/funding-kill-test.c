/* Card payments and vouchers killed before each statement of SQL: what was done
 * is whole or not there, and done again it comes out as if nothing had happened. */
#include "accountd/funding/payment.h"
#include "accountd/funding/voucher.h"
#include "accountd/ledger/db.h"
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CENT 10000000ll

static struct life life;
static const uint8_t key[VOUCHER_KEY_BYTES] = { 7 };

static bool event(const char *body)
{
    char outcome[PAYMENT_OUTCOME_BYTES];
    struct webhook_event parsed;
    struct json_why why;
    enum ledger_result result;

    if (webhook_parse(body, strlen(body), &parsed, &why))
        return false;
    result = payment_apply(life.a.ledger, "EUR", &parsed, body, 1, outcome);
    return result == LEDGER_OK || result == LEDGER_EXISTS;
}

/* 50 euros come for nobody, then for ann; 20 of them go back. */
static bool pay(void)
{
    return event("{\"id\":\"evt_1\",\"type\":\"payment_intent.succeeded\",\"data\":{\"object\":{\"id\":\"pi_1\","
                 "\"amount_received\":5000,"
                 "\"currency\":\"eur\",\"metadata\":{}}}}") &&
           event("{\"id\":\"evt_2\",\"type\":\"checkout.session.completed\",\"data\":{\"object\":{\"id\":\"cs_1\","
                 "\"payment_intent\":\"pi_1\","
                 "\"payment_status\":\"paid\",\"amount_total\":5000,\"currency\":\"eur\",\"metadata\":{\"account_id\":"
                 "\"ann\"}}}}") &&
           event("{\"id\":\"evt_3\",\"type\":\"charge.refunded\",\"data\":{\"object\":{\"id\":\"ch_1\",\"payment_"
                 "intent\":\"pi_1\","
                 "\"amount_refunded\":2000,\"currency\":\"eur\"}}}");
}

static bool pay_is_whole(bool done)
{
    int64_t ann = life_posted(&life, "ann"), suspense = life_posted(&life, LEDGER_SUSPENSE);

    if (done)
        return ann == 3000 * CENT && suspense == 0;
    return (ann == 0 && (suspense == 0 || suspense == 5000 * CENT)) ||
           (suspense == 0 && (ann == 5000 * CENT || ann == 3000 * CENT));
}

static bool redeem(void)
{
    struct voucher_order order = { .voucher_id = "v", .operator_id = "op", .amount_nano = 500 * CENT, .at_ms = 1 };
    enum ledger_result result;
    char code[VOUCHER_CODE_BYTES];
    int64_t nano;

    result = voucher_create(life.a.ledger, key, &order, code);
    if (result != LEDGER_OK && result != LEDGER_EXISTS)
        return false;
    result = voucher_redeem(life.a.ledger, "r1", "ann", code, 1, &nano);
    return (result == LEDGER_OK || result == LEDGER_EXISTS) &&
           voucher_redeem(life.a.ledger, "r2", "ann", code, 1, &nano) == LEDGER_CONFLICT;
}

static bool redeem_is_whole(bool done)
{
    int64_t ann = life_posted(&life, "ann");

    return ann == 500 * CENT || (!done && ann == 0);
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

static void reopen(void)
{
    life.a = (struct accountd){ 0 };
    if (!life_reopen(&life))
        exit(99);
}

/* Runs it in a child that ends before its n-th statement; true if it got through. */
static bool killed_at(bool (*act)(void), int n)
{
    pid_t pid;
    int status;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        reopen();
        countdown = n;
        sqlite3_trace_v2(life.a.ledger->db, SQLITE_TRACE_STMT, die_at, NULL);
        _exit(act() ? 0 : 99);
    }
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) == 99)
        exit(99);
    return WEXITSTATUS(status) == 0;
}

/* From a new ledger each time: killed, looked at, done again, looked at. */
static bool survives(bool (*act)(void), bool (*is_whole)(bool done), int n, bool *through)
{
    char account[LEDGER_ACCOUNT_BYTES];
    bool good;

    life_begin(&life);
    ledger_account_open(life.a.ledger, "ann", "Ann", "EUR", 1);
    accountd_close(&life.a);
    *through = killed_at(act, n);
    reopen();
    good = is_whole(*through) && ledger_audit(life.a.ledger, account) == LEDGER_OK;
    good = good && act() && is_whole(true) && ledger_audit(life.a.ledger, account) == LEDGER_OK;
    life_end(&life);
    return good;
}

static void test_kills(const char *what, bool (*act)(void), bool (*is_whole)(bool done))
{
    bool good = true, through = false;
    int n;

    for (n = 0; good && !through && n < 1000; n++)
        good = survives(act, is_whole, n, &through);
    check(good && through && n > 10, "%s: killed before each of %d statements", what, n - 1);
}

int main(void)
{
    test_kills("a card payment and its refund", pay, pay_is_whole);
    test_kills("a voucher", redeem, redeem_is_whole);
    return tap_end();
}
