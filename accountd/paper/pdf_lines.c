/* The lines of an invoice, by month and price book, and what they come to. */
#include "accountd/paper/pdf.h"
#include "accountd/paper/words.h"

#include <stdio.h>
#include <string.h>

#define QUANTITY_RIGHT 268.0f
#define UNIT_X         273.0f
#define PRICE_X        342.0f
#define PRICE_WIDTH    136.0f
#define WHAT_WIDTH     130.0f
#define SUM_X          300.0f
#define LEADING        11.0f

static const struct draw_style heading = { DRAW_SEMIBOLD, 7.5f, DRAW_GRAY };
static const struct draw_style group = { DRAW_SEMIBOLD, 8.5f, DRAW_ACCENT };
static const struct draw_style normal = { DRAW_REGULAR, 8.5f, DRAW_INK };
static const struct draw_style gray = { DRAW_REGULAR, 8, DRAW_GRAY };
static const struct draw_style strong = { DRAW_SEMIBOLD, 8.5f, DRAW_INK };
static const struct draw_style total = { DRAW_SEMIBOLD, 11, DRAW_INK };

static void put_headings(struct draw *d)
{
    draw_text(d, heading, DRAW_LEFT, d->y, "What");
    draw_right(d, heading, QUANTITY_RIGHT, d->y, "Quantity");
    draw_text(d, heading, PRICE_X, d->y, "How it is priced");
    draw_right(d, heading, DRAW_RIGHT, d->y, "Amount (EUR)");
    d->y -= 6;
    draw_rule(d, DRAW_LEFT, DRAW_RIGHT, d->y, DRAW_INK);
    d->y -= 14;
}

static void put_group(struct draw *d, const struct paper_line *line, bool again)
{
    char text[2 * WORDS_BYTES + 40], month[WORDS_BYTES];
    int64_t start_ms, end_ms;

    words_month(line->period, &start_ms, &end_ms);
    snprintf(text, sizeof(text), "%s, price book %jd%s", words_time(start_ms, "%B %Y", month),
             (intmax_t)line->price_book, again ? " (continued)" : "");
    draw_text(d, group, DRAW_LEFT, d->y, text);
    d->y -= 16;
}

static bool same_group(const struct paper_line *a, const struct paper_line *b)
{
    return a->price_book == b->price_book && strcmp(a->period, b->period) == 0;
}

static float height_of(struct draw *d, const struct paper_line *line)
{
    unsigned what = draw_wrapped_lines(d, normal, WHAT_WIDTH, words_meter(line->meter).title);
    unsigned price = draw_wrapped_lines(d, gray, PRICE_WIDTH, line->price);
    unsigned unit = draw_wrapped_lines(d, gray, PRICE_X - UNIT_X - 6, line->unit);
    unsigned most = what > price ? what : price;

    return LEADING * (float)(most > unit ? most : unit) + 8;
}

static void put_line(struct draw *d, const struct paper_line *line, float height)
{
    char text[WORDS_BYTES];

    draw_wrapped(d, normal, DRAW_LEFT, d->y, WHAT_WIDTH, LEADING, words_meter(line->meter).title);
    draw_right(d, normal, QUANTITY_RIGHT, d->y,
               words_ratio(line->quantity, line->per_unit, line->per_unit == 1 ? 0 : 3, true, text));
    draw_wrapped(d, gray, UNIT_X, d->y, PRICE_X - UNIT_X - 6, LEADING, line->unit);
    draw_wrapped(d, gray, PRICE_X, d->y, PRICE_WIDTH, LEADING, line->price);
    draw_right(d, normal, DRAW_RIGHT, d->y, words_money(line->amount_nano, text));
    d->y -= height;
    draw_rule(d, DRAW_LEFT, DRAW_RIGHT, d->y + LEADING + 1, DRAW_RULE);
}

