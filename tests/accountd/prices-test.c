/* Price books from proposal to the record that names them: two operators, dates, running guests that are moved. */
#include "tests/accountd/life.h"
#include "accountd/ledger/db.h"
#include "accountd/ledger/price_proposals.h"
#include "accountd/quote.h"
#include "client/verify/verify.h"
#include "tests/tap/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S 1000000000ull
#define LIFE_UTC_MS 1700000000000       /* life.c: hv's clock began then */

/* life.c's book with another version, cpu_used at num / 3 nano, and dates (NULL: none). malloc'd. */
static char *body_of(struct life *life, int64_t version, const char *num, const char *valid_from, const char *moves_at)
{
    struct rate_book book;
    char *first, *body;
    json_t *object, *row;
    size_t i;

    if (ledger_price_book(life->a.ledger, 1, &book, &first) != LEDGER_OK)
        exit(99);
    object = json_loads(first, 0, NULL);
    json_object_set_new(object, "version", json_integer(version));
    json_array_foreach(json_object_get(object, "meters"), i, row)
        if (strcmp(json_string_value(json_object_get(row, "meter")), "cpu_used") == 0)
            json_object_set_new(row, "num_nano", json_string(num));
    if (valid_from)
        json_object_set_new(object, "valid_from", json_string(valid_from));
    if (moves_at)
        json_object_set_new(object, "moves_running_at", json_string(moves_at));
    body = json_canonical(object);
    json_decref(object);
    free(first);
    return body;
}

static void publish(struct life *life, int64_t version, const char *num, const char *valid_from, const char *moves_at)
{
    char *body = body_of(life, version, num, valid_from, moves_at);

    if (price_propose(life->a.ledger, version, body, "ann", 10) != LEDGER_OK ||
        price_publish(life->a.ledger, version, "bob", 11) != LEDGER_OK || tariff_settle(&life->a))
        exit(99);
    free(body);
}

static bool refuses(struct life *life, const char *sql)
{
    return sqlite3_exec(life->a.ledger->db, sql, NULL, NULL, NULL) != SQLITE_OK;
}

static void test_two_operators(void)
{
    struct life life;
    struct ledger *ledger;
    char *two, *other, *three;

    life_begin(&life);
    ledger = life.a.ledger;
    two = body_of(&life, 2, "8", NULL, NULL);
    other = body_of(&life, 2, "9", NULL, NULL);
    three = body_of(&life, 3, "9", NULL, NULL);
    check(price_propose(ledger, 2, two, "ann", 10) == LEDGER_OK && price_book_get(ledger, 2) == NULL,
          "a proposed price book is not published");
    check(price_propose(ledger, 2, two, "ann", 12) == LEDGER_EXISTS, "proposed again, it exists");
    check(price_propose(ledger, 2, other, "ann", 12) == LEDGER_EXISTS_DIFFERENT &&
          price_propose(ledger, 2, two, "bob", 12) == LEDGER_EXISTS_DIFFERENT,
          "its version is spent: not with other prices, not by another");
    check(price_publish(ledger, 2, "ann", 13) == LEDGER_CONFLICT, "whoever proposed it cannot publish it");
    check(refuses(&life, "INSERT INTO price_decision VALUES (2, 'published', 'ann', 13)") &&
          refuses(&life, "INSERT INTO price_book VALUES (2, '{}', 13)") &&
          refuses(&life, "UPDATE price_proposal SET body = '{}'") && refuses(&life, "DELETE FROM price_proposal"),
          "the database refuses what the code above it would");
    check(price_publish(ledger, 2, "bob", 14) == LEDGER_OK && price_book_get(ledger, 2) &&
          price_book_get(ledger, 2)->price[METER_CPU_USED].tiers[0].num_nano == 8, "another operator publishes it");
    check(price_publish(ledger, 2, "bob", 15) == LEDGER_EXISTS &&
              price_publish(ledger, 2, "cem", 15) == LEDGER_CONFLICT &&
              price_withdraw(ledger, 2, "ann", 15) == LEDGER_CONFLICT,
          "once, and it is not withdrawn any more");
    check(refuses(&life, "UPDATE price_decision SET operator = 'ann'") && refuses(&life, "DELETE FROM price_decision"),
          "who decided stays");
    check(price_propose(ledger, 3, three, "ann", 16) == LEDGER_OK &&
              price_withdraw(ledger, 3, "ann", 17) == LEDGER_OK &&
              price_withdraw(ledger, 3, "ann", 18) == LEDGER_EXISTS &&
              price_publish(ledger, 3, "bob", 18) == LEDGER_CONFLICT &&
              price_propose(ledger, 3, three, "bob", 19) == LEDGER_EXISTS_DIFFERENT,
          "a withdrawn version is spent too");
    check(price_publish(ledger, 4, "bob", 18) == LEDGER_NOT_FOUND, "what nobody proposed is not found");
    free(two);
    free(other);
    free(three);
    life_end(&life);
}

