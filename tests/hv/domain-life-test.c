/* Birth and death of domains: nothing is left of one that failed or ended, whatever it held and wherever it was stopped. */
#include <string.h>

#include "tests/hv/whole.h"
#include "tests/hv/harness.h"
#include "hv/arch/percpu.h"
#include "hv/evtchn/evtchn.h"
#include "hv/gnttab/gnttab.h"
#include "hv/gnttab/table.h"
#include "hv/include/xs/stats.h"
#include "hv/sched/preempt.h"
#include "hv/stats/stats.h"
#include <xen/grant_table.h>
#include <xen/sched.h>

#define HOLE       0x9000ull            /* a GFN where dom0 has nothing */
#define ALLOCS_MAX 200u                 /* far more than one creation makes */

static void destroy(domid_t id, const char *what)
{
    is(call_domctl_on(id, XEN_DOMCTL_destroydomain), 0, what);
}

static void fresh_domain(void)
{
    struct counts before = counts_now();
    long id = guest_create(0, 3, 100);
    struct domain *d = domain_get((domid_t)id);

    ok(id > 0 && d, "a domain is created and found");
    ok(d->nr_vcpus == 3 && d->vcpu[2]->id == 2 && d->vcpu[2]->domain == d, "with its vCPUs");
    ok(!d->vcpu[0]->up && d->pause_count == 1 && d->controller_paused, "offline and paused by control");
    ok((void *)d->vcpu[2]->info == (void *)&d->shared_info->vcpu_info[2], "their vcpu_info lies in shared_info");
    ok(d->shared_info->wc_sec == 1700000000 && d->shared_info->wc_nsec == 5 && !(d->shared_info->wc_version & 1),
       "shared_info tells the wall clock");
    ok(d->uuid[0] == 0xAB && memcmp(d->incarnation, dom0->incarnation, 16) != 0, "handle kept, incarnation its own");
    ok(d->gnttab->nr_frames >= 1, "its first grant frame exists before it runs");
    domain_put(d);
    destroy((domid_t)id, "it is destroyed");
    ok(domain_get((domid_t)id) == NULL, "and gone");
    ok(counts_equal(before, counts_now()), "nothing leaked");
}

static void ids(void)
{
    long first = guest_create(0, 1, 10), second, third;

    call_domctl_on((domid_t)first, XEN_DOMCTL_destroydomain);
    second = guest_create(0, 1, 10);
    ok(second != first && second > 0, "an id just given back is not the next one");
    is(guest_create((domid_t)second, 1, 10), -EEXIST, "an id in use is refused");
    third = guest_create(0x7FEF, 1, 10);
    is(third, 0x7FEF, "a free id that was asked for is given");
    is(call_domctl_on((domid_t)third, XEN_DOMCTL_destroydomain), 0, "and freed");
    call_domctl_on((domid_t)second, XEN_DOMCTL_destroydomain);
}

static void each_allocation_fails(void)
{
    struct counts before = counts_now();
    bool whole = true, enomem = true;
    long id = -ENOMEM;
    unsigned n;

    for (n = 1; n < ALLOCS_MAX && id < 0; n++) {
        whole_fail_alloc = n;
        id = guest_create(0, 2, 10);
        if (id < 0) {
            enomem &= id == -ENOMEM;
            whole &= counts_equal(before, counts_now());
        }
    }
    whole_fail_alloc = 0;
    ok(id > 0 && n > 10, "creation made %u allocations", n - 2);
    ok(enomem, "each that fails gives -ENOMEM");
    ok(whole, "each that fails leaves nothing behind");
    destroy((domid_t)id, "the one that worked is destroyed");
    ok(counts_equal(before, counts_now()), "nothing leaked");
}

static void out_of_slots(void)
{
    struct counts before = counts_now();
    unsigned n = 0;
    long id;

    while ((id = guest_create(0, 1, 1)) > 0 && n < XS_STATS_SLOTS + 1)
        n++;
    is(id, -ENOSPC, "when slots run out creation fails loudly");
    is(n, XS_STATS_SLOTS - 2, "after one domain for each slot but hv's and dom0's");
    for (struct domain *d; (d = domain_get_from(1)); ) {
        id = d->id;
        domain_put(d);
        call_domctl_on((domid_t)id, XEN_DOMCTL_destroydomain);
    }
    is(guest_create(0, 1, 1), -ENOSPC, "tombstones hold their slots until acknowledged");
    ok(counts_equal(before, counts_now()), "all are gone without a trace");
}