void pdf_lines(struct draw *d, const struct paper *p)
{
    put_headings(d);
    for (size_t i = 0; i < p->lines_count; i++) {
        const struct paper_line *line = &p->lines[i];
        bool first = i == 0 || !same_group(line, line - 1);
        float height = height_of(d, line);

        if (first && i)
            d->y -= 5;
        if (draw_need(d, height + (first ? 40 : 0))) {
            put_headings(d);
            put_group(d, line, !first);
        } else if (first) {
            put_group(d, line, false);
        }
        put_line(d, line, height);
    }
}

static void put_sum(struct draw *d, struct draw_style style, const char *what, const char *amount)
{
    draw_text(d, style, SUM_X, d->y, what);
    draw_right(d, style, DRAW_RIGHT, d->y, amount);
    d->y -= 16;
}

static const char *why_none(const struct paper *p)
{
    if (strcmp(p->tax.category, "AE") == 0)
        return "VAT, reverse charge";
    return strcmp(p->tax.category, "O") == 0 ? "VAT, outside its scope" : "VAT, zero rate";
}

static void put_vat(struct draw *d, const struct paper *p)
{
    char what[WORDS_BYTES + 60], rate[WORDS_BYTES], amount[WORDS_BYTES];

    words_ratio((unsigned __int128)p->tax.rate_permyriad, 100, p->tax.rate_permyriad % 100 ? 2 : 0, false, rate);
    if (p->tax.rate_permyriad)
        snprintf(what, sizeof(what), "VAT %s %% (%s)", rate, words_country(p->tax.country));
    else
        snprintf(what, sizeof(what), "%s", why_none(p));
    put_sum(d, normal, what, words_money(p->tax.amount_nano, amount));
    d->y -= 10 * (float)draw_wrapped(d, gray, SUM_X, d->y + 3, DRAW_RIGHT - SUM_X - 50, 10, p->tax.reason);
}

static void put_notes(struct draw *d, float y, const struct paper *p)
{
    char text[200], amount[WORDS_BYTES];
    unsigned lines = draw_wrapped(d, gray, DRAW_LEFT, y, 205, 11,
                                  "Quantities are in the units that the price book prices; 1 nano is EUR 0.000000001. "
                                  "Each line is rounded once, to the cent.");

    if (p->carried_nano == 0)
        return;
    snprintf(text, sizeof(text), "Your machines used EUR %s beyond your money before they were stopped. "
             "That part of this invoice is paid by us.", words_money(p->carried_nano, amount));
    draw_wrapped(d, gray, DRAW_LEFT, y - 11 * (float)lines - 5, 205, 11, text);
}

void pdf_totals(struct draw *d, const struct paper *p)
{
    bool credit = p->kind == PAPER_CREDIT_NOTE;
    char amount[WORDS_BYTES], euros[WORDS_BYTES + 4];

    draw_need(d, 150);
    d->y -= 8;
    put_notes(d, d->y, p);
    put_sum(d, normal, "Net", words_money(p->net_nano, amount));
    put_vat(d, p);
    draw_rule(d, SUM_X, DRAW_RIGHT, d->y + 6, DRAW_ACCENT);
    d->y -= 11;
    draw_text(d, total, SUM_X, d->y, credit ? "Total credited" : "Total");
    snprintf(euros, sizeof(euros), "EUR %s", words_money(p->total_nano, amount));
    draw_right(d, total, DRAW_RIGHT, d->y, euros);
    draw_rule(d, SUM_X, DRAW_RIGHT, d->y - 9, DRAW_ACCENT);
    d->y -= 25;
    put_sum(d, normal, credit ? "Returned to your prepaid wallet" : "Paid from your prepaid wallet",
            words_money(p->paid_nano - p->carried_nano, amount));
    if (p->carried_nano)
        put_sum(d, normal, "Paid by us", words_money(p->carried_nano, amount));
    put_sum(d, strong, "Amount due", words_money(p->payable_nano, amount));
}
