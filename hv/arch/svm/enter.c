/* Into the guest and out again, and the address space tags. */
#include "hv/arch/svm/svm.h"
#include "hv/arch/irq.h"
#include "hv/arch/tsc.h"
#include "hv/sched/sched.h"
#include "hv/stats/stats.h"

/* Per CPU: tags are handed out rising; when they run out everything is flushed and a new generation begins. */
static struct asid_cpu {
    uint64_t generation;
    uint32_t next;
} asid_cpu[CPUS_MAX];

#define TLB_NOTHING   0
#define TLB_FLUSH_ALL 1                 /* APM 2, 15.16.2 */

static void fresh_asid(struct vcpu *v, unsigned cpu)
{
    struct svm_vcpu *s = svm_of(v);
    struct asid_cpu *a = &asid_cpu[cpu];

    s->vmcb->tlb_control = TLB_NOTHING;
    if (a->generation == 0 || a->next >= svm_features.asids) {
        a->generation++;
        a->next = 1;                    /* 0 is the host's */
        s->vmcb->tlb_control = TLB_FLUSH_ALL;
    }
    s->vmcb->asid = a->next++;
    s->asid_cpu = cpu;
    s->asid_generation = a->generation;
}

/* A vCPU keeps its tag while it stays on a CPU, its generation lasts and its p2m lost nothing; another CPU's tag, or
 * one from before, could name stale translations. */
static void choose_asid(struct vcpu *v, unsigned cpu)
{
    struct svm_vcpu *s = svm_of(v);
    uint64_t gen = __atomic_load_n(&v->domain->p2m.flush_gen, __ATOMIC_SEQ_CST);

    if (s->asid_cpu != cpu || s->asid_generation != asid_cpu[cpu].generation || s->flush_gen != gen) {
        s->flush_gen = gen;
        fresh_asid(v, cpu);
    } else {
        s->vmcb->tlb_control = TLB_NOTHING;
    }
}

/* What an INIT or SIPI left for us to do: back to reset, and then to the SIPI's start or to wait for one (APM 2, 16.5).
 * False: v is down now. */
static bool take_init(struct vcpu *v)
{
    struct svm_vcpu *s = svm_of(v);
    uint16_t sipi;

    spin_lock(&v->domain->lock);
    sipi = s->sipi;
    svm_reset(v);
    s->init_pending = false;
    s->sipi = 0;
    s->wait_sipi = !sipi;
    if (sipi) {                         /* the number of the page at which it starts */
        s->vmcb->cs.sel = (uint16_t)(sipi << 8);
        s->vmcb->cs.base = (uint64_t)(uint8_t)sipi << PAGE_SHIFT;
        s->vmcb->rip = 0;
    } else {
        WRITE_ONCE(v->up, false);
        sched_vcpu_stop(v);
    }
    spin_unlock(&v->domain->lock);
    return sipi;
}

/* v halted with interrupts off and was woken: by an NMI, or by what it may not have yet. True: it halts on. */
static bool halts_on(struct vcpu *v)
{
    struct svm_vcpu *s = svm_of(v);

    sched_block_prepare(v);
    if (READ_ONCE(s->init_pending))
        return true;                    /* taken first thing in the next round, still halted */
    if (vcpu_has_work(v)) {
        s->halted_masked = false;
        return false;
    }
    sched_block(v);
    return true;
}

void vcpu_run(struct vcpu *v)
{
    struct percpu *cpu = this_cpu();
    struct svm_vcpu *s = svm_of(v);

    if (unlikely(READ_ONCE(s->init_pending) || READ_ONCE(s->sipi)) && !take_init(v))
        return;
    if (unlikely(s->halted_masked) && halts_on(v))
        return;
    /* Odd before looking for events and at flush_gen: whoever raises either afterwards sees us inside and sends an
     * IPI (vcpu_kick, p2m_sync are the partners). */
    __atomic_add_fetch(&cpu->in_guest, 1, __ATOMIC_SEQ_CST);
    choose_asid(v, cpu->id);
    svm_inject(v);
    stats_charge_hv(cpu, v, now_ns());
    svm_run(&s->regs, s->vmcb_pa, cpu->host_vmcb);
    stats_charge_guest(cpu, v, now_ns());
    __atomic_add_fetch(&cpu->in_guest, 1, __ATOMIC_RELEASE);
    v->exits++;
    cpu->walks = 0;
    svm_requeue(v);
    if (unlikely(s->vmcb->interrupt_shadow & 1) && s->vmcb->exitcode != VMEXIT_HLT)
        svm_note_shadow(v);
    svm_exit(v);
}

void vcpu_kick(struct vcpu *v)
{
    unsigned cpu;

    sched_wake(v);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    cpu = READ_ONCE(v->cpu);
    if (cpu != cpu_id() && READ_ONCE(percpu[cpu].current) == v && READ_ONCE(percpu[cpu].in_guest) & 1)
        irq_ipi(cpu);
}
