/* Pages of what accountd keeps: with many times the rows SQLite does as many steps for one, whoever asks, and no
 * statement walks or sorts what grows (tests/tap/plan_spy.h). */
#include "accountd/cap/alerts.h"
#include "accountd/dispute/store.h"
#include "accountd/funding/store.h"
#include "accountd/ledger/db.h"
#include "accountd/ledger/deposits.h"
#include "accountd/ledger/invoices.h"
#include "accountd/ledger/registry.h"
#include "accountd/store.h"
#include "tests/accountd/life.h"
#include "tests/tap/plan_spy.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FEW 1000
#define MANY 50000
#define PAGE 10
#define GROWS_MAX 200                   /* steps: an index that is a level deeper */

static struct life life;
static char spied[80];

static void run(sqlite3 *db, const char *sql)
{
    char *why = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK) {
        fprintf(stderr, "%s: %s\n", why, sql);
        exit(99);
    }
}

/* Rows of ann, who has one in a hundred, and of bob, from n on to m. */
#define NUMBERS "WITH RECURSIVE numbers (n) AS (SELECT %d UNION ALL SELECT n + 1 FROM numbers WHERE n < %d) "
#define WHO     "iif(n % 100 = 0, 'ann', 'bob')"

static void ledger_fill(int from, int to)
{
    static const char *const inserts[] = {
        "INSERT INTO alert SELECT n, 'k' || n, 'balance', " WHO ", 's', 'd', n, iif(n % 200 = 0, NULL, n) FROM numbers",
        "INSERT INTO invoice (number, invoice_id, account_id, origin, from_idx, to_idx, carried_nano, body, head_note)"
        " SELECT n, 'inv' || n, " WHO ", 'o', n, n + 1, 0, '{}', '' FROM numbers",
        "INSERT INTO dispute SELECT n, 'dsp' || n, " WHO ", 'inv' || n, 0, '{}', n, '{}', '' FROM numbers",
        "INSERT INTO receipt SELECT n, 'rct' || n, 'bank', 'o', 's', 'r' || n, 't' || n, '2026-01-01', 1, 'EUR', '', '', '',"
        " iif(n % 100 = 0, 'suspense', 'credited'), '', iif(n % 100 = 0, NULL, 'ann'), 'trf' || n, n FROM numbers",
        "INSERT INTO instance (instance_id, account_id, hold_seq, closed, number)"
        " SELECT 'ins' || n, " WHO ", 0, n % 1000 <> 0, n FROM numbers",
        "INSERT INTO purchase_order (po_id, account_id, name, amount_nano, created_ms, funded_nano, returns, number)"
        " SELECT 'po' || n, " WHO ", 'p', 1, n, 1, 0, n FROM numbers",
        "INSERT INTO balance (account_id, overdraft) SELECT 'po:po' || n, 0 FROM numbers",
        "INSERT INTO transfer (transfer_id, kind, debit, credit, amount_nano, code, reason, refers, at_ms)"
        " SELECT 'trf' || n, 'posted', iif(n % 100 = 0, 'host:deposits:bank', 'host:x'), " WHO ", 1, iif(n % 100 = 0, 'bank', 'usage'), '', '', n FROM numbers",
    };

    run(life.a.ledger->db, "PRAGMA foreign_keys = OFF");
    for (size_t i = 0; i < sizeof(inserts) / sizeof(inserts[0]); i++) {
        char sql[900];
        int used = snprintf(sql, sizeof(sql), NUMBERS, from, to);

        snprintf(sql + used, sizeof(sql) - (size_t)used, "%s", inserts[i]);
        run(life.a.ledger->db, sql);
    }
}

/* ann has an instance of little and one of much; and the host's own leaves. */
static void log_fill(int from, int to)
{
    char path[128], sql[900];
    sqlite3 *db;

    snprintf(path, sizeof(path), "%s/usage.db", life.dir);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        exit(99);
    snprintf(sql, sizeof(sql), NUMBERS "INSERT INTO leaf (idx, type, account, instance, incarnation, number, bytes, hash)"
             " SELECT n, iif(n %% 10, 'usage', 'books'), iif(n %% 10, 'ann', NULL), iif(n %% 10, iif(n %% 100 = 1, 'few',"
             " 'much'), NULL), iif(n %% 10, 'i' || (n %% 100 = 1), NULL), iif(n %% 10, n, NULL), 'x', zeroblob(32)"
             " FROM numbers", from, to);
    run(db, sql);
    sqlite3_close(db);
}

