/* rate.c: amounts, their rounding, and what a price book may say. */
#include "accountd/rate.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>

static struct rate_book book_of(int64_t num, int64_t den)
{
    struct rate_book book = { .version = 1, .currency = "EUR" };

    for (int q = 0; q < METER_QUANTITIES; q++)
        book.price[q] = (struct rate_price){ num, den };
    return book;
}

/* disk_ops has one quantity in a unit: the fraction is quantity * num / den. */
static const struct {
    uint64_t quantity;
    int64_t num, den, rounded, floor;
} rounding[] = {
    { 0, 7, 3, 0, 0 },
    { 1, 1, 2, 0, 0 },                  /* 0.5 to even 0 */
    { 3, 1, 2, 2, 1 },                  /* 1.5 to even 2 */
    { 5, 1, 2, 2, 2 },                  /* 2.5 to even 2 */
    { 7, 1, 2, 4, 3 },                  /* 3.5 to even 4 */
    { 1, 1, 3, 0, 0 },
    { 2, 1, 3, 1, 0 },                  /* 0.67 */
    { 5, 7, 4, 9, 8 },                  /* 8.75 */
    { 1, 499999999, 1000000000, 0, 0 },
    { 1, 500000000, 1000000000, 0, 0 },
    { 1, 500000001, 1000000000, 1, 0 },
    { 1000000, RATE_PRICE_MAX, 1000000, RATE_PRICE_MAX, RATE_PRICE_MAX },
};

static void test_rounding(void)
{
    for (size_t i = 0; i < sizeof(rounding) / sizeof(rounding[0]); i++) {
        struct rate_book book = book_of(rounding[i].num, rounding[i].den);
        int64_t rounded = -1, floor = -1;

        check(rate_amount(&book, METER_DISK_OPS, rounding[i].quantity, &rounded) == 0 &&
              rate_amount_floor(&book, METER_DISK_OPS, rounding[i].quantity, &floor) == 0 &&
              rounded == rounding[i].rounded && floor == rounding[i].floor, "%ju x %jd/%jd is %jd, rounded down %jd",
              (uintmax_t)rounding[i].quantity, (intmax_t)rounding[i].num, (intmax_t)rounding[i].den,
              (intmax_t)rounding[i].rounded, (intmax_t)rounding[i].floor);
    }
}

static void test_units(void)
{
    struct rate_book book = book_of(36, 1);
    int64_t amount;

    check(rate_amount(&book, METER_CPU_USED, 3600ull * 1000000000u, &amount) == 0 && amount == 36 * 3600,
          "an hour of CPU at 36 nano a second");
    check(rate_amount(&book, METER_MEMORY_RESERVED, (unsigned __int128)512 * 1000000000u * 60, &amount) == 0 &&
          amount == 36 * 30, "a minute of 512 MiB at 36 nano a GiB-second");
    check(rate_amount(&book, METER_MEMORY_USED, (unsigned __int128)131072 * 1000000000u * 60, &amount) == 0 &&
          amount == 36 * 30, "a minute of 131072 pages is the same");
}

static void test_limits(void)
{
    struct rate_book book = book_of(RATE_PRICE_MAX, 1);
    int64_t amount = 42;

    check(rate_amount(&book, METER_DISK_OPS, 9224, &amount) == -1 && amount == 42, "an amount past int64 is refused");
    check(rate_amount(&book, METER_DISK_OPS, ~(unsigned __int128)0, &amount) == -1 && amount == 42,
          "a product past 128 bits is refused");
}

/* Splitting a quantity never bills more, floor by floor, than the line rounded once. */
static void test_split_lines(void)
{
    struct rate_book book = book_of(7, 3);
    unsigned __int128 whole = 0;
    int64_t sum = 0, amount;
    bool good = true;

    for (int i = 1; i <= 81; i++) {
        whole += (unsigned)i * 37u;
        good = good && rate_amount_floor(&book, METER_DISK_OPS, (unsigned)i * 37u, &amount) == 0;
        sum += amount;
    }
    good = good && rate_amount(&book, METER_DISK_OPS, whole, &amount) == 0;
    check(good && amount == 286713 && sum <= amount && amount - sum < 82,
          "81 parts, each rounded down, stay below the one line by less than a nano each");
}

