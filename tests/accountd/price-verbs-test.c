/* Price books through accountd's socket: proposed by one operator, published by another, quoted; and what use came to.
 */
#include "accountd/note.h"
#include "accountd/rate.h"
#include "common/json.h"
#include "common/utc.h"
#include "tests/accountd/world.h"
#include "tests/tap/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct world w;

static void started(const char *why)
{
    int status = 0;

    check(world_start(&w, &status), "accountd is ready: %s", why);
}

static bool refused(const char *code, json_t *ok, const char *says)
{
    const char *detail = json_string_value(json_object_get(w.error, "detail"));
    bool good = !ok && strcmp(world_code(&w), code) == 0 && detail && strstr(detail, says);

    if (!good)
        printf("# %s: %s\n", world_code(&w), detail ? detail : "");
    json_decref(ok);
    return good;
}

static json_int_t integer(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static int64_t decimal(const json_t *object, const char *key)
{
    int64_t value = -1;

    json_decimal_parse(json_string_value(json_object_get(object, key)), &value);
    return value;
}

/* The published version 1 as another version, cpu_used at num / 3, with one more key (or NULL). New reference. */
static json_t *book_like(int version, const char *num, const char *key, const char *value)
{
    json_t *book = world_ask(&w, "price_book", "{s:i}", "version", 1), *row;
    size_t i;

    json_object_del(book, "signature");
    json_object_set_new(book, "version", json_integer(version));
    json_array_foreach(json_object_get(book, "meters"), i, row)
        if (strcmp(json_string_value(json_object_get(row, "meter")), "cpu_used") == 0)
            json_object_set_new(row, "num_nano", json_string(num));
    if (key)
        json_object_set_new(book, key, json_string(value));
    return book;
}

static json_t *propose(json_t *book, const char *operator)
{
    return world_ask(&w, "price_book_propose", "{s:o,s:s}", "body", book, "operator", operator);
}

static json_t *decide(const char *verb, int version, const char *operator)
{
    return world_ask(&w, verb, "{s:i,s:s}", "version", version, "operator", operator);
}

static json_t *quote(void)
{
    return world_ask(&w, "quote", "{s:i,s:i,s:i,s:s}", "vcpus", 2, "memory_mib", 512, "seconds", 7200, "net_bytes_out",
                     "1073741824");
}

static void test_first_book(void)
{
    json_t *books = world_ask(&w, "price_books", "{}"), *book = world_ask(&w, "price_book", "{}");
    const char *signature = json_string_value(json_object_get(book, "signature"));

    check(json_array_size(json_object_get(books, "price_books")) == 1 && integer(books, "current") == 1,
          "the configured file's book is published into a ledger that has none");
    check(integer(book, "version") == 1 && signature && strstr(signature, "price book 1 of test.host"), "and signed");
    json_decref(books);
    json_decref(book);
}

static void test_quote(void)
{
    json_t *ok = quote(), *line;
    int64_t sum = 0;
    size_t i;

    json_array_foreach(json_object_get(ok, "lines"), i, line)
        sum += decimal(line, "amount_nano");
    /* accountd/pricebook.json: 2 x 7200 s at 1000 and at 7000/3, 3600 GiB s at 500 and at 250, one GiB out; the
     * first at the end of a month may round down once more. */
    check(sum == decimal(ok, "total_nano") && llabs(sum - (14400000 + 33600000 + 1800000 + 900000 + 20000000)) <= 1 &&
          json_array_size(json_object_get(ok, "lines")) == 5, "a quote is the sum of its lines: %jd", (intmax_t)sum);
    check(decimal(ok, "hold_nano") >= 25350000 && decimal(ok, "hold_nano") <= 25350004,
          "its hold is an hour's ceiling");
    check(integer(ok, "price_book") == 1, "by version 1");
    json_decref(ok);
}

static void test_refusals(void)
{
    check(refused("bad_request", propose(json_object(), "ann"), "version"), "not a price book");
    check(refused("bad_request", propose(book_like(2, "7.5", NULL, NULL), "ann"), "cpu_used"),
          "a price that is no integer");
    check(refused("bad_request", propose(book_like(2, "8", "currency", "USD"), "ann"), "this host bills in EUR"),
          "another currency");
    check(refused("bad_request", propose(book_like(2, "8", "moves_running_at", "2020-01-01T00:00:00Z"), "ann"),
                  "is past"),
          "running guests moved without notice");
    check(refused("bad_request", propose(book_like(2, "8", NULL, NULL), "config"), "configured file"),
          "in the configured file's name");
    check(refused("conflict", propose(book_like(1, "8", NULL, NULL), "ann"), "not above the newest"),
          "a published version");
    check(refused("not_found", decide("price_book_approve", 2, "bob"), "proposed price book"), "what nobody proposed");
}

static void test_two_operators(void)
{
    json_t *ok = propose(book_like(2, "8000", NULL, NULL), "ann"), *diff;

    check(ok && strcmp(json_string_value(json_object_get(ok, "state")), "proposed") == 0 &&
          json_is_object(json_object_get(ok, "book")), "ann proposes version 2");
    json_decref(ok);
    diff = world_ask(&w, "price_book_diff", "{s:i,s:i}", "from", 1, "to", 2);
    check(json_array_size(json_object_get(diff, "meters")) == 1 &&
          strcmp(json_string_value(json_object_get(json_array_get(json_object_get(diff, "meters"), 0), "was")),
                 "0.000002333333333... EUR (7000/3 nano) per CPU-second") == 0, "bob sees what differs");
    json_decref(diff);
    check(refused("conflict", propose(book_like(2, "9000", NULL, NULL), "ann"), "spent"),
          "what he read does not change");
    check(refused("forbidden", decide("price_book_approve", 2, "ann"), "another operator"), "ann cannot publish it");
    ok = decide("price_book_approve", 2, "bob");
    check(ok && strcmp(json_string_value(json_object_get(ok, "state")), "published") == 0, "bob publishes it");
    json_decref(ok);
    check(refused("conflict", decide("price_book_withdraw", 2, "ann"), "published by bob"), "and it stays");
    ok = quote();
    check(integer(ok, "price_book") == 2, "quotes are by version 2");
    json_decref(ok);
}

static void test_withdrawn(void)
{
    json_t *ok = propose(book_like(3, "8000", "valid_from", "2999-01-01T00:00:00Z"), "ann");

    json_decref(ok);
    ok = decide("price_book_withdraw", 3, "ann");
    check(ok && strcmp(json_string_value(json_object_get(ok, "state")), "withdrawn") == 0, "ann withdraws version 3");
    json_decref(ok);
    check(refused("conflict", decide("price_book_approve", 3, "bob"), "withdrawn by ann"), "then nobody publishes it");
    ok = world_ask(&w, "price_proposals", "{}");
    check(json_array_size(json_object_get(ok, "price_proposals")) == 2, "both proposals are on record");
    json_decref(ok);
}

static void test_dated(void)
{
    json_t *ok = propose(book_like(4, "9000", "valid_from", "2999-01-01T00:00:00Z"), "ann");

    json_decref(ok);
    json_decref(decide("price_book_approve", 4, "bob"));
    ok = world_ask(&w, "price_books", "{}");
    check(integer(ok, "current") == 2 && json_array_size(json_object_get(ok, "price_books")) == 3,
          "a published book of a later date is not in force");
    json_decref(ok);
}

static void test_restart(void)
{
    json_t *before = world_ask(&w, "price_book", "{s:i}", "version", 2), *after;

    world_kill(&w, SIGKILL);
    started("after kill -9");
    after = world_ask(&w, "price_book", "{s:i}", "version", 2);
    check(before && json_equal(before, after), "version 2 and its signature are as before");
    json_decref(before);
    json_decref(after);
}

static void test_configured_file(void)
{
    json_t *book = book_like(5, "9000", NULL, NULL), *ok, *row;
    char path[128];

    snprintf(path, sizeof(path), "%s/prices.json", w.dir);
    check(json_dump_file(book, path, 0) == 0, "the configured file has version 5");
    json_decref(book);
    w.prices = path;
    world_kill(&w, SIGKILL);
    started("with it");
    ok = world_ask(&w, "price_proposals", "{}");
    row = json_array_get(json_object_get(ok, "price_proposals"), 3);
    check(integer(row, "version") == 5 && strcmp(json_string_value(json_object_get(row, "operator")), "config") == 0 &&
          strcmp(json_string_value(json_object_get(row, "state")), "proposed") == 0, "which it proposes");
    json_decref(ok);
    world_kill(&w, SIGKILL);
    started("again, the same file");
    ok = decide("price_book_approve", 5, "ann");
    check(ok && integer(ok, "version") == 5, "and one operator publishes");
    json_decref(ok);
    w.prices = NULL;
}

/* A guest of one vCPU that has used half a second and sent 10 GiB. */
static struct xs_stats_slot live(uint8_t id, const char *instance)
{
    struct xs_stats_slot slot = world_live(id, 5);

    json_decref(world_ask(&w, "instance_register", "{s:s,s:s,s:s,s:s,s:i,s:i}", "account_id", "acc", "instance_id",
                          instance, "domain_uuid", world_hex(id), "incarnation", world_hex(id), "vcpus", 1,
                          "memory_mib", 128));
    slot.guest_ns = 500000000;
    slot.net_tx_bytes = 10ull << 30;
    world_slot(&w, 3, &slot);
    check(world_sampled(&w), "a guest runs");
    return slot;
}

static void end(struct xs_stats_slot *slot)
{
    slot->state = XS_SLOT_FINAL;
    slot->died_ns = 600000000;
    slot->pages = 0;
    world_slot(&w, 3, slot);
    check(world_freed(&w, 3), "and ends");
}

static void live_and_end(void)
{
    struct xs_stats_slot slot;

    json_decref(world_ask(&w, "account_open", "{s:s,s:s,s:s}", "account_id", "acc", "name", "Ann", "currency", "EUR"));
    json_decref(world_ask(&w, "fund", "{s:s,s:s,s:s,s:s,s:s}", "transfer_id", "t1", "account_id", "acc", "amount_nano",
                          "10000000000", "reason", "voucher", "operator", "op"));
    slot = live(0xaa, "ins");
    end(&slot);
}

static void test_summary(void)
{
    char from[UTC_DAY_BYTES], to[UTC_DAY_BYTES];
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    json_t *ok, *row;
    size_t i;
    bool found = false;

    live_and_end();
    utc_day_text(now_ms - UTC_DAY_MS, from);
    utc_day_text(now_ms + UTC_DAY_MS, to);
    ok = world_ask(&w, "usage_summary", "{s:s,s:s,s:s,s:s}", "account_id", "acc", "from_day", from, "to_day", to, "by",
                   "instance,meter");
    json_array_foreach(json_object_get(ok, "rows"), i, row)
        if (strcmp(json_string_value(json_object_get(row, "meter")), "cpu_used") == 0)
            found = strcmp(json_string_value(json_object_get(row, "quantity")), "500000000") == 0 &&
                    strcmp(json_string_value(json_object_get(row, "units")), "0.5") == 0 &&
                    strcmp(json_string_value(json_object_get(row, "instance_id")), "ins") == 0 &&
                    decimal(row, "amount_nano") == 3000 / 2;
    check(found, "its half second is in the summary, at 9000/3 nano");
    json_decref(ok);
    check(refused("bad_request", world_ask(&w, "usage_summary", "{s:s,s:s,s:s,s:s}", "account_id", "acc", "from_day",
                                           "2026-11-31", "to_day", "2026-12-31", "by", "meter"), "from_day") &&
          refused("bad_request", world_ask(&w, "usage_summary", "{s:s,s:s,s:s,s:s}", "account_id", "acc", "from_day",
                                           "2026-11-02", "to_day", "2026-11-01", "by", "meter"), "to_day") &&
          refused("bad_request", world_ask(&w, "usage_summary", "{s:s,s:s,s:s,s:s}", "account_id", "acc", "from_day",
                                           "2026-11-01", "to_day", "2026-11-01", "by", "meter,meter"), "by:"),
          "days that do not exist, a range that ends before it begins, a word twice");
}

/* 10 GiB out at 0.02 EUR, which version 6 takes at 0.05 above the first free 2. */
static void test_replay(void)
{
    char period[UTC_MONTH_BYTES];
    json_t *ok, *line, *book = book_like(6, "7000", NULL, NULL);
    int64_t amount = -1, billed = -1;
    size_t i;

    json_array_foreach(json_object_get(book, "meters"), i, line)
        if (strcmp(json_string_value(json_object_get(line, "meter")), "net_bytes_out") == 0) {
            json_object_set_new(line, "num_nano", json_string("50000000"));
            json_object_set_new(line, "free", json_string("2"));
        }
    json_decref(propose(book, "ann"));
    utc_month_text((int64_t)time(NULL) * 1000, period);
    ok = world_ask(&w, "replay", "{s:s,s:s,s:i}", "account_id", "acc", "period", period, "version", 6);
    check(ok && decimal(ok, "total_nano") == 400000000, "a month under a book that is only proposed");
    json_decref(ok);
    json_decref(decide("price_book_approve", 6, "bob"));
    ok = world_ask(&w, "replay", "{s:s,s:s,s:i}", "account_id", "acc", "period", period, "version", 6);
    json_array_foreach(json_object_get(ok, "lines"), i, line)
        if (strcmp(json_string_value(json_object_get(line, "meter")), "net_bytes_out") == 0) {
            amount = decimal(line, "amount_nano");
            billed = decimal(line, "billed_nano");
        }
    check(amount == 400000000 && billed == 200000000, "a month under another book: 0.40 instead of 0.20 EUR");
    check(decimal(ok, "total_nano") == 400000000 && decimal(ok, "billed_nano") == 200000000, "and in all");
    json_decref(ok);
    ok = world_ask(&w, "replay", "{s:s,s:s,s:i}", "account_id", "acc", "period", period, "version", 5);
    check(ok && decimal(ok, "total_nano") == decimal(ok, "billed_nano"), "under its own it is what was billed");
    json_decref(ok);
    check(refused("not_found",
                  world_ask(&w, "replay", "{s:s,s:s,s:i}", "account_id", "acc", "period", period, "version", 9),
                  "price book") &&
              refused("bad_request",
                      world_ask(&w, "replay", "{s:s,s:s,s:i}", "account_id", "acc", "period", "2026-13", "version", 1),
                      "period"),
          "a version that nobody proposed, a month that is none");
}

/* To the cent: the other meters' share of half a second is far below one. */
static int64_t usage_cents(const char *instance)
{
    json_t *shown = world_ask(&w, "usage", "{s:s,s:s}", "account_id", "acc", "instance_id", instance);
    int64_t nano = decimal(json_array_get(json_object_get(shown, "instances"), 0), "amount_nano");

    json_decref(shown);
    return nano / RATE_CENT_NANO;
}

/* Version 6 gives the account 2 GiB a month, not each guest. */
static void test_live_usage(void)
{
    struct xs_stats_slot slot = live(0xbb, "first");

    check(usage_cents("first") == 40, "what runs costs what its record will: 8 GiB of 10, %jd cents",
          (intmax_t)usage_cents("first"));
    end(&slot);
    check(usage_cents("first") == 40, "and so it was charged");
    slot = live(0xcc, "second");
    check(usage_cents("second") == 50, "the month's free 2 GiB are used: 10 GiB of 10, %jd cents",
          (intmax_t)usage_cents("second"));
    end(&slot);
    check(usage_cents("second") == 50 && usage_cents("first") == 40 && usage_cents("ins") == 20,
          "each stays what it was charged");
}

/* The customer's own quote begins after what was used, and has the tax. */
static void test_own_quote(void)
{
    json_t *own = world_ask(&w, "quote", "{s:s,s:i,s:i,s:i,s:s}", "account_id", "acc", "vcpus", 2, "memory_mib", 512,
                            "seconds", 60, "net_bytes_out", "1073741824");
    int64_t net = decimal(own, "total_nano"), tax = decimal(json_object_get(own, "tax"), "amount_nano");

    check(refused("not_found",
                  world_ask(&w, "quote", "{s:s,s:i,s:i,s:i}", "account_id", "nobody", "vcpus", 1, "memory_mib", 128,
                            "seconds", 60),
                  "nobody") &&
              refused("not_found",
                      world_ask(&w, "instance_register", "{s:s,s:s,s:s,s:s,s:i,s:i}", "account_id", "nobody",
                                "instance_id", "none", "domain_uuid", world_hex(0xbb), "incarnation", world_hex(0xbb),
                                "vcpus", 1, "memory_mib", 128),
                      "nobody"),
          "an account that nobody opened");
    check(own && tax >= 0 && decimal(own, "total_with_tax_nano") == net + tax, "an account's quote has its tax");
    json_decref(own);
}

int main(void)
{
    world_begin(&w);
    started("first");
    test_first_book();
    test_quote();
    test_refusals();
    test_two_operators();
    test_withdrawn();
    test_dated();
    test_restart();
    test_configured_file();
    test_summary();
    test_replay();
    test_live_usage();
    test_own_quote();
    world_end(&w);
    return tap_end();
}