static int rows;

static int seen_dispute(void *arg, const struct dispute_row *row)
{
    (void)arg, (void)row;
    rows++;
    return 0;
}

static int seen_invoice(void *arg, const struct ledger_invoice *row)
{
    (void)arg, (void)row;
    rows++;
    return 0;
}

static int seen_leaf(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    (void)arg, (void)idx, (void)type, (void)leaf;
    rows++;
    return 0;
}

static int seen_transfer(void *arg, const struct ledger_transfer *transfer)
{
    (void)arg, (void)transfer;
    rows++;
    return 0;
}

static void seen_list(json_t *list)
{
    rows += (int)json_array_size(list);
    json_decref(list);
}

static void alerts_all(void) { seen_list(alert_list(life.a.ledger, NULL, false, 0, PAGE)); }
static void alerts_own(void) { seen_list(alert_list(life.a.ledger, "ann", false, 0, PAGE)); }
static void alerts_standing(void) { seen_list(alert_list(life.a.ledger, NULL, true, 200, PAGE)); }
static void alerts_own_standing(void) { seen_list(alert_list(life.a.ledger, "ann", true, 200, PAGE)); }
static void alerts_none(void) { seen_list(alert_list(life.a.ledger, "carl", true, 0, PAGE)); }
static void receipts_all(void) { seen_list(store_receipts(life.a.ledger, NULL, 0, PAGE)); }
static void receipts_credited(void) { seen_list(store_receipts(life.a.ledger, "credited", 0, PAGE)); }
static void receipts_suspense(void) { seen_list(store_receipts(life.a.ledger, "suspense", 0, PAGE)); }
static void receipts_ignored(void) { seen_list(store_receipts(life.a.ledger, "ignored", 0, PAGE)); }
static void disputes_all(void) { dispute_each(life.a.ledger, NULL, 0, PAGE, seen_dispute, NULL); }
static void disputes_own(void) { dispute_each(life.a.ledger, "ann", 100, PAGE, seen_dispute, NULL); }
static void disputes_none(void) { dispute_each(life.a.ledger, "carl", 0, PAGE, seen_dispute, NULL); }
static void invoices_all(void) { ledger_each_invoice(life.a.ledger, NULL, 0, PAGE, seen_invoice, NULL); }
static void invoices_own(void) { ledger_each_invoice(life.a.ledger, "ann", 100, PAGE, seen_invoice, NULL); }
static void leaves_all(void) { store_each_leaf(life.a.store, NULL, NULL, 0, MANY, PAGE, seen_leaf, NULL); }
static void leaves_own(void) { store_each_leaf(life.a.store, "ann", NULL, 0, MANY, PAGE, seen_leaf, NULL); }
static void leaves_few(void) { store_each_leaf(life.a.store, "ann", "few", 100, MANY, 5, seen_leaf, NULL); }
static void leaves_none(void) { store_each_leaf(life.a.store, "ann", "none", 0, MANY, PAGE, seen_leaf, NULL); }
static void deposits(void) { seen_list(deposits_list(life.a.ledger, 0, PAGE)); }
static void deposit_newest(void) { rows = (int)deposits_newest(life.a.ledger); }
static void books(void) { store_newest_host_leaves(life.a.store, "books", 900, PAGE, seen_leaf, NULL); }

static int seen_instance(void *arg, const struct ledger_instance *instance)
{
    (void)arg, (void)instance;
    rows++;
    return 0;
}

static int seen_order(void *arg, const struct purchase_order *order)
{
    (void)arg, (void)order;
    rows++;
    return 0;
}

