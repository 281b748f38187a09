/* Rows of a summary: a tree while it grows, a list in order at the end. */
#include "accountd/summary.h"
#include "common/utc.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    int64_t day_ms;                     /* what is not in `by` is 0 in every row */
    char instance[RECORD_NAME_BYTES];
    enum meter_quantity meter;
    unsigned __int128 quantity;
    int64_t amount_nano;
};
struct summary {
    unsigned by;
    void *rows;                         /* tsearch's */
    size_t count;
};

struct summary *summary_new(unsigned by)
{
    struct summary *s = calloc(1, sizeof(*s));

    if (s)
        s->by = by;
    return s;
}

void summary_free(struct summary *s)
{
    if (s)
        tdestroy(s->rows, free);
    free(s);
}

static int compare_rows(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    int order = (a->day_ms > b->day_ms) - (a->day_ms < b->day_ms);

    if (order == 0)
        order = strcmp(a->instance, b->instance);
    return order ? order : (int)a->meter - (int)b->meter;
}

static struct row *find_row(struct summary *s, const struct day_sum *sum)
{
    struct row key = {.day_ms = s->by & SUMMARY_DAY ? sum->day_ms : 0, .meter = s->by & SUMMARY_METER ? sum->meter : 0};
    struct row *row, **at;

    if (s->by & SUMMARY_INSTANCE)
        snprintf(key.instance, sizeof(key.instance), "%s", sum->instance);
    at = tfind(&key, &s->rows, compare_rows);
    if (at)
        return *at;
    row = malloc(sizeof(*row));
    if (!row)
        return NULL;
    *row = key;
    if (tsearch(row, &s->rows, compare_rows)) {
        s->count++;
        return row;
    }
    free(row);
    return NULL;
}

int summary_add(struct summary *s, const struct day_sum *sum)
{
    struct row *row = find_row(s, sum);

    if (!row || __builtin_add_overflow(row->amount_nano, sum->charged_nano, &row->amount_nano))
        return -1;
    /* Of different meters it means nothing, and is not shown. */
    return __builtin_add_overflow(row->quantity, sum->quantity, &row->quantity) && s->by & SUMMARY_METER ? -1 : 0;
}

size_t summary_count(const struct summary *s)
{
    return s->count;
}

static json_t *row_json(const struct row *row, unsigned by)
{
    const struct meter_quantity_row *meter = &meter_quantities[row->meter];
    char day[UTC_DAY_BYTES], units[RATE_UNITS_BYTES];
    json_t *object = json_object();

    if (by & SUMMARY_DAY)
        json_object_set_new(object, "day", json_string(utc_day_text(row->day_ms, day)));
    if (by & SUMMARY_INSTANCE)
        json_object_set_new(object, "instance_id", json_string(row->instance));
    if (by & SUMMARY_METER) {
        json_object_set_new(object, "meter", json_string(meter->name));
        json_object_set_new(object, "quantity", json_decimal_u128(row->quantity));
        json_object_set_new(object, "quantity_per_unit", json_decimal_u128(meter->per_unit));
        json_object_set_new(object, "unit", json_string(meter->unit));
        json_object_set_new(object, "units", json_string(rate_units_text(row->meter, row->quantity, units)));
    }
    json_object_set_new(object, "amount_nano", json_decimal(row->amount_nano));
    return object;
}

struct listing {
    json_t *rows;
    unsigned by;
};

static void list_row(const void *node, VISIT visit, void *arg)
{
    struct listing *listing = arg;

    if (visit == postorder || visit == leaf)
        json_array_append_new(listing->rows, row_json(*(struct row *const *)node, listing->by));
}

json_t *summary_rows(const struct summary *s)
{
    struct listing listing = { json_array(), s->by };

    twalk_r(s->rows, list_row, &listing);
    return listing.rows;
}
