/* Random bytes for identifiers (boot id, incarnations) and, as far as the CPU has RDRAND, channels' tokens. Not for keys. */
#ifndef ARCH_RANDOM_H
#define ARCH_RANDOM_H

#include "hv/lib/types.h"

void random_bytes(void *to, size_t bytes);

#endif
