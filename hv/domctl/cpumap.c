/* Bitmaps of bytes, lowest bit first, as the ABI has them: little-endian words. */
#include "hv/domctl/cpumap.h"
#include "hv/arch/percpu.h"
#include "hv/lib/string.h"
#include "hv/mm/guestcopy.h"

uint64_t cpumap_online(void)
{
    return (1ull << cpus_online) - 1;   /* CPUS_MAX is 32 */
}

long cpumap_put(const struct xenctl_bitmap *to, uint64_t set)
{
    uint8_t bytes[CPUMAP_BITS_MAX / 8] = { 0 };

    if (to->nr_bits > CPUMAP_BITS_MAX)
        return -EINVAL;
    if (to->nr_bits < 64)
        set &= (1ull << to->nr_bits) - 1;
    memcpy(bytes, &set, sizeof(set));
    return copy_to_guest((uint64_t)to->bitmap.p, bytes, (to->nr_bits + 7) / 8);
}

long cpumap_get(const struct xenctl_bitmap *from, uint64_t *set)
{
    uint64_t word = 0;

    if (from->nr_bits > CPUMAP_BITS_MAX)
        return -EINVAL;
    if (copy_from_guest(&word, (uint64_t)from->bitmap.p, MIN((from->nr_bits + 7) / 8, sizeof(word))))
        return -EFAULT;
    *set = from->nr_bits < 64 ? word & ((1ull << from->nr_bits) - 1) : word;
    return 0;
}
