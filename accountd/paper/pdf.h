/* The parts of invoice.pdf, in the order in which they stand on its pages. Each goes on from draw->y. */
#ifndef ACCOUNTD_PAPER_PDF_H
#define ACCOUNTD_PAPER_PDF_H

#include "accountd/paper/draw.h"
#include "accountd/paper/read.h"

/* pdf_head.c */
void pdf_head(struct draw *d, const struct paper *paper);
/* On every page, last: only then is known how many there are. */
void pdf_foot(struct draw *d, const struct paper *paper);
/* pdf_lines.c */
void pdf_lines(struct draw *d, const struct paper *paper);
void pdf_totals(struct draw *d, const struct paper *paper);
/* pdf_boxes.c */
/* At the foot of the page. False if they do not fit, and no page may be begun for them. */
bool pdf_boxes(struct draw *d, const struct paper *paper, bool new_page);
/* pdf_details.c */
int pdf_details(struct draw *d, const struct paper *paper);    /* -1: out of memory */

#endif
