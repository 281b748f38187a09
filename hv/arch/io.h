/* Port and MSR access. */
#ifndef ARCH_IO_H
#define ARCH_IO_H

#include "hv/lib/types.h"

#define PORT_ACCESS(suffix, type) \
    static inline type in##suffix(uint16_t port) \
    { \
        type v; \
        __asm__ volatile("in" #suffix " %1, %0" : "=a"(v) : "Nd"(port)); \
        return v; \
    } \
    static inline void out##suffix(uint16_t port, type v) \
    { \
        __asm__ volatile("out" #suffix " %0, %1" :: "a"(v), "Nd"(port)); \
    }
PORT_ACCESS(b, uint8_t)
PORT_ACCESS(w, uint16_t)
PORT_ACCESS(l, uint32_t)

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t lo, hi;

    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return (uint64_t)hi << 32 | lo;
}

static inline void wrmsr(uint32_t msr, uint64_t v)
{
    __asm__ volatile("wrmsr" :: "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}

struct cpuid_regs {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid_regs cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_regs r;

    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

#endif
