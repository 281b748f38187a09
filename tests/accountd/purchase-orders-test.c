/* Purchase orders: money into a purse and back, who pays, and their ends. */
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>

#define S 1000000000ull

static struct life life;
static struct ledger *ledger;

static enum ledger_result create(const char *id, const char *account, int64_t nano, int64_t end_ms, int64_t *available)
{
    struct purchase_order order = { .amount_nano = nano, .end_ms = end_ms };

    strcpy(order.id, id);
    strcpy(order.account, account);
    strcpy(order.name, "a project");
    return purchase_order_create(ledger, &order, 100, available);
}

/* funded = spent + held + free, in this order, less the sum. */
static bool is(const char *id, int64_t funded, int64_t spent, int64_t held, bool closed)
{
    struct purchase_order o = { .funded_nano = -1 };

    if (purchase_order_get(ledger, id, &o) == LEDGER_OK && o.funded_nano == funded && o.spent_nano == spent &&
        o.held_nano == held && o.free_nano == funded - spent - held && (o.closed_ms != 0) == closed)
        return true;
    printf("# %s: funded %jd, spent %jd, held %jd, free %jd, closed %jd\n", id, (intmax_t)o.funded_nano,
           (intmax_t)o.spent_nano, (intmax_t)o.held_nano, (intmax_t)o.free_nano, (intmax_t)o.closed_ms);
    return false;
}

static enum ledger_result launch(const char *instance, const char *payer, uint8_t tag, int64_t hold_nano, int64_t at_ms)
{
    struct ledger_registration r = { .account = "acc", .price_book = 1, .reserved = { 1, 256 } };
    int64_t held, available;

    strcpy(r.instance, instance);
    strcpy(r.payer, payer);
    strcpy(r.incarnation, life_hex(tag));
    strcpy(r.domain_uuid, life_hex(tag));
    return ledger_register(ledger, &r, hold_nano, at_ms, &held, &available);
}

static void test_money(void)
{
    int64_t available = 0;

    check(create("p1", "nobody", 1, 0, &available) == LEDGER_NOT_FOUND, "nobody has no purchase order");
    check(create("p1", "acc", 10001, 0, &available) == LEDGER_INSUFFICIENT && available == 10000 &&
              purchase_order_get(ledger, "p1", &(struct purchase_order){.end_ms = 0}) == LEDGER_NOT_FOUND &&
              !ledger_account_exists(ledger, "po:p1"),
          "more than the wallet has is not set aside, and nothing is left behind");
    check(create("p1", "acc", 4000, 0, &available) == LEDGER_OK && is("p1", 4000, 0, 0, false) &&
          life_posted(&life, "acc") == 6000, "an amount is set aside");
    check(create("p1", "acc", 4000, 0, &available) == LEDGER_EXISTS && life_posted(&life, "acc") == 6000, "once");
    check(create("p1", "acc", 4001, 0, &available) == LEDGER_EXISTS_DIFFERENT &&
          create("p1", "acc", 4000, 900, &available) == LEDGER_EXISTS_DIFFERENT &&
          create("p1", "other", 4000, 0, &available) == LEDGER_EXISTS_DIFFERENT, "another order has another id");
    check(create("p9", "acc", 1, 100, &available) == LEDGER_CONFLICT, "an end that has passed is refused");
    check(purchase_order_add(ledger, "a1", "p1", "acc", 500, 200, &available) == LEDGER_OK &&
          purchase_order_add(ledger, "a1", "p1", "acc", 500, 300, &available) == LEDGER_EXISTS &&
          purchase_order_add(ledger, "a1", "p1", "acc", 501, 300, &available) == LEDGER_EXISTS_DIFFERENT &&
          is("p1", 4500, 0, 0, false) && life_posted(&life, "acc") == 5500, "more is added, once");
    check(purchase_order_add(ledger, "a2", "p1", "acc", 5501, 200, &available) == LEDGER_INSUFFICIENT &&
              available == 5500,
          "never more than the wallet has");
    check(purchase_order_add(ledger, "a2", "p1", "other", 1, 200, &available) == LEDGER_NOT_FOUND &&
          purchase_order_close(ledger, "p1", "other", 200) == LEDGER_NOT_FOUND, "another customer does not see it");
}

static void test_payer(void)
{
    char payer[LEDGER_ACCOUNT_BYTES] = "";

    check(launch("i1", "po:none", 1, 100, 300) == LEDGER_NOT_FOUND, "an order that is not there does not pay");
    check(launch("i1", "po:p1", 1, 4501, 300) == LEDGER_INSUFFICIENT, "the wallet's money is not the order's");
    check(launch("i1", "po:p1", 1, 3600, 300) == LEDGER_OK && is("p1", 4500, 0, 3600, false) &&
          life_held(&life, "acc") == 0, "a launch takes its hold on the order");
    check(ledger_payer(ledger, "i1", payer) == 1 && strcmp(payer, "po:p1") == 0, "which pays for the instance");
    check(launch("i1", "", 2, 3700, 300) == LEDGER_OK && is("p1", 4500, 0, 3700, false), "it keeps its payer");
    check(launch("i1", "acc", 3, 100, 300) == LEDGER_CONFLICT &&
              launch("i2", "po:p1", 3, 801, 300) == LEDGER_INSUFFICIENT,
          "it gets no other, and what is held is not there twice");
    check(launch("i2", "", 3, 100, 300) == LEDGER_OK && ledger_payer(ledger, "i2", payer) == 1 &&
              strcmp(payer, "acc") == 0,
          "where nothing is said, the wallet pays");
    check(ledger_payer(ledger, "i3", payer) == 0, "nobody pays for what is not there");
    check(launch("i1", "po:p1", 1, 100, 300) == LEDGER_EXISTS && launch("i1", "", 1, 100, 300) == LEDGER_EXISTS &&
          launch("i1", "acc", 1, 100, 300) == LEDGER_EXISTS_DIFFERENT, "a repetition says the same or nothing");
}

