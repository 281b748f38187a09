/* The console below printk: raw text, and what panic needs. */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include "hv/lib/types.h"

void console_write(const char *text, size_t bytes);     /* whole, not mixed with other CPUs' text */
void console_panic_mode(void);                          /* from now on without the lock */

#endif
