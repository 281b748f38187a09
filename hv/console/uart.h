/* COM1, 16550, polled: hv's console. dom0 never sees the port (arch/svm/io.c). */
#ifndef CONSOLE_UART_H
#define CONSOLE_UART_H

#include "hv/lib/types.h"

#define UART_PORT 0x3F8

void uart_init(void);
void uart_putc(char c);                 /* \n becomes \r\n */

#endif
