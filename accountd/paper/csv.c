/* lines.csv. FOCUS 1.0's columns where it has one, x_ before those that are ours. Columns that would be empty in
 * every row (availability zones, commitments) are left out. */
#include "accountd/paper/paper.h"
#include "accountd/paper/read.h"
#include "accountd/paper/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ISO_8601 "%Y-%m-%dT%H:%M:%SZ"

static const char header[] =
    "BilledCost,BillingAccountId,BillingAccountName,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargeCategory,"
    "ChargeClass,ChargeDescription,ChargeFrequency,ChargePeriodStart,ChargePeriodEnd,ConsumedQuantity,ConsumedUnit,"
    "ContractedCost,EffectiveCost,InvoiceIssuerName,ListCost,PricingCategory,PricingQuantity,PricingUnit,ProviderName,"
    "PublisherName,ResourceId,ResourceType,ServiceCategory,ServiceName,SkuId,"
    "x_InvoiceId,x_InvoiceNumber,x_Period,x_PriceBook,x_Price,x_Quantity,x_QuantityPerUnit\r\n";

struct row {
    const char *category, *class, *description;
    int64_t cost_nano;
    const struct paper_line *line;      /* NULL for tax */
    const struct paper_detail *detail;  /* NULL for what belongs to no instance */
};

struct table {
    FILE *out;
    const struct paper *paper;
    bool first;                         /* in its row */
};

static void put(struct table *t, const char *text)
{
    bool quoted = strpbrk(text, ",\"\r\n") != NULL;

    if (!t->first)
        fputc(',', t->out);
    t->first = false;
    if (!quoted) {
        fputs(text, t->out);
        return;
    }
    fputc('"', t->out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', t->out);
        fputc(*text, t->out);
    }
    fputc('"', t->out);
}

static void put_nano(struct table *t, int64_t nano)
{
    char text[WORDS_BYTES];

    put(t, words_nano(nano, text));
}

static void put_time(struct table *t, int64_t at_ms)
{
    char text[WORDS_BYTES];

    put(t, words_time(at_ms, ISO_8601, text));
}

static void put_whole(struct table *t, unsigned __int128 value)
{
    char text[WORDS_BYTES];

    put(t, words_ratio(value, 1, 0, false, text));
}

static void put_quantity(struct table *t, const struct row *row)
{
    char text[WORDS_BYTES];

    if (row->detail)
        words_ratio(row->detail->quantity, row->line->per_unit, 9, false, text);
    put(t, row->detail ? text : "");
    put(t, row->detail ? row->line->unit : "");
}

/* The month of a line, and of it what the invoice covers; FOCUS's ends are exclusive. A tax row is of the whole
 * invoice. */
static void put_periods(struct table *t, const struct row *row, bool billing)
{
    int64_t start_ms = t->paper->period_start_ms, end_ms = t->paper->period_end_ms, month_start_ms, month_end_ms;

    if (row->line) {
        words_month(row->line->period, &month_start_ms, &month_end_ms);
        if (billing || start_ms < month_start_ms || start_ms >= month_end_ms)
            start_ms = month_start_ms;
        if (billing || end_ms > month_end_ms || end_ms <= start_ms)
            end_ms = month_end_ms;
    }
    put_time(t, start_ms);
    put_time(t, end_ms);
}

static void put_service(struct table *t, const struct row *row)
{
    struct words_meter meter = words_meter(row->line ? row->line->meter : "");

    put(t, row->detail ? row->detail->instance : "");
    put(t, row->detail ? "Instance" : "");
    put(t, row->line ? meter.service : "Other");
    put(t, row->line ? meter.title : "Tax");
    put(t, row->line ? row->line->meter : "");
}

static void put_extensions(struct table *t, const struct row *row)
{
    put(t, t->paper->id);
    put(t, t->paper->number);
    put(t, row->line ? row->line->period : "");
    if (!row->line) {
        for (int i = 0; i < 4; i++)
            put(t, "");
        return;
    }
    put_whole(t, (unsigned __int128)row->line->price_book);
    put(t, row->line->price);
    put_whole(t, row->detail ? row->detail->quantity : row->line->quantity);
    put_whole(t, row->line->per_unit);
}

static void put_row(struct table *t, const struct row *row)
{
    const struct paper *p = t->paper;

    t->first = true;
    put_nano(t, row->cost_nano);
    put(t, p->account);
    put(t, p->buyer.name);
    put(t, p->currency);
    put_periods(t, row, true);
    put(t, row->category);
    put(t, row->class);
    put(t, row->description);
    put(t, "Usage-Based");
    put_periods(t, row, false);
    put_quantity(t, row);
    put_nano(t, row->cost_nano);        /* ContractedCost, EffectiveCost: nothing is negotiated or amortized */
    put_nano(t, row->cost_nano);
    put(t, p->seller.name);
    put_nano(t, row->cost_nano);
    put(t, row->detail ? "Standard" : "");
    put_quantity(t, row);
    put(t, p->seller.name);
    put(t, p->seller.name);
    put_service(t, row);
    put_extensions(t, row);
    fputs("\r\n", t->out);
}

static void put_usage(struct table *t)
{
    const struct paper *p = t->paper;

    for (size_t i = 0; i < p->details_count; i++) {
        const struct paper_detail *detail = &p->details[i];

        put_row(t, &(struct row){ "Usage", "", words_meter(detail->line->meter).title, detail->charged_nano,
                                  detail->line, detail });
    }
    for (size_t i = 0; i < p->lines_count; i++) {
        const struct paper_line *line = &p->lines[i];

        if (line->amount_nano != line->detailed_nano)
            put_row(t, &(struct row){ "Adjustment", "", "Rounding of the line to cents",
                                      line->amount_nano - line->detailed_nano, line, NULL });
    }
}

static void put_credits(struct table *t)
{
    for (size_t i = 0; i < t->paper->lines_count; i++)
        put_row(t, &(struct row){ "Credit", "Correction", t->paper->reason, -t->paper->lines[i].amount_nano,
                                  &t->paper->lines[i], NULL });
}

static void put_tax(struct table *t)
{
    const struct paper_tax *tax = &t->paper->tax;
    bool credit = t->paper->kind == PAPER_CREDIT_NOTE;
    char rate[WORDS_BYTES], description[WORDS_BYTES + 40];

    words_ratio((unsigned __int128)tax->rate_permyriad, 100, 2, false, rate);
    snprintf(description, sizeof(description), "VAT %s%%, category %s, %s", rate, tax->category, tax->country);
    put_row(t, &(struct row){ "Tax", credit ? "Correction" : "", description,
                              credit ? -tax->amount_nano : tax->amount_nano, NULL, NULL });
}

char *paper_csv(const json_t *invoice, struct json_why *why)
{
    struct paper paper;
    struct table table = { .paper = &paper };
    char *text = NULL;
    size_t len;

    if (paper_read(invoice, &paper, why) == 0) {
        table.out = open_memstream(&text, &len);
        if (table.out) {
            fputs(header, table.out);
            if (paper.kind == PAPER_CREDIT_NOTE)
                put_credits(&table);
            else
                put_usage(&table);
            put_tax(&table);
            if (fclose(table.out)) {
                free(text);
                text = NULL;
            }
        }
        if (!text)
            snprintf(why->text, sizeof(why->text), "lines.csv: out of memory");
    }
    paper_free(&paper);
    return text;
}
