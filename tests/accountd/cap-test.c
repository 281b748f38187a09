/* The cap against its contract (cap/cap.h): a clock that the test moves, counters that it writes, a
 * provisioner on a socket that does as it is told. Then random lives, with one promise: nobody pays more than he has
 * put in, and nobody runs for long without money. */
#include "accountd/cap/alerts.h"
#include "accountd/cap/store.h"
#include "accountd/ledger/db.h"
#include "accountd/ledger/purchase_orders.h"
#include "tests/accountd/life.h"
#include "tests/accountd/provider.h"
#include "tests/tap/tap.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define S 1000000000ull
#define LATER_MS 3000

static struct life life;
static struct provider *provider;
static int64_t wall_shift_ms;           /* what someone did to the wall clock */

static void begin(void)
{
    life_begin(&life);
    life.a.cap.graces = (struct cap_graces){ 100, 1000 };
    wall_shift_ms = 0;
    provider = provider_new(life.dir);
    life.a.acker = acker_new(provider_socket(provider));
}

static void end(void)
{
    acker_free(life.a.acker);
    provider_free(provider);
    life_end(&life);
}

/* kill -9 and a start: what was not stored is gone, what was asked and not answered, too. */
static bool restart(void)
{
    struct cap_graces graces = life.a.cap.graces;
    bool good;

    acker_free(life.a.acker);
    good = life_reopen(&life);
    life.a.cap.graces = graces;
    life.a.acker = acker_new(provider_socket(provider));
    return good;
}

static bool all_came(void)
{
    for (unsigned n = 0; n < life.a.cap.instances_count; n++)
        if (!life.a.cap.instances[n].came)
            return false;
    return true;
}

/* As a turn of the daemon's loop. */
static int turn(uint64_t ns)
{
    cap_answers(&life.a);
    cap_mark(&life.a);
    if (life_step(&life, ns))
        return -1;
    life.a.clock.utc_ms += wall_shift_ms;
    return cap_watch(&life.a);
}

/* Turns until the provisioner has answered all: the turn after an answer settles it. */
static bool settled(void)
{
    for (int n = 0; n < 20; n++) {
        struct pollfd on = { .fd = acker_fd(life.a.acker), .events = POLLIN };

        if (all_came())
            return turn(S / 10) == 0;
        if (poll(&on, 1, LATER_MS) < 0 || turn(S / 10))
            return false;
    }
    return false;
}

static void use(unsigned index, uint64_t ns)
{
    life_slot(&life, index)->guest_ns += ns;
}

static struct cap_payer *payer(const char *name)
{
    return cap_payer_find(&life.a.cap, name);
}

static bool is(const char *name, enum cap_state state)
{
    return payer(name) && payer(name)->state == state;
}

static size_t standing(const char *account, const char *kind)
{
    json_t *list = alert_list(life.a.ledger, account, true, 0, 1000), *alert;
    size_t n, count = 0;

    json_array_foreach(list, n, alert)
        count += strcmp(json_string_value(json_object_get(alert, "kind")), kind) == 0;
    json_decref(list);
    return count;
}

static void fund(const char *id, const char *account, int64_t nano)
{
    if (ledger_fund(life.a.ledger, id, account, nano, NULL, "voucher", 5) != LEDGER_OK)
        exit(99);
}

/* What an hour of the instance that life_register makes is held for, and a little more. */
#define HOUR_NANO 1900000

static void one_guest(void)
{
    life_account(&life, "acc", HOUR_NANO);
    life_birth(&life, 2, 0xaa);
    if (life_register(&life, "acc", "ins", 0xaa) != LEDGER_OK)
        exit(99);
    turn(S);
    turn(S);
}

/* Uses all that there is, and a little less or more. */
static void use_up(void)
{
    int64_t left = cap_left(payer("acc"));

    /* cpu_used costs 7/3 nano a second. */
    use(2, (uint64_t)left * 3 / 7 * S);
    turn(S);
}