static void instances_own(void) { ledger_each_instance(life.a.ledger, "ann", 0, PAGE, seen_instance, NULL); }
static void instances_later(void) { ledger_each_instance(life.a.ledger, "bob", 500, PAGE, seen_instance, NULL); }
static void instances_open(void) { ledger_each_open_instance(life.a.ledger, "bob", seen_instance, NULL); }
static void orders_own(void) { purchase_order_each(life.a.ledger, "ann", 0, PAGE, seen_order, NULL); }
static void orders_later(void) { purchase_order_each(life.a.ledger, "bob", 500, PAGE, seen_order, NULL); }

static void entries(const char *account, bool newest)
{
    ledger_each_transfer(life.a.ledger, &(struct ledger_walk){ .account = account, .newest_first = newest, .moves = newest,
                                                               .limit = PAGE }, seen_transfer, NULL);
}
static void entries_own(void) { entries("ann", true); }
static void entries_host(void) { entries("host:x", false); }
static void entries_none(void) { entries("carl", true); }

static const struct {
    const char *name;
    void (*ask)(void);
    int rows;
} lists[] = {
    { "alerts", alerts_all, PAGE }, { "a customer's alerts", alerts_own, PAGE }, { "alerts that stand", alerts_standing, 4 },
    { "a customer's that stand", alerts_own_standing, 4 }, { "those of one who has none", alerts_none, 0 },
    { "receipts", receipts_all, PAGE }, { "credited ones", receipts_credited, PAGE },
    { "those in suspense", receipts_suspense, PAGE }, { "ignored ones, of which there is none", receipts_ignored, 0 },
    { "disputes", disputes_all, PAGE }, { "a customer's disputes", disputes_own, 9 },
    { "those of one who has none", disputes_none, 0 }, { "invoices", invoices_all, PAGE },
    { "a customer's invoices", invoices_own, 9 }, { "leaves", leaves_all, PAGE }, { "a customer's leaves", leaves_own, PAGE },
    { "an instance's records, few among many", leaves_few, 5 }, { "an instance without any", leaves_none, 0 },
    { "the host's books", books, PAGE }, { "deposits", deposits, PAGE - 1 }, { "the newest deposit", deposit_newest, 1 }, { "a wallet's entries", entries_own, PAGE },
    { "a customer's instances", instances_own, PAGE }, { "older ones", instances_later, PAGE },
    { "those that run, of which there is none", instances_open, 0 },
    { "a customer's purchase orders", orders_own, PAGE }, { "older ones", orders_later, PAGE },
    { "an account's transfers", entries_host, PAGE }, { "an account without any", entries_none, 0 },
};
#define LISTS (sizeof(lists) / sizeof(lists[0]))

static long steps_of(size_t i, long *spied_to)
{
    plan_spy_steps(spied, spied_to);
    rows = 0;
    lists[i].ask();
    if (rows < lists[i].rows)
        check(false, "%s: %d rows", lists[i].name, rows);
    return plan_spy_steps(spied, spied_to);
}

static void test_growth(void)
{
    long few[LISTS], spied_to = 0;

    life_account(&life, "ann", 1000);
    life_account(&life, "bob", 1000);
    ledger_fill(1, FEW);
    log_fill(11, FEW);                  /* the first ones are accountd's own */
    for (size_t i = 0; i < LISTS; i++)
        few[i] = steps_of(i, &spied_to);
    ledger_fill(FEW + 1, MANY);
    log_fill(FEW + 1, MANY);
    for (size_t i = 0; i < LISTS; i++) {
        long many = steps_of(i, &spied_to);

        check(few[i] > 0 && many <= few[i] + GROWS_MAX, "%s: %ld steps of %d rows, %ld of %d", lists[i].name, few[i], FEW,
              many, MANY);
    }
}

/* accountd opens its books before: what it reads then, it reads once. */
static void test_plans(void)
{
    static const char *const bounded[] = { NULL };
    int64_t ignored;

    check(plan_spy_bad(spied, bounded) == 0, "no list walks or sorts what grows");
    db_int(life.a.ledger->db, &ignored, "SELECT number FROM alert WHERE detail = 'x'", "");
    check(plan_spy_bad(spied, bounded) == 1, "one that does is seen");
}

int main(void)
{
    life_begin(&life);
    snprintf(spied, sizeof(spied), "%s/plans", life.dir);
    plan_spy_begin(spied);
    test_growth();
    test_plans();
    life_end(&life);
    return tap_end();
}