/* A guest with memory, a bound channel and a granted frame that dom0 has mapped at gfn. */
static long busy_guest(uint64_t map_at)
{
    long id = guest_create(0, 2, 600);
    struct evtchn_alloc_unbound alloc = { .dom = (domid_t)id, .remote_dom = 0 };
    struct evtchn_bind_interdomain bind = { .remote_dom = (domid_t)id };
    struct gnttab_map_grant_ref map = { .host_addr = map_at << PAGE_SHIFT, .flags = GNTMAP_host_map, .ref = 8,
                                        .dom = (domid_t)id };
    struct domain *d = domain_get((domid_t)id);
    struct grant_entry_v1 *grants;
    mfn_t frame;

    if (guest_populate((domid_t)id, 0, 500) != 500 || gnttab_frame(d, 0, &frame))
        return -1;
    /* As VCPUOP_register_vcpu_info and the runstate area leave it. */
    if (p2m_get_own_page(d, GFN(5), &d->vcpu[0]->info_mfn) || p2m_get_own_page(d, GFN(6), &d->vcpu[1]->runstate.mfn[1]))
        return -1;
    d->vcpu[0]->info = mfn_to_virt(d->vcpu[0]->info_mfn);
    grants = mfn_to_virt(frame);
    grants[8] = (struct grant_entry_v1){ .flags = GTF_permit_access, .domid = 0, .frame = 7 };
    call_1(do_event_channel_op, EVTCHNOP_alloc_unbound, &alloc, sizeof(alloc));
    bind.remote_port = alloc.port;
    call_1(do_event_channel_op, EVTCHNOP_bind_interdomain, &bind, sizeof(bind));
    domain_put(d);
    if (map_at) {
        memcpy(whole_at(dom0, ARG_GPA), &map, sizeof(map));
        do_grant_table_op(GNTTABOP_map_grant_ref, ARG_GPA, 1);
        memcpy(&map, whole_at(dom0, ARG_GPA), sizeof(map));
        if (map.status != GNTST_okay)
            return -2;
    }
    return id;
}

static void close_dom0_ports(void)
{
    for (unsigned port = 1; port < 64; port++) {
        struct evtchn_close close = { .port = port };

        call_1(do_event_channel_op, EVTCHNOP_close, &close, sizeof(close));
    }
}

static void many_rounds(void)
{
    struct counts before = counts_now();
    unsigned good = 0;

    for (unsigned i = 0; i < 1000; i++) {
        long id = busy_guest(0);

        good += id > 0 && call_domctl_on((domid_t)id, XEN_DOMCTL_destroydomain) == 0;
        close_dom0_ports();
        if (i % 100 == 99)
            counts_now();               /* acknowledges: slots are few */
    }
    is(good, 1000, "1000 domains with memory and channels are created and destroyed");
    ok(counts_equal(before, counts_now()), "all counters are as before");
}

static void destroy_in_pieces(void)
{
    struct counts before = counts_now();
    long id = busy_guest(0);
    unsigned returns = whole_returns;

    whole_preempt_every = 1;
    destroy((domid_t)id, "a destroy that is stopped at every chance comes to its end");
    whole_preempt_every = 0;
    ok(whole_returns - returns >= 5, "it came back %u times", whole_returns - returns);
    close_dom0_ports();
    ok(counts_equal(before, counts_now()), "nothing leaked");
}

/* What dom0 hears when it maps GFN 9 of the domain. */
static int foreign_map_error(domid_t id)
{
    struct xen_add_to_physmap_batch b = { .domid = DOMID_SELF, .space = XENMAPSPACE_gmfn_foreign, .size = 1,
                                          .u.foreign_domid = id };
    uint64_t *at = whole_at(dom0, ARRAY_GPA);

    at[0] = 9;
    at[1] = HOLE;
    b.idxs.p = (xen_ulong_t *)ARRAY_GPA;
    b.gpfns.p = (xen_pfn_t *)(ARRAY_GPA + 8);
    b.errs.p = (int *)(ARRAY_GPA + 16);
    return call_memory(XENMEM_add_to_physmap_batch, &b, sizeof(b)) ? 1 : (int)at[2];
}

/* While a destroy is between two pieces the domain answers, but takes nothing new. */
static void half_destroyed(void)
{
    long id = busy_guest(0);
    struct domain *d = domain_get((domid_t)id);
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getdomaininfo, .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
                             .domain = (domid_t)id };
    struct xen_add_to_physmap add = { .domid = (domid_t)id, .space = XENMAPSPACE_shared_info, .gpfn = 550 };
    long rc;

    whole_preempt_every = 1;
    rc = domain_destroy(d);
    whole_preempt_every = 0;
    is(rc, HYPERCALL_RESTART, "destroy stops between stages");
    ok(call_domctl(&op) == 0 && op.u.getdomaininfo.flags & XEN_DOMINF_dying, "the domain shows as dying");
    is(guest_populate((domid_t)id, 550, 1), 0, "it gets no more memory");
    is(call_memory(XENMEM_add_to_physmap, &add, sizeof(add)), -EINVAL, "nor anything else in its map");
    is(foreign_map_error((domid_t)id), -EINVAL, "and what it has left is nobody's to map");
    is(call_domctl_on((domid_t)id, XEN_DOMCTL_unpausedomain), -ESRCH, "nor can it be unpaused");
    is(call_domctl_on((domid_t)id, XEN_DOMCTL_destroydomain), 0, "another call ends what the first began");
    ok(d->dead && d->pages == 0, "dead, without memory");
    is(domain_destroy(d), 0, "to destroy it again changes nothing");
    domain_put(d);
    domain_reap();
    close_dom0_ports();
}