static void test_suspends_and_goes_on(void)
{
    struct meter_usage billed;
    int64_t left;

    begin();
    one_guest();
    check(is("acc", CAP_OK) && provider_calls(provider) == 0 && payer("acc")->live == 1, "with money it runs");
    use_up();
    check(is("acc", CAP_SUSPENDED) && settled() && provider_told(provider, "ins") == ACKER_SUSPEND,
          "the money is gone: the provisioner is told to suspend it");
    check(standing("acc", "suspended") == 1, "its owner is told");
    billed = life_billed(&life, "acc", "ins");
    left = life_posted(&life, "acc");
    for (int n = 0; n < 70; n++)
        turn(S);
    check(life_billed(&life, "acc", "ins").of[METER_VCPU_RESERVED] == billed.of[METER_VCPU_RESERVED] &&
          life_posted(&life, "acc") == left, "paused, it is billed nothing");
    check(!cap_allows(&life.a, "acc") && cap_allows(&life.a, "other"), "nothing is launched on it meanwhile");
    fund("t2", "acc", 1000000000);
    check(cap_allows(&life.a, "acc") && settled() && provider_told(provider, "ins") == ACKER_RUN &&
          life.a.cap.instances_count == 0, "topped up, it goes on");
    turn(60 * S);
    turn(S);
    check(standing("acc", "suspended") == 0 && life_billed(&life, "acc", "ins").of[METER_VCPU_RESERVED] >
          billed.of[METER_VCPU_RESERVED], "and is billed again");
    check(life_posted(&life, "acc") >= 0 && life_is_sound(&life), "all is sound");
    end();
}

static void test_measures(void)
{
    json_t *report;

    begin();
    one_guest();
    use_up();
    settled();
    turn(S);
    report = cap_report(&life.a);
    check(json_integer_value(json_object_get(report, "events")) == 1 &&
          json_integer_value(json_object_get(report, "stops")) == 1 &&
          json_integer_value(json_object_get(report, "max_ms")) <= 2000 &&
          json_integer_value(json_object_get(report, "loop_ms")) == 1000, "the stop is measured");
    json_decref(report);
    end();
    begin();
    one_guest();
    use(2, (uint64_t)HOUR_NANO * S);
    turn(S);
    use(2, S / 2);
    settled();
    turn(S);
    report = cap_report(&life.a);
    check(json_integer_value(json_object_get(report, "max_ms")) > 0 &&
          strtoll(json_string_value(json_object_get(report, "overshoot_max_nano")), NULL, 10) > HOUR_NANO,
          "what was used past the money is published");
    check(life_posted(&life, "acc") == 0 && life_posted(&life, "host:carried") < 0, "and the host's to carry");
    json_decref(report);
    end();
}

static void pass(unsigned seconds)
{
    for (unsigned n = 0; n < seconds; n++)
        turn(S);
}

static void test_graces(void)
{
    begin();
    one_guest();
    use_up();
    settled();
    pass(90);
    check(is("acc", CAP_SUSPENDED), "within the grace its memory is kept");
    pass(12);
    check(is("acc", CAP_STOPPED) && settled() && provider_told(provider, "ins") == ACKER_STOP &&
          standing("acc", "stopped") == 1, "after it, it is powered off");
    life_death(&life, 2);
    pass(990);
    check(is("acc", CAP_STOPPED), "within the retention it is kept");
    provider_slow(provider, 2);
    pass(12);
    check(is("acc", CAP_DELETED) && settled() && provider_told(provider, "ins") == ACKER_DELETE &&
          life.a.cap.instances_count == 0 && standing("acc", "deleted") == 1, "after it, it is deleted");
    fund("t2", "acc", 1000000000);
    turn(S);
    check(is("acc", CAP_OK) && standing("acc", "deleted") == 0, "money makes the account good again");
    end();
}

static void test_stopped_is_not_started(void)
{
    begin();
    one_guest();
    use_up();
    settled();
    pass(102);
    settled();
    life_death(&life, 2);
    fund("t2", "acc", 1000000000);
    turn(S);
    check(is("acc", CAP_OK) && settled() && provider_told(provider, "ins") == ACKER_RUN &&
              life.a.cap.instances_count == 0,
          "topped up when stopped: it may run, which starts nothing");
    end();
}

