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

const char *cmdline_text(void)
{
    return text;
}

/* What follows `name` in the word that begins with it: '=', ' ' or the end. NULL: there is no such word. */
static const char *find(const char *name)
{
    size_t n = strlen(name);

    for (const char *p = text; *p; p++) {
        if ((p == text || p[-1] == ' ') && strncmp(p, name, n) == 0 && (p[n] == '=' || p[n] == ' ' || !p[n]))
            return p + n;
    }
    return NULL;
}

bool cmdline_flag(const char *name)
{
    const char *at = find(name);

    return at && *at != '=';
}

static uint64_t parse_number(const char *name, const char **at)
{
    uint64_t v = 0;
    unsigned digits = 0;

    for (; **at >= '0' && **at <= '9'; (*at)++, digits++)
        v = v * 10 + (uint64_t)(**at - '0');
    if (!digits || digits > 10)         /* 2^30 times that is below 2^64 */
        panic("command line: %s= wants a number", name);
    return v;
}

uint64_t cmdline_number(const char *name, uint64_t otherwise)
{
    const char *at = find(name);

    if (!at || *at != '=')
        return otherwise;
    at++;
    otherwise = parse_number(name, &at);
    if (*at && *at != ' ')
        panic("command line: %s= wants a number and nothing after it", name);
    return otherwise;
}

uint64_t cmdline_size(const char *name, uint64_t otherwise)
{
    const char *at = find(name);
    uint64_t v;

    if (!at || *at != '=')
        return otherwise;
    at++;
    v = parse_number(name, &at);
    switch (*at) {
    case 'k': case 'K': v <<= 10, at++; break;
    case 'm': case 'M': v <<= 20, at++; break;
    case 'g': case 'G': v <<= 30, at++; break;
    default: break;
    }
    if (*at && *at != ' ')
        panic("command line: %s= wants a size such as 1536M or 2G", name);
    return v;
}