static void unmap_hole(void)
{
    struct gnttab_unmap_grant_ref unmap = { .host_addr = HOLE << PAGE_SHIFT, .handle = 0 };

    memcpy(whole_at(dom0, ARG_GPA), &unmap, sizeof(unmap));
    do_grant_table_op(GNTTABOP_unmap_grant_ref, ARG_GPA, 1);
    domain_reap();
}

static void grant_outlives(void)
{
    struct counts before;
    char *seen;
    long id = busy_guest(HOLE);

    /* The first map makes tables that stay: count from here. */
    unmap_hole();
    call_domctl_on((domid_t)id, XEN_DOMCTL_destroydomain);
    close_dom0_ports();
    before = counts_now();

    id = busy_guest(HOLE);
    seen = whole_at(dom0, HOLE << PAGE_SHIFT);
    ok(id > 0 && seen, "dom0 maps a frame by grant");
    strcpy(seen, "still here");
    destroy((domid_t)id, "its owner is destroyed");
    ok(whole_at(dom0, HOLE << PAGE_SHIFT) == seen && !strcmp(seen, "still here"), "the frame stays as it is");
    is(guest_create((domid_t)id, 1, 1), -EEXIST, "the id is not free while a frame bears it");
    unmap_hole();
    ok(domain_get((domid_t)id) == NULL && seen[0] == 0, "the unmap frees the domain and scrubs the frame");
    close_dom0_ports();
    ok(counts_equal(before, counts_now()), "nothing leaked");
}

static void virq_at_death(void)
{
    struct evtchn_bind_virq bind = { .virq = VIRQ_DOM_EXC, .vcpu = 0 };
    long id = guest_create(0, 1, 1);

    is(call_1(do_event_channel_op, EVTCHNOP_bind_virq, &bind, sizeof(bind)), 0, "dom0 listens for VIRQ_DOM_EXC");
    is(evtchn_port_pending(dom0, bind.port), 0, "nothing is pending before");
    call_domctl_on((domid_t)id, XEN_DOMCTL_destroydomain);
    is(evtchn_port_pending(dom0, bind.port), 1, "a death raises it");
    close_dom0_ports();
}

static void refusals(void)
{
    struct counts before = counts_now();
    struct domain_params params = { .id = 77, .nr_vcpus = 1, .max_evtchn_port = 1, .max_grant_frames = 1 }, p;
    struct domain *d;

    p = params, p.nr_vcpus = 0;
    is(domain_create(&p, &d), -EINVAL, "no vCPUs");
    p = params, p.nr_vcpus = VCPUS_MAX + 1;
    is(domain_create(&p, &d), -EINVAL, "too many vCPUs");
    p = params, p.max_evtchn_port = EVTCHN_PORT_MAX + 1;
    is(domain_create(&p, &d), -EINVAL, "too many ports");
    p = params, p.max_grant_frames = 0;
    is(domain_create(&p, &d), -EINVAL, "no grant frame");
    p = params, p.max_grant_frames = GRANT_FRAMES_LIMIT + 1;
    is(domain_create(&p, &d), -EINVAL, "too many grant frames");
    p = params, p.id = DOMID_LIMIT;
    is(domain_create(&p, &d), -EINVAL, "an id that is none");
    is(call_domctl_on(0, XEN_DOMCTL_destroydomain), -EINVAL, "dom0 cannot be destroyed");
    is(call_domctl_on(4711, XEN_DOMCTL_destroydomain), -ESRCH, "nor what does not exist");
    ok(counts_equal(before, counts_now()), "refusals leave nothing behind");
}

static void crash(void)
{
    long id = guest_create(0, 1, 1);
    struct domain *d = domain_get((domid_t)id);

    domain_crash(d, "wrote to %x", 0x42);
    ok(strstr(whole_console, "crashed: wrote to 42") != NULL, "a crash says why");
    whole_console[0] = 0;
    domain_crash(d, "again");
    ok(whole_console[0] == 0, "once");
    ok(d->shutting_down && d->shutdown_code == SHUTDOWN_crash, "and shuts the domain down");
    domain_put(d);
    call_domctl_on((domid_t)id, XEN_DOMCTL_destroydomain);
}

int main(void)
{
    whole_start();
    fresh_domain();
    ids();
    each_allocation_fails();
    out_of_slots();
    many_rounds();
    destroy_in_pieces();
    half_destroyed();
    grant_outlives();
    virq_at_death();
    refusals();
    crash();
    return tap_end();
}
