/* ISO 32000-1, 9.10.3. libharu's codes for UTF-8 text are UTF-16, so the map is the identity. A range may not pass the
 * last byte's end, and a block has at most 100 of them. */
#include "accountd/paper/tounicode.h"

#include <stdio.h>

#define BLOCK 64

static const char head[] =
    "/CIDInit /ProcSet findresource begin\n"
    "12 dict begin\n"
    "begincmap\n"
    "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
    "/CMapName /Adobe-Identity-UCS def\n"
    "/CMapType 2 def\n"
    "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n";
static const char tail[] =
    "endcmap\n"
    "CMapName currentdict /CMap defineresource pop\n"
    "end\n"
    "end\n";

void tounicode_correct(HPDF_Font font)
{
    HPDF_Dict map = ((HPDF_FontAttr)font->attr)->cmap_stream;
    char line[64];

    HPDF_MemStream_FreeData(map->stream);
    HPDF_Stream_WriteStr(map->stream, head);
    for (unsigned high = 0; high < 256; high++) {
        if (high % BLOCK == 0) {
            snprintf(line, sizeof(line), "%d beginbfrange\n", BLOCK);
            HPDF_Stream_WriteStr(map->stream, line);
        }
        snprintf(line, sizeof(line), "<%02X00> <%02XFF> <%02X00>\n", high, high, high);
        HPDF_Stream_WriteStr(map->stream, line);
        if (high % BLOCK == BLOCK - 1)
            HPDF_Stream_WriteStr(map->stream, "endbfrange\n");
    }
    HPDF_Stream_WriteStr(map->stream, tail);
}
