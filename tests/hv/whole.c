/* The pretended parts. What hv would do with interrupts, other CPUs or VMCBs is left out: the single CPU is always in
 * hv, so no vCPU ever runs. */
#include <asm/prctl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/hv/whole.h"
#include "hv/arch/irq.h"
#include "hv/arch/percpu.h"
#include "hv/arch/tsc.h"
#include "hv/arch/vcpu.h"
#include "hv/console/printk.h"
#include "hv/evtchn/evtchn.h"
#include "hv/gnttab/gnttab.h"
#include "hv/include/xs/stats.h"
#include "hv/mm/hostmap.h"
#include "hv/sched/preempt.h"
#include "hv/sched/sched.h"
#include "hv/stats/stats.h"
#include <xen/hvm/save.h>
#include <xen/sched.h>

struct percpu percpu[CPUS_MAX];
unsigned cpus_online = 1;
uint64_t tsc_base;
uint32_t tsc_mul = 1u << 31, tsc_khz = 2000000;
int32_t tsc_shift;
struct e820_range e820[E820_MAX];
unsigned e820_count;

unsigned whole_preempt_every, whole_fail_alloc, whole_restarts, whole_returns;
char whole_console[512];

struct vcpu_paging whole_paging;
static uint64_t early_frame = WHOLE_FRAMES;   /* early_alloc takes from the top */
static __thread uint64_t hypercall_args[5];
__thread uint64_t whole_arg_gpa = ARG_GPA;

void panic(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    printf("not ok - hv panics: ");
    vprintf(fmt, ap);
    putchar('\n');
    va_end(ap);
    fflush(stdout);
    abort();
}

int vsnprintk(char *to, size_t bytes, const char *fmt, va_list ap)
{
    return vsnprintf(to, bytes, fmt, ap);
}

void printk(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(whole_console, sizeof(whole_console), fmt, ap);
    va_end(ap);
}

void printk_guest(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(whole_console, sizeof(whole_console), fmt, ap);
    va_end(ap);
}

void irq_ipi(unsigned cpu)
{
    (void)cpu;
}

void *early_alloc(uint64_t bytes)
{
    early_frame -= (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
    return mfn_to_virt(MFN(early_frame));
}

/* Allocation failures: page.o's own calls are not wrapped, all others are. */
void *__real_page_alloc_hv(unsigned order);
void *__wrap_page_alloc_hv(unsigned order);
void *__wrap_page_alloc_hv(unsigned order)
{
    if (whole_fail_alloc && --whole_fail_alloc == 0)
        return NULL;
    return __real_page_alloc_hv(order);
}

bool hypercall_preempt(void)
{
    static __thread unsigned n;

    return whole_preempt_every && ++n % whole_preempt_every == 0;
}

/* The virtualisation: registers are those of the last load. */
int vcpu_arch_init(struct vcpu *v)
{
    v->arch = page_alloc_hv(0);
    return v->arch ? 0 : -ENOMEM;
}

void vcpu_arch_destroy(struct vcpu *v)
{
    if (v->arch)
        page_free_hv(v->arch, 0);
    v->arch = NULL;
}

int vcpu_context_load(struct vcpu *v, const struct hvm_hw_cpu *hw)
{
    if (hw->msr_efer & 1u << 12)        /* SVME is not the guest's to set */
        return -EINVAL;
    memcpy(v->arch, hw, sizeof(*hw));
    return 0;
}

void vcpu_context_save(struct vcpu *v, struct hvm_hw_cpu *hw)
{
    memcpy(hw, v->arch, sizeof(*hw));
}

struct vcpu_paging vcpu_paging(const struct vcpu *v)
{
    (void)v;
    return whole_paging;
}

void vcpu_hypercall_set_arg(struct vcpu *v, unsigned n, uint64_t value)
{
    (void)v;
    hypercall_args[n] = value;
}

void vcpu_kick(struct vcpu *v)
{
    (void)v;
}

/* The scheduler: remembers what it is told. */
int sched_vcpu_init(struct vcpu *v)
{
    v->sched = page_alloc_hv(0);
    return v->sched ? 0 : -ENOMEM;
}

void sched_vcpu_destroy(struct vcpu *v)
{
    if (v->sched)
        page_free_hv(v->sched, 0);
    v->sched = NULL;
}

void sched_vcpu_up(struct vcpu *v)
{
    v->up = true;
    v->state = VCPU_RUNNABLE;
}

void sched_wake(struct vcpu *v)
{
    v->blocked = false;
}

int sched_set_params(struct domain *d, uint16_t weight, uint16_t cap_percent)
{
    if (weight == 0 || cap_percent > 100 * cpus_online)
        return -EINVAL;
    d->weight = weight;
    d->cap_percent = cap_percent;
    return 0;
}

void sched_runstate(struct vcpu *v, struct vcpu_runstate_info *out)
{
    *out = (struct vcpu_runstate_info){ .state = v->state };
    memcpy(out->time, v->state_ns, sizeof(out->time));
}

/* Waits, as the real one does, until no other CPU handles a hypercall of d's. */
void domain_pause(struct domain *d)
{
    __atomic_add_fetch(&d->pause_count, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < cpus_online; i++) {
        while (i != cpu_id()) {
            struct vcpu *v = __atomic_load_n(&percpu[i].current, __ATOMIC_SEQ_CST);

            if (!v || v->domain != d)
                break;
            syscall(SYS_sched_yield);
        }
    }
}

void domain_unpause(struct domain *d)
{
    BUG_ON(__atomic_fetch_sub(&d->pause_count, 1, __ATOMIC_SEQ_CST) == 0);
}

void domain_shutdown(struct domain *d, unsigned code)
{
    BUG_ON(d->privileged);
    if (!d->shutting_down)
        d->pause_count++;
    d->shutting_down = true;
    d->shutdown_code = code;
    evtchn_send_virq(dom0, 0, VIRQ_DOM_EXC);
}

static void arena_map(void)
{
    void *at = (void *)DIRECTMAP_BASE;
    void *got = mmap(at, (size_t)WHOLE_FRAMES << PAGE_SHIFT, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);

    if (got != at) {
        perror("whole: mmap of the direct map");
        exit(2);
    }
}

static void dom0_make(void)
{
    struct domain_params params = {
        .id = 0, .privileged = true, .nr_vcpus = 1, .pages_max = DOM0_FRAMES, .max_evtchn_port = EVTCHN_PORT_MAX,
        .max_grant_frames = GRANT_FRAMES_DEFAULT, .max_maptrack = 16,
    };

    BUG_ON(domain_create(&params, &dom0));
    page_claim_boot(dom0, 0, (paddr_t)DOM0_FRAMES << PAGE_SHIFT);
    for (uint64_t f = 1; f < DOM0_FRAMES; f++)
        BUG_ON(p2m_add(dom0, GFN(f), MFN(f), 0, P2M_RAM));
    BUG_ON(domain_control(dom0, false));
}

void whole_be_cpu(unsigned id)
{
    percpu[id].self = &percpu[id];
    percpu[id].id = id;
    percpu[id].online = true;
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, &percpu[id])) {
        perror("whole: arch_prctl(ARCH_SET_GS)");
        exit(2);
    }
}