static void test_order(void)
{
    struct life life;
    char *two, *three;

    life_begin(&life);
    two = body_of(&life, 2, "8", NULL, NULL);
    three = body_of(&life, 3, "9", NULL, NULL);
    check(price_propose(life.a.ledger, 2, two, "ann", 10) == LEDGER_OK &&
          price_propose(life.a.ledger, 3, three, "ann", 10) == LEDGER_OK &&
          price_publish(life.a.ledger, 3, "bob", 11) == LEDGER_OK &&
          price_publish(life.a.ledger, 2, "bob", 12) == LEDGER_CONFLICT && price_book_get(life.a.ledger, 2) == NULL,
          "what a newer book has overtaken is not published");
    check(refuses(&life, "INSERT INTO price_signature VALUES (2, 'x')"), "nor signed");
    free(two);
    free(three);
    life_end(&life);
}

static void test_signature_and_leaf(void)
{
    struct life life;
    struct rate_book book;
    char *body, *minisig = NULL;
    uint64_t idx;

    life_begin(&life);
    publish(&life, 2, "8", NULL, NULL);
    check(ledger_price_book(life.a.ledger, 2, &book, &body) == LEDGER_OK &&
              price_book_signature(life.a.ledger, 2, &minisig) == LEDGER_OK &&
              note_minisig_verify(minisig, body, strlen(body), &life.a.keys.invoice),
          "the invoice key has signed its bytes");
    check(store_find_leaf(life.a.store, "tariff", "\"version\":2}", &idx) == 1, "the log has its leaf");
    check(refuses(&life, "UPDATE price_signature SET minisig = 'x'") && refuses(&life, "DELETE FROM price_signature"),
          "the signature stays");
    free(body);
    free(minisig);
    check(life_reopen(&life) && price_book_get(life.a.ledger, 2) && price_book_get(life.a.ledger, 1),
          "so after a restart");
    life_end(&life);
}

static void test_dates(void)
{
    struct life life;
    struct ledger *ledger;
    int64_t december = 1796083200000, january = 1798761600000;

    life_begin(&life);
    ledger = life.a.ledger;
    publish(&life, 2, "8", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z");
    publish(&life, 3, "9", NULL, NULL);
    check(price_book_at(ledger, december)->version == 3, "the newest book that is valid: one without a date is");
    publish(&life, 4, "9", "2027-01-01T00:00:00Z", NULL);
    check(price_book_at(ledger, january - 1)->version == 3 && price_book_at(ledger, january)->version == 4,
          "a dated one from its instant on");
    check(price_book_for_running(ledger, 1, january - 1) == 1 && price_book_for_running(ledger, 1, january) == 2,
          "a running guest keeps its book until a newer one takes it over");
    check(price_book_for_running(ledger, 2, january) == 2 && price_book_for_running(ledger, 3, january + 1) == 3,
          "never to an older one, nor to one that takes nobody over");
    life_end(&life);
}

struct reading {
    int64_t book[64], t0_ms[64];
    unsigned count;
};

static int read_book(void *arg, uint64_t idx, const char *type, const char *leaf)
{
    struct reading *reading = arg;
    json_t *fields = json_loads(strchr(leaf, '\n') + 1, 0, NULL);

    (void)idx;
    (void)type;
    if (reading->count < 64) {
        reading->book[reading->count] = json_integer_value(json_object_get(fields, "price_book"));
        reading->t0_ms[reading->count++] = json_integer_value(json_object_get(fields, "t0_ms"));
    }
    json_decref(fields);
    return 0;
}

static struct reading books_of(struct life *life)
{
    struct reading reading = { .count = 0 };

    if (store_each_leaf(life->a.store, "acc", "ins", 0, UINT32_MAX, -1, read_book, &reading))
        exit(99);
    return reading;
}

/* Names one book up to the instant and the next from the first record that begins at or after it. */
static bool moved_once(const struct reading *reading, int64_t from, int64_t to, int64_t at_ms)
{
    for (unsigned i = 0; i < reading->count; i++)
        if (reading->book[i] != (reading->t0_ms[i] < at_ms ? from : to))
            return false;
    return reading->count > 0;
}

static void run_for(struct life *life, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        life_slot(life, 2)->guest_ns += S / 2;
        if (life_step(life, S))
            exit(99);
    }
}

