/* xenctl_bitmap, the toolstack's way to pass sets of CPUs and nodes. All of ours fit in one word. */
#ifndef DOMCTL_CPUMAP_H
#define DOMCTL_CPUMAP_H

#include "hv/lib/xen.h"

#define CPUMAP_BITS_MAX 4096u           /* the longest that is written out in full */

uint64_t cpumap_online(void);

/* 0; -EINVAL longer than CPUMAP_BITS_MAX; -EFAULT. put writes nr_bits rounded up to bytes, zeros beyond the word. */
long cpumap_put(const struct xenctl_bitmap *to, uint64_t set) __must_check;
long cpumap_get(const struct xenctl_bitmap *from, uint64_t *set) __must_check;

#endif
