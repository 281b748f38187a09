/* Lines of an invoice. */
#include "accountd/statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct rate_book *find_book(const struct statement *s, int64_t version)
{
    for (size_t i = 0; i < s->books_count; i++)
        if (s->books[i].version == version)
            return &s->books[i];
    return NULL;
}

static struct statement_line *find_line(struct statement *s, const char *instance, const struct rate_book *book,
                                        enum meter_quantity meter)
{
    struct statement_line *line;

    for (size_t i = 0; i < s->count; i++)
        if (s->lines[i].meter == meter && s->lines[i].book == book && strcmp(s->lines[i].instance, instance) == 0)
            return &s->lines[i];
    if (s->count == s->room) {
        size_t room = s->room ? 2 * s->room : 64;
        struct statement_line *lines = realloc(s->lines, room * sizeof(*lines));

        if (!lines)
            return NULL;
        s->lines = lines;
        s->room = room;
    }
    line = &s->lines[s->count++];
    *line = (struct statement_line){ .book = book, .meter = meter };
    strcpy(line->instance, instance);
    return line;
}

static int add_quantity(struct statement *s, const struct record *record, const struct rate_book *book,
                        enum meter_quantity meter, unsigned __int128 quantity)
{
    struct statement_line *line = find_line(s, record->instance, book, meter);
    int64_t charged_nano;

    if (!line || __builtin_add_overflow(line->quantity, quantity, &line->quantity) ||
        rate_amount_floor(book, meter, quantity, &charged_nano) ||
        __builtin_add_overflow(line->charged_nano, charged_nano, &line->charged_nano))
        return -1;
    return 0;
}

static void widen_period(struct statement *s, const struct record *record)
{
    if (s->t1_ms == 0 || record->t0_ms < s->t0_ms)
        s->t0_ms = record->t0_ms;
    if (record->t1_ms > s->t1_ms)
        s->t1_ms = record->t1_ms;
}

int statement_add(struct statement *s, const struct record *record, struct json_why *why)
{
    const struct rate_book *book = find_book(s, record->price_book);
    struct meter_usage usage;

    if (strcmp(record->account, RECORD_HOST_ACCOUNT) == 0)
        return 0;
    if (record_usage(record, &usage, why))
        return -1;
    if (!book) {
        snprintf(why->text, sizeof(why->text), "price book %jd is not known", (intmax_t)record->price_book);
        return -1;
    }
    widen_period(s, record);
    for (int q = 0; q < METER_QUANTITIES; q++)
        if (usage.of[q] && add_quantity(s, record, book, q, usage.of[q])) {
            snprintf(why->text, sizeof(why->text), "%s: too large to bill", meter_quantities[q].name);
            return -1;
        }
    return 0;
}

static int compare_lines(const void *left, const void *right)
{
    const struct statement_line *a = left, *b = right;
    int order = strcmp(a->instance, b->instance);

    if (order)
        return order;
    if (a->book->version != b->book->version)
        return a->book->version < b->book->version ? -1 : 1;
    return (int)a->meter - (int)b->meter;
}

int statement_close(struct statement *s, struct json_why *why)
{
    if (s->count)
        qsort(s->lines, s->count, sizeof(s->lines[0]), compare_lines);
    s->total_nano = 0;
    for (size_t i = 0; i < s->count; i++) {
        struct statement_line *line = &s->lines[i];

        if (rate_amount(line->book, line->meter, line->quantity, &line->amount_nano) ||
            __builtin_add_overflow(s->total_nano, line->amount_nano, &s->total_nano)) {
            snprintf(why->text, sizeof(why->text), "%s: the amount does not fit", meter_quantities[line->meter].name);
            return -1;
        }
    }
    return 0;
}

void statement_free(struct statement *s)
{
    free(s->lines);
    s->lines = NULL;
    s->count = s->room = 0;
}

json_t *statement_lines_json(const struct statement *s)
{
    json_t *lines = json_array();

    for (size_t i = 0; i < s->count; i++) {
        const struct statement_line *line = &s->lines[i];
        const struct rate_tier *price = &line->book->price[line->meter].tiers[0];
        const struct meter_quantity_row *meter = &meter_quantities[line->meter];

        json_array_append_new(lines, json_pack("{s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "instance_id",
                                               line->instance, "meter", meter->name, "unit", meter->unit, "price_book",
                                               (json_int_t)line->book->version, "quantity",
                                               json_decimal_u128(line->quantity), "quantity_per_unit",
                                               json_decimal_u128(meter->per_unit), "price_num_nano",
                                               json_decimal(price->num_nano), "price_den", json_decimal(price->den),
                                               "amount_nano", json_decimal(line->amount_nano)));
    }
    return lines;
}

char *statement_money(int64_t amount_nano, char text[static 32])
{
    uint64_t magnitude = amount_nano < 0 ? 0 - (uint64_t)amount_nano : (uint64_t)amount_nano;

    snprintf(text, 32, "%s%ju.%09ju", amount_nano < 0 ? "-" : "", (uintmax_t)(magnitude / 1000000000u),
             (uintmax_t)(magnitude % 1000000000u));
    return text;
}

static void put_time(FILE *out, int64_t at_ms)
{
    time_t at_s = (time_t)(at_ms / 1000);
    char text[32];
    struct tm tm;

    gmtime_r(&at_s, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    fputs(text, out);
}

static void put_u128(FILE *out, unsigned __int128 value)
{
    json_t *text = json_decimal_u128(value);

    fputs(json_string_value(text), out);
    json_decref(text);
}

static const char *field(const json_t *invoice, const char *key)
{
    const char *text = json_string_value(json_object_get(invoice, key));

    return text ? text : "";
}

/* No field can hold a comma or a quote: names, numbers and our own words only. */
static void put_row(FILE *out, const struct statement *s, const struct statement_line *line, const json_t *invoice)
{
    char money[32];

    fprintf(out, "%s,%s,%s,Usage,%s,", field(invoice, "account_id"), field(invoice, "invoice_id"), line->instance,
            meter_quantities[line->meter].name);
    put_time(out, s->t0_ms);
    fputc(',', out);
    put_time(out, s->t1_ms);
    fputc(',', out);
    put_u128(out, line->quantity);
    fputs(",1/", out);
    put_u128(out, meter_quantities[line->meter].per_unit);
    fprintf(out, " %s,%jd,%jd/%jd,%s,%s\n", meter_quantities[line->meter].unit, (intmax_t)line->book->version,
            (intmax_t)line->book->price[line->meter].tiers[0].num_nano,
            (intmax_t)line->book->price[line->meter].tiers[0].den,
            statement_money(line->amount_nano, money), line->book->currency);
}

char *statement_csv(const struct statement *s, const json_t *invoice)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        return NULL;
    fputs("BillingAccountId,InvoiceId,ResourceId,ChargeCategory,SkuId,ChargePeriodStart,ChargePeriodEnd,"
          "ConsumedQuantity,ConsumedUnit,x_PriceBook,x_UnitPriceNano,BilledCost,BillingCurrency\n", out);
    for (size_t i = 0; i < s->count; i++)
        put_row(out, s, &s->lines[i], invoice);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}
