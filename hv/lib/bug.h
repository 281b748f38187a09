/* Whose fault? Ours: BUG_ON, in every build. ASSERT finds bugs early and handles nothing. */
#ifndef LIB_BUG_H
#define LIB_BUG_H

#include "hv/lib/types.h"

/* Stops every CPU, prints why and the registers, halts or resets by the command line. */
void panic(const char *fmt, ...) __printf(1, 2) __noreturn;

#define BUG_ON(cond) do { if (unlikely(cond)) panic("BUG %s:%d: %s", __FILE__, __LINE__, #cond); } while (0)
#ifdef NDEBUG
#define ASSERT(cond) do { (void)sizeof(cond); } while (0)
#else
#define ASSERT(cond) BUG_ON(!(cond))
#endif

#endif
