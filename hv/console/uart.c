/* COM1, 16550, polled. */
#include "hv/console/printk.h"
#include "hv/arch/io.h"

#define UART_PORT 0x3F8

/* Registers of the 16550 (PC16550D data sheet, table 1). */
#define REG_DATA 0
#define REG_IER  1
#define REG_FCR  2
#define REG_LCR  3
#define REG_MCR  4
#define REG_LSR  5
#define LSR_THR_EMPTY  0x20

void uart_init(void)
{
    outb(UART_PORT + REG_IER, 0);
    outb(UART_PORT + REG_LCR, 0x80);    /* divisor latch */
    outb(UART_PORT + REG_DATA, 1);      /* 115200 baud */
    outb(UART_PORT + REG_IER, 0);
    outb(UART_PORT + REG_LCR, 0x03);    /* 8n1 */
    outb(UART_PORT + REG_FCR, 0x07);    /* FIFOs on and empty */
    outb(UART_PORT + REG_MCR, 0x0B);    /* DTR RTS OUT2 */
}

void uart_putc(char c)
{
    if (c == '\n')
        uart_putc('\r');
    /* A UART that is not there reads 0xFF and looks ready; one that is stuck must not hang hv: bounded. */
    for (unsigned i = 0; i < 1000000 && !(inb(UART_PORT + REG_LSR) & LSR_THR_EMPTY); i++)
        __builtin_ia32_pause();
    outb(UART_PORT + REG_DATA, (uint8_t)c);
}
