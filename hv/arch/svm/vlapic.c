/* A local APIC by MSR only: every vCPU starts in x2APIC mode and stays there, so there is no MMIO page to decode
 * (APM 2, 16.9 to 16.13). Event channels carry Linux's timer and most IPIs; INIT, SIPI, NMI, self-IPIs and, in dom0,
 * device interrupts come here. Its timer has registers and never counts: a guest's clock is the singleshot timer's. */
#include "hv/arch/svm/svm.h"
#include "hv/arch/lapic.h"
#include "hv/arch/msr.h"
#include "hv/arch/percpu.h"
#include "hv/lib/string.h"
#include "hv/sched/sched.h"

#define SVR_ENABLE   (1u << 8)
#define LVT_MASKED   (1u << 16)
#define LVT_VALID    0x000317FFu
#define VERSION_7_LVTS (0x14u | 6u << 16)

/* What may be written of the registers that just hold their value. */
static const uint32_t writable[LAPIC_REGS] = {
    [LAPIC_SVR] = 0x3FF, [LAPIC_LVT_CMCI] = LVT_VALID, [LAPIC_LVT_TIMER ... LAPIC_LVT_ERROR] = LVT_VALID,
    [LAPIC_TIMER_INITIAL] = UINT32_MAX, [LAPIC_TIMER_DIVIDE] = 0xB,
};

static unsigned priority(int vector)
{
    return vector < 0 ? 0 : (unsigned)vector >> 4;
}

static int highest(const uint64_t *map)
{
    for (int w = 3; w >= 0; w--) {
        uint64_t bits = READ_ONCE(map[w]);

        if (bits)
            return w * 64 + 63 - __builtin_clzll(bits);
    }
    return -1;
}

int vlapic_highest(const struct vcpu *v)
{
    const struct vlapic *l = &svm_of(v)->lapic;
    unsigned tpr;
    int vector;

    /* Nearly always there is none, and each entry asks. */
    if (likely(!(READ_ONCE(l->irr[0]) | READ_ONCE(l->irr[1]) | READ_ONCE(l->irr[2]) | READ_ONCE(l->irr[3]))) ||
        !(l->reg[LAPIC_SVR] & SVR_ENABLE))
        return -1;
    vector = highest(l->irr);
    tpr = svm_of(v)->vmcb->vintr & VINTR_TPR_MASK;
    /* V_TPR is CR8: the priority class alone. */
    return priority(vector) > MAX(tpr & 15, priority(highest(l->isr))) ? vector : -1;
}

void vlapic_accept(struct vcpu *v, uint8_t vector)
{
    struct vlapic *l = &svm_of(v)->lapic;

    bit_test_and_clear_atomic(l->irr, vector);
    bit_set(l->isr, vector);
}

void vlapic_unaccept(struct vcpu *v, uint8_t vector)
{
    struct vlapic *l = &svm_of(v)->lapic;

    bit_clear(l->isr, vector);
    bit_test_and_set_atomic(l->irr, vector);
}

void vlapic_raise(struct vcpu *v, uint8_t vector, bool level)
{
    struct vlapic *l = &svm_of(v)->lapic;

    if (level)
        bit_test_and_set_atomic(l->tmr, vector);
    else
        bit_test_and_clear_atomic(l->tmr, vector);
    bit_test_and_set_atomic(l->irr, vector);
    vcpu_kick(v);
}

static void eoi(struct vcpu *v)
{
    struct vlapic *l = &svm_of(v)->lapic;
    int vector = highest(l->isr);

    if (vector < 0)
        return;
    bit_clear(l->isr, (unsigned)vector);
    if (bit_test(l->tmr, (unsigned)vector) && v->domain->privileged)
        (void)ioapic_hold((uint8_t)vector, false);
}

void vlapic_reset(struct vcpu *v)
{
    struct vlapic *l = &svm_of(v)->lapic;

    memset(l->irr, 0, sizeof(l->irr));
    memset(l->isr, 0, sizeof(l->isr));
    memset(l->tmr, 0, sizeof(l->tmr));
    memset(l->reg, 0, sizeof(l->reg));
    /* dom0's vCPU i is bound to CPU i and takes its device interrupts: one id for both. */
    l->id = v->domain->privileged ? percpu[v->id].apic_id : 2 * v->id;
    l->reg[LAPIC_ID] = l->id;
    l->reg[LAPIC_VERSION] = VERSION_7_LVTS;
    l->reg[LAPIC_LDR] = (l->id >> 4) << 16 | 1u << (l->id & 15);
    l->reg[LAPIC_SVR] = 0xFF;
    l->reg[LAPIC_LVT_CMCI] = LVT_MASKED;
    for (unsigned r = LAPIC_LVT_TIMER; r <= LAPIC_LVT_ERROR; r++)
        l->reg[r] = LVT_MASKED;
    l->icr = 0;
    l->base = 0xFEE00000 | APIC_BASE_EN | APIC_BASE_EXTD | (v->id == 0 ? APIC_BASE_BSP : 0);
}

