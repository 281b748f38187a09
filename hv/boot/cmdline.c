#include "hv/boot/boot.h"
#include "hv/lib/bug.h"
#include "hv/lib/string.h"

static char text[512];

void cmdline_set(const char *from)
{
    size_t n = strnlen(from, sizeof(text) - 1);

    memcpy(text, from, n);
    text[n] = 0;
}

/* What follows `name` in the word that begins with it: '=', ' ' or the end. NULL: there is no such word. */
static const char *find(const char *name)
{
    size_t n = strlen(name);

    for (const char *p = text; *p; p++) {
        if ((p == text || p[-1] == ' ') && memcmp(p, name, n) == 0 && (p[n] == '=' || p[n] == ' ' || !p[n]))
            return p + n;
    }
    return NULL;
}

bool cmdline_flag(const char *name)
{
    const char *at = find(name);

    return at && *at != '=';
}

uint64_t cmdline_size(const char *name, uint64_t otherwise)
{
    const char *at = find(name);
    unsigned digits = 0;
    uint64_t v = 0;

    if (!at || *at != '=')
        return otherwise;
    for (at++; *at >= '0' && *at <= '9'; at++, digits++)
        v = v * 10 + (uint64_t)(*at - '0');
    switch (*at) {
    case 'k': case 'K': v <<= 10, at++; break;
    case 'm': case 'M': v <<= 20, at++; break;
    case 'g': case 'G': v <<= 30, at++; break;
    default: break;
    }
    if (!digits || digits > 10 || (*at && *at != ' '))  /* 10^10 << 30 is below 2^64 */
        panic("command line: %s= wants a size such as 1536M or 2G", name);
    return v;
}
