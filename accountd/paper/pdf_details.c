/* What each instance used, to the nano, on pages of their own. */
#include "accountd/paper/pdf.h"
#include "accountd/paper/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD_X       232.0f
#define BOOK_RIGHT     316.0f
#define QUANTITY_RIGHT 404.0f
#define UNIT_X         409.0f
#define METER_X        66.0f
#define ROW            12.0f

static const struct draw_style title = { DRAW_LIGHT, 16, DRAW_INK };
static const struct draw_style note = { DRAW_REGULAR, 8, DRAW_GRAY };
static const struct draw_style heading = { DRAW_SEMIBOLD, 7, DRAW_GRAY };
static const struct draw_style instance = { DRAW_SEMIBOLD, 8, DRAW_ACCENT };
static const struct draw_style normal = { DRAW_REGULAR, 7.5f, DRAW_INK };
static const struct draw_style gray = { DRAW_REGULAR, 7.5f, DRAW_GRAY };

static int by_instance(const void *left, const void *right)
{
    const struct paper_detail *a = *(const struct paper_detail *const *)left;
    const struct paper_detail *b = *(const struct paper_detail *const *)right;
    int order = strcmp(a->instance, b->instance);

    if (order)
        return order;
    return a->line < b->line ? -1 : a->line > b->line;
}

static void put_headings(struct draw *d)
{
    draw_text(d, heading, METER_X, d->y, "Meter");
    draw_text(d, heading, PERIOD_X, d->y, "Month");
    draw_right(d, heading, BOOK_RIGHT, d->y, "Price book");
    draw_right(d, heading, QUANTITY_RIGHT, d->y, "Quantity");
    draw_right(d, heading, DRAW_RIGHT, d->y, "Charged (EUR)");
    d->y -= 5;
    draw_rule(d, DRAW_LEFT, DRAW_RIGHT, d->y, DRAW_INK);
    d->y -= 13;
}

static void put_instance(struct draw *d, const struct paper_detail *detail)
{
    d->y -= 13 * (float)draw_wrapped(d, instance, DRAW_LEFT, d->y, DRAW_RIGHT - DRAW_LEFT, 11, detail->instance);
}

static void put_detail(struct draw *d, const struct paper_detail *detail)
{
    const struct paper_line *line = detail->line;
    char text[WORDS_BYTES];

    draw_text(d, normal, METER_X, d->y, words_meter(line->meter).title);
    draw_text(d, gray, PERIOD_X, d->y, line->period);
    draw_right(d, gray, BOOK_RIGHT, d->y, words_ratio((unsigned __int128)line->price_book, 1, 0, false, text));
    draw_right(d, normal, QUANTITY_RIGHT, d->y,
               words_ratio(detail->quantity, line->per_unit, line->per_unit == 1 ? 0 : 3, true, text));
    draw_text(d, gray, UNIT_X, d->y, line->unit);
    draw_right(d, normal, DRAW_RIGHT, d->y, words_nano(detail->charged_nano, text));
    d->y -= ROW;
}

static void put_details(struct draw *d, const struct paper_detail **details, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool first = i == 0 || strcmp(details[i]->instance, details[i - 1]->instance) != 0;

        if (i && details[i]->line->price_book != details[i - 1]->line->price_book)
            d->y -= 4;
        if (first && i)
            d->y -= 6;
        if (draw_need(d, first ? 3 * ROW : ROW)) {
            put_headings(d);
            first = true;
        }
        if (first)
            put_instance(d, details[i]);
        put_detail(d, details[i]);
    }
}

int pdf_details(struct draw *d, const struct paper *p)
{
    const struct paper_detail **details;

    if (p->details_count == 0)
        return 0;
    details = malloc(p->details_count * sizeof(*details));
    if (!details)
        return -1;
    for (size_t i = 0; i < p->details_count; i++)
        details[i] = &p->details[i];
    qsort(details, p->details_count, sizeof(*details), by_instance);
    draw_page(d);
    draw_text(d, title, DRAW_LEFT, d->y, "What each instance used");
    d->y -= 17;
    draw_text(d, note, DRAW_LEFT, d->y, "Charged as it was used, to the nano; lines of the invoice are these sums, "
              "rounded once to the cent.");
    d->y -= 24;
    put_headings(d);
    put_details(d, details, p->details_count);
    free(details);
    return 0;
}
