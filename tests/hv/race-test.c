/* Two CPUs at once: dom0 on one makes, fills, maps and destroys guests while the other runs as a guest, or as dom0 too,
 * on the same domains. Whatever the order, nothing panics (hv's own assertions are on) and nothing is lost. */
#include <pthread.h>
#include <string.h>

#include "tests/hv/whole.h"
#include "tests/hv/harness.h"
#include "hv/arch/percpu.h"
#include "hv/arch/tsc.h"
#include "hv/evtchn/evtchn.h"
#include "hv/stats/stats.h"

#define CPUS   2u
#define STEPS  40000u
#define GUESTS 4u
#define WINDOW 0x9000ull                /* 16 GFNs for each CPU, holes in dom0's map */

static domid_t ids[GUESTS];             /* 0: none; what a CPU reads here may be out of date when it acts */
static unsigned made, destroyed, as_guest;

static uint64_t window_of(uint64_t *seed)
{
    return WINDOW + cpu_id() * 16 + random_below(seed, 16);
}

static domid_t pick(uint64_t *seed)
{
    return __atomic_load_n(&ids[random_below(seed, GUESTS)], __ATOMIC_RELAXED);
}

/* The caller's list of GFNs lies behind its argument. */
static long reservation(unsigned cmd, domid_t id, uint64_t first, unsigned count)
{
    struct xen_memory_reservation r = { .nr_extents = count, .domid = id };
    uint64_t gpa = whole_arg_gpa + 0x800;
    xen_pfn_t *list = whole_at(current_vcpu()->domain, gpa);

    for (unsigned i = 0; list && i < count; i++)
        list[i] = first + i;
    r.extent_start.p = (xen_pfn_t *)gpa;
    return call_memory(cmd, &r, sizeof(r));
}

static void make(uint64_t *seed)
{
    domid_t *at = &ids[random_below(seed, GUESTS)], none = 0;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_createdomain, .interface_version = XEN_DOMCTL_INTERFACE_VERSION };

    if (__atomic_load_n(at, __ATOMIC_RELAXED))
        return;
    op.u.createdomain = (struct xen_domctl_createdomain){
        .flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap, .max_vcpus = 1, .max_evtchn_port = 63, .max_grant_frames = 2,
        .max_maptrack_frames = 1, .grant_opts = XEN_DOMCTL_GRANT_version(1), .arch.emulation_flags = XEN_X86_EMU_LAPIC,
    };
    if (call_domctl(&op))
        return;
    __atomic_add_fetch(&made, 1, __ATOMIC_RELAXED);
    op.cmd = XEN_DOMCTL_max_mem;
    op.u.max_mem.max_memkb = 128 * 4;
    (void)!call_domctl(&op);
    reservation(XENMEM_populate_physmap, op.domain, 16, 64);
    call_domctl_on(op.domain, XEN_DOMCTL_unpausedomain);
    /* Another CPU may have filled the place: this one is nobody's then. */
    if (!__atomic_compare_exchange_n(at, &none, op.domain, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED) &&
        call_domctl_on(op.domain, XEN_DOMCTL_destroydomain) == 0)
        __atomic_add_fetch(&destroyed, 1, __ATOMIC_RELAXED);
}

static void destroy(uint64_t *seed)
{
    domid_t id = __atomic_exchange_n(&ids[random_below(seed, GUESTS)], 0, __ATOMIC_RELAXED);

    if (id && call_domctl_on(id, XEN_DOMCTL_destroydomain) == 0)
        __atomic_add_fetch(&destroyed, 1, __ATOMIC_RELAXED);
}

static void map_foreign(domid_t id, uint64_t *seed)
{
    struct xen_add_to_physmap_batch b = { .domid = DOMID_SELF, .space = XENMAPSPACE_gmfn_foreign, .size = 1,
                                          .u.foreign_domid = id };
    uint64_t *at = whole_at(dom0, whole_arg_gpa + 0x800);

    at[0] = 16 + random_below(seed, 64);
    at[1] = window_of(seed);
    b.idxs.p = (xen_ulong_t *)(whole_arg_gpa + 0x800);
    b.gpfns.p = (xen_pfn_t *)(whole_arg_gpa + 0x808);
    b.errs.p = (int *)(whole_arg_gpa + 0x810);
    (void)!call_memory(XENMEM_add_to_physmap_batch, &b, sizeof(b));
}

static void map_grants(domid_t id, uint64_t *seed)
{
    struct xen_mem_acquire_resource r = { .domid = id, .type = XENMEM_resource_grant_table, .nr_frames = 1,
                                          .frame = random_below(seed, 2) };
    uint64_t *at = whole_at(dom0, whole_arg_gpa + 0x800);

    at[0] = window_of(seed);
    r.frame_list.p = (xen_pfn_t *)(whole_arg_gpa + 0x800);
    (void)!call_memory(XENMEM_acquire_resource, &r, sizeof(r));
}

