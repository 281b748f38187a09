/* How to check the invoice, and how to refill the wallet. */
#include "accountd/paper/epc.h"
#include "accountd/paper/pdf.h"
#include "accountd/paper/words.h"

#include <qrencode.h>
#include <stdio.h>
#include <string.h>

#define HEIGHT  132.0f
#define LOW     76.0f                   /* without the code's box beside it, its text has the page's width */
#define QUIET   4                       /* modules around a QR code (ISO/IEC 18004, 9.1) */
#define QR_SIDE 108.0f                  /* with its quiet zone: 38 mm, a module of 0.9 mm and more */
#define VERSION_MAX 13                  /* EPC069-12 */

static const struct draw_style heading = { DRAW_SEMIBOLD, 9, DRAW_ACCENT };
static const struct draw_style normal = { DRAW_REGULAR, 8, DRAW_INK };
static const struct draw_style label = { DRAW_REGULAR, 7.5f, DRAW_GRAY };

static void put_check_box(struct draw *d, float x, float width, float height)
{
    static const char *const lines[] = {
        "xs-verify BUNDLE.tar recomputes each line from the signed records of your machines, offline.",
        "Without our program: the bundle's VERIFY.txt has the commands for openssl, minisign, ssh-keygen and xmllint.",
        "The same invoice is in the bundle as JSON, XML (EN 16931) and CSV, each signed like this page.",
    };
    float y = d->y - 20;

    draw_box(d, x, d->y - height, width, height, DRAW_TINT);
    draw_text(d, heading, x + 12, y, "How to check this invoice");
    y -= 17;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        y -= 11 * (float)draw_wrapped(d, normal, x + 12, y, width - 24, 11, lines[i]) + 4;
}

/* Modules that touch are one rectangle, or viewers show hairlines between them. */
static void put_modules(struct draw *d, const QRcode *code, float x, float y, float module)
{
    float side = (float)(code->width + 2 * QUIET) * module;

    draw_box(d, x - QUIET * module, y + QUIET * module - side, side, side, DRAW_PAPER);
    HPDF_Page_SetRGBFill(d->page, 0, 0, 0);
    for (int row = 0; row < code->width; row++) {
        const unsigned char *bits = code->data + row * code->width;

        for (int from = 0, to; from < code->width; from = to + 1) {
            for (to = from; to < code->width && bits[to] & 1; to++)
                ;
            if (to > from)
                HPDF_Page_Rectangle(d->page, x + (float)from * module, y - (float)(row + 1) * module,
                                    (float)(to - from) * module, module);
        }
    }
    HPDF_Page_Fill(d->page);
}

/* Level M, at most version 13: what EPC069-12 asks for. */
static bool put_code(struct draw *d, const char *text, float x, float y)
{
    QRcode *code = QRcode_encodeData((int)strlen(text), (const unsigned char *)text, 0, QR_ECLEVEL_M);
    bool fits = code && code->version <= VERSION_MAX;
    float module = fits ? QR_SIDE / (float)(code->width + 2 * QUIET) : 0;

    if (fits)
        put_modules(d, code, x + QUIET * module, y - QUIET * module, module);
    if (code)
        QRcode_free(code);
    return fits;
}

static void put_field(struct draw *d, float x, float *y, float width, const char *what, const char *text)
{
    if (!*text)
        return;
    draw_text(d, label, x, *y, what);
    *y -= 10 * (float)draw_wrapped(d, normal, x, *y - 10, width, 10, text) + 13;
}

/* DE89 3704 0044 0532 0130 00, as people read it. */
static void iban_in_fours(const char *iban, char text[static WORDS_BYTES])
{
    size_t out = 0;

    for (size_t i = 0; iban[i] && out + 2 < WORDS_BYTES; i++) {
        if (i && i % 4 == 0)
            text[out++] = ' ';
        text[out++] = iban[i];
    }
    text[out] = 0;
}

static void put_refill_box(struct draw *d, const struct paper *p, const char *epc, float x, float width)
{
    float y = d->y - 20, text_x = x + 12;
    char iban[WORDS_BYTES], amount[WORDS_BYTES], euros[WORDS_BYTES + 4];

    draw_box(d, x, d->y - HEIGHT, width, HEIGHT, DRAW_TINT);
    if (put_code(d, epc, text_x, d->y - 12))
        text_x += 12 + QR_SIDE;
    draw_text(d, heading, text_x, y, "Refill your wallet");
    y -= 16;
    iban_in_fours(p->iban, iban);
    snprintf(euros, sizeof(euros), "EUR %s", words_money(p->total_nano, amount));
    put_field(d, text_x, &y, x + width - text_x - 8, "IBAN", iban);
    put_field(d, text_x, &y, x + width - text_x - 8, "BIC", p->bic);
    put_field(d, text_x, &y, x + width - text_x - 8, "Reference", p->payment_reference);
    put_field(d, text_x, &y, x + width - text_x - 8, "Amount, or any other", p->total_nano ? euros : "");
}

bool pdf_boxes(struct draw *d, const struct paper *p, bool new_page)
{
    char epc[EPC_BYTES];
    bool refill = paper_epc(p, epc);
    float height = refill ? HEIGHT : LOW;

    if (!new_page && d->y - height < DRAW_BOTTOM)
        return false;
    draw_need(d, height);
    d->y = DRAW_BOTTOM + height;
    put_check_box(d, DRAW_LEFT, refill ? 204 : DRAW_RIGHT - DRAW_LEFT, height);
    if (refill)
        put_refill_box(d, p, epc, DRAW_LEFT + 216, DRAW_RIGHT - DRAW_LEFT - 216);
    d->y -= height;
    return true;
}