void whole_start(void)
{
    static const uint8_t boot_id[16] = "a whole machine";

    arena_map();
    whole_be_cpu(0);
    tsc_base = rdtsc();
    e820[e820_count++] = (struct e820_range){ 0, (uint64_t)WHOLE_FRAMES << PAGE_SHIFT, E820_RAM };
    page_init();
    page_release_boot((paddr_t)DOM0_FRAMES << PAGE_SHIFT, early_frame << PAGE_SHIFT);
    stats_init(boot_id, 1700000000 * NS_PER_SEC + 5);
    stats_cpu_online(&percpu[0], now_ns());
    dom0_make();
    whole_as(dom0);
}

void whole_as(struct domain *d)
{
    this_cpu()->current = d->vcpu[0];
}

bool whole_enter(struct domain *d)
{
    __atomic_store_n(&this_cpu()->current, d->vcpu[0], __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&d->pause_count, __ATOMIC_SEQ_CST) == 0)
        return true;
    whole_leave();
    return false;
}

void whole_leave(void)
{
    __atomic_store_n(&this_cpu()->current, NULL, __ATOMIC_SEQ_CST);
}

void *whole_at(struct domain *d, uint64_t gpa)
{
    struct p2m_entry e = p2m_lookup(d, GFN(gpa >> PAGE_SHIFT));

    return e.type == P2M_NONE ? NULL : (char *)mfn_to_virt(e.mfn) + (gpa & ~PAGE_MASK);
}

#define RESTARTS_MAX 1000000u           /* a call that does not end by then makes no progress */

static void restarted(unsigned times)
{
    __atomic_add_fetch(&whole_restarts, 1, __ATOMIC_RELAXED);
    syscall(SYS_sched_yield);           /* who holds the lock may be waiting for this processor */
    BUG_ON(times > RESTARTS_MAX);
}

/* The argument page of the caller, filled. A caller without one passes an address where nothing is. */
static void arg_in(const void *arg, size_t bytes)
{
    void *at = whole_at(current_vcpu()->domain, whole_arg_gpa);

    BUG_ON(bytes > PAGE_SIZE);
    if (at)
        memcpy(at, arg, bytes);
}

static void arg_out(void *arg, size_t bytes)
{
    void *at = whole_at(current_vcpu()->domain, whole_arg_gpa);

    if (at)
        memcpy(arg, at, bytes);
}

