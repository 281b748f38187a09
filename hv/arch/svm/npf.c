/* Nested page faults: dom0's devices mapped at first touch, the IO-APIC's registers, and what is not there at all,
 * which reads as ones and forgets writes as a bus would. */
#include "hv/arch/svm/svm.h"
#include "hv/lib/string.h"
#include "hv/mm/guestcopy.h"

#define NPF_WRITE  (1ull << 1)          /* APM 2, 15.25.6 */
#define NPF_FETCH  (1ull << 4)
#define LAPIC_FRAME 0xFEE00ull
#define MMIO_LIMIT  (1ull << 28)        /* frames: 40-bit space */

static uint64_t *reg_of(struct vcpu *v, unsigned reg)
{
    struct svm_vcpu *s = svm_of(v);
    uint64_t *const by_number[16] = {
        &s->vmcb->rax, &s->regs.rcx, &s->regs.rdx, &s->regs.rbx, &s->vmcb->rsp, &s->regs.rbp, &s->regs.rsi,
        &s->regs.rdi, &s->regs.r8, &s->regs.r9, &s->regs.r10, &s->regs.r11, &s->regs.r12, &s->regs.r13, &s->regs.r14,
        &s->regs.r15,
    };

    return by_number[reg & 15];
}

/* AH to BH are the second byte; a result of 4 bytes clears the upper half (APM 3, 1.2.2), shorter ones leave the rest. */
static void store_result(struct vcpu *v, const struct mmio_insn *insn, uint64_t value)
{
    uint64_t *reg = reg_of(v, insn->reg), mask = insn->bytes == 8 ? UINT64_MAX : (1ull << 8 * insn->bytes) - 1;

    value &= mask;
    if (insn->sign_extend && value >> (8 * insn->bytes - 1))
        value |= ~mask;
    if (insn->reg_bytes == 4)
        *reg = (uint32_t)value;
    else
        memcpy((char *)reg + insn->high_byte, &value, insn->reg_bytes);
}

static uint64_t source_value(struct vcpu *v, const struct mmio_insn *insn)
{
    return insn->with_imm ? insn->imm : *reg_of(v, insn->reg) >> 8 * insn->high_byte;
}

static int fetch(struct vcpu *v, uint8_t *bytes, unsigned *n)
{
    const struct vmcb *b = svm_of(v)->vmcb;
    uint64_t at = b->cs.base + b->rip;

    *n = 15;
    if (copy_from_guest(bytes, at, *n) == 0)
        return 0;
    *n = (unsigned)MIN(15ul, PAGE_SIZE - (at & ~PAGE_MASK));    /* the next page may not be there */
    return copy_from_guest(bytes, at, *n);
}

static void access_mmio(struct vcpu *v, uint64_t gpa)
{
    struct vmcb *b = svm_of(v)->vmcb;
    bool long_mode = b->cs.attr & 1u << 9, ours = v->domain->privileged && ioapic_covers(gpa);
    struct mmio_insn insn;
    uint8_t bytes[15];
    unsigned n;

    if (fetch(v, bytes, &n) || mmio_decode(bytes, n, long_mode, long_mode || b->cs.attr & 1u << 10, &insn)) {
        domain_crash(v->domain, "d%uv%u: access to %lx at %lx that is not a plain MOV", v->domain->id, v->id,
                     (unsigned long)gpa, (unsigned long)b->rip);
        return;
    }
    if (insn.write) {
        if (ours)
            ioapic_mmio_write(gpa, (uint32_t)source_value(v, &insn));
    } else {
        store_result(v, &insn, ours ? ioapic_mmio_read(gpa) : UINT64_MAX);
    }
    svm_skip(v, insn.length);
}

/* A hole of the machine at its own address. RAM that is not dom0's, the local APIC and the IO-APICs are not holes. */
static bool map_device(struct domain *d, uint64_t gpa)
{
    uint64_t frame = gpa >> PAGE_SHIFT;

    if (!d->privileged || frame >= MMIO_LIMIT || page_of(MFN(frame)) || frame == LAPIC_FRAME || ioapic_covers(gpa))
        return false;
    return p2m_add(d, GFN(frame), MFN(frame), 0, P2M_MMIO) == 0;
}

void svm_npf(struct vcpu *v)
{
    struct vmcb *b = svm_of(v)->vmcb;
    uint64_t gpa = b->exitinfo2;
    struct p2m_entry e = p2m_lookup(v->domain, GFN(gpa >> PAGE_SHIFT));

    if (e.type == P2M_NONE && map_device(v->domain, gpa))
        return;
    if ((e.type == P2M_GRANT_RO || e.type == P2M_SHARED_RO) && b->exitinfo1 & NPF_WRITE) {
        /* A write to what is shown read-only: the process that tried gets the fault, not the domain. */
        svm_raise_exception(v, EXC_GP, true, 0);
        return;
    }
    if (e.type != P2M_NONE)
        return;                         /* another vCPU has filled it in meanwhile: try again */
    if (b->exitinfo1 & NPF_FETCH) {
        domain_crash(v->domain, "d%uv%u: executes at %lx, where nothing is (guest-physical %lx)", v->domain->id, v->id,
                     (unsigned long)b->rip, (unsigned long)gpa);
        return;
    }
    access_mmio(v, gpa);
}
