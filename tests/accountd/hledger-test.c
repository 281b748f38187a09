/* The journal against hledger itself: it finds nothing wrong, and its balances
 * are the ledger's. */
#include "accountd/ledger/hledger.h"
#include "accountd/ledger/purchase_orders.h"
#include "common/json.h"
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct life life;
static char path[128];

static bool keep(const char *account, int64_t to_seq)
{
    char *text = hledger_journal(life.a.ledger, account, to_seq);
    FILE *out = fopen(path, "we");

    if (!text || !out)
        exit(99);
    fputs(text, out);
    free(text);
    return fclose(out) == 0;
}

/* hledger's own verdict; what it says stays below the check. */
static bool passes(void)
{
    char command[256];

    snprintf(command, sizeof(command), "LC_ALL=C hledger -f %s check --strict accounts commodities ordereddates 2>&1",
             path);
    return system(command) == 0;
}

/* hledger's balance of one account, its sub-accounts apart, in nano. */
static int64_t told(const char *account)
{
    char command[320], line[256] = "", *digits;
    int64_t whole = 0, nano = 0;
    FILE *in;

    snprintf(command, sizeof(command),
             "LC_ALL=C hledger -f %s balance --flat -N -O csv -E 'acct:^%s$' | sed -n 's/\"//g; 2s/.*EUR //p'", path,
             account);
    in = popen(command, "re");
    if (!in || !fgets(line, sizeof(line), in)) {
        if (in)
            pclose(in);
        return INT64_MIN;
    }
    pclose(in);
    digits = strchr(line, '.');
    whole = strtoll(line, NULL, 10) * 1000000000;
    nano = digits ? strtoll(digits + 1, NULL, 10) : 0;
    return whole + (line[0] == '-' ? -nano : nano);
}

static bool tells(const char *account, int64_t nano)
{
    int64_t got = told(account);

    if (got != nano)
        printf("# %s: hledger %jd, the ledger %jd\n", account, (intmax_t)got, (intmax_t)nano);
    return got == nano;
}

static struct ledger_balance of(const char *account)
{
    struct ledger_account a = { .currency = "" };

    if (ledger_account_get(life.a.ledger, account, &a) != LEDGER_OK)
        exit(99);
    return a.balance;
}

static void apply(const char *id, const char *kind, const char *debit, const char *credit, int64_t nano,
                  const char *pending, int64_t at_ms, const char *reason)
{
    if (ledger_apply(life.a.ledger, &(struct ledger_transfer){.id = id,
                                                              .kind = kind,
                                                              .debit = debit,
                                                              .credit = credit,
                                                              .amount_nano = nano,
                                                              .pending_id = pending,
                                                              .code = "usage",
                                                              .reason = reason,
                                                              .refers = "a; b",
                                                              .at_ms = at_ms}) != LEDGER_OK)
        exit(99);
}

/* Two customers, a purchase order, a guest that runs on each, holds, and days that run backwards. */
static void live(void)
{
    struct purchase_order order = { .id = "po1", .account = "acc", .name = "a project: date:2026-13-99 [2026]",
                                    .amount_nano = 3000000000 };
    struct ledger_registration r = { .account = "acc", .instance = "on-order", .payer = "po:po1", .price_book = 1,
                                     .reserved = { 1, 256 } };
    int64_t unused;

    life_account(&life, "acc", 5000000007);
    life_account(&life, "other", 900);
    if (purchase_order_create(life.a.ledger, &order, 5 * 86400000ll, &unused) != LEDGER_OK ||
        life_register(&life, "acc", "ins", 1) != LEDGER_OK)
        exit(99);
    strcpy(r.incarnation, life_hex(2));
    strcpy(r.domain_uuid, life_hex(2));
    if (ledger_register(life.a.ledger, &r, 1234, 4 * 86400000ll, &unused, &unused) != LEDGER_OK)
        exit(99);
    apply("h1", "pending", "acc", LEDGER_HOLDS, 1000, NULL, 3 * 86400000ll, "late; | \"x\" date:2 (y) \xc3\xa9");
    apply("h2", "pending", "acc", LEDGER_HOLDS, 2000, NULL, 1800000000000, "");
    apply("p1", "post", "acc", LEDGER_HOLDS, 999, "h1", 1800000000001, "partly");
    apply("v2", "void", "acc", LEDGER_HOLDS, 2000, "h2", 7, "");
    apply("t1", "posted", "other", "tax:FR", 899, NULL, 1800000000000, "");
    life_birth(&life, 1, 1);
    life_birth(&life, 2, 2);
    for (int i = 0; i < 5; i++) {
        life_slot(&life, 1)->guest_ns += 40000000000;
        life_slot(&life, 2)->guest_ns += 30000000000;
        if (life_step(&life, LIFE_INTERVAL_NS))
            exit(99);
    }
}

