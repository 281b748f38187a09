/* Usage by meter, instance and day, against sums made by going through all records for each row. */
#include "accountd/summary.h"
#include "common/utc.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>

#define RECORDS  600
#define START_MS 1793491200000ll        /* 2026-11-01 */
#define HOUR_MS  3600000ll

static struct record records[RECORDS];
static struct rate_book books[2];

static uint64_t random_state = 6;

static uint64_t random_below(uint64_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % limit;
}

/* Three instances over 75 days, as the log has them: in order, now and then none, the price book changed in December. */
static void make_records(void)
{
    int64_t at_ms = START_MS;

    for (int i = 0; i < RECORDS; i++) {
        struct record *r = &records[i];

        *r = (struct record){ .reserved = { 1 + (uint32_t)random_below(4), 512 }, .t0_ms = at_ms, .t1_ms = at_ms + HOUR_MS };
        strcpy(r->type, i % 7 ? "use" : "end");
        snprintf(r->instance, sizeof(r->instance), "ins-%ju", (uintmax_t)random_below(3));
        r->price_book = at_ms < START_MS + 40 * UTC_DAY_MS ? 1 : 2;
        r->to.t_ns = (uint64_t)HOUR_MS * 1000000;
        r->to.at[METER_GUEST_NS] = random_below(3600) * 1000000000ull;
        r->to.at[METER_NET_TX_BYTES] = random_below(2) * random_below(1ull << 33);
        at_ms += (int64_t)random_below(5) * HOUR_MS;
    }
}

static void make_books(void)
{
    for (int b = 0; b < 2; b++) {
        books[b] = (struct rate_book){ .version = b + 1, .currency = "EUR" };
        for (int q = 0; q < METER_QUANTITIES; q++) {
            unsigned __int128 unit = meter_quantities[q].per_unit;

            books[b].price[q] = (struct rate_price){
                .free = 10 * unit, .minimum_nano = 1000, .tiers_count = 2,
                .tiers = { { 0, 7000 + b, 3 }, { 100 * unit, 5000, 3 } } };
        }
    }
}

static json_t *summed(unsigned by, int64_t from_ms, int64_t to_ms)
{
    struct summary *summary = summary_new(by, from_ms, to_ms);
    json_t *rows;

    for (int i = 0; i < RECORDS; i++)
        if (summary_add(summary, &records[i], &books[records[i].price_book - 1]))
            exit(99);
    rows = summary_rows(summary);
    check(json_array_size(rows) == summary_count(summary), "by %u: %zu rows", by, json_array_size(rows));
    summary_free(summary);
    return rows;
}

static bool same_month(int64_t a_ms, int64_t b_ms)
{
    char a[UTC_MONTH_BYTES], b[UTC_MONTH_BYTES];

    return strcmp(utc_month_text(a_ms, a), utc_month_text(b_ms, b)) == 0;
}

static struct meter_usage usage_of(const struct record *r)
{
    struct meter_usage usage;
    struct json_why why;

    if (record_usage(r, &usage, &why))
        exit(99);
    return usage;
}

/* What record i is charged for a meter: the hard way, from all before it. */
static int64_t charge_of(int i, enum meter_quantity q)
{
    unsigned __int128 before = 0;
    int64_t nano;

    for (int j = 0; j < i; j++)
        if (records[j].price_book == records[i].price_book && same_month(records[j].t0_ms, records[i].t0_ms))
            before += usage_of(&records[j]).of[q];
    if (rate_charge(&books[records[i].price_book - 1], q, before, usage_of(&records[i]).of[q], &nano))
        exit(99);
    return nano;
}

static int64_t charges[RECORDS][METER_QUANTITIES];

static bool in_row(const struct record *r, const json_t *row)
{
    const char *day = json_string_value(json_object_get(row, "day"));
    const char *instance = json_string_value(json_object_get(row, "instance_id"));
    char text[UTC_DAY_BYTES];

    return (!day || strcmp(day, utc_day_text(r->t0_ms, text)) == 0) && (!instance || strcmp(instance, r->instance) == 0);
}

static bool row_agrees(const json_t *row, int64_t from_ms, int64_t to_ms)
{
    const char *meter = json_string_value(json_object_get(row, "meter"));
    unsigned __int128 quantity = 0, said = 0;
    int64_t nano = 0, nano_said = -1;

    for (int i = 0; i < RECORDS; i++)
        for (int q = 0; q < METER_QUANTITIES; q++)
            if (records[i].t0_ms >= from_ms && records[i].t0_ms < to_ms && in_row(&records[i], row) &&
                (!meter || strcmp(meter, meter_quantities[q].name) == 0)) {
                quantity += usage_of(&records[i]).of[q];
                nano += charges[i][q];
            }
    json_decimal_parse(json_string_value(json_object_get(row, "amount_nano")), &nano_said);
    if (meter && !json_u128_parse(json_string_value(json_object_get(row, "quantity")), &said))
        return false;
    return nano == nano_said && (!meter || quantity == said);
}

static void test_by(unsigned by, int64_t from_ms, int64_t to_ms)
{
    json_t *rows = summed(by, from_ms, to_ms), *row;
    int64_t sum = 0, nano, expected = 0;
    size_t i, agreed = 0;

    json_array_foreach(rows, i, row) {
        agreed += row_agrees(row, from_ms, to_ms);
        if (json_decimal_parse(json_string_value(json_object_get(row, "amount_nano")), &nano))
            sum += nano;
    }
    for (int r = 0; r < RECORDS; r++)
        for (int q = 0; q < METER_QUANTITIES; q++)
            expected += records[r].t0_ms >= from_ms && records[r].t0_ms < to_ms ? charges[r][q] : 0;
    check(agreed == json_array_size(rows) && agreed > 0, "by %u: %zu rows agree", by, agreed);
    check(sum == expected && sum > 0, "by %u: they sum to all that was charged, %jd", by, (intmax_t)sum);
    json_decref(rows);
}

static void test_order(void)
{
    json_t *rows = summed(SUMMARY_DAY | SUMMARY_INSTANCE | SUMMARY_METER, START_MS, START_MS + 90 * UTC_DAY_MS);
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
          strcmp(rate_units_text(METER_NET_BYTES_OUT, 2, text), "0.000000001") == 0, "a byte or two of a GiB, rounded down");
    check(strcmp(rate_units_text(METER_DISK_OPS, ~(unsigned __int128)0, text), "340282366920938463463374607431768211455") == 0,
          "the most there is");
}

int main(void)
{
    make_books();
    make_records();
    for (int i = 0; i < RECORDS; i++)
        for (int q = 0; q < METER_QUANTITIES; q++)
            charges[i][q] = charge_of(i, q);
    for (unsigned by = 1; by < 8; by++)
        test_by(by, START_MS + 10 * UTC_DAY_MS, START_MS + 50 * UTC_DAY_MS);
    test_order();
    test_units();
    return tap_end();
}