static void unmap(uint64_t gfn)
{
    struct xen_remove_from_physmap r = { .domid = DOMID_SELF, .gpfn = gfn };

    (void)!call_memory(XENMEM_remove_from_physmap, &r, sizeof(r));
}

static void channel(domid_t dom, domid_t remote)
{
    struct evtchn_alloc_unbound op = { .dom = dom, .remote_dom = remote };

    (void)!call_1(do_event_channel_op, EVTCHNOP_alloc_unbound, &op, sizeof(op));
}

static void info(domid_t id)
{
    (void)!call_domctl_on(id, XEN_DOMCTL_getdomaininfo);
}

static void step_as_dom0(uint64_t *seed)
{
    domid_t id = pick(seed);

    whole_as(dom0);
    whole_arg_gpa = ARG_GPA + cpu_id() * PAGE_SIZE;
    switch (random_below(seed, id ? 9 : 3)) {
    case 0: make(seed); break;
    case 1: destroy(seed); break;
    case 2: unmap(window_of(seed)); break;
    case 3: map_grants(id, seed); break;
    case 4: map_foreign(id, seed); break;
    case 5: reservation(XENMEM_populate_physmap, id, 80 + random_below(seed, 64), 8); break;
    case 6: reservation(XENMEM_decrease_reservation, id, 16 + random_below(seed, 128), 8); break;
    case 7: channel(id, 0); break;
    case 8: info(id); break;
    }
    whole_leave();
}

/* As one of the guests, if it may run. */
static void step_as_guest(uint64_t *seed)
{
    domid_t id = pick(seed);
    struct domain *d = id ? domain_get(id) : NULL;
    struct xen_add_to_physmap add = { .domid = DOMID_SELF, .gpfn = 16 + random_below(seed, 128) };

    if (!d)
        return;
    if (whole_enter(d)) {
        whole_arg_gpa = (16ull + cpu_id()) << PAGE_SHIFT;
        as_guest++;
        switch (random_below(seed, 4)) {
        case 0: reservation(XENMEM_decrease_reservation, DOMID_SELF, 20 + random_below(seed, 100), 4); break;
        case 1: reservation(XENMEM_populate_physmap, DOMID_SELF, 20 + random_below(seed, 100), 4); break;
        case 2: channel(DOMID_SELF, 0); break;
        case 3: (void)!call_memory(XENMEM_add_to_physmap, &add, sizeof(add)); break;
        }
        whole_leave();
    }
    domain_put(d);
    domain_reap();
}

static void *cpu_run(void *arg)
{
    unsigned id = (unsigned)(uintptr_t)arg;
    uint64_t seed = 0x9E3779B97F4A7C15ull * (id + 1);

    whole_be_cpu(id);
    if (id)
        stats_cpu_online(&percpu[id], now_ns());
    for (unsigned i = 0; i < STEPS; i++) {
        if (id && random_below(&seed, 2))
            step_as_guest(&seed);
        else
            step_as_dom0(&seed);
        if (!id && i % 512 == 0)
            whole_acknowledge();
    }
    whole_leave();
    return NULL;
}

static void run_together(void)
{
    pthread_t threads[CPUS];

    cpus_online = CPUS;
    whole_leave();
    for (unsigned i = 0; i < CPUS; i++)
        if (pthread_create(&threads[i], NULL, cpu_run, (void *)(uintptr_t)i))
            panic("no thread");
    for (unsigned i = 0; i < CPUS; i++)
        pthread_join(threads[i], NULL);
    cpus_online = 1;
    whole_as(dom0);
    whole_arg_gpa = ARG_GPA;
}

static void destroy_all(void)
{
    for (unsigned g = 0; g < GUESTS; g++) {
        if (ids[g])
            destroyed += call_domctl_on(ids[g], XEN_DOMCTL_destroydomain) == 0;
        ids[g] = 0;
    }
    for (uint64_t gfn = WINDOW; gfn < WINDOW + 16 * CPUS; gfn++)
        unmap(gfn);
}

int main(void)
{
    struct counts before;

    whole_start();
    whole_preempt_every = 3;
    unmap(WINDOW);
    /* The tables of the windows stay: make them first. */
    for (uint64_t gfn = WINDOW; gfn < WINDOW + 16 * CPUS; gfn++) {
        struct xen_add_to_physmap add = { .domid = DOMID_SELF, .gpfn = gfn };

        (void)!call_memory(XENMEM_add_to_physmap, &add, sizeof(add));
        unmap(gfn);
    }
    before = counts_now();
    run_together();
    destroy_all();
    ok(made > 500 && as_guest > 1000, "%u domains were made, %u calls came from guests", made, as_guest);
    is(destroyed, made, "all are destroyed");
    ok(counts_equal(before, counts_now()), "and nothing is left of them");
    return tap_end();
}
