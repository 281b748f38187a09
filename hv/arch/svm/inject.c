/* What the guest is given on entry: an event whose delivery an exit interrupted, an exception of ours, an NMI, or an
 * interrupt: the event-channel upcall first, then the local APIC's highest. */
#include "hv/arch/svm/svm.h"
#include "hv/arch/irq.h"
#include "hv/arch/percpu.h"
#include "hv/domctl/domctl.h"
#include "hv/evtchn/evtchn.h"
#include "hv/mm/guestcopy.h"

#define RFLAGS_IF (1u << 9)

/* What comes from outside is pending again as before, so that an exception of this exit's own cannot displace it (the
 * upcall's byte is still set). INTn, INT3 and INTO are executed again: RIP still points at them (APM 2, 15.7.2). */
void svm_requeue_event(struct vcpu *v, uint64_t e)
{
    struct svm_vcpu *s = svm_of(v);
    uint8_t vector = (uint8_t)e;
    bool intr = EVENT_TYPE_OF(e) == EVENT_INTN && vector == s->as_intn; /* avoid_repeat */

    switch (intr ? EVENT_INTR : EVENT_TYPE_OF(e)) {
    case EVENT_INTR:
        if (s->lapic_injected)
            vlapic_unaccept(v, vector);
        break;
    case EVENT_NMI:
        s->nmi_pending = true;
        s->nmi_blocked = s->nmi_iret = false;
        vmcb_intercept(s->vmcb, VMEXIT_IRET, false);
        break;
    case EVENT_EXC:
        s->exception_pending = vector != EXC_BP && vector != EXC_OF;
        s->exception = e;
        break;
    default: break;
    }
}

void svm_raise_exception(struct vcpu *v, unsigned vector, bool has_error, uint32_t error)
{
    struct svm_vcpu *s = svm_of(v);

    s->exception_pending = true;
    s->exception = EVENT_VALID | EVENT_TYPE(EVENT_EXC) | vector | (has_error ? EVENT_EV | (uint64_t)error << 32 : 0);
}

/* The upcall vector if the guest has events, else the LAPIC's, else -1. */
static int candidate(struct vcpu *v, bool *upcall)
{
    uint8_t vector = evtchn_upcall_pending(v) ? hvm_callback_vector(v->domain) : 0;

    *upcall = vector;
    return vector ? vector : vlapic_highest(v);
}

/* Asked between sched_block_prepare and sched_block, by everything that blocks: an INIT or NMI that came just before
 * has had its wake-up taken back by the first, and nobody sends another. */
bool vcpu_has_work(struct vcpu *v)
{
    const struct svm_vcpu *s = svm_of(v);
    bool upcall;

    if (READ_ONCE(s->init_pending) || (READ_ONCE(s->nmi_pending) && !s->nmi_blocked))
        return true;
    return s->vmcb->rflags & RFLAGS_IF && (s->exception_pending || candidate(v, &upcall) >= 0);
}

/* TCG stores the shadow at an exit but does not load it on VMRUN (APM 2, 15.21.5 would): an interrupt given between
 * STI and HLT would be handled before the HLT, which then sleeps for ever. So a HLT that is about to be woken counts as
 * done. Looked at here, at the exit: between the odd in_guest and VMRUN no lock may be taken (p2m_sync waits for us). */
void svm_note_shadow(struct vcpu *v)
{
    struct svm_vcpu *s = svm_of(v);
    uint8_t byte;

    s->halt_in_shadow = s->vmcb->interrupt_shadow & 1 &&
                        copy_from_guest(&byte, s->vmcb->cs.base + s->vmcb->rip, 1) == 0 && byte == 0xF4;
}

static void step_over_halt(struct svm_vcpu *s)
{
    if (s->halt_in_shadow) {
        s->vmcb->rip++;
        s->vmcb->interrupt_shadow = 0;
        s->halt_in_shadow = false;
    }
}

static void open_window(struct vmcb *b)
{
    b->vintr |= VINTR_V_IRQ | VINTR_V_INTR_PRIO | VINTR_V_IGN_TPR;
    vmcb_intercept(b, VMEXIT_VINTR, true);
}

static void close_window(struct vmcb *b)
{
    b->vintr &= ~(VINTR_V_IRQ | VINTR_V_INTR_PRIO | VINTR_V_IGN_TPR);
    vmcb_intercept(b, VMEXIT_VINTR, false);
}

/* The IRET that ends an NMI's handler is about to run. An NMI given before it has would overwrite the frame that it
 * reads, so the next one waits until RIP has moved: at the latest until the time slice's end. */
void svm_note_iret(struct vcpu *v)
{
    struct svm_vcpu *s = svm_of(v);

    s->nmi_iret = true;
    s->nmi_iret_rip = s->vmcb->rip;
    vmcb_intercept(s->vmcb, VMEXIT_IRET, false);
}

static bool inject_nmi(struct svm_vcpu *s)
{
    struct vmcb *b = s->vmcb;

    if (s->nmi_iret && b->rip != s->nmi_iret_rip)
        s->nmi_blocked = s->nmi_iret = false;
    if (!s->nmi_pending || s->nmi_blocked || b->interrupt_shadow & 1)
        return false;
    s->nmi_pending = false;
    s->nmi_blocked = true;
    vmcb_intercept(b, VMEXIT_IRET, true);
    b->eventinj = EVENT_VALID | EVENT_TYPE(EVENT_NMI) | 2;
    return true;
}

/* TCG remembers the vector of an interrupt from EVENTINJ until the next exit, exception or interrupt. When a timer of its
 * own stops it before then, it gives the interrupt once more, whatever IF says, and a kernel takes its own spinlock twice.
 * As INTn it is given as an exception is, which TCG does forget; but then the gate's DPL counts (APM 3, INT). For user mode
 * an interrupt of ours waits behind the entry, and makes it an exit. */
static void avoid_repeat(struct svm_vcpu *s, uint8_t vector)
{
    if (s->vmcb->cpl == 0) {
        s->vmcb->eventinj |= EVENT_TYPE(EVENT_INTN);
        s->as_intn = vector;
    } else {
        irq_ipi(cpu_id());
    }
}

void svm_inject(struct vcpu *v)
{
    struct svm_vcpu *s = svm_of(v);
    struct vmcb *b = s->vmcb;
    bool upcall, slot_used = false;
    int vector;

    if (s->exception_pending) {
        s->exception_pending = false;
        b->eventinj = s->exception;
        slot_used = true;
    } else if (inject_nmi(s)) {
        slot_used = true;
    }
    vector = candidate(v, &upcall);
    if (likely(vector < 0)) {
        if (unlikely(vmcb_intercepts(b, VMEXIT_VINTR)))
            close_window(b);
        return;
    }
    if (!slot_used && b->rflags & RFLAGS_IF && b->interrupt_shadow & 1)
        step_over_halt(s);
    if (slot_used || !(b->rflags & RFLAGS_IF) || b->interrupt_shadow & 1) {
        open_window(b);
        return;
    }
    close_window(b);
    b->eventinj = EVENT_VALID | EVENT_TYPE(EVENT_INTR) | (unsigned)vector;
    if (unlikely(svm_features.tcg))
        avoid_repeat(s, (uint8_t)vector);
    s->lapic_injected = !upcall;
    if (!upcall)
        vlapic_accept(v, (uint8_t)vector);
}

void vcpu_nmi(struct vcpu *v)
{
    WRITE_ONCE(svm_of(v)->nmi_pending, true);
    vcpu_kick(v);
}
