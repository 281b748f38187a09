/* hv's own exceptions and interrupts. An exception in hv is our bug: print and panic. */
#include "hv/arch/irq.h"
#include "hv/arch/lapic.h"
#include "hv/arch/desc.h"
#include "hv/console/printk.h"

struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};

struct idt_gate {                       /* APM 2, figure 4-24 */
    uint16_t offset_0, selector;
    uint8_t ist, type;
    uint16_t offset_16;
    uint32_t offset_32, reserved;
};

static struct idt_gate idt[256];
extern const char trap_stubs[];
void trap(struct trap_frame *f);

void idt_init(void)
{
    for (unsigned i = 0; i < 256; i++) {
        uint64_t at = (uint64_t)trap_stubs + i * 16;

        idt[i] = (struct idt_gate){
            .offset_0 = (uint16_t)at, .offset_16 = (uint16_t)(at >> 16), .offset_32 = (uint32_t)(at >> 32),
            .selector = SEL_CODE, .type = 0x8E,         /* present, 64-bit interrupt gate */
        };
    }
    /* Own stacks for what may strike anywhere: NMI, double fault, machine check. */
    idt[2].ist = IST_NMI;
    idt[8].ist = IST_DOUBLE_FAULT;
    idt[18].ist = IST_MACHINE_CHECK;
}

void idt_load(void)
{
    struct __attribute__((packed)) { uint16_t limit; uint64_t base; } r = { sizeof(idt) - 1, (uint64_t)idt };

    __asm__ volatile("lidt %0" :: "m"(r));
}

static void fault(struct trap_frame *f)
{
    uint64_t cr2;

    __asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
    printk("exception %lu error %lx at %lx cr2 %lx rsp %lx rflags %lx\n", f->vector, f->error, f->rip, cr2, f->rsp,
           f->rflags);
    printk("rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx rbp %lx\n", f->rax, f->rbx, f->rcx, f->rdx, f->rsi, f->rdi,
           f->rbp);
    printk("r8 %lx r9 %lx r10 %lx r11 %lx r12 %lx r13 %lx r14 %lx r15 %lx\n", f->r8, f->r9, f->r10, f->r11, f->r12,
           f->r13, f->r14, f->r15);
    panic("exception %lu in hv at %lx", f->vector, f->rip);
}

void trap(struct trap_frame *f)
{
    if (f->vector == 2) {
        /* Only panic sends NMIs; any other is the machine's last word. */
        if (!panic_in_progress())
            panic("NMI at %lx", f->rip);
        for (;;)
            __asm__ volatile("cli; hlt");
    }
    if (f->vector < 32)
        fault(f);
    this_cpu()->interrupts++;
    switch (f->vector) {
    case VECTOR_SPURIOUS:
        return;                         /* no EOI: APM 2, 16.4.7 */
    case VECTOR_IPI:
        lapic_eoi();
        irq_on_ipi();
        return;
    case VECTOR_TIMER:
        lapic_eoi();
        irq_on_timer();
        return;
    default:
        irq_on_device((uint8_t)f->vector);     /* does its own EOI: a level interrupt is masked first */
    }
}