static const char good_book[] =
    "{\"currency\":\"EUR\",\"meters\":["
    "{\"den\":\"1\",\"meter\":\"vcpu_reserved\",\"num_nano\":\"1\",\"unit\":\"vCPU-second\"},"
    "{\"den\":\"1\",\"meter\":\"memory_reserved\",\"num_nano\":\"1\",\"unit\":\"GiB-second\"},"
    "{\"den\":\"3\",\"meter\":\"cpu_used\",\"num_nano\":\"7\",\"unit\":\"CPU-second\"},"
    "{\"den\":\"1\",\"meter\":\"memory_used\",\"num_nano\":\"1\",\"unit\":\"GiB-second\"},"
    "{\"den\":\"1\",\"meter\":\"disk_ops\",\"num_nano\":\"0\",\"unit\":\"operation\"},"
    "{\"den\":\"1\",\"meter\":\"disk_bytes\",\"num_nano\":\"0\",\"unit\":\"GiB\"},"
    "{\"den\":\"1\",\"meter\":\"net_packets\",\"num_nano\":\"0\",\"unit\":\"packet\"},"
    "{\"den\":\"1\",\"meter\":\"net_bytes_out\",\"num_nano\":\"0\",\"unit\":\"GiB\"},"
    "{\"den\":\"1\",\"meter\":\"net_bytes_in\",\"num_nano\":\"0\",\"unit\":\"GiB\"}],\"version\":4}";

/* What is replaced in the good book, and a word of the complaint. */
static const struct {
    const char *was, *is, *says;
} bad_books[] = {
    { "\"version\":4", "\"version\":0", "version" },
    { "\"version\":4", "\"version\":\"4\"", "version" },
    { "\"currency\":\"EUR\"", "\"currency\":\"eur\"", "currency" },
    { "\"currency\":\"EUR\",", "", "currency" },
    { "\"den\":\"3\"", "\"den\":\"0\"", "cpu_used" },
    { "\"den\":\"3\"", "\"den\":3", "cpu_used" },
    { "\"den\":\"3\"", "\"den\":\"-3\"", "cpu_used" },
    { "\"num_nano\":\"7\"", "\"num_nano\":\"7.5\"", "cpu_used" },
    { "\"num_nano\":\"7\"", "\"num_nano\":\"07\"", "cpu_used" },
    { "\"num_nano\":\"7\"", "\"num_nano\":\"99999999999999999999\"", "cpu_used" },
    { "CPU-second\"},{\"den\":\"1\",\"meter\":\"memory_used", "CPU-hour\"},{\"den\":\"1\",\"meter\":\"memory_used", "unit" },
    { "\"cpu_used\"", "\"cpu_userd\"", "no such meter" },
    { "\"cpu_used\"", "\"memory_used\"", "memory_used" },
    { "{\"den\":\"1\",\"meter\":\"net_packets\",\"num_nano\":\"0\",\"unit\":\"packet\"},", "", "net_packets" },
    { "\"version\":4", "\"version\":4,\"discount\":1", "discount" },
};

static json_t *changed(const char *was, const char *is)
{
    char text[4096];
    const char *at = strstr(good_book, was);

    if (!at)
        return NULL;
    snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good_book), good_book, is, at + strlen(was));
    return json_loads(text, JSON_REJECT_DUPLICATES, NULL);
}

static void test_books(void)
{
    struct rate_book book;
    struct json_why why = { "" };
    json_t *object = json_loads(good_book, 0, NULL);

    check(rate_book_parse(object, &book, &why) == 0 && book.version == 4 && book.price[METER_CPU_USED].den == 3,
          "a good price book is read");
    json_decref(object);
    for (size_t i = 0; i < sizeof(bad_books) / sizeof(bad_books[0]); i++) {
        object = changed(bad_books[i].was, bad_books[i].is);
        book.version = 99;
        check(object && rate_book_parse(object, &book, &why) == -1 && strstr(why.text, bad_books[i].says) &&
              book.version == 99, "refused: %s (%s)", bad_books[i].is, why.text);
        json_decref(object);
    }
}

static void test_forecast(void)
{
    struct rate_book book = book_of(1000, 1);
    struct meter_reserved reserved = { 2, 1024 };
    struct meter_usage usage = rate_forecast(&reserved, 3600, 50);
    int64_t total;

    check(rate_total(&book, &usage, &total) == 0 && total == 1000ll * (7200 + 3600 + 3600 + 3600),
          "an hour of 2 vCPUs at half load and 1 GiB: reserved and used, apart");
}

int main(void)
{
    test_rounding();
    test_units();
    test_limits();
    test_split_lines();
    test_books();
    test_forecast();
    return tap_end();
}
