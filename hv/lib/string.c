/* Memory and strings. REP MOVS/STOS by words and a tail of bytes: right on every CPU, as fast as by bytes on those with
 * ERMS, and eight times as fast on those that take one step an element, which QEMU's TCG is too. */
#include "hv/lib/string.h"

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    size_t words = bytes / 8;
    size_t tail = bytes % 8;
    void *d = to;

    __asm__ volatile("rep movsq" : "+D"(d), "+S"(from), "+c"(words) :: "memory");
    __asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(tail) :: "memory");
    return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
    char *d = to;
    const char *s = from;

    if (d <= s || d >= s + bytes)
        return memcpy(to, from, bytes);
    while (bytes--)
        d[bytes] = s[bytes];
    return to;
}

void *memset(void *to, int byte, size_t bytes)
{
    unsigned long word = (unsigned char)byte * 0x0101010101010101ul;
    size_t words = bytes / 8;
    size_t tail = bytes % 8;
    void *d = to;

    __asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(word) : "memory");
    __asm__ volatile("rep stosb" : "+D"(d), "+c"(tail) : "a"(word) : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const unsigned char *x = a, *y = b;

    for (size_t i = 0; i < bytes; i++) {
        if (x[i] != y[i])
            return x[i] - y[i];
    }
    return 0;
}

size_t strlen(const char *s)
{
    return strnlen(s, (size_t)-1);
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n])
        n++;
    return n;
}

char *strchr(const char *s, int c)
{
    for (; *s; s++) {
        if (*s == (char)c)
            return (char *)s;
    }
    return c ? NULL : (char *)s;
}
