/* dom0: the machine's own kernel, in memory that is mapped 1:1 so that devices reach it. */
#ifndef DOMCTL_DOM0_H
#define DOMCTL_DOM0_H

#include "hv/lib/types.h"

/* Right after page_init: copies kernel and initrd out of what becomes dom0's memory [0, bytes), and frees all RAM that
 * is neither dom0's nor in use. Panics with the figures when the machine is too small. */
void dom0_take_modules(uint64_t bytes);

/* Creates dom0, loads it, and makes its first vCPU runnable. */
void dom0_start(uint64_t bytes);

#endif
