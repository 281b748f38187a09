/* invoice.pdf: the document around its parts. */
#include "accountd/paper/pdf.h"
#include "accountd/paper/paper.h"
#include "accountd/paper/words.h"

#include <stdio.h>
#include <time.h>

static void set_date(struct draw *d, HPDF_InfoType which, int64_t at_ms)
{
    time_t at_s = (time_t)(at_ms / 1000);
    struct tm tm;

    gmtime_r(&at_s, &tm);
    HPDF_SetInfoDateAttr(d->doc, which, (HPDF_Date){ tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                                                     tm.tm_min, tm.tm_sec, 'Z', 0, 0 });
}

/* The issuer's clock is the invoice's: no other is read, so the same invoice is the same file. Names in the
 * document's properties are ASCII ones; others would need an encoding of their own. */
static void set_properties(struct draw *d, const struct paper *p)
{
    set_date(d, HPDF_INFO_CREATION_DATE, p->issued_ms);
    set_date(d, HPDF_INFO_MOD_DATE, p->issued_ms);
    HPDF_SetInfoAttr(d->doc, HPDF_INFO_TITLE, p->number);
    HPDF_SetInfoAttr(d->doc, HPDF_INFO_AUTHOR, p->host);
}

static char *make(const struct paper *p, size_t *len, struct json_why *why)
{
    struct draw d;
    bool boxed;
    int rc;

    if (draw_start(&d, p->kind == PAPER_DRAFT ? "DRAFT" : NULL, why))
        return NULL;
    set_properties(&d, p);
    draw_page(&d);
    pdf_head(&d, p);
    pdf_lines(&d, p);
    pdf_totals(&d, p);
    boxed = pdf_boxes(&d, p, false);
    rc = pdf_details(&d, p);
    if (!boxed)
        pdf_boxes(&d, p, true);
    pdf_foot(&d, p);
    if (rc == 0)
        return draw_finish(&d, len, why);
    HPDF_Free(d.doc);
    snprintf(why->text, sizeof(why->text), "invoice.pdf: out of memory");
    return NULL;
}

char *paper_pdf(const json_t *invoice, size_t *len, struct json_why *why)
{
    struct paper paper;
    char *bytes = paper_read(invoice, &paper, why) == 0 ? make(&paper, len, why) : NULL;

    paper_free(&paper);
    return bytes;
}
