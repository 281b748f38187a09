/* rate.c: amounts, their rounding, and what a price book may say. */
#include "accountd/rate.h"
#include "accountd/quote.h"
#include "common/utc.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>

static struct rate_book book_of(int64_t num, int64_t den)
{
    struct rate_book book = { .version = 1, .currency = "EUR" };

    for (int q = 0; q < METER_QUANTITIES; q++)
        book.price[q] = (struct rate_price){ .tiers_count = 1, .tiers = { { 0, num, den } } };
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

        check(rate_round(&book, METER_DISK_OPS, rounding[i].quantity, 1, &rounded) == 0 &&
              rate_floor(&book, METER_DISK_OPS, rounding[i].quantity, &floor) == 0 &&
              rounded == rounding[i].rounded && floor == rounding[i].floor, "%ju x %jd/%jd is %jd, rounded down %jd",
              (uintmax_t)rounding[i].quantity, (intmax_t)rounding[i].num, (intmax_t)rounding[i].den,
              (intmax_t)rounding[i].rounded, (intmax_t)rounding[i].floor);
    }
}

static void test_units(void)
{
    struct rate_book book = book_of(36, 1);
    int64_t amount;

    check(rate_round(&book, METER_CPU_USED, 3600ull * 1000000000u, 1, &amount) == 0 && amount == 36 * 3600,
          "an hour of CPU at 36 nano a second");
    check(rate_round(&book, METER_MEMORY_RESERVED, (unsigned __int128)512 * 1000000000u * 60, 1, &amount) == 0 &&
          amount == 36 * 30, "a minute of 512 MiB at 36 nano a GiB-second");
    check(rate_round(&book, METER_MEMORY_USED, (unsigned __int128)131072 * 1000000000u * 60, 1, &amount) == 0 &&
          amount == 36 * 30, "a minute of 131072 pages is the same");
}

