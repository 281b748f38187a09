/* COM1, 16550, polled: hv's console. dom0 never sees the port (arch/svm/io.c). */
#ifndef CONSOLE_UART_H
#define CONSOLE_UART_H

#include "hv/lib/types.h"

#define UART_PORT 0x3F8

void uart_init(void);
void uart_putc(char c);                 /* \n becomes \r\n */
int uart_getc(void);                    /* -1: nothing */
void uart_irq_enable(void);             /* receive interrupts, once the IO-APIC routes them */

#endif
