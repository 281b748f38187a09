/* What a guest is given on entry, in which order and in which form, and what becomes of it when an exit interrupts the
 * delivery. The local APIC is the real one. */
#include <asm/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/hv/harness.h"
#include "hv/arch/irq.h"
#include "hv/arch/lapic.h"
#include "hv/arch/percpu.h"
#include "hv/arch/svm/svm.h"
#include "hv/domctl/domctl.h"
#include "hv/evtchn/evtchn.h"
#include "hv/mm/guestcopy.h"
#include "hv/sched/sched.h"

#define RFLAGS_IF (1u << 9)
#define UPCALL 0xF3
#define DEVICE 0x61
#define HLT 0xF4

struct percpu percpu[CPUS_MAX];
unsigned cpus_online = 1;
struct svm_features svm_features;

static struct domain d = { .id = 7, .nr_vcpus = 1 };
static struct vcpu vcpu = { .domain = &d };
static struct svm_vcpu svm;
static struct vmcb vmcb;
static struct vcpu_info info;
static uint8_t code;
static unsigned ipis;

void panic(const char *fmt, ...)
{
    printf("Bail out! %s\n", fmt);
    abort();
}

uint8_t hvm_callback_vector(const struct domain *of) { return of == &d ? UPCALL : 0; }
void irq_ipi(unsigned cpu) { ipis += cpu == 0; }
void vcpu_kick(struct vcpu *v) { (void)v; }
void sched_vcpu_up(struct vcpu *v) { (void)v; }
bool ioapic_hold(uint8_t vector, bool begins) { return vector || begins; }
int copy_from_guest(void *to, uint64_t from_va, size_t bytes)
{
    (void)from_va;
    *(uint8_t *)to = code;
    return bytes == 1 ? 0 : -EFAULT;
}

/* A guest's kernel with interrupts on and nothing pending. */
static void setup(bool tcg)
{
    svm_features = (struct svm_features){ .tcg = tcg };
    svm = (struct svm_vcpu){ .vmcb = &vmcb };
    vmcb = (struct vmcb){ .rflags = 2 | RFLAGS_IF };
    vcpu.arch = &svm;
    vcpu.info = &info;
    d.vcpu[0] = &vcpu;
    vlapic_reset(&vcpu);
    svm.lapic.reg[LAPIC_SVR] = 0x1FF;
    info.evtchn_upcall_pending = 0;
    ipis = 0;
}

static bool window_open(void)
{
    return vmcb_intercepts(&vmcb, VMEXIT_VINTR) && vmcb.vintr & VINTR_V_IRQ;
}

static void order(void)
{
    setup(false);
    svm_inject(&vcpu);
    is(vmcb.eventinj, 0, "nothing pending: nothing given");
    ok(!window_open(), "and no window");

    vlapic_raise(&vcpu, DEVICE, false);
    info.evtchn_upcall_pending = 1;
    svm_inject(&vcpu);
    is(vmcb.eventinj, EVENT_VALID | UPCALL, "the upcall comes before the local APIC");
    info.evtchn_upcall_pending = 0;
    svm_requeue(&vcpu);
    svm_inject(&vcpu);
    is(vmcb.eventinj, EVENT_VALID | DEVICE, "which comes next");
    is(vlapic_highest(&vcpu), -1, "and has been accepted");
}

static void windows(void)
{
    setup(false);
    vmcb.rflags = 2;
    vlapic_raise(&vcpu, DEVICE, false);
    svm_inject(&vcpu);
    is(vmcb.eventinj, 0, "interrupts off: nothing given");
    ok(window_open(), "a window waits");
    vmcb.rflags |= RFLAGS_IF;
    svm_requeue(&vcpu);
    svm_inject(&vcpu);
    is(vmcb.eventinj, EVENT_VALID | DEVICE, "interrupts on: given");
    ok(!window_open(), "the window is closed");

    setup(false);
    svm_raise_exception(&vcpu, EXC_GP, true, 5);
    vlapic_raise(&vcpu, DEVICE, false);
    svm_inject(&vcpu);
    is(vmcb.eventinj, EVENT_VALID | EVENT_EV | EVENT_TYPE(EVENT_EXC) | EXC_GP | 5ull << 32, "an exception goes first");
    ok(window_open(), "a window waits for the interrupt");
}

