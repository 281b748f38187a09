/* Card payments: events in every order, twice, a thousand times; refunds and
 * disputes of money that is there, spent, or nobody's. */
#include "accountd/cap/alerts.h"
#include "accountd/funding/payment.h"
#include "accountd/funding/receipt.h"
#include "accountd/funding/store.h"
#include "accountd/ledger/standing.h"
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>

#define CENT 10000000ll

static struct life life;
static char outcome[PAYMENT_OUTCOME_BYTES];

static enum ledger_result apply(const char *body)
{
    struct webhook_event event;
    struct json_why why;

    if (webhook_parse(body, strlen(body), &event, &why)) {
        printf("# %s\n", why.text);
        return LEDGER_FAILED;
    }
    return payment_apply(life.a.ledger, "EUR", &event, body, 1, outcome);
}

static enum ledger_result event(const char *id, const char *type, const char *fields)
{
    char body[1024];

    snprintf(body, sizeof(body), "{\"id\":\"%s\",\"type\":\"%s\",\"data\":{\"object\":{%s}}}", id, type, fields);
    return apply(body);
}

#define INTENT(account, cents)                                                                                         \
    "\"id\":\"pi_1\",\"amount_received\":" #cents ",\"currency\":\"eur\",\"metadata\":{" account "}"
#define SESSION(account, cents)                                                                                        \
    "\"id\":\"cs_1\",\"payment_intent\":\"pi_1\",\"payment_status\":\"paid\",\"amount_total\":" #cents                 \
    ",\"currency\":\"eur\",\"metadata\":{" account "}"
#define REFUND(cents)                                                                                                  \
    "\"id\":\"ch_1\",\"payment_intent\":\"pi_1\",\"amount\":5000,\"amount_refunded\":" #cents ",\"currency\":\"eur\""
#define DISPUTE(id, cents) "\"id\":\"" id "\",\"payment_intent\":\"pi_1\",\"amount\":" #cents ",\"currency\":\"eur\""
#define ANN "\"account_id\":\"ann\""

static enum ledger_result paid(const char *id)
{
    return event(id, "payment_intent.succeeded", INTENT(ANN, 5000));
}

static enum ledger_result completed(const char *id)
{
    return event(id, "checkout.session.completed", SESSION(ANN, 5000));
}

static bool have(int64_t ann_cents, int64_t suspense_cents, int64_t carried_cents)
{
    int64_t ann = life_posted(&life, "ann"), suspense = life_posted(&life, LEDGER_SUSPENSE);
    int64_t carried = life_posted(&life, LEDGER_CARRIED);

    if (ann == ann_cents * CENT && suspense == suspense_cents * CENT && carried == -carried_cents * CENT)
        return true;
    printf("# ann %jd, suspense %jd, carried %jd (nano), %s\n", (intmax_t)ann, (intmax_t)suspense, (intmax_t)carried,
           outcome);
    return false;
}

static void start(void)
{
    life_begin(&life);
    ledger_account_open(life.a.ledger, "ann", "Ann", "EUR", 1);
    outcome[0] = 0;
}

static void end(void)
{
    char account[LEDGER_ACCOUNT_BYTES];

    check(ledger_audit(life.a.ledger, account) == LEDGER_OK, "the balances are the sums of the entries");
    life_end(&life);
}

static void spend(int64_t cents)
{
    struct ledger_transfer t = { .id = "spent", .kind = "posted", .debit = "ann", .credit = "revenue:cpu_used",
                                 .amount_nano = cents * CENT, .code = "usage", .reason = "", .refers = "", .at_ms = 1 };

    if (ledger_apply(life.a.ledger, &t) != LEDGER_OK)
        exit(99);
}

static bool alerted(const char *kind)
{
    json_t *list = alert_list(life.a.ledger, NULL, true, 0, 100), *alert;
    bool found = false;
    size_t i;

    json_array_foreach(list, i, alert)
        found |= strcmp(json_string_value(json_object_get(alert, "kind")), kind) == 0;
    json_decref(list);
    return found;
}

