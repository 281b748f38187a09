/* Usage by meter, instance and day, against sums made by going through all days for each row; and days against the
 * records and the ledger. */
#include "accountd/summary.h"
#include "common/utc.h"
#include "tests/accountd/life.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>

#define SUMS     600
#define START_MS 1793491200000ll        /* 2026-11-01 */

static struct day_sum sums[SUMS];

static uint64_t random_state = 6;

static uint64_t random_below(uint64_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % limit;
}

static void make_sums(void)
{
    static const char *const instances[] = { "ins-0", "ins-1", "ins-2" };

    for (int i = 0; i < SUMS; i++)
        sums[i] = (struct day_sum){ START_MS + (int64_t)random_below(40) * UTC_DAY_MS, instances[random_below(3)],
                                    random_below(METER_QUANTITIES), random_below(1ull << 40),
                                    (int64_t)random_below(3) * (int64_t)random_below(1000000) };
}

static json_t *summed(unsigned by)
{
    struct summary *summary = summary_new(by);
    json_t *rows;

    for (int i = 0; i < SUMS; i++)
        if (summary_add(summary, &sums[i]))
            exit(99);
    rows = summary_rows(summary);
    check(json_array_size(rows) == summary_count(summary), "by %u: %zu rows", by, json_array_size(rows));
    summary_free(summary);
    return rows;
}

static bool in_row(const struct day_sum *sum, const json_t *row)
{
    const char *day = json_string_value(json_object_get(row, "day"));
    const char *instance = json_string_value(json_object_get(row, "instance_id"));
    const char *meter = json_string_value(json_object_get(row, "meter"));
    char text[UTC_DAY_BYTES];

    return (!day || strcmp(day, utc_day_text(sum->day_ms, text)) == 0) &&
           (!instance || strcmp(instance, sum->instance) == 0) &&
           (!meter || strcmp(meter, meter_quantities[sum->meter].name) == 0);
}

static bool row_agrees(const json_t *row, unsigned by)
{
    unsigned __int128 quantity = 0, said = 0;
    int64_t nano = 0, nano_said = -1;

    for (int i = 0; i < SUMS; i++)
        if (in_row(&sums[i], row)) {
            quantity += sums[i].quantity;
            nano += sums[i].charged_nano;
        }
    json_decimal_parse(json_string_value(json_object_get(row, "amount_nano")), &nano_said);
    if (by & SUMMARY_METER && !json_u128_parse(json_string_value(json_object_get(row, "quantity")), &said))
        return false;
    return nano == nano_said && (!(by & SUMMARY_METER) || quantity == said) &&
           json_has(row, "day") == !!(by & SUMMARY_DAY) && json_has(row, "instance_id") == !!(by & SUMMARY_INSTANCE) &&
           json_has(row, "meter") == !!(by & SUMMARY_METER);
}

static void test_by(unsigned by)
{
    json_t *rows = summed(by), *row;
    int64_t sum = 0, nano, expected = 0;
    size_t i, agreed = 0;

    json_array_foreach(rows, i, row) {
        agreed += row_agrees(row, by);
        if (json_decimal_parse(json_string_value(json_object_get(row, "amount_nano")), &nano))
            sum += nano;
    }
    for (int at = 0; at < SUMS; at++)
        expected += sums[at].charged_nano;
    check(agreed == json_array_size(rows) && agreed > 0, "by %u: %zu rows agree", by, agreed);
    check(sum == expected && sum > 0, "by %u: they sum to all that was charged, %jd", by, (intmax_t)sum);
    json_decref(rows);
}

static void test_order(void)
{
    json_t *rows = summed(SUMMARY_DAY | SUMMARY_INSTANCE | SUMMARY_METER);
    bool sorted = true;

    for (size_t i = 1; i < json_array_size(rows); i++) {
        const char *a = json_string_value(json_object_get(json_array_get(rows, i - 1), "day"));
        const char *b = json_string_value(json_object_get(json_array_get(rows, i), "day"));

        sorted = sorted && strcmp(a, b) <= 0;
    }
    check(sorted && json_array_size(rows) > 100, "rows are in the order of days");
    json_decref(rows);
}

static void test_units(void)
{
    char text[RATE_UNITS_BYTES];

    check(strcmp(rate_units_text(METER_CPU_USED, 12500000000u, text), "12.5") == 0, "12.5 CPU-seconds");
    check(strcmp(rate_units_text(METER_CPU_USED, 0, text), "0") == 0, "none");
    check(strcmp(rate_units_text(METER_NET_BYTES_OUT, (unsigned __int128)10 << 30, text), "10") == 0, "10 GiB");
    check(strcmp(rate_units_text(METER_NET_BYTES_OUT, 1, text), "0") == 0 &&
              strcmp(rate_units_text(METER_NET_BYTES_OUT, 2, text), "0.000000001") == 0,
          "a byte or two of a GiB, rounded down");
    check(strcmp(rate_units_text(METER_DISK_OPS, ~(unsigned __int128)0, text),
                 "340282366920938463463374607431768211455") == 0,
          "the most there is");
}

static void test_limits(void)
{
    struct summary *summary = summary_new(SUMMARY_METER);
    struct day_sum most = { START_MS, "ins-0", METER_DISK_OPS, 1, INT64_MAX };

    check(summary_add(summary, &most) == 0 && summary_add(summary, &most) == -1, "a sum that does not fit is refused");
    summary_free(summary);
}

struct days {
    struct meter_usage usage;
    int64_t charged_nano[METER_QUANTITIES];
    int64_t first_ms, last_ms;
};

static int add_day(void *arg, const struct day_sum *sum)
{
    struct days *days = arg;

    days->usage.of[sum->meter] += sum->quantity;
    days->charged_nano[sum->meter] += sum->charged_nano;
    days->first_ms = days->first_ms ? days->first_ms : sum->day_ms;
    days->last_ms = sum->day_ms;
    return 0;
}

/* life.c's clock begins at 22:13 UTC: three hours later it is the next day. */
static void test_records(void)
{
    struct life life;
    struct days days = { .first_ms = 0 };
    struct meter_usage billed;
    char revenue[64];
    bool agree = true;

    life_begin(&life);
    life_account(&life, "acc", 1000000000);
    life_birth(&life, 2, 0xaa);
    life_register(&life, "acc", "ins", 0xaa);
    for (int minute = 0; minute < 180; minute++) {
        life_slot(&life, 2)->guest_ns += 59999999999u;
        life_slot(&life, 2)->disk_read_ops += 7;
        if (life_step(&life, 60000000000u))
            exit(99);
        if (minute == 60)
            agree = life_reopen(&life);
    }
    life_death(&life, 2);
    life_step(&life, 1000000000u);
    billed = life_billed(&life, "acc", "ins");
    check(day_sums_each(life.a.ledger, "acc", 0, INT64_MAX, add_day, &days) == 0 &&
          days.last_ms == days.first_ms + UTC_DAY_MS, "three hours over midnight are two days");
    for (int q = 0; q < METER_QUANTITIES; q++) {
        snprintf(revenue, sizeof(revenue), "revenue:%s", meter_quantities[q].name);
        agree = agree && days.usage.of[q] == billed.of[q] && days.charged_nano[q] == life_posted(&life, revenue);
    }
    check(agree && days.charged_nano[METER_CPU_USED] > 0,
          "they sum to the records and to the ledger's revenue, by meter");
    life_end(&life);
}

int main(void)
{
    make_sums();
    for (unsigned by = 1; by < 8; by++)
        test_by(by);
    test_order();
    test_limits();
    test_units();
    test_records();
    return tap_end();
}