/* How many there are of this code's daily sums. */
static int transactions(const char *code)
{
    char command[256], line[32] = "";
    FILE *in;

    snprintf(command, sizeof(command), "grep -c '^[-0-9=]* [*] %s  ; [0-9]* entries$' %s", code, path);
    in = popen(command, "re");
    if (!in || !fgets(line, sizeof(line), in))
        exit(99);
    pclose(in);
    return atoi(line);
}

static void test_customer(void)
{
    struct ledger_balance wallet = of("acc"), purse = of("po:po1");
    char *first, *again;
    int64_t seq = ledger_last_seq(life.a.ledger);

    check(wallet.held_nano > 1 && purse.held_nano == 1234 && purse.posted_nano < 3000000000,
          "there are holds and charges");
    check(keep("acc", 0) && passes(), "hledger finds nothing wrong in a customer's journal");
    check(tells("assets:wallet:acc", wallet.posted_nano - wallet.held_nano) &&
          tells("assets:wallet:acc:held", wallet.held_nano), "the wallet is hledger's");
    check(tells("assets:purchase orders:po1", purse.posted_nano - purse.held_nano) &&
          tells("assets:purchase orders:po1:held", purse.held_nano), "the purchase order too");
    check(tells("expenses:usage:cpu_used", of("revenue:cpu_used").posted_nano), "what was used is an expense");
    check(transactions("usage") == 8, "a day's charges of one account for one meter are one transaction: %d",
          transactions("usage"));
    check(told("expenses:tax:FR") == INT64_MIN && told("assets:wallet:other") == INT64_MIN, "nobody else's is in it");
    first = hledger_journal(life.a.ledger, "acc", seq);
    ledger_fund(life.a.ledger, "later", "acc", 5, NULL, "later", 1800000000000);
    again = hledger_journal(life.a.ledger, "acc", seq);
    check(first && again && strcmp(first, again) == 0, "up to an entry, it has the same bytes later");
    free(first);
    free(again);
}

static void test_host(void)
{
    check(keep(NULL, 0) && passes(), "hledger finds nothing wrong in the host's journal");
    check(tells("liabilities:customers:other", -of("other").posted_nano) &&
          tells("liabilities:tax:FR", -899) && tells("income:usage:cpu_used", -of("revenue:cpu_used").posted_nano) &&
          tells("expenses:credits given", -of(LEDGER_DEPOSITS_CREDIT).posted_nano) &&
          tells("liabilities:holds posted", -999), "in the host's books it is the other side");
}

static void test_wrong(void)
{
    char command[512];

    keep("acc", 0);
    snprintf(command, sizeof(command), "sed -i '0,/EUR -/s/EUR -\\([0-9]\\)/EUR -1\\1/' %s", path);
    check(system(command) == 0 && !passes(), "one amount changed, and hledger says so (above)");
}

static void test_empty(void)
{
    life_account(&life, "empty", 0);
    check(keep("empty", 0) && passes(), "an account without entries has a journal too");
}

int main(void)
{
    if (system("hledger --version >/dev/null 2>&1") != 0) {
        printf("1..0 # SKIP no hledger here\n");
        return 77;
    }
    life_begin(&life);
    snprintf(path, sizeof(path), "%s/journal", life.dir);
    live();
    test_customer();
    test_host();
    test_wrong();
    test_empty();
    life_end(&life);
    return tap_end();
}