static void test_once(void)
{
    int good = 0;

    start();
    check(paid("evt_1") == LEDGER_OK && strcmp(outcome, "credited") == 0 && have(5000, 0, 0), "a payment is credited");
    check(completed("evt_2") == LEDGER_OK && strcmp(outcome, "seen") == 0 && have(5000, 0, 0),
          "the session's event of the same payment credits nothing");
    check(completed("evt_2") == LEDGER_EXISTS && strcmp(outcome, "seen") == 0, "an event comes once");
    for (int i = 0; i < 1000; i++)
        good += paid("evt_1") == LEDGER_EXISTS;
    check(good == 1000 && have(5000, 0, 0), "1,000 duplicates change nothing");
    end();
    start();
    check(completed("evt_2") == LEDGER_OK && paid("evt_1") == LEDGER_OK && have(5000, 0, 0),
          "the session's event first: the same");
    end();
}

static void test_whose(void)
{
    start();
    check(event("evt_1", "payment_intent.succeeded", INTENT("", 5000)) == LEDGER_OK &&
              strcmp(outcome, "suspense") == 0 && have(0, 5000, 0),
          "a payment that names nobody waits in suspense");
    check(completed("evt_2") == LEDGER_OK && strcmp(outcome, "credited") == 0 && have(5000, 0, 0),
          "a later event of it that names an account brings it there");
    check(completed("evt_3") == LEDGER_OK && strcmp(outcome, "seen") == 0 && have(5000, 0, 0), "once");
    end();
    start();
    check(event("evt_1", "payment_intent.succeeded", INTENT("\"account_id\":\"nobody\"", 5000)) == LEDGER_OK &&
              have(0, 5000, 0),
          "an account that is not there is nobody");
    check(event("evt_2", "payment_intent.succeeded", INTENT("\"account_id\":\"host:carried\"", 5000)) == LEDGER_OK &&
          have(0, 5000, 0), "the host's own are nobody's");
    end();
}

static void test_currency(void)
{
    start();
    check(event("evt_1", "payment_intent.succeeded",
                "\"id\":\"pi_1\",\"amount_received\":5000,\"currency\":\"usd\",\"metadata\":{" ANN "}") == LEDGER_OK &&
              strcmp(outcome, "ignored") == 0 && have(0, 0, 0) && alerted("card_currency"),
          "dollars are not credited as euros; the operator hears of it");
    check(event("evt_2", "charge.refunded", REFUND(5000)) == LEDGER_OK && have(0, 0, 0), "nor taken back");
    end();
}

static void test_refunds(void)
{
    start();
    paid("evt_1");
    check(event("evt_2", "charge.refunded", REFUND(1000)) == LEDGER_OK && strcmp(outcome, "taken") == 0 &&
              have(4000, 0, 0),
          "a part refunded is taken back");
    check(event("evt_2", "charge.refunded", REFUND(1000)) == LEDGER_EXISTS && have(4000, 0, 0), "once");
    check(event("evt_3", "charge.refunded", REFUND(3000)) == LEDGER_OK && have(2000, 0, 0),
          "the next event tells the sum: only the difference is taken");
    check(event("evt_4", "charge.refunded", REFUND(2000)) == LEDGER_OK && have(2000, 0, 0),
          "an older one that comes late: nothing");
    check(event("evt_5", "charge.dispute.created", DISPUTE("dp_1", 5000)) == LEDGER_OK && have(0, 0, 0),
          "a dispute takes the rest, never more than was paid");
    check(!alerted("card_carried"), "nothing was carried");
    end();
}

static void test_foreign_dispute(void)
{
    start();
    paid("evt_1");
    check(event("evt_2", "charge.dispute.created",
                "\"id\":\"dp_1\",\"payment_intent\":\"pi_1\",\"amount\":10,\"currency\":\"usd\"") == LEDGER_OK &&
              have(0, 0, 0),
          "a dispute in dollars takes the whole payment");
    end();
}

static void test_early(void)
{
    start();
    check(event("evt_2", "charge.refunded", REFUND(1000)) == LEDGER_OK && strcmp(outcome, "early") == 0 &&
              have(0, 0, 0),
          "a refund that comes before its payment waits");
    check(event("evt_3", "charge.dispute.created", DISPUTE("dp_1", 500)) == LEDGER_OK && have(0, 0, 0),
          "so does a dispute");
    check(paid("evt_1") == LEDGER_OK && have(3500, 0, 0), "and is taken when it comes");
    check(event("evt_4", "charge.dispute.created", DISPUTE("dp_1", 500)) == LEDGER_OK && have(3500, 0, 0),
          "the same dispute in another event: nothing");
    check(event("evt_5", "charge.dispute.created", DISPUTE("dp_2", 500)) == LEDGER_OK && have(3000, 0, 0),
          "another dispute: taken");
    end();
}

