/* A local APIC by MSR only: every vCPU starts in x2APIC mode and stays there, so there is no MMIO page to decode
 * (APM 2, 16.9 to 16.13). Event channels carry Linux's timer and most IPIs; INIT, SIPI, NMI, self-IPIs and, in dom0,
 * device interrupts come here. */
#include "hv/arch/svm/svm.h"
#include "hv/arch/irq.h"
#include "hv/arch/msr.h"
#include "hv/arch/percpu.h"
#include "hv/arch/tsc.h"
#include "hv/sched/sched.h"

/* MSR = 0x800 + register / 16. */
#define X2(reg) (MSR_X2APIC_FIRST + (reg) / 16)
#define SVR_ENABLE   (1u << 8)
#define LVT_MASKED   (1u << 16)
#define LVT_PERIODIC (1u << 17)
#define LVT_VALID    0x000317FFu
#define LAPIC_VERSION      (0x14u | 6u << 16)         /* 7 LVT entries */
#define TIMER_HZ_NS  1u                         /* 1 GHz before the divider */

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
        !(l->svr & SVR_ENABLE))
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
        ioapic_eoi((uint8_t)vector);
}

static unsigned divide_shift(uint32_t divide)
{
    unsigned code = (divide & 3) | (divide >> 1 & 4);

    return (code + 1) & 7;              /* 0: by 2 ... 6: by 128, 7: by 1 (APM 2, table 16-3) */
}

static uint64_t timer_period_ns(const struct vlapic *l)
{
    return ((uint64_t)l->timer_initial << divide_shift(l->timer_divide)) * TIMER_HZ_NS;
}

#define TIMER_PERIOD_MIN_NS 100000ull   /* a guest cannot make hv take more than 10,000 of its ticks a second */

static void timer_arm(struct vcpu *v)
{
    struct vlapic *l = &svm_of(v)->lapic;

    l->timer_set_ns = now_ns();
    if (l->timer_initial && !(l->lvt_timer & LVT_MASKED))
        timer_set(&l->timer, l->timer_set_ns + MAX(timer_period_ns(l), TIMER_PERIOD_MIN_NS));
    else
        timer_stop(&l->timer);
}

static void timer_fires(void *arg)
{
    struct vcpu *v = arg;
    struct vlapic *l = &svm_of(v)->lapic;

    if (l->lvt_timer & LVT_MASKED)
        return;
    vlapic_raise(v, (uint8_t)l->lvt_timer, false);
    if (l->lvt_timer & LVT_PERIODIC)
        timer_arm(v);
}

static uint32_t timer_current(const struct vlapic *l)
{
    uint64_t period = timer_period_ns(l), past = now_ns() - l->timer_set_ns;

    if (!period)
        return 0;
    if (past >= period)
        past = l->lvt_timer & LVT_PERIODIC ? past % period : period;
    return (uint32_t)((period - past) / TIMER_HZ_NS >> divide_shift(l->timer_divide));
}

static uint32_t apic_id_of(const struct vcpu *v)
{
    /* dom0's vCPU i is bound to CPU i and takes its device interrupts: one id for both. */
    return v->domain->privileged ? percpu[v->id].apic_id : 2 * v->id;
}

void vlapic_reset(struct vcpu *v)
{
    struct vlapic *l = &svm_of(v)->lapic;

    if (!l->timer.fire)
        timer_init(&l->timer, timer_fires, v);
    timer_stop(&l->timer);
    for (unsigned w = 0; w < 4; w++)
        l->irr[w] = l->isr[w] = l->tmr[w] = 0;
    l->id = apic_id_of(v);
    l->ldr = (l->id >> 4) << 16 | 1u << (l->id & 15);
    l->svr = 0xFF;
    l->tpr = l->esr = 0;
    l->lvt_timer = l->lvt_lint0 = l->lvt_lint1 = l->lvt_error = LVT_MASKED;
    l->lvt_pmc = l->lvt_thermal = l->lvt_cmci = LVT_MASKED;
    l->timer_initial = l->timer_divide = 0;
    l->icr = 0;
    l->base = 0xFEE00000 | APIC_BASE_EN | APIC_BASE_EXTD | (v->id == 0 ? APIC_BASE_BSP : 0);
}