static enum ledger_result bar(const char *subject)
{
    struct cap_bar row = { .account = "acc", .operator_id = "opr_1", .reason = "sends spam", .at_ms = 7 };

    snprintf(row.subject, sizeof(row.subject), "%s", subject);
    return cap_bar_put(&life.a, &row);
}

/* An operator suspends: with money, over a kill, and beside the end of the money, which neither hides nor ends it. */
static void test_operator(void)
{
    struct meter_usage billed;
    json_t *list;

    begin();
    one_guest();
    check(bar("acc") == LEDGER_OK && bar("acc") == LEDGER_EXISTS && turn(S) == 0 && settled() &&
          provider_told(provider, "ins") == ACKER_SUSPEND && provider_operator(provider, "ins"),
          "an operator suspends an account: its guest is paused, and it is said who wants it");
    check(is("acc", CAP_OK) && standing("acc", "barred") == 1 && cap_bar_find(&life.a.cap, "acc", "new") &&
          !cap_bar_find(&life.a.cap, "other", "other"), "it has money, and is told");
    billed = life_billed(&life, "acc", "ins");
    pass(200);
    check(life_billed(&life, "acc", "ins").of[METER_VCPU_RESERVED] == billed.of[METER_VCPU_RESERVED] &&
          provider_told(provider, "ins") == ACKER_SUSPEND, "no grace runs, and nothing is billed");
    check(restart() && turn(S) == 0 && settled() && life.a.cap.bars_count == 1 && life.a.cap.instances[0].barred,
          "killed and started again, it stands");
    list = cap_suspensions(&life.a, "acc");
    check(json_array_size(list) == 1 && strcmp(json_text(json_array_get(list, 0), "reason"), "sends spam") == 0,
          "operators see who and why");
    json_decref(list);
    check(cap_bar_drop(&life.a, "acc") == LEDGER_OK && cap_bar_drop(&life.a, "acc") == LEDGER_NOT_FOUND &&
          turn(S) == 0 && settled() && provider_told(provider, "ins") == ACKER_RUN &&
          life.a.cap.instances_count == 0 && standing("acc", "barred") == 0, "let go on, it runs");
    turn(60 * S);
    turn(S);
    check(life_billed(&life, "acc", "ins").of[METER_VCPU_RESERVED] > billed.of[METER_VCPU_RESERVED] &&
          life_is_sound(&life), "and is billed again");
    end();
}

static void test_operator_and_money(void)
{
    begin();
    one_guest();
    use_up();
    check(settled() && is("acc", CAP_SUSPENDED) && !provider_operator(provider, "ins"), "out of money");
    check(bar("ins") == LEDGER_OK && turn(S) == 0 && settled() && provider_operator(provider, "ins"),
          "an operator suspends the instance too");
    fund("t2", "acc", 1000000000);
    check(turn(S) == 0 && settled() && is("acc", CAP_OK) && provider_told(provider, "ins") == ACKER_SUSPEND,
          "money alone does not let it go on");
    check(cap_bar_drop(&life.a, "ins") == LEDGER_OK && turn(S) == 0 && settled() &&
          provider_told(provider, "ins") == ACKER_RUN, "the operator does");
    check(bar("acc") == LEDGER_OK && turn(S) == 0 && settled() && provider_told(provider, "ins") == ACKER_SUSPEND,
          "suspended again");
    use_up();
    check(cap_bar_drop(&life.a, "acc") == LEDGER_OK && turn(S) == 0 && settled() && life_is_sound(&life),
          "and all is sound");
    end();
}

static void test_little_money(void)
{
    begin();
    one_guest();
    for (int n = 0; n < 5; n++) {
        use(2, 10000 * S);
        turn(S);
    }
    use_up();
    settled();
    fund("t2", "acc", 1000);
    turn(S);
    check(is("acc", CAP_SUSPENDED), "money that does not last for a minute resumes nothing");
    fund("t3", "acc", 1000000000);
    turn(S);
    check(is("acc", CAP_OK), "more does, and the little is not lost");
    end();
}

