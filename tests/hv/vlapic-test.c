/* The local APIC that guests see: priorities, TPR, EOI, IPIs by all kinds of destination, INIT and SIPI, the timer's
 * registers; and the CPUID policy, on whatever CPU this runs. */
#include <asm/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/hv/harness.h"
#include "hv/arch/io.h"
#include "hv/arch/msr.h"
#include "hv/arch/percpu.h"
#include "hv/arch/svm/svm.h"
#include "hv/arch/tsc.h"
#include "hv/sched/sched.h"

#define X2(reg) (MSR_X2APIC_FIRST + (reg) / 16)
#define VCPUS 3u

struct percpu percpu[CPUS_MAX];
unsigned cpus_online = 1;
uint64_t tsc_base;
uint32_t tsc_mul = 1u << 31, tsc_khz = 2000000;
int32_t tsc_shift;
struct svm_features svm_features = { .xcr0_mask = 7 };

static struct domain d = { .id = 7, .nr_vcpus = VCPUS };
static struct vcpu vcpus[VCPUS];
static struct svm_vcpu svm[VCPUS];
static struct vmcb vmcb[VCPUS];
static unsigned kicks[VCPUS], nmis[VCPUS], ups[VCPUS], ended[256];

void panic(const char *fmt, ...)
{
    printf("Bail out! %s\n", fmt);
    abort();
}

void vcpu_kick(struct vcpu *v) { kicks[v->id]++; }
void vcpu_nmi(struct vcpu *v) { nmis[v->id]++; }
void sched_vcpu_up(struct vcpu *v) { v->up = true; ups[v->id]++; }
bool ioapic_hold(uint8_t vector, bool begins)
{
    ended[vector] += !begins;
    return true;
}

static void setup(void)
{
    for (unsigned i = 0; i < VCPUS; i++) {
        svm[i] = (struct svm_vcpu){ .vmcb = &vmcb[i], .wait_sipi = i != 0 };
        vmcb[i] = (struct vmcb){ .rflags = 2 };
        vcpus[i] = (struct vcpu){ .domain = &d, .id = i, .arch = &svm[i], .up = i == 0 };
        d.vcpu[i] = &vcpus[i];
        vlapic_reset(&vcpus[i]);
        kicks[i] = nmis[i] = ups[i] = 0;
        (void)!vlapic_write(&vcpus[i], X2(0xF0), 0x1FF);
    }
}

static uint64_t get(unsigned vcpu, unsigned reg)
{
    uint64_t value = 0xDEAD;

    return vlapic_read(&vcpus[vcpu], X2(reg), &value) ? 0xBAD : value;
}

static int set(unsigned vcpu, unsigned reg, uint64_t value)
{
    return vlapic_write(&vcpus[vcpu], X2(reg), value);
}

static void priorities(void)
{
    struct vcpu *v = &vcpus[0];

    setup();
    is(vlapic_highest(v), -1, "nothing pending");
    vlapic_raise(v, 0x51, false);
    vlapic_raise(v, 0xFE, false);
    vlapic_raise(v, 0x20, false);
    is(kicks[0], 3, "each raise kicks");
    is(vlapic_highest(v), 0xFE, "the highest first");
    vlapic_accept(v, 0xFE);
    is(vlapic_highest(v), -1, "in service it holds back all lower");
    is(get(0, 0xA0), 0xF0, "PPR says so");
    is(set(0, 0xB0, 0), 0, "EOI");
    is(vlapic_highest(v), 0x51, "then the next");
    is(set(0, 0x80, 0x50), 0, "TPR of its class");
    is(vlapic_highest(v), -1, "holds it back");
    is(set(0, 0x80, 0x40), 0, "TPR below");
    is(vlapic_highest(v), 0x51, "lets it through");
    vlapic_accept(v, 0x51);
    vlapic_unaccept(v, 0x51);
    is(vlapic_highest(v), 0x51, "not delivered: pending again");
    is(set(0, 0xF0, 0xFF), 0, "the APIC off");
    is(vlapic_highest(v), -1, "gives nothing");
    is(set(0, 0xB0, 0), 0, "an EOI with nothing in service is nothing");
    is(set(0, 0xB0, 1ull << 32), -EPERM, "the upper half of a register is reserved");
    is(get(0, 0x90), 0xBAD, "a register that is not there: #GP");
}

static void level(void)
{
    setup();
    d.privileged = true;
    vlapic_raise(&vcpus[0], 0x31, true);
    vlapic_accept(&vcpus[0], 0x31);
    (void)!set(0, 0xB0, 0);
    is(ended[0x31], 1, "the end of a level interrupt goes to the IO-APIC");
    vlapic_raise(&vcpus[0], 0x31, false);
    vlapic_accept(&vcpus[0], 0x31);
    (void)!set(0, 0xB0, 0);
    is(ended[0x31], 1, "of an edge one does not");
    d.privileged = false;
}

static unsigned has(unsigned vcpu, unsigned vector)
{
    return bit_test(svm[vcpu].lapic.irr, vector);
}

