/* Pages, text and boxes. */
#include "accountd/paper/draw.h"
#include "accountd/paper/paper.h"
#include "accountd/paper/tounicode.h"

#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 1024

static const float colors[][3] = {
    [DRAW_INK] = { 0.12f, 0.14f, 0.17f },
    [DRAW_GRAY] = { 0.42f, 0.45f, 0.49f },
    [DRAW_ACCENT] = { 0.04f, 0.34f, 0.42f },
    [DRAW_RULE] = { 0.86f, 0.88f, 0.90f },
    [DRAW_TINT] = { 0.95f, 0.965f, 0.97f },
    [DRAW_GHOST] = { 0.93f, 0.93f, 0.94f },
    [DRAW_PAPER] = { 1, 1, 1 },
};
static const char *const font_files[DRAW_FONTS] = {
    [DRAW_REGULAR] = PAPER_FONT_DIR "/OpenSans-Regular.ttf",
    [DRAW_SEMIBOLD] = PAPER_FONT_DIR "/OpenSans-Semibold.ttf",
    [DRAW_LIGHT] = PAPER_FONT_DIR "/OpenSans-Light.ttf",
};

int draw_start(struct draw *d, const char *ghost, struct json_why *why)
{
    *d = (struct draw){ .doc = HPDF_New(NULL, NULL), .ghost = ghost };
    if (!d->doc) {
        snprintf(why->text, sizeof(why->text), "invoice.pdf: out of memory");
        return -1;
    }
    HPDF_SetCompressionMode(d->doc, HPDF_COMP_ALL);
    HPDF_UseUTFEncodings(d->doc);
    for (int i = 0; i < DRAW_FONTS; i++) {
        const char *name = HPDF_LoadTTFontFromFile(d->doc, font_files[i], HPDF_TRUE);

        d->font[i] = name ? HPDF_GetFont(d->doc, name, "UTF-8") : NULL;
        if (!d->font[i]) {
            snprintf(why->text, sizeof(why->text), "%s: cannot be read as a font: install the package fonts-open-sans",
                     font_files[i]);
            HPDF_Free(d->doc);
            return -1;
        }
        tounicode_correct(d->font[i]);
    }
    return 0;
}

static char *saved(struct draw *d, size_t *len)
{
    HPDF_UINT32 size, got;
    char *bytes = NULL;

    if (HPDF_SaveToStream(d->doc) != HPDF_OK)
        return NULL;
    size = got = HPDF_GetStreamSize(d->doc);
    bytes = malloc(size ? size : 1);
    if (bytes && (HPDF_ReadFromStream(d->doc, (HPDF_BYTE *)bytes, &got) != HPDF_OK || got != size)) {
        free(bytes);
        bytes = NULL;
    }
    *len = size;
    return bytes;
}

char *draw_finish(struct draw *d, size_t *len, struct json_why *why)
{
    char *bytes = HPDF_GetError(d->doc) == HPDF_OK ? saved(d, len) : NULL;

    if (!bytes)
        snprintf(why->text, sizeof(why->text), "invoice.pdf: libharu fails with error 0x%lx",
                 (unsigned long)HPDF_GetError(d->doc));
    HPDF_Free(d->doc);
    return bytes;
}

static void fill_color(struct draw *d, enum draw_color color)
{
    HPDF_Page_SetRGBFill(d->page, colors[color][0], colors[color][1], colors[color][2]);
}

static void draw_ghost(struct draw *d)
{
    const float slant = 0.7071f;

    HPDF_Page_SetFontAndSize(d->page, d->font[DRAW_SEMIBOLD], 130);
    fill_color(d, DRAW_GHOST);
    HPDF_Page_BeginText(d->page);
    HPDF_Page_SetTextMatrix(d->page, slant, slant, -slant, slant, 175, 225);
    HPDF_Page_ShowText(d->page, d->ghost);
    HPDF_Page_EndText(d->page);
}

void draw_page(struct draw *d)
{
    d->page = HPDF_AddPage(d->doc);
    HPDF_Page_SetSize(d->page, HPDF_PAGE_SIZE_A4, HPDF_PAGE_PORTRAIT);
    d->pages++;
    d->y = DRAW_TOP;
    if (d->ghost)
        draw_ghost(d);
}

bool draw_need(struct draw *d, float height)
{
    if (d->y - height >= DRAW_BOTTOM)
        return false;
    draw_page(d);
    return true;
}

void draw_text(struct draw *d, struct draw_style style, float x, float y, const char *text)
{
    HPDF_Page_SetFontAndSize(d->page, d->font[style.font], style.size);
    fill_color(d, style.color);
    HPDF_Page_BeginText(d->page);
    HPDF_Page_TextOut(d->page, x, y, text);
    HPDF_Page_EndText(d->page);
}

static float width_of(struct draw *d, struct draw_style style, const char *text)
{
    HPDF_Page_SetFontAndSize(d->page, d->font[style.font], style.size);
    return HPDF_Page_TextWidth(d->page, text);
}

void draw_right(struct draw *d, struct draw_style style, float x, float y, const char *text)
{
    draw_text(d, style, x - width_of(d, style, text), y, text);
}

static size_t character_bytes(const char *text)
{
    size_t len = 1;

    while (((unsigned char)text[len] & 0xc0) == 0x80)
        len++;
    return len;
}

/* How many bytes of text go into the width; at least a character. A blank that ends the line counts. */
static size_t fitting(struct draw *d, struct draw_style style, float width, const char *text,
                      char line[static LINE_BYTES])
{
    size_t len = 0, blank = 0;

    while (text[len] && len + 5 < LINE_BYTES) {
        size_t more = character_bytes(text + len);

        memcpy(line, text, len + more);
        line[len + more] = 0;
        if (len && width_of(d, style, line) > width)
            break;
        len += more;
        if (text[len] == ' ')
            blank = len;
    }
    if (text[len] && blank)
        len = blank;
    memcpy(line, text, len);
    line[len] = 0;
    return text[len] == ' ' ? len + 1 : len;
}

static unsigned wrap(struct draw *d, struct draw_style style, float x, float y, float width, float leading,
                     const char *text, bool visible)
{
    char line[LINE_BYTES];
    unsigned lines = 0;

    while (*text) {
        text += fitting(d, style, width, text, line);
        if (visible)
            draw_text(d, style, x, y - (float)lines * leading, line);
        lines++;
    }
    return lines;
}

unsigned draw_wrapped(struct draw *d, struct draw_style style, float x, float y, float width, float leading,
                      const char *text)
{
    return wrap(d, style, x, y, width, leading, text, true);
}

unsigned draw_wrapped_lines(struct draw *d, struct draw_style style, float width, const char *text)
{
    return wrap(d, style, 0, 0, width, 0, text, false);
}

void draw_rule(struct draw *d, float x0, float x1, float y, enum draw_color color)
{
    HPDF_Page_SetRGBStroke(d->page, colors[color][0], colors[color][1], colors[color][2]);
    HPDF_Page_SetLineWidth(d->page, 0.6f);
    HPDF_Page_MoveTo(d->page, x0, y);
    HPDF_Page_LineTo(d->page, x1, y);
    HPDF_Page_Stroke(d->page);
}

void draw_box(struct draw *d, float x, float y, float width, float height, enum draw_color color)
{
    fill_color(d, color);
    HPDF_Page_Rectangle(d->page, x, y, width, height);
    HPDF_Page_Fill(d->page);
}
