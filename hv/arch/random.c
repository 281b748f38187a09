/* Identifiers that must not repeat. Without RDRAND the TSC's low bits, stirred, are all there is: enough to tell one
 * boot from the next, no more. */
#include "hv/arch/random.h"
#include "hv/arch/io.h"
#include "hv/arch/tsc.h"
#include "hv/lib/string.h"

#define CPUID_1_ECX_RDRAND (1u << 30)           /* APM 3, appendix E.3.2 */
#define RDRAND_TRIES 10                         /* CF=0 means none ready now */

static bool rdrand(uint64_t *out)
{
    for (unsigned i = 0; i < RDRAND_TRIES; i++) {
        bool ok;

        __asm__ volatile("rdrand %0" : "=r"(*out), "=@ccc"(ok));
        if (ok)
            return true;
    }
    return false;
}

/* The finaliser of splitmix64: each input bit reaches all output bits. */
static uint64_t stir(uint64_t x)
{
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ x >> 27) * 0x94D049BB133111EBull;
    return x ^ x >> 31;
}

void random_bytes(void *to, size_t bytes)
{
    static uint64_t pool;
    bool have = cpuid(1, 0).ecx & CPUID_1_ECX_RDRAND;

    for (size_t at = 0; at < bytes; at += sizeof(uint64_t)) {
        uint64_t word = 0;

        have = have && rdrand(&word);
        word ^= stir(__atomic_add_fetch(&pool, rdtsc() | 1, __ATOMIC_RELAXED));
        memcpy((char *)to + at, &word, MIN(sizeof(word), bytes - at));
    }
}
