#include "hv/console/input.h"
#include "hv/console/uart.h"
#include "hv/lib/spinlock.h"

#define BYTES 256u

static struct spinlock input_lock;      /* innermost, beside the console's */
static char ring[BYTES];
static unsigned head, tail;             /* head - tail bytes wait */

static void fill_locked(void)
{
    int c;

    while (head - tail < BYTES && (c = uart_getc()) >= 0)
        ring[head++ % BYTES] = (char)c;
}

void console_poll(void)
{
    spin_lock(&input_lock);
    fill_locked();
    spin_unlock(&input_lock);
}

int console_getc(void)
{
    int c = -1;

    spin_lock(&input_lock);
    /* What found no room when it came made the UART's only interrupt: it is fetched now. */
    if (head == tail)
        fill_locked();
    if (head != tail)
        c = (unsigned char)ring[tail++ % BYTES];
    spin_unlock(&input_lock);
    return c;
}

bool console_input_waits(void)
{
    return READ_ONCE(head) != READ_ONCE(tail);
}