/* cpu_used and disk_ops by tiers, some free, with minimums; running guests are moved at once. */
static void publish_tiers(struct life *life, int64_t version, const char *moves_at)
{
    char *body = body_of(life, version, "8", NULL, moves_at);
    json_t *object = json_loads(body, 0, NULL), *row;
    size_t i;

    json_array_foreach(json_object_get(object, "meters"), i, row) {
        const char *name = json_string_value(json_object_get(row, "meter"));

        if (strcmp(name, "cpu_used") != 0 && strcmp(name, "disk_ops") != 0)
            continue;
        json_object_del(row, "num_nano");
        json_object_del(row, "den");
        json_object_set_new(row, "free", json_string("200"));
        json_object_set_new(row, "minimum_nano", json_string("77"));
        json_object_set_new(row, "tiers", json_pack("[{s:s,s:s,s:s},{s:s,s:s,s:s}]", "above", "0", "num_nano", "7000",
                                                    "den", "3", "above", "1000", "num_nano", "5000", "den", "3"));
    }
    free(body);
    body = json_canonical(object);
    if (price_propose(life->a.ledger, version, body, "ann", 10) != LEDGER_OK ||
        price_publish(life->a.ledger, version, "bob", 11) != LEDGER_OK || tariff_settle(&life->a))
        exit(99);
    json_decref(object);
    free(body);
}

/* life.c's clock shows 2023-11-14T22:13:20Z and the seconds of hv's clock. */
static void test_running_guest_is_moved(void)
{
    struct life life;
    struct reading reading;
    int64_t at_ms = LIFE_UTC_MS + 100 * 1000, closed_ms;

    life_begin(&life);
    life_account(&life, "acc", 100000000);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    run_for(&life, 10);
    publish(&life, 2, "70", NULL, "2023-11-14T22:15:00Z");
    run_for(&life, 80);
    reading = books_of(&life);
    check(moved_once(&reading, 1, 2, at_ms) && reading.book[reading.count - 1] == 1,
          "before the instant, the old book");
    run_for(&life, 20);
    reading = books_of(&life);
    closed_ms = life.a.journal.entries->last.t1_ms;
    check(reading.book[reading.count - 1] == 1 && closed_ms >= at_ms && closed_ms <= at_ms + 2000,
          "at the instant the segment closes, under the old book, without waiting for the interval");
    run_for(&life, 120);
    life_death(&life, 2);
    life_step(&life, S);
    reading = books_of(&life);
    check(moved_once(&reading, 1, 2, at_ms) && reading.book[reading.count - 1] == 2,
          "what begins then is the new book's");
    check(life_is_sound(&life), "the chain and the books are sound");
    life_end(&life);
}

/* accountd was down at the instant: nobody knows what was used before it, so all until the restart is the old book's.
 */
static void test_moved_while_down(void)
{
    struct life life;
    struct reading reading;
    int64_t at_ms = LIFE_UTC_MS + 100 * 1000;

    life_begin(&life);
    life_account(&life, "acc", 100000000);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    run_for(&life, 10);
    publish(&life, 2, "70", NULL, "2023-11-14T22:15:00Z");
    check(life_reopen(&life), "accountd starts again");
    life_slot(&life, 2)->guest_ns += 150 * S;
    life_step(&life, 300 * S);
    run_for(&life, 70);
    reading = books_of(&life);
    check(moved_once(&reading, 1, 2, at_ms) && reading.book[reading.count - 1] == 2,
          "the gap is billed by the book that it began with, the rest by the new one");
    check(life_is_sound(&life), "the chain and the books are sound");
    life_end(&life);
}

