/* Formatting into a line buffer, one writer at a time. Deliberately small: no floats, no positions. */
#include "hv/console/printk.h"
#include "hv/arch/irq.h"
#include "hv/arch/tsc.h"
#include "hv/lib/spinlock.h"

static struct spinlock console_lock;    /* innermost: hv/LOCKING.md */

struct out {
    char *to;
    size_t bytes, at;
};

static void put(struct out *o, char c)
{
    if (o->at + 1 < o->bytes)
        o->to[o->at] = c;
    o->at++;
}

static void put_number(struct out *o, uint64_t v, unsigned base, bool negative, unsigned width, bool zero)
{
    char digits[24];
    unsigned n = 0;

    do {
        digits[n++] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v);
    if (negative)
        digits[n++] = '-';
    for (unsigned i = n; i < width; i++)
        put(o, zero ? '0' : ' ');
    while (n)
        put(o, digits[--n]);
}

int vsnprintk(char *to, size_t bytes, const char *fmt, va_list ap)
{
    struct out o = { to, bytes, 0 };

    for (; *fmt; fmt++) {
        unsigned width = 0, longs = 0;
        bool zero = false;
        int64_t v;

        if (*fmt != '%') {
            put(&o, *fmt);
            continue;
        }
        if (*++fmt == '0')
            zero = true;
        for (; *fmt >= '0' && *fmt <= '9'; fmt++)
            width = width * 10 + (unsigned)(*fmt - '0');
        for (; *fmt == 'l' || *fmt == 'z'; fmt++)
            longs++;
        switch (*fmt) {
        case 'd':
            v = longs ? va_arg(ap, long) : va_arg(ap, int);
            put_number(&o, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, v < 0, width, zero);
            break;
        case 'u': case 'x':
            put_number(&o, longs ? va_arg(ap, unsigned long) : va_arg(ap, unsigned), *fmt == 'x' ? 16 : 10, false,
                       width, zero);
            break;
        case 'p': put_number(&o, (uintptr_t)va_arg(ap, void *), 16, false, 16, true); break;
        case 's':
            for (const char *s = va_arg(ap, const char *); *s; s++)
                put(&o, *s);
            break;
        case 'c': put(&o, (char)va_arg(ap, int)); break;
        default:
            BUG_ON(*fmt != '%');        /* %%; the compiler checks the formats */
            put(&o, '%');
        }
    }
    if (bytes)
        to[MIN(o.at, bytes - 1)] = 0;
    return (int)o.at;
}

void console_write(const char *text, size_t bytes)
{
    bool locked = !panic_in_progress();

    if (locked)
        spin_lock(&console_lock);
    for (size_t i = 0; i < bytes; i++)
        uart_putc(text[i]);
    if (locked)
        spin_unlock(&console_lock);
}

static void vprintk(const char *fmt, va_list ap)
{
    char line[320] = "(hv) ";
    size_t n = sizeof("(hv) ") - 1;

    n += (size_t)vsnprintk(line + n, sizeof(line) - n, fmt, ap);
    console_write(line, MIN(n, sizeof(line) - 1));
}

void printk(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vprintk(fmt, ap);
    va_end(ap);
}

#define GUEST_LINES_PER_SEC 10

void printk_guest(const char *fmt, ...)
{
    static uint64_t second;
    static unsigned lines, dropped;
    uint64_t now = now_ns() / NS_PER_SEC;
    unsigned n, lost = 0;
    va_list ap;

    /* Two CPUs may both start a second: a few lines more, which is no harm. */
    if (__atomic_exchange_n(&second, now, __ATOMIC_RELAXED) != now) {
        __atomic_store_n(&lines, 0, __ATOMIC_RELAXED);
        lost = __atomic_exchange_n(&dropped, 0, __ATOMIC_RELAXED);
    }
    if (lost)
        printk("console: %u lines about guests left out\n", lost);
    n = __atomic_fetch_add(&lines, 1, __ATOMIC_RELAXED);
    if (n >= GUEST_LINES_PER_SEC) {
        __atomic_fetch_add(&dropped, 1, __ATOMIC_RELAXED);
        return;
    }
    va_start(ap, fmt);
    vprintk(fmt, ap);
    va_end(ap);
}