/* The instance runs until the order's money is gone: charges, then the hold, then the host. */
static void test_draw_down(void)
{
    int64_t wallet = life_posted(&life, "acc"), carried;

    life_birth(&life, 1, 2);
    life_step(&life, 1 * S);
    check(is("p1", 4500, 4500 - life_posted(&life, "po:p1"), 3700, false), "what was used comes out of the order");
    for (int i = 0; i < 3; i++) {
        life_slot(&life, 1)->guest_ns += 600 * S;
        life_step(&life, 600 * S);
    }
    carried = -life_posted(&life, LEDGER_CARRIED);
    check(is("p1", 4500, 4500, 0, false) && carried > 0 && life_posted(&life, "po:p1") == 0,
          "down to nothing, its hold too");
    check(life_posted(&life, "acc") == wallet, "the wallet is not touched");
    check(purchase_order_close(ledger, "p1", "acc", 400) == LEDGER_CONFLICT,
          "it stays open while an instance is paid from it");
    life_death(&life, 1);
    life_step(&life, 1 * S);
    check(ledger_instance_close(ledger, "i1") == LEDGER_OK && life_step(&life, 1 * S) == 0 &&
          purchase_order_close(ledger, "p1", "acc", 400) == LEDGER_OK &&
          purchase_order_close(ledger, "p1", "acc", 500) == LEDGER_EXISTS && is("p1", 4500, 4500, 0, true),
          "then it can be closed");
    check(launch("i4", "po:p1", 4, 0, 500) == LEDGER_CONFLICT &&
              purchase_order_add(ledger, "a3", "p1", "acc", 1, 500, &carried) == LEDGER_CONFLICT,
          "closed, it takes nothing");
    check(purchase_order_add(ledger, "a1", "p1", "acc", 500, 500, &carried) == LEDGER_EXISTS,
          "but remembers what it took");
}

static void test_close_gives_back(void)
{
    int64_t wallet = life_posted(&life, "acc"), available;

    check(create("p2", "acc", 700, 0, &available) == LEDGER_OK &&
              purchase_order_close(ledger, "p2", "acc", 400) == LEDGER_OK && is("p2", 0, 0, 0, true) &&
              life_posted(&life, "acc") == wallet,
          "closed, what is left goes back to the wallet");
}

static void test_end(void)
{
    int64_t wallet = life_posted(&life, "acc"), available;

    check(create("p3", "acc", 900, 1000, &available) == LEDGER_OK && launch("i5", "po:p3", 5, 300, 999) == LEDGER_OK,
          "before its end an order takes a launch");
    check(create("p4", "acc", 50, 1000, &available) == LEDGER_OK &&
              create("p5", "acc", 50, 1001, &available) == LEDGER_OK,
          "there may be others");
    check(purchase_order_expire(ledger, 999) == 0 && is("p3", 900, 0, 300, false), "nothing happens before its end");
    check(launch("i5", "", 6, 300, 1000) == LEDGER_CONFLICT && launch("i6", "po:p3", 6, 1, 1000) == LEDGER_CONFLICT,
          "at its end it takes none, of its own instances neither");
    check(purchase_order_add(ledger, "a4", "p3", "acc", 1, 1000, &available) == LEDGER_CONFLICT, "nor money");
    check(purchase_order_expire(ledger, 1000) == 0 && is("p3", 300, 0, 300, false) && is("p4", 0, 0, 0, true) &&
              is("p5", 50, 0, 0, false) && life_posted(&life, "acc") == wallet - 350,
          "what is free goes back, what is held stays");
    check(purchase_order_expire(ledger, 1000) == 0 && is("p3", 300, 0, 300, false), "once");
    check(ledger_instance_close(ledger, "i5") == LEDGER_OK && life_step(&life, S) == 0 && is("p3", 0, 0, 0, true) &&
          is("p5", 0, 0, 0, true) && life_posted(&life, "acc") == wallet,
          "the daemon's turn gives the rest back when its last instance is gone");
}

static int count(void *arg, const struct purchase_order *order)
{
    strcat(strcat(arg, order->id), " ");
    return 0;
}

static int count_hold(void *arg, const struct ledger_hold *hold)
{
    sprintf((char *)arg + strlen(arg), "%s %s %jd, ", hold->instance, hold->payer, (intmax_t)hold->nano);
    return 0;
}

int main(void)
{
    char ids[64] = "", holds[256] = "", differs[LEDGER_ACCOUNT_BYTES];

    life_begin(&life);
    ledger = life.a.ledger;
    life_account(&life, "acc", 10000);
    life_account(&life, "other", 10000);
    test_money();
    test_payer();
    check(ledger_each_hold(ledger, "acc", count_hold, holds) == 0 && strcmp(holds, "i1 po:p1 3700, i2 acc 100, ") == 0,
          "the holds in force, and who holds them");
    test_draw_down();
    test_close_gives_back();
    test_end();
    check(purchase_order_each(ledger, "acc", 0, 100, count, ids) == 0 && strcmp(ids, "p5 p4 p3 p2 p1 ") == 0,
          "all are listed, the newest first: %s", ids);
    check(ledger_audit(ledger, differs) == LEDGER_OK && life_is_sound(&life),
          "every balance is the sum of its entries");
    life_end(&life);
    return tap_end();
}