static void test_provisioner_down(void)
{
    begin();
    one_guest();
    provider_down(provider, true);
    use_up();
    for (int n = 0; n < 5; n++)
        turn(S);
    check(is("acc", CAP_SUSPENDED) && !all_came() && !life.a.cap.instances[0].held, "nobody answers: it is not held");
    check(restart() && is("acc", CAP_SUSPENDED), "a restart knows whom to suspend");
    provider_down(provider, false);
    turn(S);
    check(settled() && life.a.cap.instances[0].held && provider_told(provider, "ins") == ACKER_SUSPEND,
          "and asks until it is so");
    check(life_posted(&life, "acc") >= 0 && life_is_sound(&life), "the customer has not paid for the wait");
    end();
}

/* A kill after each turn of the same story must not change how it ends. */
static void test_kill_at_each_point(void)
{
    bool good = true;

    for (int point = 0; point < 12; point++) {
        begin();
        one_guest();
        use_up();
        for (int n = 0; n < 12; n++) {
            if (n == point)
                good &= restart();
            turn(S / 10);
            if (n == 4)
                good &= settled();
            if (n == 6)
                fund("t2", "acc", 1000000000);
            if (n == 10)
                good &= settled();
        }
        good &= settled() && is("acc", CAP_OK) && provider_told(provider, "ins") == ACKER_RUN &&
                life.a.cap.instances_count == 0 && !journal_find(&life.a.journal, life_hex(0xaa))->unpaid &&
                life_is_sound(&life);
        end();
    }
    check(good, "killed at each of twelve points, suspended and topped up: it runs, and is billed");
}

static void test_clock_jumps(void)
{
    begin();
    one_guest();
    use_up();
    settled();
    wall_shift_ms = 10ll * 366 * 86400 * 1000;
    pass(50);
    check(is("acc", CAP_SUSPENDED), "ten years by the wall clock are no grace");
    wall_shift_ms = -10ll * 366 * 86400 * 1000;
    pass(20);
    check(restart() && is("acc", CAP_SUSPENDED), "nor ten years back, nor a restart");
    turn(S);
    pass(40);
    check(is("acc", CAP_STOPPED), "by hv's clock it is over when it is over");
    end();
    begin();
    one_guest();
    use_up();
    settled();
    pass(70);
    life.boot = 2;
    life.now_ns = S;
    *life_slot(&life, 2) = (struct xs_stats_slot){ .state = XS_SLOT_EMPTY };
    pass(20);
    check(is("acc", CAP_SUSPENDED), "the host has restarted: the grace goes on");
    pass(100);
    check(is("acc", CAP_STOPPED), "to its end");
    end();
}

/* So many percent of the money, one in each second; tax comes on top. */
static void use_slowly(unsigned percent)
{
    for (unsigned n = 0; n < percent; n++) {
        use(2, (uint64_t)HOUR_NANO / 100 * 3 / 7 * S);
        turn(S);
    }
}

static void test_balance(void)
{
    begin();
    one_guest();
    check(standing("acc", "balance") == 0, "with most of it left nobody is told anything");
    use_slowly(45);
    check(standing("acc", "balance") == 1, "below half");
    use_slowly(25);
    check(standing("acc", "balance") == 2, "below a fifth");
    check(standing("acc", "lasts") == 1, "less than a day is left");
    fund("t2", "acc", 1000000000000);
    pass(20);
    check(standing("acc", "balance") == 0 && standing("acc", "lasts") == 0, "topped up, all that is over");
    end();
}

static int64_t spent_of(const char *account)
{
    json_t *list = budgets_json(&life.a, account);
    int64_t nano = strtoll(json_text(json_array_get(list, 0), "spent_nano"), NULL, 10);

    json_decref(list);
    return nano;
}