static void shadow(void)
{
    setup(false);
    info.evtchn_upcall_pending = 1;
    vmcb.interrupt_shadow = 1;
    code = 0x90;
    svm_note_shadow(&vcpu);
    svm_inject(&vcpu);
    ok(!vmcb.eventinj && window_open(), "in the shadow of STI nothing is given");

    code = HLT;
    vmcb.rip = 0x1000;
    svm_note_shadow(&vcpu);
    svm_inject(&vcpu);
    is(vmcb.eventinj, EVENT_VALID | UPCALL, "unless a HLT follows, which is over then");
    is(vmcb.rip, 0x1001, "RIP is behind it");
}

static void nmi(void)
{
    setup(false);
    svm.nmi_pending = true;
    info.evtchn_upcall_pending = 1;
    svm_inject(&vcpu);
    is(vmcb.eventinj, EVENT_VALID | EVENT_TYPE(EVENT_NMI) | 2, "an NMI goes before an interrupt");
    ok(vmcb_intercepts(&vmcb, VMEXIT_IRET), "and its IRET is watched");
    info.evtchn_upcall_pending = 0;
    svm.nmi_pending = true;
    svm_requeue(&vcpu);
    svm_inject(&vcpu);
    is(vmcb.eventinj, 0, "the next one waits");
    vmcb.rip = 0x2000;
    svm_note_iret(&vcpu);
    svm_inject(&vcpu);
    is(vmcb.eventinj, 0, "until the IRET is done");
    vmcb.rip = 0x3000;
    svm_inject(&vcpu);
    is(vmcb.eventinj, EVENT_VALID | EVENT_TYPE(EVENT_NMI) | 2, "and is given then");
}

/* Gives the device's interrupt and ends the entry with its delivery interrupted. */
static void interrupted(uint8_t cpl)
{
    vmcb.cpl = cpl;
    vlapic_raise(&vcpu, DEVICE, false);
    svm_inject(&vcpu);
    vmcb.exitintinfo = vmcb.eventinj;
    svm_requeue(&vcpu);
    vmcb.exitintinfo = 0;
}

static void interrupted_delivery(void)
{
    setup(false);
    interrupted(0);
    is(vmcb.eventinj, 0, "an interrupted delivery leaves nothing in the VMCB");
    is(vlapic_highest(&vcpu), DEVICE, "the interrupt is pending again");

    setup(false);
    vmcb.exitintinfo = EVENT_VALID | EVENT_TYPE(EVENT_INTN) | DEVICE;
    svm_requeue(&vcpu);
    ok(!svm.exception_pending && vlapic_highest(&vcpu) < 0, "a guest's INTn is executed again, not given");

    setup(false);
    vmcb.exitintinfo = EVENT_VALID | EVENT_TYPE(EVENT_EXC) | EVENT_EV | EXC_GP;
    svm_requeue(&vcpu);
    svm_inject(&vcpu);
    is(vmcb.eventinj, EVENT_VALID | EVENT_TYPE(EVENT_EXC) | EVENT_EV | EXC_GP, "an exception is given again");
}

static void on_tcg(void)
{
    setup(true);
    info.evtchn_upcall_pending = 1;
    svm_inject(&vcpu);
    is(vmcb.eventinj, EVENT_VALID | EVENT_TYPE(EVENT_INTN) | UPCALL, "TCG: a kernel gets it as INTn");
    is(ipis, 0, "without an IPI");

    setup(true);
    interrupted(0);
    is(vlapic_highest(&vcpu), DEVICE, "TCG: interrupted as INTn it is pending again all the same");
    svm_inject(&vcpu);
    svm_requeue(&vcpu);
    vmcb.exitintinfo = EVENT_VALID | EVENT_TYPE(EVENT_INTN) | DEVICE;
    svm_requeue(&vcpu);
    ok(bit_test(svm.lapic.isr, DEVICE), "once it is delivered, an INTn is the guest's own");

    setup(true);
    vmcb.cpl = 3;
    info.evtchn_upcall_pending = 1;
    svm_inject(&vcpu);
    is(vmcb.eventinj, EVENT_VALID | UPCALL, "TCG: user mode gets it as an interrupt");
    is(ipis, 1, "with an IPI behind it");
}

int main(void)
{
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, &percpu[0]))       /* this_cpu() */
        return 1;
    order();
    windows();
    shadow();
    nmi();
    interrupted_delivery();
    on_tcg();
    return tap_end();
}
