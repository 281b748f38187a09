/* Bytes for people. */
#ifndef XS_UNITS_H
#define XS_UNITS_H

#include <stdint.h>

#define UNITS_BYTES 24

/* "17 B", "1.5 KiB", "20.0 GiB": one decimal, cut. Returns out. */
char *units_print(uint64_t bytes, char out[static UNITS_BYTES]);

#endif