static void test_budget(void)
{
    struct budget b = { .id = "b1", .account = "acc", .amount_nano = 1000, .steps = { 50, 80, 100 }, .steps_count = 3 };
    int64_t spent;

    begin();
    one_guest();
    check(budget_put(life.a.ledger, &b) == LEDGER_OK, "a budget is set");
    budgets_forget(&life.a.cap);
    turn(S);
    check(standing("acc", "budget") == 0, "nothing is charged yet");
    use(2, 900 * S * 3 / 7);
    turn(60 * S);
    turn(S);
    spent = spent_of("acc");
    check(spent > 1000 && standing("acc", "budget") == 3 && is("acc", CAP_OK),
          "all of its steps are told, nothing stops");
    check(restart() && spent_of("acc") == spent, "a restart finds what was spent");
    check(turn(S) == 0 && standing("acc", "budget") == 3, "and does not tell it again");
    spent = spent_of("acc");
    b.amount_nano = 1000000000;
    budget_put(life.a.ledger, &b);
    budgets_forget(&life.a.cap);
    check(spent_of("acc") == spent, "what is spent does not depend on the budget");
    turn(S);
    check(standing("acc", "budget") == 3, "a larger one has its own steps");
    spent = spent_of("acc");
    life.a.clock.utc_ms += 31ll * 86400000;
    check(spent_of("acc") == 0, "in the next month nothing is spent of it");
    life.a.clock.utc_ms -= 31ll * 86400000;
    check(spent_of("acc") == spent, "a clock that is set back finds what was");
    snprintf(b.account, sizeof(b.account), "other");
    check(budget_put(life.a.ledger, &b) == LEDGER_CONFLICT, "it stays its account's");
    end();
}

/* The holds of two guests are one payer's money: the busy one uses it all, and both stop. */
static void test_two_of_one_payer(void)
{
    begin();
    life_account(&life, "acc", 2 * HOUR_NANO + 100);
    life_birth(&life, 2, 0xaa);
    life_birth(&life, 3, 0xbb);
    check(life_register(&life, "acc", "ins", 0xaa) == LEDGER_OK &&
              life_register(&life, "acc", "idle", 0xbb) == LEDGER_OK,
          "two guests hold an hour each");
    turn(S);
    for (int n = 0; n < 300 && (!payer("acc") || is("acc", CAP_OK)); n++) {
        use(2, 10000 * S);
        turn(S);
    }
    check(is("acc", CAP_SUSPENDED) && settled() && provider_told(provider, "ins") == ACKER_SUSPEND &&
          provider_told(provider, "idle") == ACKER_SUSPEND, "the busy one has used both: both are suspended");
    check(life_posted(&life, "acc") < 100000 && life_posted(&life, "host:carried") > -100000,
          "all of the money was used, and the host carries next to nothing");
    check(life_is_sound(&life), "all is sound");
    end();
}

static struct ledger_account purse_of(const char *id)
{
    struct ledger_account purse = { .balance = { -1, -1 } };

    ledger_account_get(life.a.ledger, id, &purse);
    return purse;
}

static void test_purse(void)
{
    struct purchase_order order = { .id = "p1", .account = "acc", .name = "a project", .amount_nano = HOUR_NANO };
    struct ledger_registration r = { .account = "acc", .instance = "ins", .payer = "po:p1", .reserved = { 2, 512 },
                                     .price_book = 1 };
    int64_t held, available;

    begin();
    life_account(&life, "acc", 3 * HOUR_NANO);
    life_birth(&life, 2, 0xaa);
    life_birth(&life, 3, 0xbb);
    strcpy(r.incarnation, life_hex(0xaa));
    strcpy(r.domain_uuid, life_hex(0xaa));
    check(purchase_order_create(life.a.ledger, &order, 5, &available) == LEDGER_OK &&
          ledger_register(life.a.ledger, &r, 1000000, 5, &held, &available) == LEDGER_OK &&
          life_register(&life, "acc", "other", 0xbb) == LEDGER_OK, "one guest on a purchase order, one on the wallet");
    turn(S);
    for (int n = 0; n < 300 && (!payer("po:p1") || is("po:p1", CAP_OK)); n++) {
        use(2, 10000 * S);
        turn(S);
    }
    check(is("po:p1", CAP_SUSPENDED) && is("acc", CAP_OK) && settled() &&
              provider_told(provider, "ins") == ACKER_SUSPEND && provider_told(provider, "other") == ACKER_WANTS,
          "the purse is empty: its guest stops, the wallet's runs on");
    check(purse_of("po:p1").balance.posted_nano >= 0, "never below zero");
    check(purchase_order_add(life.a.ledger, "t9", "p1", "acc", HOUR_NANO, 6, &available) == LEDGER_OK &&
          turn(S) == 0 && is("po:p1", CAP_OK), "money from the wallet into the purse, and it goes on");
    end();
}

