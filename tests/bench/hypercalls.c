/* hypercalls: what the frequent operations cost, in instructions.
 *
 * Run with `-icount shift=0,sleep=off`: the TSC then counts the machine's instructions, guest's
 * and hv's alike (a REP counts once an iteration, VMRUN as one). Each figure is the least of
 * several means, so that a timer's interrupt in between does not count. Prints
 * `bench NAME INSTRUCTIONS`; the surrounding loop is measured first and taken off.
 */
#include "tests/guest/lib/toolstack.h"

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/version.h>

#define CALLS  64
#define ROUNDS 16

static uint64_t loop_cost;
static struct evtchn_send event;
static struct gnttab_copy copy;

static void nothing(void)
{
    __asm__ volatile("");
}

static void null_hypercall(void)
{
    HC2(__HYPERVISOR_xen_version, XENVER_version, 0);
}

static void unknown_hypercall(void)
{
    HC0(63);
}

static void cpuid_exit(void)
{
    uint32_t r[4];

    cpuid(0x40000001, r);
}

static void msr_read(void)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0x802));     /* x2APIC id */
}

static void event_send(void)
{
    HC2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &event);
}

static void yield(void)
{
    HC2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
}

static void grant_copy(void)
{
    HC3(__HYPERVISOR_grant_table_op, GNTTABOP_copy, &copy, 1);
}

static void features_read(void)
{
    static xen_feature_info_t features;

    HC2(__HYPERVISOR_xen_version, XENVER_get_features, &features);
}

static struct {
    struct xs_meter_copy copy;
    struct xs_meter_op op[8];
    struct xs_meter_seg seg[8];
} metered __attribute__((aligned(4096)));

static void meter_copy_of(unsigned nr_ops)
{
    static uint64_t seq;

    metered.copy.nr_ops = nr_ops;
    metered.copy.done = 0;
    for (unsigned i = 0; i < nr_ops; i++)
        metered.op[i].seq = seq++;
    HC2(XS_HC_METER_OP, XS_METER_copy, &metered.copy);
}

static void meter_copy(void)
{
    meter_copy_of(1);
}

static void meter_copy_8(void)
{
    meter_copy_of(8);
}

static uint64_t cost(void (*operation)(void))
{
    uint64_t least = ~0ull;

    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = rdtsc();
        uint64_t spent;

        for (int call = 0; call < CALLS; call++)
            operation();
        spent = (rdtsc() - start) / CALLS;
        least = spent < least ? spent : least;
    }
    return least;
}

static void bench(const char *name, void (*operation)(void))
{
    print("bench %s %u\n", name, cost(operation) - loop_cost);
}

static bool event_prepare(void)
{
    struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
    struct evtchn_bind_interdomain bind = { .remote_dom = DOMID_SELF };

    shared_info();
    if (HC2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &alloc))
        return false;
    bind.remote_port = alloc.port;
    if (HC2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &bind))
        return false;
    event.port = bind.local_port;
    return true;
}

/* Page 0 of the table, with one grant of ours to ourselves. */
static bool grant_prepare(void)
{
    struct xen_add_to_physmap map = { .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table };
    grant_entry_v1_t *table;
    void *from = page_alloc();

    map.gpfn = (uint64_t)page_alloc() >> 12;
    if (HC2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map))
        return false;
    table = (void *)(map.gpfn << 12);
    table[8].domid = 0;
    table[8].frame = (uint32_t)((uint64_t)from >> 12);
    __atomic_store_n(&table[8].flags, GTF_permit_access, __ATOMIC_RELEASE);
    copy.source.u.ref = 8;
    copy.source.domid = 0;
    copy.dest.u.gmfn = (uint64_t)page_alloc() >> 12;
    copy.dest.domid = DOMID_SELF;
    copy.len = 4096;
    copy.flags = GNTCOPY_source_gref;
    grant_copy();
    return copy.status == GNTST_okay;
}

/* A guest that is only memory, its page 0 granted. */
static bool meter_prepare(void)
{
    long id = domain_create();
    struct xs_meter_open open = { .domid = (uint32_t)id, .class = XS_METER_CLASS_disk };
    grant_entry_v1_t *grants;

    if (id <= 0 || memory_give((uint32_t)id, 8) != 8 || HC2(XS_HC_METER_OP, XS_METER_open, &open))
        return false;
    grants = map_grants((uint32_t)id);
    for (unsigned i = 0; grants && i < 8; i++) {
        grants[8 + i] = (grant_entry_v1_t){ .flags = GTF_permit_access, .frame = i };
        metered.op[i] = (struct xs_meter_op){ .seq = i, .kind = XS_METER_disk_read, .nr_segs = 1,
                                              .segs = (uint64_t)&metered.seg[i] };
        metered.seg[i] = (struct xs_meter_seg){ .ref = 8 + i, .len = 4096, .buffer = (uint64_t)page_alloc() };
    }
    metered.copy.channel = open.channel;
    metered.copy.ops = (uint64_t)metered.op;
    __builtin_memcpy(metered.copy.token, open.token, sizeof(open.token));
    meter_copy_8();
    return metered.copy.done == 8 && metered.op[7].status == 0 && metered.op[7].moved == 4096;
}

void guest_main(void)
{
    loop_cost = cost(nothing);
    bench("null_hypercall", null_hypercall);
    bench("unknown_hypercall", unknown_hypercall);
    bench("small_copy", features_read);
    bench("cpuid", cpuid_exit);
    bench("msr_read", msr_read);
    bench("yield", yield);
    if (event_prepare())
        bench("event_send", event_send);
    if (grant_prepare())
        bench("grant_copy_4k", grant_copy);
    if (meter_prepare()) {
        bench("meter_copy_4k", meter_copy);
        bench("meter_copy_8x4k", meter_copy_8);
        check(metered.op[7].status == 0, "all were done");
    }
    check(true, "measured");
}
