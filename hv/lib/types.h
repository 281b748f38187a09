/* Types and small macros that every room uses. Freestanding: compiler headers only. */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t;                       /* machine-physical address */

/* Frame numbers of 4 KiB. Distinct struct types, so that mixing them does not compile. */
typedef struct { uint64_t n; } mfn_t;           /* machine frame */
typedef struct { uint64_t n; } gfn_t;           /* frame in a domain's physical map */
#define MFN(x) ((mfn_t){ (x) })
#define GFN(x) ((gfn_t){ (x) })
#define MFN_INVALID MFN(~0ull)

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1ul << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define NS_PER_SEC 1000000000ull
#define NS_PER_MS  1000000ull
#define TIME_NEVER UINT64_MAX

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ROUND_UP(x, to) (((x) + (to) - 1) & ~((__typeof__(x))(to) - 1))
#define ROUND_DOWN(x, to) ((x) & ~((__typeof__(x))(to) - 1))
#define CONTAINER_OF(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))

#define __must_check __attribute__((warn_unused_result))
#define __noreturn   __attribute__((noreturn))
#define __printf(f, a) __attribute__((format(printf, f, a)))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define READ_ONCE(x)     (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define barrier()        __asm__ volatile("" ::: "memory")

/* An index that a guest chose, made safe for speculative use as well: 0 when i >= size. */
static inline unsigned long index_nospec(unsigned long i, unsigned long size)
{
    unsigned long mask;

    __asm__ volatile("cmp %2, %1; sbb %0, %0" : "=r"(mask) : "r"(i), "r"(size) : "cc");
    return i & mask;
}

#endif
