/* Bits in arrays of 64-bit words. The atomic forms are LOCKed read-modify-writes (full barriers on x86, APM 2 7.3). */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include "hv/lib/types.h"

#define BITS_TO_WORDS(n) (((n) + 63) / 64)

static inline bool bit_test(const uint64_t *map, unsigned bit)
{
    return READ_ONCE(map[bit / 64]) >> (bit % 64) & 1;
}

static inline void bit_set(uint64_t *map, unsigned bit)
{
    map[bit / 64] |= 1ull << (bit % 64);
}

static inline void bit_clear(uint64_t *map, unsigned bit)
{
    map[bit / 64] &= ~(1ull << (bit % 64));
}

static inline bool bit_test_and_set_atomic(uint64_t *map, unsigned bit)
{
    uint64_t mask = 1ull << (bit % 64);

    return __atomic_fetch_or(&map[bit / 64], mask, __ATOMIC_SEQ_CST) & mask;
}

static inline bool bit_test_and_clear_atomic(uint64_t *map, unsigned bit)
{
    uint64_t mask = 1ull << (bit % 64);

    return __atomic_fetch_and(&map[bit / 64], ~mask, __ATOMIC_SEQ_CST) & mask;
}

/* First clear bit below n, or n. */
static inline unsigned bitmap_first_zero(const uint64_t *map, unsigned n)
{
    for (unsigned w = 0; w < BITS_TO_WORDS(n); w++) {
        if (~map[w]) {
            unsigned bit = w * 64 + (unsigned)__builtin_ctzll(~map[w]);

            return MIN(bit, n);
        }
    }
    return n;
}

#endif
