/* Lines and details of an invoice. */
#include "accountd/statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

char *statement_period(int64_t t0_ms, char period[static STATEMENT_PERIOD_BYTES])
{
    time_t at_s = (time_t)(t0_ms / 1000);
    struct tm tm;

    if (!gmtime_r(&at_s, &tm) || strftime(period, STATEMENT_PERIOD_BYTES, "%Y-%m", &tm) == 0)
        strcpy(period, "9999-12");
    return period;
}

static const struct rate_book *find_book(const struct statement *s, int64_t version)
{
    for (size_t i = 0; i < s->books_count; i++)
        if (s->books[i]->version == version)
            return s->books[i];
    return NULL;
}

/* One more of `size` bytes, zeroed; NULL when out of memory. */
static void *grow(void *list, size_t *count, size_t *room, size_t size)
{
    char **at = list;

    if (*count == *room) {
        size_t more = *room ? 2 * *room : 64;
        char *bigger = reallocarray(*at, more, size);

        if (!bigger)
            return NULL;
        *at = bigger;
        *room = more;
    }
    return memset(*at + (*count)++ * size, 0, size);
}

struct statement_line *statement_line(struct statement *s, const char *period, int64_t version,
                                      enum meter_quantity meter)
{
    const struct rate_book *book = find_book(s, version);
    struct statement_line *line;

    for (size_t i = 0; i < s->lines_count; i++)
        if (s->lines[i].meter == meter && s->lines[i].book == book && strcmp(s->lines[i].period, period) == 0)
            return &s->lines[i];
    line = book ? grow(&s->lines, &s->lines_count, &s->lines_room, sizeof(*line)) : NULL;
    if (!line)
        return NULL;
    snprintf(line->period, sizeof(line->period), "%s", period);
    line->book = book;
    line->meter = meter;
    return line;
}

static bool detail_is(const struct statement_detail *d, const char *period, int64_t version, const char *instance,
                      enum meter_quantity meter)
{
    return d->meter == meter && d->book->version == version && strcmp(d->period, period) == 0 &&
           strcmp(d->instance, instance) == 0;
}

/* Records of one instance mostly follow each other, and a record's meters always do: the search begins at the last hit. */
struct statement_detail *statement_detail(struct statement *s, const char *period, int64_t version,
                                          const char *instance, enum meter_quantity meter)
{
    const struct rate_book *book = find_book(s, version);
    struct statement_detail *detail;

    for (size_t i = 0, at = s->detail_last; i < s->details_count; i++, at++) {
        at = at < s->details_count ? at : 0;
        if (detail_is(&s->details[at], period, version, instance, meter)) {
            s->detail_last = at;
            return &s->details[at];
        }
    }
    detail = book ? grow(&s->details, &s->details_count, &s->details_room, sizeof(*detail)) : NULL;
    if (!detail)
        return NULL;
    s->detail_last = s->details_count - 1;
    snprintf(detail->period, sizeof(detail->period), "%s", period);
    snprintf(detail->instance, sizeof(detail->instance), "%s", instance);
    detail->book = book;
    detail->meter = meter;
    return detail;
}

static int add_quantity(struct statement *s, const struct record *r, const char *period, enum meter_quantity meter,
                        unsigned __int128 more, bool context)
{
    struct statement_line *line = statement_line(s, period, r->price_book, meter);
    struct statement_detail *detail;
    int64_t nano;

    if (!line || line->before + line->quantity + more < more)
        return -1;
    if (context) {
        line->before += more;
        return 0;
    }
    detail = statement_detail(s, period, r->price_book, r->instance, meter);
    if (!detail || rate_charge(line->book, meter, line->before + line->quantity, more, &nano) ||
        __builtin_add_overflow(detail->charged_nano, nano, &detail->charged_nano))
        return -1;
    line->quantity += more;
    detail->quantity += more;
    return 0;
}

static void widen_period(struct statement *s, const struct record *record)
{
    if (s->t1_ms == 0 || record->t0_ms < s->t0_ms)
        s->t0_ms = record->t0_ms;
    if (record->t1_ms > s->t1_ms)
        s->t1_ms = record->t1_ms;
}

int statement_add(struct statement *s, const struct record *record, bool context, struct json_why *why)
{
    char period[STATEMENT_PERIOD_BYTES];
    struct meter_usage usage;

    if (strcmp(record->account, RECORD_HOST_ACCOUNT) == 0)
        return 0;
    if (record_usage(record, &usage, why))
        return -1;
    if (!find_book(s, record->price_book)) {
        snprintf(why->text, sizeof(why->text), "price book %jd is not known", (intmax_t)record->price_book);
        return -1;
    }
    if (!context)
        widen_period(s, record);
    statement_period(record->t0_ms, period);
    for (int q = 0; q < METER_QUANTITIES; q++)
        if (usage.of[q] && add_quantity(s, record, period, q, usage.of[q], context)) {
            snprintf(why->text, sizeof(why->text), "%s: too large to bill", meter_quantities[q].name);
            return -1;
        }
    return 0;
}