void vlapic_destroy(struct vcpu *v)
{
    if (svm_of(v)->lapic.timer.fire)
        timer_stop_sync(&svm_of(v)->lapic.timer);
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
    case 4:
        vcpu_nmi(target);
        break;
    case 5:
        if (icr_low & 1u << 14)         /* assert; the de-assert of old CPUs does nothing */
            send_init(target);
        break;
    case 6:
        send_sipi(target, vector);
        break;
    default:
        break;
    }
}

static bool matches(const struct vcpu *v, uint32_t dest, bool logical)
{
    const struct vlapic *l = &svm_of(v)->lapic;

    if (dest == UINT32_MAX)
        return true;
    if (!logical)
        return dest == l->id;
    return dest >> 16 == l->ldr >> 16 && dest & l->ldr & 0xFFFF;
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

static uint32_t *lvt_of(struct vlapic *l, uint32_t msr)
{
    switch (msr) {
    case X2(0x2F0): return &l->lvt_cmci;
    case X2(0x320): return &l->lvt_timer;
    case X2(0x330): return &l->lvt_thermal;
    case X2(0x340): return &l->lvt_pmc;
    case X2(0x350): return &l->lvt_lint0;
    case X2(0x360): return &l->lvt_lint1;
    case X2(0x370): return &l->lvt_error;
    default: return NULL;
    }
}

static uint32_t map_word(const uint64_t *map, unsigned word)
{
    return (uint32_t)(READ_ONCE(map[word / 2]) >> (word & 1 ? 32 : 0));
}

int vlapic_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
    struct vlapic *l = &svm_of(v)->lapic;
    uint32_t *lvt = lvt_of(l, msr);
    uint64_t tpr = svm_of(v)->vmcb->vintr & 15;

    if (lvt)
        *value = *lvt;
    else if (msr == X2(0x20))
        *value = l->id;
    else if (msr == X2(0x30))
        *value = LAPIC_VERSION;
    else if (msr == X2(0x80))
        *value = tpr << 4;
    else if (msr == X2(0xA0))
        *value = MAX((unsigned)tpr, priority(highest(l->isr))) << 4;
    else if (msr == X2(0xD0))
        *value = l->ldr;
    else if (msr == X2(0xF0))
        *value = l->svr;
    else if (msr >= X2(0x100) && msr < X2(0x180))
        *value = map_word(l->isr, msr - X2(0x100));
    else if (msr >= X2(0x180) && msr < X2(0x200))
        *value = map_word(l->tmr, msr - X2(0x180));
    else if (msr >= X2(0x200) && msr < X2(0x280))
        *value = map_word(l->irr, msr - X2(0x200));
    else if (msr == X2(0x280))
        *value = l->esr;
    else if (msr == X2(0x300))
        *value = l->icr;
    else if (msr == X2(0x380))
        *value = l->timer_initial;
    else if (msr == X2(0x390))
        *value = timer_current(l);
    else if (msr == X2(0x3E0))
        *value = l->timer_divide;
    else
        return -EPERM;
    return 0;
}

int vlapic_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
    struct vlapic *l = &svm_of(v)->lapic;
    uint32_t *lvt = lvt_of(l, msr), low = (uint32_t)value;

    if (msr != X2(0x300) && value >> 32)
        return -EPERM;
    switch (msr) {
    case X2(0x80):
        svm_of(v)->vmcb->vintr = (svm_of(v)->vmcb->vintr & ~VINTR_TPR_MASK) | (low >> 4 & 15);
        return 0;
    case X2(0xB0):
        eoi(v);
        return 0;
    case X2(0xF0):
        l->svr = low & 0x3FF;
        return 0;
    case X2(0x280):
        l->esr = 0;
        return 0;
    case X2(0x300):
        write_icr(v, value);
        return 0;
    case X2(0x380):
        l->timer_initial = low;
        timer_arm(v);
        return 0;
    case X2(0x3E0):
        l->timer_divide = low & 0xB;
        return 0;
    case X2(0x3F0):
        if (low >= 16)
            vlapic_raise(v, (uint8_t)low, false);
        return 0;
    }
    if (!lvt)
        return -EPERM;
    *lvt = low & LVT_VALID;
    if (lvt == &l->lvt_timer)
        timer_arm(v);
    return 0;
}