long call_domctl(struct xen_domctl *op)
{
    unsigned times = 0;
    long rc;

    arg_in(op, sizeof(*op));
    while ((rc = do_domctl(whole_arg_gpa)) == HYPERCALL_RESTART)
        restarted(++times);
    arg_out(op, sizeof(*op));
    domain_reap();
    return rc;
}

long call_sysctl(struct xen_sysctl *op)
{
    long rc;

    arg_in(op, sizeof(*op));
    rc = do_sysctl(whole_arg_gpa);
    arg_out(op, sizeof(*op));
    return rc;
}

long call_1(long (*hypercall)(unsigned, uint64_t), unsigned cmd, void *arg, size_t bytes)
{
    unsigned times = 0;
    long rc;

    arg_in(arg, bytes);
    hypercall_args[0] = cmd;
    hypercall_args[1] = whole_arg_gpa;
    while ((rc = hypercall((unsigned)hypercall_args[0], hypercall_args[1])) == HYPERCALL_RESTART)
        restarted(++times);
    arg_out(arg, bytes);
    domain_reap();
    return rc;
}

long call_memory(unsigned cmd, void *arg, size_t bytes)
{
    return call_1(do_memory_op, cmd, arg, bytes);
}

long call_domctl_on(domid_t id, uint32_t cmd)
{
    struct xen_domctl op = { .cmd = cmd, .interface_version = XEN_DOMCTL_INTERFACE_VERSION, .domain = id };
    long rc;

    while ((rc = call_domctl(&op)) == -EAGAIN)
        whole_returns++;
    return rc;
}

long guest_create(domid_t id, unsigned nr_vcpus, uint64_t pages_max)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_createdomain, .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
                             .domain = id };
    struct xen_domctl_createdomain *c = &op.u.createdomain;
    long rc;

    c->flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
    c->max_vcpus = nr_vcpus;
    c->max_evtchn_port = 255;
    c->max_grant_frames = 4;
    c->max_maptrack_frames = 4;
    c->grant_opts = XEN_DOMCTL_GRANT_version(1);
    c->arch.emulation_flags = XEN_X86_EMU_LAPIC;
    memset(c->handle, 0xAB, sizeof(c->handle));
    rc = call_domctl(&op);
    if (rc)
        return rc;
    id = op.domain;
    op.cmd = XEN_DOMCTL_max_mem;
    op.u.max_mem.max_memkb = pages_max * 4;
    rc = call_domctl(&op);
    return rc ? rc : id;
}

long guest_populate(domid_t id, uint64_t first, unsigned count)
{
    struct xen_memory_reservation r = { .nr_extents = count, .domid = id };
    xen_pfn_t *list = whole_at(current_vcpu()->domain, ARRAY_GPA);

    BUG_ON(count * sizeof(*list) > ARRAY_MAX);
    r.extent_start.p = (xen_pfn_t *)ARRAY_GPA;
    for (unsigned i = 0; i < count; i++)
        list[i] = first + i;
    return call_memory(XENMEM_populate_physmap, &r, sizeof(r));
}

void whole_acknowledge(void)
{
    const struct xs_stats_slot *slot = mfn_to_virt(stats_frame(1));

    for (unsigned i = 1; i < XS_STATS_SLOTS; i++) {
        if (slot[i].state == XS_SLOT_FINAL && stats_ack(i, slot[i].incarnation))
            panic("slot %u of a dead domain cannot be acknowledged", i);
    }
}

static unsigned domains_listed(void)
{
    unsigned n = 0;

    LIST_FOR_EACH(p, &domain_list)
        n++;
    return n;
}

struct counts counts_now(void)
{
    whole_acknowledge();
    return (struct counts){
        .pages_free = pages_free, .pages_hv = pages_hv,
        .dom0_pages = dom0->pages, .dom0_refs = dom0->refs, .dom0_foreign = dom0->p2m.foreign_maps,
        .dom0_ports = evtchn_count(dom0), .dom0_maps = gnttab_map_count(dom0),
        .domains = domains_listed(), .slots = stats_slots_used(),
    };
}

static bool same(const char *what, uint64_t before, uint64_t after)
{
    if (before != after)
        printf("# %s: %lu before, %lu after\n", what, before, after);
    return before == after;
}

bool counts_equal(struct counts before, struct counts after)
{
    bool all = same("pages_free", before.pages_free, after.pages_free);

    all &= same("pages_hv", before.pages_hv, after.pages_hv);
    all &= same("dom0's pages", before.dom0_pages, after.dom0_pages);
    all &= same("dom0's references", before.dom0_refs, after.dom0_refs);
    all &= same("dom0's foreign maps", before.dom0_foreign, after.dom0_foreign);
    all &= same("dom0's ports", before.dom0_ports, after.dom0_ports);
    all &= same("dom0's grant maps", before.dom0_maps, after.dom0_maps);
    all &= same("domains", before.domains, after.domains);
    return all & same("slots", before.slots, after.slots);
}
