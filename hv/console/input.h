/* Bytes typed at hv's console, for dom0's hvc0. */
#ifndef CONSOLE_INPUT_H
#define CONSOLE_INPUT_H

#include "hv/lib/types.h"

int console_getc(void);                 /* -1: none */
void console_poll(void);                /* moves what the UART has into the buffer; says whether by console_input_waits */
bool console_input_waits(void);

#endif
