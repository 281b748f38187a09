/* Who bills whom, for what time; and the foot of each page. */
#include "accountd/paper/pdf.h"
#include "accountd/paper/words.h"

#include <stdio.h>
#include <string.h>

#define FACTS_X 350.0f                  /* the labels beside the buyer's address */

static const struct draw_style name_style = { DRAW_SEMIBOLD, 12, DRAW_ACCENT };
static const struct draw_style small = { DRAW_REGULAR, 8, DRAW_GRAY };
static const struct draw_style normal = { DRAW_REGULAR, 9.5f, DRAW_INK };
static const struct draw_style strong = { DRAW_SEMIBOLD, 9.5f, DRAW_INK };
static const struct draw_style label = { DRAW_REGULAR, 8.5f, DRAW_GRAY };
static const struct draw_style fact = { DRAW_REGULAR, 8.5f, DRAW_INK };
static const struct draw_style title = { DRAW_LIGHT, 24, DRAW_INK };

/* "10115 Berlin": either may be missing. */
static void city_line(const struct paper_party *party, char *text, size_t bytes)
{
    snprintf(text, bytes, "%s%s%s", party->postcode, *party->postcode && *party->city ? " " : "", party->city);
}

static void put_right_line(struct draw *d, const char *text)
{
    if (!*text)
        return;
    draw_right(d, small, DRAW_RIGHT, d->y, text);
    d->y -= 11;
}

static void put_seller(struct draw *d, const struct paper *p)
{
    char city[900], vat[450];

    draw_wrapped(d, name_style, DRAW_LEFT, d->y, 270, 15, p->seller.name);
    city_line(&p->seller, city, sizeof(city));
    snprintf(vat, sizeof(vat), "VAT ID %s", p->seller.vat_id);
    put_right_line(d, p->seller.street);
    put_right_line(d, city);
    put_right_line(d, words_country(p->seller.country));
    put_right_line(d, *p->seller.vat_id ? vat : "");
    put_right_line(d, p->seller.email);
}

static void put_buyer_line(struct draw *d, struct draw_style style, const char *text)
{
    d->y -= 13.5f * (float)draw_wrapped(d, style, DRAW_LEFT, d->y, 260, 13.5f, text);
}

static void put_buyer(struct draw *d, const struct paper *p)
{
    char city[900], vat[450];

    city_line(&p->buyer, city, sizeof(city));
    snprintf(vat, sizeof(vat), "VAT ID %s", p->buyer.vat_id);
    draw_text(d, small, DRAW_LEFT, d->y, "Billed to");
    d->y -= 15;
    put_buyer_line(d, strong, p->buyer.name);
    put_buyer_line(d, normal, p->buyer.street);
    put_buyer_line(d, normal, city);
    put_buyer_line(d, normal, words_country(p->buyer.country));
    put_buyer_line(d, normal, *p->buyer.vat_id ? vat : "");
}

static void put_fact(struct draw *d, float *y, const char *what, const char *text)
{
    unsigned lines;

    draw_text(d, label, FACTS_X, *y, what);
    lines = draw_wrapped(d, fact, FACTS_X + 66, *y, DRAW_RIGHT - FACTS_X - 66, 11.5f, text);
    *y -= 3.5f + 11.5f * (float)lines;
}

static void put_facts(struct draw *d, float y, const struct paper *p)
{
    char start[WORDS_BYTES], end[WORDS_BYTES], date[WORDS_BYTES], period[2 * WORDS_BYTES + 8];
    int64_t last_ms = p->period_end_ms > p->period_start_ms ? p->period_end_ms - 1 : p->period_end_ms;

    words_time(p->period_start_ms, "%-d %b %Y", start);
    words_time(last_ms, "%-d %b %Y", end);
    snprintf(period, sizeof(period), "%s%s%s", start, strcmp(start, end) ? " \xe2\x80\x93 " : "",
             strcmp(start, end) ? end : "");
    put_fact(d, &y, "Number", p->number);
    put_fact(d, &y, "Date", words_time(p->issued_ms, "%-d %B %Y", date));
    put_fact(d, &y, "Period (UTC)", period);
    put_fact(d, &y, "Account", p->account);
    put_fact(d, &y, "Host", p->host);
}

static void put_title(struct draw *d, const struct paper *p)
{
    static const char *const words[] = { "Invoice", "Credit note", "Draft of an invoice" };
    char text[500], date[WORDS_BYTES];

    if (p->kind == PAPER_DRAFT)
        snprintf(text, sizeof(text), "%s", words[p->kind]);
    else
        snprintf(text, sizeof(text), "%s %s", words[p->kind], p->number);
    draw_text(d, title, DRAW_LEFT, d->y, text);
    d->y -= 20;
    if (p->kind == PAPER_DRAFT) {
        draw_text(d, label, DRAW_LEFT, d->y, "What has been used so far; it is no demand, and it has no number.");
        d->y -= 16;
    } else if (p->kind == PAPER_CREDIT_NOTE) {
        snprintf(text, sizeof(text), "For invoice %s of %s.", p->refers_number,
                 words_time(p->refers_issued_ms, "%-d %B %Y", date));
        draw_text(d, normal, DRAW_LEFT, d->y, text);
        d->y -= 14;
        d->y -= 14 * (float)draw_wrapped(d, normal, DRAW_LEFT, d->y, DRAW_RIGHT - DRAW_LEFT, 14, p->reason) + 2;
    }
    d->y -= 8;
}

void pdf_head(struct draw *d, const struct paper *p)
{
    put_seller(d, p);
    draw_rule(d, DRAW_LEFT, DRAW_RIGHT, d->y, DRAW_ACCENT);
    d->y -= 34;
    put_facts(d, d->y, p);
    put_buyer(d, p);
    if (d->y > 606)
        d->y = 606;
    d->y -= 26;
    put_title(d, p);
}

void pdf_foot(struct draw *d, const struct paper *p)
{
    static const struct draw_style style = { DRAW_REGULAR, 7.5f, DRAW_GRAY };
    char text[900];

    for (unsigned i = 0; i < d->pages; i++) {
        d->page = HPDF_GetPageByIndex(d->doc, i);
        draw_rule(d, DRAW_LEFT, DRAW_RIGHT, 48, DRAW_RULE);
        snprintf(text, sizeof(text), "%.300s  \xc2\xb7  %s  \xc2\xb7  %s", p->seller.name, p->number, p->id);
        draw_text(d, style, DRAW_LEFT, 36, text);
        snprintf(text, sizeof(text), "%u / %u", i + 1, d->pages);
        draw_right(d, style, DRAW_RIGHT, 36, text);
    }
}