static int compare(const char *a_period, const char *b_period, const struct rate_book *a, const struct rate_book *b)
{
    int order = strcmp(a_period, b_period);

    if (order == 0 && a->version != b->version)
        order = a->version < b->version ? -1 : 1;
    return order;
}

static int compare_lines(const void *left, const void *right)
{
    const struct statement_line *a = left, *b = right;
    int order = compare(a->period, b->period, a->book, b->book);

    return order ? order : (int)a->meter - (int)b->meter;
}

static int compare_details(const void *left, const void *right)
{
    const struct statement_detail *a = left, *b = right;
    int order = compare(a->period, b->period, a->book, b->book);

    if (order == 0)
        order = strcmp(a->instance, b->instance);
    return order ? order : (int)a->meter - (int)b->meter;
}

/* Lines that only earlier invoices used. */
static void drop_empty(struct statement *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->lines_count; i++)
        if (s->lines[i].quantity)
            s->lines[kept++] = s->lines[i];
    s->lines_count = kept;
}

static int price_line(struct statement_line *line)
{
    unsigned __int128 after = line->before + line->quantity;
    int64_t low, high;

    if (rate_round(line->book, line->meter, line->before, RATE_CENT_NANO, &low) ||
        rate_round(line->book, line->meter, after, RATE_CENT_NANO, &high))
        return -1;
    line->amount_nano = high - low;
    return rate_charge(line->book, line->meter, line->before, line->quantity, &line->charged_nano);
}

int statement_close(struct statement *s, struct json_why *why)
{
    drop_empty(s);
    if (s->lines_count)
        qsort(s->lines, s->lines_count, sizeof(s->lines[0]), compare_lines);
    if (s->details_count)
        qsort(s->details, s->details_count, sizeof(s->details[0]), compare_details);
    s->net_nano = 0;
    for (size_t i = 0; i < s->lines_count; i++)
        if (price_line(&s->lines[i]) || __builtin_add_overflow(s->net_nano, s->lines[i].amount_nano, &s->net_nano)) {
            snprintf(why->text, sizeof(why->text), "%s: the amount does not fit", meter_quantities[s->lines[i].meter].name);
            return -1;
        }
    if (tax_round(&s->tax, s->net_nano, &s->tax_nano) ||
        __builtin_add_overflow(s->net_nano, s->tax_nano, &s->total_nano)) {
        snprintf(why->text, sizeof(why->text), "the tax does not fit");
        return -1;
    }
    return 0;
}

void statement_free(struct statement *s)
{
    free(s->lines);
    free(s->details);
    s->lines = NULL;
    s->details = NULL;
    s->lines_count = s->lines_room = s->details_count = s->details_room = 0;
}

static json_t *line_json(const struct statement_line *line, size_t number)
{
    const struct meter_quantity_row *meter = &meter_quantities[line->meter];
    char price[RATE_TEXT_BYTES];

    return json_pack("{s:I, s:s, s:I, s:s, s:s, s:o, s:o, s:o, s:s, s:o}", "line", (json_int_t)number, "period",
                     line->period, "price_book", (json_int_t)line->book->version, "meter", meter->name, "unit", meter->unit,
                     "quantity_before", json_decimal_u128(line->before), "quantity", json_decimal_u128(line->quantity),
                     "quantity_per_unit", json_decimal_u128(meter->per_unit), "price",
                     rate_price_text(line->book, line->meter, price), "amount_nano", json_decimal(line->amount_nano));
}

static json_t *detail_json(const struct statement_detail *detail)
{
    return json_pack("{s:s, s:I, s:s, s:s, s:o, s:o}", "period", detail->period, "price_book",
                     (json_int_t)detail->book->version, "instance_id", detail->instance, "meter",
                     meter_quantities[detail->meter].name, "quantity", json_decimal_u128(detail->quantity), "charged_nano",
                     json_decimal(detail->charged_nano));
}

int statement_put(const struct statement *s, json_t *invoice)
{
    json_t *lines = json_array(), *details = json_array();
    int rc = 0;

    for (size_t i = 0; i < s->lines_count; i++)
        rc |= json_array_append_new(lines, line_json(&s->lines[i], i + 1));
    for (size_t i = 0; i < s->details_count; i++)
        rc |= json_array_append_new(details, detail_json(&s->details[i]));
    rc |= json_object_set_new(invoice, "lines", lines);
    rc |= json_object_set_new(invoice, "details", details);
    rc |= json_object_set_new(invoice, "net_nano", json_decimal(s->net_nano));
    rc |= json_object_set_new(invoice, "tax", json_pack("[o]", tax_json(&s->tax, s->net_nano, s->tax_nano)));
    rc |= json_object_set_new(invoice, "total_nano", json_decimal(s->total_nano));
    return rc;
}
