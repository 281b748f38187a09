#include "hv/arch/desc.h"
#include "hv/arch/io.h"
#include "hv/arch/msr.h"
#include "hv/lib/string.h"

struct __attribute__((packed)) tss {    /* APM 2, figure 12-8 */
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, iomap;
};

struct percpu percpu[CPUS_MAX];
unsigned cpus_online;

#define IST_STACK_BYTES 4096

struct cpu_desc {
    uint64_t gdt[5];
    struct tss tss;
    uint8_t ist[3][IST_STACK_BYTES] __attribute__((aligned(16)));
};

static struct cpu_desc cpu_desc[CPUS_MAX] __attribute__((aligned(64)));

void desc_init_cpu(struct percpu *cpu)
{
    struct cpu_desc *c = &cpu_desc[cpu->id];
    uint64_t tss = (uint64_t)&c->tss;
    struct __attribute__((packed)) { uint16_t limit; uint64_t base; } r = { sizeof(c->gdt) - 1, (uint64_t)c->gdt };

    memset(&c->tss, 0, sizeof(c->tss));
    c->tss.iomap = sizeof(c->tss);
    for (unsigned i = 0; i < 3; i++)
        c->tss.ist[i] = (uint64_t)(c->ist[i] + IST_STACK_BYTES);
    c->gdt[1] = 0x00AF9B000000FFFF;
    c->gdt[2] = 0x00CF93000000FFFF;
    c->gdt[3] = (sizeof(c->tss) - 1) | (tss & 0xFFFFFF) << 16 | 0x89ull << 40 | (tss >> 24 & 0xFF) << 56;
    c->gdt[4] = tss >> 32;
    __asm__ volatile("lgdt %0\n\t"
                     "push %1\n\t"
                     "lea 1f(%%rip), %%rax\n\t"
                     "push %%rax\n\t"
                     "lretq\n"
                     "1: mov %2, %%ds; mov %2, %%es; mov %2, %%ss\n\t"
                     "xor %%eax, %%eax; mov %%eax, %%fs; mov %%eax, %%gs\n\t"
                     "ltr %w3"
                     :: "m"(r), "i"(SEL_CODE), "r"(SEL_DATA), "r"(SEL_TSS) : "rax", "memory");
    cpu->self = cpu;
    wrmsr(MSR_GS_BASE, (uint64_t)cpu);
}