static void test_spent(void)
{
    struct standing s;

    start();
    paid("evt_1");
    spend(3000);
    check(standing_read(life.a.ledger, "ann", &s) == LEDGER_OK && s.funded_nano == 5000 * CENT &&
          s.spent_nano == 3000 * CENT && s.posted_nano == 2000 * CENT && s.payments_taken_back == 0,
          "a standing says what came and what was spent");
    check(event("evt_2", "charge.dispute.created", DISPUTE("dp_1", 5000)) == LEDGER_OK && have(0, 0, 3000),
          "what was spent is carried by the host, the wallet stays at zero");
    check(life_posted(&life, LEDGER_DEPOSITS_CARD) == 0 && alerted("card_carried"),
          "all of it went back, and the operator hears of it");
    check(standing_read(life.a.ledger, "ann", &s) == LEDGER_OK && s.funded_nano == 3000 * CENT &&
          s.spent_nano == 3000 * CENT && s.posted_nano == 0 && s.payments_taken_back == 1 &&
          s.taken_back_nano == 5000 * CENT && s.taken_unpaid_nano == 3000 * CENT,
          "its standing tells what was taken back, and what of it the host has paid");
    end();
    start();
    event("evt_1", "payment_intent.succeeded", INTENT("", 5000));
    check(event("evt_2", "charge.refunded", REFUND(2000)) == LEDGER_OK && have(0, 3000, 0),
          "of money in suspense it is taken from there");
    check(completed("evt_3") == LEDGER_OK && have(3000, 0, 0), "and the rest is credited");
    check(event("evt_4", "charge.refunded", REFUND(5000)) == LEDGER_OK && have(0, 0, 0),
          "and taken from the wallet from then on");
    end();
    start();
    event("evt_1", "payment_intent.succeeded", INTENT("", 5000));
    check(event("evt_2", "charge.refunded", REFUND(5000)) == LEDGER_OK && have(0, 0, 0) &&
              completed("evt_3") == LEDGER_OK && have(0, 0, 0),
          "what was refunded altogether is nobody's any more");
    end();
}

static const struct {
    const char *name, *body;
} bad[] = {
    {"no JSON", "{"},
    {"a list", "[]"},
    {"no id", "{\"type\":\"payment_intent.succeeded\"}"},
    {"no object", "{\"id\":\"e\",\"type\":\"payment_intent.succeeded\"}"},
    {"an amount that is text",
     "{\"id\":\"e\",\"type\":\"payment_intent.succeeded\",\"data\":{\"object\":{\"id\":\"pi_1\","
     "\"amount_received\":\"5000\",\"currency\":\"eur\"}}}"},
    {"a negative amount", "{\"id\":\"e\",\"type\":\"payment_intent.succeeded\",\"data\":{\"object\":{\"id\":\"pi_1\","
                          "\"amount_received\":-1,\"currency\":\"eur\"}}}"},
    {"a fraction", "{\"id\":\"e\",\"type\":\"payment_intent.succeeded\",\"data\":{\"object\":{\"id\":\"pi_1\","
                   "\"amount_received\":1.5,\"currency\":\"eur\"}}}"},
    {"the same key twice", "{\"id\":\"e\",\"id\":\"f\",\"type\":\"x\"}"},
};

static void test_bodies(void)
{
    start();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        check(apply(bad[i].body) == LEDGER_FAILED && have(0, 0, 0), "a body with %s is refused", bad[i].name);
    check(event("evt_1", "invoice.paid", "\"id\":\"in_1\"") == LEDGER_OK && strcmp(outcome, "stored") == 0 &&
              event("evt_1", "invoice.paid", "\"id\":\"in_1\"") == LEDGER_EXISTS && have(0, 0, 0),
          "an event of another kind is kept");
    check(event("evt_2", "checkout.session.completed",
                "\"id\":\"cs_1\",\"payment_intent\":\"pi_1\",\"payment_status\":\"unpaid\","
                "\"amount_total\":5000,\"currency\":\"eur\",\"metadata\":{" ANN "}") == LEDGER_OK &&
              have(0, 0, 0),
          "a session that is not paid yet credits nothing");
    check(event("evt_3", "checkout.session.async_payment_succeeded", SESSION(ANN, 5000)) == LEDGER_OK &&
              have(5000, 0, 0),
          "its payment does, when it comes");
    end();
}

int main(void)
{
    test_once();
    test_whose();
    test_currency();
    test_refunds();
    test_foreign_dispute();
    test_early();
    test_spent();
    test_bodies();
    return tap_end();
}
