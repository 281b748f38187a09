/* Amounts. A product may pass 128 bits on the way to an amount that fits, so
 * products are divided in two steps (add_product); no bound on a quantity is
 * needed but that its amount fits. */
#include "accountd/rate.h"

/* An exact amount: whole + rest / divisor nano, rest < divisor. */
struct amount {
    unsigned __int128 whole, rest, divisor;
};

/* Adds whole + rest / divisor, rest < divisor. */
static int amount_add(struct amount *a, unsigned __int128 whole, unsigned __int128 rest)
{
    a->rest += rest;
    if (a->rest >= a->divisor) {
        a->rest -= a->divisor;
        whole++;
    }
    return __builtin_add_overflow(a->whole, whole, &a->whole) ? -1 : 0;
}

/* Adds span x num / divisor. The divisor is below 2^98 and num below 2^50 (RATE_PRICE_MAX, meter.c), so
 * what is left of span, times half of num, stays below 2^123. */
static int add_product(struct amount *a, unsigned __int128 span, int64_t num)
{
    unsigned __int128 left = span % a->divisor, high = left * (uint64_t)(num >> 25), whole;
    unsigned __int128 low = ((high % a->divisor) << 25) + left * (uint64_t)(num & 0x1ffffff);

    if (__builtin_mul_overflow(span / a->divisor, (unsigned __int128)num, &whole) || amount_add(a, whole, 0))
        return -1;
    return amount_add(a, ((high / a->divisor) << 25) + low / a->divisor, low % a->divisor);
}

/* How much of the quantity is in the tier and is not free. */
static unsigned __int128 span_of(const struct rate_price *price, unsigned tier, unsigned __int128 quantity)
{
    unsigned __int128 from = price->tiers[tier].above, to = quantity;

    if (tier + 1 < price->tiers_count && to > price->tiers[tier + 1].above)
        to = price->tiers[tier + 1].above;
    if (from < price->free)
        from = price->free;
    return to > from ? to - from : 0;
}

static int exact(const struct rate_book *book, enum meter_quantity meter, unsigned __int128 quantity, struct amount *a)
{
    const struct rate_price *price = &book->price[meter];

    *a = (struct amount){ .divisor = (unsigned __int128)price->tiers[0].den * meter_quantities[meter].per_unit };
    for (unsigned i = 0; i < price->tiers_count; i++)
        if (add_product(a, span_of(price, i, quantity), price->tiers[i].num_nano))
            return -1;
    if (quantity && a->whole < (unsigned __int128)price->minimum_nano) {
        a->whole = (unsigned __int128)price->minimum_nano;
        a->rest = 0;
    }
    return 0;
}

bool rate_book_moves(const struct rate_book *book, int64_t version, int64_t at_ms)
{
    return book->version > version && book->moves_running_ms && book->moves_running_ms <= at_ms;
}

int rate_floor(const struct rate_book *book, enum meter_quantity meter, unsigned __int128 cumulative, int64_t *nano)
{
    struct amount a;

    if (exact(book, meter, cumulative, &a) || a.whole > INT64_MAX)
        return -1;
    *nano = (int64_t)a.whole;
    return 0;
}

/* Whether what exceeds a multiple of the unit, over + rest / divisor, is more than half of it, or half
 * and the multiple is odd. */
static bool rounds_up(const struct amount *a, int64_t unit, int64_t over, bool odd)
{
    int64_t missing = unit - 2 * over;

    if (missing > 1 || missing < 0)
        return missing < 0;
    if (missing == 0)
        return a->rest || odd;
    return a->rest > a->divisor - a->rest || (a->rest == a->divisor - a->rest && odd);
}

int rate_round(const struct rate_book *book, enum meter_quantity meter, unsigned __int128 cumulative, int64_t unit_nano,
               int64_t *nano)
{
    struct amount a;
    int64_t units, rounded;

    if (exact(book, meter, cumulative, &a) || a.whole > INT64_MAX)
        return -1;
    units = (int64_t)a.whole / unit_nano;
    if (rounds_up(&a, unit_nano, (int64_t)a.whole % unit_nano, units & 1) && __builtin_add_overflow(units, 1, &units))
        return -1;
    if (__builtin_mul_overflow(units, unit_nano, &rounded))
        return -1;
    *nano = rounded;
    return 0;
}

int rate_charge(const struct rate_book *book, enum meter_quantity meter, unsigned __int128 before,
                unsigned __int128 quantity, int64_t *nano)
{
    unsigned __int128 after;
    int64_t was, is;

    if (__builtin_add_overflow(before, quantity, &after) || rate_floor(book, meter, before, &was) ||
        rate_floor(book, meter, after, &is))
        return -1;
    *nano = is - was;
    return 0;
}

int rate_total(const struct rate_book *book, const struct meter_usage *before, const struct meter_usage *usage,
               int64_t *total_nano)
{
    int64_t total = 0, nano;

    for (int q = 0; q < METER_QUANTITIES; q++)
        if (rate_charge(book, q, before ? before->of[q] : 0, usage->of[q], &nano) ||
            __builtin_add_overflow(total, nano, &total))
            return -1;
    *total_nano = total;
    return 0;
}

static int64_t dearest(const struct rate_price *price)
{
    int64_t num = 0;

    for (unsigned i = 0; i < price->tiers_count; i++)
        if (price->tiers[i].num_nano > num)
            num = price->tiers[i].num_nano;
    return num;
}

int rate_ceiling(const struct rate_book *book, const struct meter_usage *usage, int64_t *total_nano)
{
    struct rate_book flat = *book;
    int64_t total = 0, nano;

    for (int q = 0; q < METER_QUANTITIES; q++) {
        const struct rate_price *price = &book->price[q];

        flat.price[q] = (struct rate_price){ .minimum_nano = price->minimum_nano, .tiers_count = 1,
                                             .tiers = { { 0, dearest(price), price->tiers[0].den } } };
        /* A difference of two roundings down can be one nano more than its own. */
        if (rate_floor(&flat, q, usage->of[q], &nano) || __builtin_add_overflow(total, nano, &total) ||
            __builtin_add_overflow(total, usage->of[q] != 0, &total))
            return -1;
    }
    *total_nano = total;
    return 0;
}

struct meter_usage rate_forecast(const struct meter_reserved *reserved, int64_t seconds, int64_t cpu_percent)
{
    unsigned __int128 ns = (unsigned __int128)seconds * 1000000000u;

    return (struct meter_usage){ .of = {
        [METER_VCPU_RESERVED] = ns * reserved->vcpus,
        [METER_MEMORY_RESERVED] = ns * reserved->memory_mib,
        [METER_CPU_USED] = ns * reserved->vcpus * (unsigned)cpu_percent / 100,
        [METER_MEMORY_USED] = ns * reserved->memory_mib * 256,
    } };
}