static void ipis(void)
{
    setup();
    (void)!set(0, 0x300, 2ull << 32 | 0x40);
    ok(has(1, 0x40) && !has(0, 0x40) && !has(2, 0x40), "physical: APIC id 2 is vCPU 1");
    (void)!set(0, 0x300, 5ull << 32 | 0x800 | 0x41);
    ok(has(0, 0x41) && has(1, 0x41) && !has(2, 0x41), "logical: two bits of the cluster");
    (void)!set(1, 0x300, 0x40000 | 0x42);
    ok(has(1, 0x42) && !has(0, 0x42), "to itself");
    (void)!set(1, 0x300, 0x80000 | 0x43);
    ok(has(0, 0x43) && has(1, 0x43) && has(2, 0x43), "to all");
    (void)!set(1, 0x300, 0xC0000 | 0x44);
    ok(has(0, 0x44) && !has(1, 0x44) && has(2, 0x44), "to all others");
    (void)!set(0, 0x300, 0xFFFFFFFFull << 32 | 0x45);
    ok(has(0, 0x45) && has(2, 0x45), "broadcast");
    (void)!set(2, 0x3F0, 0x46);
    ok(has(2, 0x46), "the self-IPI register");
    (void)!set(0, 0x300, 0x80000 | 7);
    ok(!has(0, 7) && !has(1, 7), "a vector below 16 is not sent");
    (void)!set(0, 0x300, 2ull << 32 | 0x400);
    is(nmis[1], 1, "an NMI");
    (void)!set(0, 0x300, 99ull << 32 | 0x47);
    ok(!has(0, 0x47) && !has(1, 0x47) && !has(2, 0x47), "to nobody");
}

static void init_sipi(void)
{
    setup();
    (void)!set(0, 0x300, 2ull << 32 | 0x4608);
    ok(ups[1] == 1 && svm[1].sipi == (SIPI_PENDING | 8) && vmcb[1].rip == 0, "SIPI: it goes up with a note, nothing else");
    (void)!set(2, 0x300, 2ull << 32 | 0x4609);
    ok(ups[1] == 1 && svm[1].sipi == (SIPI_PENDING | 8), "a second one does nothing");
    svm[1].sipi = 0;
    (void)!set(0, 0x300, 2ull << 32 | 0x460A);
    is(svm[1].sipi, 0, "nor does one to a CPU that runs");
    (void)!set(0, 0x300, 2ull << 32 | 0x4500);
    ok(svm[1].init_pending && vcpus[1].up, "INIT: a note to a CPU that runs");
    (void)!set(0, 0x300, 2ull << 32 | 0x460B);
    ok(svm[1].sipi == (SIPI_PENDING | 0xB) && ups[1] == 1, "and a SIPI right behind it counts");
}

static void timer(void)
{
    setup();
    ok(!set(0, 0x3E0, 0xB) && !set(0, 0x320, 0x20055) && !set(0, 0x380, 1000000), "a periodic count");
    ok(get(0, 0x3E0) == 0xB && get(0, 0x320) == 0x20055 && get(0, 0x380) == 1000000, "is what the registers hold");
    is(get(0, 0x390), 0, "and does not run");
    ok(set(0, 0x390, 1), "the current count is read-only");
}

static struct cpuid_regs leaf(uint32_t number, uint32_t sub)
{
    vmcb[0].rax = number;
    svm[0].regs.rcx = sub;
    svm_cpuid(&vcpus[0]);
    return (struct cpuid_regs){ (uint32_t)vmcb[0].rax, (uint32_t)svm[0].regs.rbx, (uint32_t)svm[0].regs.rcx,
                                (uint32_t)svm[0].regs.rdx };
}

static bool all_zero(struct cpuid_regs r)
{
    return !(r.eax | r.ebx | r.ecx | r.edx);
}

static void cpuid_policy(void)
{
    struct cpuid_regs r;
    bool zero = true;

    setup();
    r = leaf(1, 0);
    ok(!(r.ecx & (1u << 3 | 1u << 5 | 1u << 24)), "no MONITOR, VMX, TSC deadline");
    ok(r.ecx & 1u << 31 && r.ecx & 1u << 21, "a hypervisor, x2APIC");
    ok(!(r.ecx & 1u << 27), "OSXSAVE is CR4's");
    vmcb[0].cr4 = 1u << 18;
    ok(leaf(1, 0).ecx & 1u << 27, "and follows it");
    is(r.ebx >> 24, 0, "the APIC id");
    r = leaf(0x80000001, 0);
    ok(!(r.ecx & (1u << 2 | 1u << 9 | 1u << 10 | 1u << 22 | 1u << 23 | 1u << 24 | 1u << 29)),
       "no SVM, OSVW, IBS, TOPOEXT, PERFCTR, MWAITX");
    ok(leaf(0, 0).eax <= 0xD && leaf(0x80000000, 0).eax <= 0x80000008, "no leaves beyond the table");
    static const uint32_t hidden[] = { 3, 4, 5, 8, 9, 0xA, 0xB, 0xC, 0x14, 0x40000006, 0x4FFFFFFF, 0x80000009, 0x8000000A,
                                       0x8000001E, 0x8000001F, 0xFFFFFFFF };
    for (unsigned i = 0; i < ARRAY_SIZE(hidden); i++)
        zero &= all_zero(leaf(hidden[i], 0)) && all_zero(leaf(hidden[i], 1));
    ok(zero, "MONITOR, topology, counters, SVM's own leaves and all unknown ones are zero");
    ok(leaf(7, 0).edx == 0 && all_zero(leaf(7, 1)) && all_zero(leaf(0xD, 64)), "nor a sub-leaf beyond");
    ok(!(leaf(0xD, 0).eax & ~7u) && leaf(0xD, 0).ecx <= 576 + 256 + 64, "XSAVE: x87, SSE and AVX, and their size");
    ok(!(leaf(0xD, 1).eax & 10), "no XSAVEC, XSAVES");
    r = leaf(0x40000000, 0);
    ok(r.eax == 0x40000005 && r.ebx == 0x566E6558, "Xen's leaves");
    is(leaf(0x40000004, 0).ecx, 7, "the domain's id");
}

int main(void)
{
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, &percpu[0]))       /* locks ask which CPU this is */
        return 1;
    priorities();
    level();
    ipis();
    init_sipi();
    timer();
    cpuid_policy();
    return tap_end();
}