static void send_init(struct vcpu *target)
{
    struct svm_vcpu *s = svm_of(target);

    spin_lock(&target->domain->lock);
    s->sipi = 0;
    s->init_pending = true;
    if (!READ_ONCE(target->up))
        s->wait_sipi = true;
    spin_unlock(&target->domain->lock);
    vcpu_kick(target);
}

/* A SIPI counts when it finds v waiting for it, or an INIT on its way: Linux sends the two without a pause. */
static void send_sipi(struct vcpu *target, uint8_t vector)
{
    struct svm_vcpu *s = svm_of(target);

    spin_lock(&target->domain->lock);
    if (s->wait_sipi || s->init_pending)
        WRITE_ONCE(s->sipi, SIPI_PENDING | vector);
    if (s->wait_sipi && s->sipi) {
        s->wait_sipi = false;
        sched_vcpu_up(target);
    }
    spin_unlock(&target->domain->lock);
}

static void deliver(struct vcpu *target, uint32_t icr_low)
{
    uint8_t vector = (uint8_t)icr_low;

    switch (icr_low >> 8 & 7) {
    case 0:                             /* fixed; lowest priority counts as fixed */
    case 1:
        if (vector >= 16)
            vlapic_raise(target, vector, false);
        break;
    case 4: vcpu_nmi(target); break;
    case 5:
        if (icr_low & 1u << 14)         /* assert; the de-assert of old CPUs does nothing */
            send_init(target);
        break;
    case 6: send_sipi(target, vector); break;
    default: break;
    }
}

static bool matches(const struct vcpu *v, uint32_t dest, bool logical)
{
    const struct vlapic *l = &svm_of(v)->lapic;

    if (dest == UINT32_MAX)
        return true;
    if (!logical)
        return dest == l->id;
    return dest >> 16 == l->reg[LAPIC_LDR] >> 16 && dest & l->reg[LAPIC_LDR] & 0xFFFF;
}

static void write_icr(struct vcpu *v, uint64_t icr)
{
    uint32_t low = (uint32_t)icr, dest = (uint32_t)(icr >> 32), shorthand = low >> 18 & 3;

    svm_of(v)->lapic.icr = icr;
    for (unsigned i = 0; i < v->domain->nr_vcpus; i++) {
        struct vcpu *t = v->domain->vcpu[i];
        bool hit = shorthand == 0 ? matches(t, dest, low & 1u << 11)
                 : shorthand == 1 ? t == v
                 : shorthand == 2 ? true : t != v;

        if (hit)
            deliver(t, low);
    }
}

static uint32_t map_word(const uint64_t *map, unsigned word)
{
    return (uint32_t)(READ_ONCE(map[word / 2]) >> (word & 1 ? 32 : 0));
}

int vlapic_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
    const struct vlapic *l = &svm_of(v)->lapic;
    unsigned tpr = svm_of(v)->vmcb->vintr & 15, reg = msr - MSR_X2APIC_FIRST;

    switch (reg) {
    case LAPIC_TPR: *value = tpr << 4; return 0;
    case LAPIC_PPR: *value = MAX(tpr, priority(highest(l->isr))) << 4; return 0;
    case LAPIC_ISR ... LAPIC_ISR + 7: *value = map_word(l->isr, reg - LAPIC_ISR); return 0;
    case LAPIC_TMR ... LAPIC_TMR + 7: *value = map_word(l->tmr, reg - LAPIC_TMR); return 0;
    case LAPIC_IRR ... LAPIC_IRR + 7: *value = map_word(l->irr, reg - LAPIC_IRR); return 0;
    case LAPIC_ICR: *value = l->icr; return 0;
    case LAPIC_TIMER_CURRENT: *value = 0; return 0;
    case LAPIC_ID:
    case LAPIC_VERSION:
    case LAPIC_LDR:
    case LAPIC_ESR: break;
    default:
        if (reg >= LAPIC_REGS || !writable[reg])
            return -EPERM;
    }
    *value = l->reg[reg];
    return 0;
}

int vlapic_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
    struct vlapic *l = &svm_of(v)->lapic;
    uint32_t low = (uint32_t)value;
    unsigned reg = msr - MSR_X2APIC_FIRST;

    if (reg != LAPIC_ICR && value >> 32)
        return -EPERM;
    switch (reg) {
    case LAPIC_TPR:
        svm_of(v)->vmcb->vintr = (svm_of(v)->vmcb->vintr & ~VINTR_TPR_MASK) | (low >> 4 & 15);
        return 0;
    case LAPIC_EOI: eoi(v); return 0;
    case LAPIC_ESR:                       /* it is always 0 */
        return 0;
    case LAPIC_ICR: write_icr(v, value); return 0;
    case LAPIC_SELF_IPI:
        if (low >= 16)
            vlapic_raise(v, (uint8_t)low, false);
        return 0;
    default:
        if (reg >= LAPIC_REGS || !writable[reg])
            return -EPERM;
    }
    l->reg[reg] = low & writable[reg];
    return 0;
}
