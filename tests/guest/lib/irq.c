#include "tests/guest/lib/irq.h"

struct gate {
    uint16_t offset_low, selector, flags, offset_middle;
    uint32_t offset_high, reserved;
};
extern const char interrupt_entries[], nmi_entry[];
extern const char second_start[], second_start_end[];
extern uint64_t second_stack;
extern const uint64_t exception_entries[32];

#define SECOND_AT 0x9000u               /* below 1 MiB, on a page */

static struct gate idt[256] __attribute__((aligned(16)));

void apic_write(unsigned reg, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(0x800 + reg / 16), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

uint64_t apic_read(unsigned reg)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0x800 + reg / 16) : "memory");
    return (uint64_t)high << 32 | low;
}

static void gate_set(unsigned vector, uint64_t entry)
{
    idt[vector] = (struct gate){ (uint16_t)entry, 8, 0x8e00, (uint16_t)(entry >> 16), (uint32_t)(entry >> 32), 0 };
}

void irq_init_second(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } pointer = { sizeof(idt) - 1, (uint64_t)idt };

    __asm__ volatile("lidt %0" : : "m"(pointer));
    apic_write(APIC_SVR, 0x1ff);
    apic_write(APIC_TPR, 0);
}

void irq_init(void)
{
    for (unsigned i = 0; i < 32; i++)
        gate_set(i, exception_entries[i]);
    for (unsigned i = 32; i < 256; i++)
        gate_set(i, (uint64_t)interrupt_entries + (i - 32) * 16);
    gate_set(2, (uint64_t)nmi_entry);
    irq_init_second();
}

uint8_t second_prepare(void)
{
    __builtin_memcpy((void *)(uintptr_t)SECOND_AT, second_start, (size_t)(second_start_end - second_start));
    second_stack = (uint64_t)page_alloc() + 4096;
    return SECOND_AT >> 12;
}