/* A tiered book, and a customer who has used some of the month: what the quote says is what the wallet pays. */
static void test_quote_is_billed(void)
{
    struct life life;
    struct meter_usage before, usage = { { 0 } };
    const struct rate_book *book;
    struct quote quote;
    struct tax tax;
    int64_t posted, tax_nano = -1, now_ms;

    life_begin(&life);
    life_account(&life, "acc", 1000000000);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    run_for(&life, 70);
    publish_tiers(&life, 2, "2023-11-14T22:15:00Z");
    run_for(&life, 170);
    life.a.journal.next_due_ns = 0;
    run_for(&life, 1);
    now_ms = life.a.clock.utc_ms;
    book = price_book_get(life.a.ledger, life.a.journal.entries->last.price_book);
    check(book && book->version == 2 && quote_before(&life.a, "acc", 2, now_ms, &before) == 0 &&
          before.of[METER_CPU_USED] > 0, "the account has used some of the month's free seconds");
    posted = life_posted(&life, "acc");
    usage.of[METER_CPU_USED] = 3600 * S / 2;
    usage.of[METER_VCPU_RESERVED] = (unsigned __int128)3600 * S * 2;
    usage.of[METER_MEMORY_RESERVED] = (unsigned __int128)3600 * S * 512;
    usage.of[METER_MEMORY_USED] = (unsigned __int128)3600 * S * 1000;
    usage.of[METER_DISK_OPS] = 3600;
    check(quote_price(book, &before, &usage, now_ms, 3600, &quote) == 0 &&
          quote_tax(&life.a, "acc", quote.total_nano, &tax, &tax_nano) == 0, "an hour is quoted");
    for (unsigned i = 0; i < 3600; i++) {
        life_slot(&life, 2)->disk_read_ops++;
        run_for(&life, 1);
    }
    life.a.journal.next_due_ns = 0;
    life_step(&life, 0);
    check(posted - life_posted(&life, "acc") == quote.total_nano + tax_nano && quote.total_nano > 0,
          "and costs the quote to the nano, tax %jd included", (intmax_t)tax_nano);
    check(life_is_sound(&life), "the chain and the books are sound");
    life_end(&life);
}

static int bundle_path(void *arg, const struct ledger_invoice *invoice)
{
    struct { struct accountd *a; char path[512]; } *got = arg;
    struct json_why why;

    return invoice_bundle(got->a, invoice, got->path, sizeof(got->path), &why);
}

/* What xs-verify says of an invoice of all that is charged: "" if it is right. */
static void verify_invoice(struct life *life, const char *id, struct json_why *why)
{
    struct { struct accountd *a; char path[512]; } got = { .a = &life->a };
    static char bytes[1 << 22];
    struct verify_summary summary;
    json_t *body = NULL;
    size_t len = 0;
    FILE *in;

    if (accountd_settle(&life->a, 0, "acc") || invoice_create(&life->a, id, "acc", &body, why) != LEDGER_OK ||
        ledger_invoice_get(life->a.ledger, "acc", id, bundle_path, &got) != LEDGER_OK)
        exit(99);
    json_decref(body);
    in = fopen(got.path, "re");
    if (in) {
        len = fread(bytes, 1, sizeof(bytes), in);
        fclose(in);
    }
    why->text[0] = 0;
    if (verify_bundle(bytes, len, NULL, &summary, why) == 0 && why->text[0])
        exit(99);
}

/* A record that names a book which has not taken its guest over is refused, though it is in the log and signed. */
static void test_moves_are_verified(void)
{
    struct life life;
    struct json_why why;

    life_begin(&life);
    life_account(&life, "acc", 100000000);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    run_for(&life, 10);
    publish(&life, 2026, "70", NULL, "2023-11-14T22:15:00Z");
    publish(&life, 2027, "90", NULL, NULL);
    run_for(&life, 200);
    verify_invoice(&life, "first", &why);
    check(why.text[0] == 0, "a guest that was moved: its invoice is right %s", why.text);
    run_for(&life, 60);
    life.a.journal.entries->last.price_book = 2027;
    run_for(&life, 60);
    verify_invoice(&life, "second", &why);
    check(strstr(why.text, "price book 2027 does not take it over from 2026") != NULL, "moved by nobody's notice: %s",
          why.text);
    life_end(&life);
}

int main(void)
{
    test_two_operators();
    test_order();
    test_signature_and_leaf();
    test_dates();
    test_running_guest_is_moved();
    test_moved_while_down();
    test_quote_is_billed();
    test_moves_are_verified();
    return tap_end();
}
