/* hv's own console: COM1, one line at a time, from any CPU. */
#ifndef CONSOLE_PRINTK_H
#define CONSOLE_PRINTK_H

#include <stdarg.h>

#include "hv/lib/types.h"

void uart_init(void);                                   /* COM1; dom0 never sees the port (arch/svm/io.c) */
void uart_putc(char c);                                 /* \n becomes \r\n */
void console_write(const char *text, size_t bytes);     /* whole, not mixed with other CPUs' text */

/* %d %u %x %p %s %c with l, ll, z, width and zero fill; nothing else. Subject first ("d3v1: ..."). */
void printk(const char *fmt, ...) __printf(1, 2);

/* For lines that a guest can cause: at most 10 a second in all, the rest are counted and reported. */
void printk_guest(const char *fmt, ...) __printf(1, 2);

int vsnprintk(char *to, size_t bytes, const char *fmt, va_list ap) __printf(3, 0);

#endif