static uint64_t chance;

static unsigned pick(unsigned bound)
{
    chance = chance * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(chance >> 33) % bound;
}

#define GUESTS 4

static int64_t number(const char *sql)
{
    int64_t value = -1;

    db_int(life.a.ledger->db, &value, sql, "");
    return value;
}

/* One second of what may happen; what guests use, only those use that were not told to stop. */
static void any_second(unsigned *top_ups)
{
    char id[32];

    for (unsigned g = 0; g < GUESTS; g++) {
        char instance[8];

        snprintf(instance, sizeof(instance), "i%u", g);
        if (provider_told(provider, instance) == ACKER_WANTS || provider_told(provider, instance) == ACKER_RUN)
            use(2 + g, pick(4000) * S);
    }
    if (pick(40) == 0) {
        snprintf(id, sizeof(id), "r%u", (*top_ups)++);
        fund(id, "acc", 1 + pick(4000000));
    }
    if (pick(50) == 0)
        provider_down(provider, pick(2));
    if (pick(60) == 0)
        restart();
    if (pick(60) == 0)
        wall_shift_ms = ((int64_t)pick(2000) - 1000) * 86400000;
}

static bool one_random_life(uint64_t seed)
{
    unsigned top_ups = 0;
    bool good = true;

    chance = seed;
    begin();
    life_account(&life, "acc", 5 * HOUR_NANO);
    for (unsigned g = 0; g < GUESTS; g++) {
        char instance[8];

        snprintf(instance, sizeof(instance), "i%u", g);
        life_birth(&life, 2 + g, (uint8_t)(0xa0 + g));
        life_register(&life, "acc", instance, (uint8_t)(0xa0 + g));
    }
    for (unsigned n = 0; n < 400 && good; n++) {
        any_second(&top_ups);
        turn(S);
        /* What the customer paid is what he had put in and has not any more; the host paid the rest of the use. */
        good = number("SELECT (SELECT sum(amount_nano) FROM transfer WHERE debit = 'acc' AND code IN ('usage', 'tax'))"
                      " - (SELECT coalesce(sum(amount_nano), 0) FROM transfer WHERE code = 'carried')"
                      " <= (SELECT sum(amount_nano) FROM transfer WHERE credit = 'acc' AND code <> 'carried')") != 0 &&
               life_posted(&life, "acc") >= 0;
    }
    provider_down(provider, false);
    turn(S);
    good &= settled();
    if (payer("acc") && payer("acc")->state != CAP_OK)
        for (unsigned g = 0; g < GUESTS; g++)
            good &= journal_find(&life.a.journal, life_hex((uint8_t)(0xa0 + g)))->unpaid;
    good &= life_is_sound(&life);
    end();
    if (!good)
        printf("# seed %ju\n", (uintmax_t)seed);
    return good;
}

static void test_random_lives(void)
{
    bool good = true;

    for (uint64_t seed = 1; seed <= 25; seed++)
        good &= one_random_life(seed);
    check(good, "25 random lives: nobody pays past his money, who has none is held, all is sound");
}

int main(void)
{
    test_suspends_and_goes_on();
    test_measures();
    test_graces();
    test_stopped_is_not_started();
    test_operator();
    test_operator_and_money();
    test_little_money();
    test_provisioner_down();
    test_kill_at_each_point();
    test_clock_jumps();
    test_balance();
    test_two_of_one_payer();
    test_purse();
    test_random_lives();
    test_budget();
    return tap_end();
}