static void test_limits(void)
{
    struct rate_book book = book_of(RATE_PRICE_MAX, 1);
    int64_t amount = 42;

    check(rate_round(&book, METER_DISK_OPS, 9224, 1, &amount) == -1 && amount == 42, "an amount past int64 is refused");
    check(rate_round(&book, METER_DISK_OPS, ~(unsigned __int128)0, 1, &amount) == -1 && amount == 42,
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
        good = good && rate_floor(&book, METER_DISK_OPS, (unsigned)i * 37u, &amount) == 0;
        sum += amount;
    }
    good = good && rate_round(&book, METER_DISK_OPS, whole, 1, &amount) == 0;
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

#define CPU         "\"den\":\"3\",\"meter\":\"cpu_used\",\"num_nano\":\"7\""
#define TIERS(rows) "\"meter\":\"cpu_used\",\"tiers\":[" rows "]"
#define TIER(above) "{\"above\":\"" above "\",\"num_nano\":\"7\",\"den\":\"3\"}"

/* What is replaced in the good book, and a word of the complaint. */
static const struct {
    const char *was, *is, *says;
} bad_books[] = {
    {"\"version\":4", "\"version\":0", "version"},
    {"\"version\":4", "\"version\":\"4\"", "version"},
    {"\"currency\":\"EUR\"", "\"currency\":\"eur\"", "currency"},
    {"\"currency\":\"EUR\",", "", "currency"},
    {"\"den\":\"3\"", "\"den\":\"0\"", "cpu_used"},
    {"\"den\":\"3\"", "\"den\":3", "cpu_used"},
    {"\"den\":\"3\"", "\"den\":\"-3\"", "cpu_used"},
    {"\"num_nano\":\"7\"", "\"num_nano\":\"7.5\"", "cpu_used"},
    {"\"num_nano\":\"7\"", "\"num_nano\":\"07\"", "cpu_used"},
    {"\"num_nano\":\"7\"", "\"num_nano\":\"99999999999999999999\"", "cpu_used"},
    {"CPU-second\"},{\"den\":\"1\",\"meter\":\"memory_used", "CPU-hour\"},{\"den\":\"1\",\"meter\":\"memory_used",
     "unit"},
    {"\"cpu_used\"", "\"cpu_userd\"", "no such meter"},
    {"\"cpu_used\"", "\"memory_used\"", "memory_used"},
    {"{\"den\":\"1\",\"meter\":\"net_packets\",\"num_nano\":\"0\",\"unit\":\"packet\"},", "", "net_packets"},
    {"\"version\":4", "\"version\":4,\"discount\":1", "discount"},
    {"\"version\":4", "\"version\":4,\"valid_from\":\"2026-12-01\"", "valid_from"},
    {"\"version\":4", "\"version\":4,\"valid_from\":\"2026-02-30T00:00:00Z\"", "valid_from"},
    {"\"version\":4", "\"version\":4,\"valid_from\":\"2026-12-01T00:00:00+01:00\"", "valid_from"},
    {"\"version\":4", "\"version\":4,\"moves_running_at\":1", "moves_running_at"},
    {"\"version\":4",
     "\"version\":4,\"valid_from\":\"2026-12-01T00:00:00Z\","
     "\"moves_running_at\":\"2026-11-30T23:59:59Z\"",
     "must not be before valid_from"},
    {CPU, CPU ",\"free\":\"-1\"", "free"},
    {CPU, CPU ",\"free\":10", "free"},
    {CPU, CPU ",\"minimum_nano\":\"1.5\"", "minimum_nano"},
    {CPU, CPU ",\"minimum_nano\":\"1000000000000001\"", "minimum_nano"},
    {CPU, CPU ",\"maximum_nano\":\"1\"", "maximum_nano"},
    {CPU, CPU ",\"tiers\":[{\"above\":\"0\",\"num_nano\":\"1\",\"den\":\"1\"}]", "beside them"},
    {CPU, "\"meter\":\"cpu_used\"", "num_nano: missing"},
    {CPU, TIERS(""), "array of 1 to 8"},
    {CPU, "\"meter\":\"cpu_used\",\"tiers\":{}", "array of 1 to 8"},
    {CPU,
     TIERS(TIER("0") "," TIER("1") "," TIER("2") "," TIER("3") "," TIER("4") "," TIER("5") "," TIER("6") "," TIER(
         "7") "," TIER("8")),
     "array of 1 to 8"},
    {CPU, TIERS(TIER("1")), "the first tier begins at 0"},
    {CPU, TIERS("{\"num_nano\":\"7\",\"den\":\"3\"}"), "number 1: above: missing"},
    {CPU, TIERS(TIER("0") "," TIER("0")), "number 2: above: must be more"},
    {CPU, TIERS(TIER("0") "," TIER("9") "," TIER("8")), "number 3: above: must be more"},
    {CPU, TIERS(TIER("0") ",{\"above\":\"9\",\"num_nano\":\"7\",\"den\":\"6\"}"), "share one"},
    {CPU, TIERS(TIER("0") ",{\"above\":\"9\",\"num_nano\":\"-7\",\"den\":\"3\"}"), "num_nano"},
    {CPU, TIERS(TIER("0") ",{\"above\":\"9\",\"num_nano\":\"7\"}"), "den"},
    {CPU, TIERS(TIER("0") ",{\"above\":\"9\",\"num_nano\":\"7\",\"den\":\"3\",\"until\":\"10\"}"), "until"},
    {CPU, TIERS("7"), "number 1"},
};

/* The good book with one thing replaced. */
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

    check(rate_book_parse(object, &book, &why) == 0 && book.version == 4 &&
              book.price[METER_CPU_USED].tiers[0].den == 3 && book.price[METER_CPU_USED].tiers_count == 1 &&
              book.valid_from_ms == 0 && book.moves_running_ms == 0,
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

static void test_tiered_book(void)
{
    struct rate_book book;
    struct json_why why = { "" };
    json_t *object = changed(CPU, TIERS(TIER("0") "," TIER("1000")) ",\"free\":\"100\",\"minimum_nano\":\"5\"");
    const struct rate_price *price = &book.price[METER_CPU_USED];

    check(rate_book_parse(object, &book, &why) == 0 && price->tiers_count == 2 && price->free == 100000000000u &&
          price->tiers[1].above == 1000000000000u && price->minimum_nano == 5,
          "tiers, free and minimum are read, in quantities (%s)", why.text);
    json_decref(object);
    object = changed("\"version\":4", "\"version\":4,\"valid_from\":\"2026-12-01T00:00:00Z\","
                     "\"moves_running_at\":\"2027-01-01T00:00:00Z\"");
    check(rate_book_parse(object, &book, &why) == 0 && book.valid_from_ms == 1796083200000 &&
          book.moves_running_ms == 1798761600000, "its two dates are read (%s)", why.text);
    json_decref(object);
}

/* disk_ops: 100 free, 3/2 nano to 1000, then 1/2 nano, at least 50 nano. */
static const struct rate_price tiered = {
    .free = 100, .minimum_nano = 50, .tiers_count = 2, .tiers = { { 0, 3, 2 }, { 1000, 1, 2 } }
};
static const struct {
    uint64_t cumulative;
    int64_t floor, to_ten;
    const char *what;
} rows[] = {
    { 0, 0, 0, "nothing used costs nothing, the minimum neither" },
    { 1, 50, 50, "the first operation brings the minimum" },
    { 100, 50, 50, "all of the free ones" },
    { 133, 50, 50, "49.5 is below the minimum" },
    { 134, 51, 50, "51 is above it" },
    { 136, 54, 50, "54 to tens is 50" },
    { 137, 55, 60, "55.5 is 60" },
    { 1000, 1350, 1350, "the last of the first tier" },
    { 1001, 1350, 1350, "the first of the second costs a half" },
    { 1002, 1351, 1350, "and so on" },
    { 1010, 1355, 1360, "1355, a tie, to the even 1360" },
    { 1030, 1365, 1360, "1365, a tie, to the even 1360" },
    { 1031, 1365, 1370, "1365.5 is more than a tie" },
    { 2000, 1850, 1850, "far into the second tier" },
};

static void test_tiers(void)
{
    struct rate_book book = book_of(1, 1);

    book.price[METER_DISK_OPS] = tiered;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t floor = -1, to_ten = -1;

        check(rate_floor(&book, METER_DISK_OPS, rows[i].cumulative, &floor) == 0 &&
              rate_round(&book, METER_DISK_OPS, rows[i].cumulative, 10, &to_ten) == 0 && floor == rows[i].floor &&
              to_ten == rows[i].to_ten, "%ju operations: %jd, to tens %jd: %s", (uintmax_t)rows[i].cumulative,
              (intmax_t)floor, (intmax_t)to_ten, rows[i].what);
    }
}

static void test_cents(void)
{
    static const struct { int64_t nano, cents;
    } ties[] = {
        {4999999, 0}, {5000000, 0}, {5000001, 1}, {15000000, 2}, {25000000, 2}, {25000001, 3}, {35000000, 4},
    };
    struct rate_book book = book_of(1, 1);
    int64_t nano, last;

    for (size_t i = 0; i < sizeof(ties) / sizeof(ties[0]); i++)
        check(rate_round(&book, METER_DISK_OPS, (uint64_t)ties[i].nano, RATE_CENT_NANO, &nano) == 0 &&
              nano == ties[i].cents * RATE_CENT_NANO, "%jd nano are %jd cents", (intmax_t)ties[i].nano,
              (intmax_t)ties[i].cents);
    last = INT64_MAX / RATE_CENT_NANO * RATE_CENT_NANO;
    check(rate_round(&book, METER_DISK_OPS, INT64_MAX, RATE_CENT_NANO, &nano) == 0 && nano == last,
          "the last cent that fits");
    nano = 42;
    check(rate_floor(&book, METER_DISK_OPS, (unsigned __int128)INT64_MAX + 1, &nano) == -1 &&
              rate_round(&book, METER_DISK_OPS, (unsigned __int128)INT64_MAX + 1, RATE_CENT_NANO, &nano) == -1 &&
              nano == 42,
          "an amount past int64 is refused");
}

/* An oracle that only multiplies, adds and compares, on integers of 256 bits. */
struct big {
    uint32_t limb[8];
};

static struct big big_of(unsigned __int128 value)
{
    struct big b = { { 0 } };

    for (int i = 0; i < 4; i++)
        b.limb[i] = (uint32_t)(value >> (32 * i));
    return b;
}

static struct big big_mul(struct big a, unsigned __int128 by)
{
    struct big b = big_of(by), product = { { 0 } };

    for (int i = 0; i < 8; i++) {
        uint64_t carry = 0;

        for (int j = 0; i + j < 8; j++) {
            carry += (uint64_t)a.limb[j] * b.limb[i] + product.limb[i + j];
            product.limb[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    return product;
}

static struct big big_add(struct big a, struct big b)
{
    uint64_t carry = 0;

    for (int i = 0; i < 8; i++) {
        carry += (uint64_t)a.limb[i] + b.limb[i];
        a.limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return a;
}

static int big_compare(struct big a, struct big b)
{
    for (int i = 7; i >= 0; i--)
        if (a.limb[i] != b.limb[i])
            return a.limb[i] < b.limb[i] ? -1 : 1;
    return 0;
}

/* F x divisor: each priced quantity has its tier's price, told one tier at a time. */
static struct big oracle(const struct rate_price *price, unsigned __int128 quantity, unsigned __int128 divisor)
{
    struct big sum = big_of(0), minimum = big_mul(big_of((uint64_t)price->minimum_nano), divisor);

    for (unsigned i = 0; i < price->tiers_count; i++) {
        unsigned __int128 end = i + 1 < price->tiers_count ? price->tiers[i + 1].above : ~(unsigned __int128)0;
        unsigned __int128 from = price->tiers[i].above > price->free ? price->tiers[i].above : price->free;

        end = end < quantity ? end : quantity;
        if (from < end)
            sum = big_add(sum, big_mul(big_of(end - from), (uint64_t)price->tiers[i].num_nano));
    }
    return quantity && big_compare(sum, minimum) < 0 ? minimum : sum;
}

static uint64_t random_state = 4;

static uint64_t random_u64(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Of any size up to so many bits: small ones are as likely as large. */
static unsigned __int128 random_bits(unsigned bits)
{
    unsigned __int128 value = (unsigned __int128)random_u64() << 64 | random_u64();

    return value >> (128 - 1 - random_u64() % bits);
}

static int64_t random_price(void)
{
    return (int64_t)(random_bits(50) % (RATE_PRICE_MAX + 1));
}

static struct rate_price random_tiers(enum meter_quantity meter)
{
    struct rate_price price = { .tiers_count = 1 + (unsigned)(random_u64() % RATE_TIERS_MAX) };
    int64_t den = random_price() + 1;
    unsigned __int128 above = 0;

    if (random_u64() % 2)
        price.free = random_bits(30) * meter_quantities[meter].per_unit;
    if (random_u64() % 4 == 0)
        price.minimum_nano = (int64_t)random_bits(30);
    for (unsigned i = 0; i < price.tiers_count; i++) {
        price.tiers[i] = (struct rate_tier){ above, random_price(), den > RATE_PRICE_MAX ? RATE_PRICE_MAX : den };
        above += (1 + random_bits(20)) * meter_quantities[meter].per_unit;
    }
    return price;
}

/* nano x divisor <= F x divisor < (nano + 1) x divisor; none if F does not fit. */
static bool floor_agrees(const struct rate_book *book, enum meter_quantity meter, unsigned __int128 quantity,
                         struct big f, unsigned __int128 divisor)
{
    int64_t nano;

    if (rate_floor(book, meter, quantity, &nano))
        return big_compare(f, big_mul(big_of((unsigned __int128)INT64_MAX + 1), divisor)) >= 0;
    return big_compare(big_mul(big_of((uint64_t)nano), divisor), f) <= 0 &&
           big_compare(f, big_mul(big_of((unsigned __int128)nano + 1), divisor)) < 0;
}

/* (2 nano - unit) x divisor <= 2 F x divisor <= (2 nano + unit) x divisor, and even where it is equal. */
static bool round_agrees(const struct rate_book *book, enum meter_quantity meter, unsigned __int128 quantity,
                         struct big f, unsigned __int128 divisor, int64_t unit)
{
    struct big twice = big_add(f, f), below, above;
    unsigned __int128 last = (unsigned __int128)(INT64_MAX / unit) * (uint64_t)unit;
    int64_t nano;
    int low, high;

    if (rate_round(book, meter, quantity, unit, &nano))
        return big_compare(twice, big_mul(big_of(2 * last + (uint64_t)unit), divisor)) >= 0;
    below = nano ? big_mul(big_of(2 * (unsigned __int128)nano - (uint64_t)unit), divisor) : big_of(0);
    above = big_mul(big_of(2 * (unsigned __int128)nano + (uint64_t)unit), divisor);
    low = nano ? big_compare(below, twice) : -1;
    high = big_compare(twice, above);
    return nano % unit == 0 && low <= 0 && high <= 0 && ((low < 0 && high < 0) || nano / unit % 2 == 0);
}

#define ROUNDS 20000

static void test_oracle(void)
{
    unsigned agreed = 0, fitted = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        enum meter_quantity meter = random_u64() % METER_QUANTITIES;
        struct rate_book book = { .version = 1 };
        unsigned __int128 quantity = random_bits(110), divisor;
        struct big f;
        int64_t nano;

        book.price[meter] = random_tiers(meter);
        divisor = (uint64_t)book.price[meter].tiers[0].den * meter_quantities[meter].per_unit;
        f = oracle(&book.price[meter], quantity, divisor);
        fitted += rate_floor(&book, meter, quantity, &nano) == 0;
        agreed += floor_agrees(&book, meter, quantity, f, divisor) &&
                  round_agrees(&book, meter, quantity, f, divisor, 1) &&
                  round_agrees(&book, meter, quantity, f, divisor, RATE_CENT_NANO) &&
                  round_agrees(&book, meter, quantity, f, divisor, 7);
    }
    check(agreed == ROUNDS, "%u of %u random prices agree with long arithmetic", agreed, ROUNDS);
    check(fitted > ROUNDS / 4 && fitted < ROUNDS - ROUNDS / 20, "amounts that fit and others: %u fitted", fitted);
}

/* However a month's use is cut, its charges are the month's amount; and no charge is below 0. */
static void test_telescoping(void)
{
    unsigned good = 0, charges = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        enum meter_quantity meter = random_u64() % METER_QUANTITIES;
        struct rate_book book = { .version = 1 };
        unsigned __int128 used = 0, part;
        int64_t sum = 0, nano = 0, whole = -1;
        bool falls = false, fits = true;

        book.price[meter] = random_tiers(meter);
        for (unsigned parts = 1 + random_u64() % 12; parts > 0 && fits; parts--) {
            part = random_bits(70);
            fits = rate_charge(&book, meter, used, part, &nano) == 0;
            used += fits ? part : 0;
            sum += fits ? nano : 0;
            falls |= fits && nano < 0;
            charges += fits;
        }
        good += rate_floor(&book, meter, used, &whole) == 0 && whole == sum && !falls;
    }
    check(good == ROUNDS && charges > ROUNDS, "%u of %u months: their %u charges sum to the month", good, ROUNDS,
          charges);
}

/* A quote, and the same use billed in records that are cut at random, cost the same nano. False if they do not;
 * *fits: that there was a quote at all. */
static bool quote_is_billed(bool *fits)
{
    struct rate_book book = { .version = 1 };
    struct meter_usage before = { { 0 } }, usage = { { 0 } }, month;
    int64_t seconds = 1 + (int64_t)(random_u64() % (100 * 86400)),
            from_ms = 1767225600000 + (int64_t)(random_u64() % 31536000000);
    int64_t billed = 0, nano;
    struct quote quote;

    for (int q = 0; q < METER_QUANTITIES; q++) {
        book.price[q] = random_tiers(q);
        before.of[q] = random_bits(60);
        usage.of[q] = random_bits(30);
    }
    *fits = quote_price(&book, &before, &usage, from_ms, seconds, &quote) == 0;
    if (!*fits)
        return true;
    month = before;
    for (int64_t at_ms = 0, next_ms; at_ms < seconds * 1000; at_ms = next_ms) {
        char was[UTC_MONTH_BYTES], is[UTC_MONTH_BYTES];
        int64_t start_ms, end_ms;

        utc_month_parse(utc_month_text(from_ms + at_ms, was), &start_ms, &end_ms);
        next_ms = at_ms + 1 + (int64_t)(random_u64() % 864000000);
        next_ms = next_ms > end_ms - from_ms ? end_ms - from_ms : next_ms;
        next_ms = next_ms > seconds * 1000 ? seconds * 1000 : next_ms;
        for (int q = 0; q < METER_QUANTITIES; q++) {
            unsigned __int128 part = usage.of[q] * (uint64_t)next_ms / (uint64_t)(seconds * 1000) -
                                     usage.of[q] * (uint64_t)at_ms / (uint64_t)(seconds * 1000);

            if (rate_charge(&book, q, month.of[q], part, &nano))
                return false;
            billed += nano;
            month.of[q] += part;
        }
        if (strcmp(utc_month_text(from_ms + next_ms, is), was) != 0)
            month = (struct meter_usage){ { 0 } };
    }
    return billed == quote.total_nano;
}

static void test_quotes(void)
{
    unsigned good = 0, fitted = 0;
    bool fits;

    for (unsigned i = 0; i < 2000; i++) {
        good += quote_is_billed(&fits);
        fitted += fits;
    }
    check(good == 2000 && fitted > 1000, "%u quotes are what is billed, over months", fitted);
}

/* The ceiling holds for whatever was used before, and for a plain price it is the price. */
static void test_ceiling(void)
{
    unsigned good = 0, fitted = 0;
    struct rate_book plain = book_of(1000, 1);
    struct meter_usage usage = { .of = { [METER_DISK_OPS] = 5 } };
    int64_t ceiling, total;

    for (unsigned i = 0; i < 2000; i++) {
        struct rate_book book = { .version = 1 };
        struct meter_usage before = { { 0 } }, more = { { 0 } };

        for (int q = 0; q < METER_QUANTITIES; q++) {
            book.price[q] = random_tiers(q);
            before.of[q] = random_u64() % 2 ? random_bits(30) : 0;
            more.of[q] = random_u64() % 2 ? random_bits(30) : 0;
        }
        if (rate_ceiling(&book, &more, &ceiling) || rate_total(&book, &before, &more, &total))
            continue;
        fitted++;
        good += total <= ceiling;
    }
    check(good == fitted && fitted > 1000, "%u of %u: a ceiling is not passed, whatever was used before", good, fitted);
    check(rate_ceiling(&plain, &usage, &ceiling) == 0 && ceiling == 5001,
          "of a plain price it is the price, and a nano");
}

static void test_text(void)
{
    struct rate_book book = book_of(7000, 3);
    char text[RATE_TEXT_BYTES];

    check(strcmp(rate_price_text(&book, METER_CPU_USED, text),
                 "0.000002333333333... EUR (7000/3 nano) per CPU-second") == 0,
          "text: %s", text);
    book = book_of(1, 4);
    check(strcmp(rate_price_text(&book, METER_DISK_OPS, text), "0.00000000025 EUR per operation") == 0, "text: %s",
          text);
    book = book_of(20000000, 1);
    book.price[METER_NET_BYTES_OUT].free = 100 * meter_quantities[METER_NET_BYTES_OUT].per_unit;
    book.price[METER_NET_BYTES_OUT].minimum_nano = 100000000;
    book.price[METER_NET_BYTES_OUT].tiers_count = 2;
    book.price[METER_NET_BYTES_OUT].tiers[1] =
        (struct rate_tier){ 1000 * meter_quantities[METER_NET_BYTES_OUT].per_unit, 15000000, 1 };
    check(strcmp(rate_price_text(&book, METER_NET_BYTES_OUT, text),
                 "first 100 GiB free; 0.02 EUR per GiB; above 1000 GiB: 0.015 EUR; at least 0.10 EUR per month") == 0,
          "text: %s", text);
    for (unsigned i = 0; i < RATE_TIERS_MAX; i++)
        book.price[METER_VCPU_RESERVED].tiers[i] = (struct rate_tier){
            (unsigned __int128)(RATE_PRICE_MAX - RATE_TIERS_MAX + i) * meter_quantities[METER_VCPU_RESERVED].per_unit,
            RATE_PRICE_MAX, RATE_PRICE_MAX - 1 };
    book.price[METER_VCPU_RESERVED].tiers_count = RATE_TIERS_MAX;
    book.price[METER_VCPU_RESERVED].free = RATE_PRICE_MAX * meter_quantities[METER_VCPU_RESERVED].per_unit;
    book.price[METER_VCPU_RESERVED].minimum_nano = RATE_PRICE_MAX;
    rate_price_text(&book, METER_VCPU_RESERVED, text);
    check(strstr(text, "; at least 1000000.00 EUR per month") &&
          strlen(text) < RATE_TEXT_BYTES - 1, "the longest text fits: %zu bytes", strlen(text));
}

static void test_forecast(void)
{
    struct rate_book book = book_of(1000, 1);
    struct meter_reserved reserved = { 2, 1024 };
    struct meter_usage usage = rate_forecast(&reserved, 3600, 50);
    int64_t total;

    check(rate_total(&book, NULL, &usage, &total) == 0 && total == 1000ll * (7200 + 3600 + 3600 + 3600),
          "an hour of 2 vCPUs at half load and 1 GiB: reserved and used, apart");
}

int main(void)
{
    test_rounding();
    test_units();
    test_limits();
    test_split_lines();
    test_books();
    test_tiered_book();
    test_tiers();
    test_cents();
    test_oracle();
    test_telescoping();
    test_quotes();
    test_ceiling();
    test_text();
    test_forecast();
    return tap_end();
}
