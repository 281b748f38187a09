/* Drawing on A4 pages, by libharu: text by font, size and colour, lines that wrap, boxes.
 *
 * Points (1/72 inch), y upwards from the page's lower edge. Nothing here fails by itself: libharu keeps its first
 * error, and draw_finish says whether there was one. */
#ifndef ACCOUNTD_PAPER_DRAW_H
#define ACCOUNTD_PAPER_DRAW_H

#include "common/json.h"

#include <hpdf.h>

#define DRAW_LEFT   56.0f
#define DRAW_RIGHT  539.0f
#define DRAW_TOP    786.0f
#define DRAW_BOTTOM 72.0f

enum draw_font { DRAW_REGULAR, DRAW_SEMIBOLD, DRAW_LIGHT, DRAW_FONTS };
enum draw_color { DRAW_INK, DRAW_GRAY, DRAW_ACCENT, DRAW_RULE, DRAW_TINT, DRAW_GHOST, DRAW_PAPER };

struct draw_style {
    enum draw_font font;
    float size;
    enum draw_color color;
};

struct draw {
    HPDF_Doc doc;
    HPDF_Page page;                     /* the newest */
    unsigned pages;
    HPDF_Font font[DRAW_FONTS];
    float y;                            /* where the next thing goes */
    const char *ghost;                  /* written across each page, behind everything; or NULL */
};

/* 0, or -1 with the reason (a font is not there). */
int draw_start(struct draw *d, const char *ghost, struct json_why *why);
/* The PDF's bytes, malloc'd, or NULL with the reason. Ends d in any case. */
char *draw_finish(struct draw *d, size_t *len, struct json_why *why);

/* d->y is at the top of the new page. */
void draw_page(struct draw *d);
/* A new page unless there is room for `height` below d->y; true if it is new. */
bool draw_need(struct draw *d, float height);

void draw_text(struct draw *d, struct draw_style style, float x, float y, const char *text);
void draw_right(struct draw *d, struct draw_style style, float x, float y, const char *text);
/* Wraps at blanks, and within words that are too long, downwards from y. How many lines that are. */
unsigned draw_wrapped(struct draw *d, struct draw_style style, float x, float y, float width, float leading,
                      const char *text);
unsigned draw_wrapped_lines(struct draw *d, struct draw_style style, float width, const char *text);

void draw_rule(struct draw *d, float x0, float x1, float y, enum draw_color color);
void draw_box(struct draw *d, float x, float y, float width, float height, enum draw_color color);

#endif
