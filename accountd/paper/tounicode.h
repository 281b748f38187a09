/* Which characters a font's codes are, for who searches, copies or reads aloud. */
#ifndef ACCOUNTD_PAPER_TOUNICODE_H
#define ACCOUNTD_PAPER_TOUNICODE_H

#include <hpdf.h>

/* Corrects the ToUnicode map of a font with the encoding UTF-8, which has just been made. libharu 2.3 writes ranges of
 * CIDs there, which are no part of such a map: readers skip them, and know no text. */
void tounicode_correct(HPDF_Font font);

#endif
