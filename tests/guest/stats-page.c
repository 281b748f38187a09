/* stats-page: dom0 maps the page as accountd does; its header and records say what stats.h states,
 * CPU time is conserved to the nanosecond, and a write does not get through. */
#include "tests/guest/lib/guest.h"

#include "xs/stats.h"
#include <xen/memory.h>
#include <xen/sched.h>

static const struct xs_stats_header *page;

static long acquire(struct xen_mem_acquire_resource *request)
{
    request->domid = 0x7ff2;            /* DOMID_XEN */
    request->type = XS_RESOURCE_STATS;
    return HC2(__HYPERVISOR_memory_op, XENMEM_acquire_resource, request);
}

static bool map_page(void)
{
    static xen_pfn_t frames[XS_STATS_FRAMES];
    struct xen_mem_acquire_resource request = { .nr_frames = 0 };

    check_equal(acquire(&request), 0, "size query");
    check_equal(request.nr_frames, XS_STATS_FRAMES, "size query: the frames that stats.h promises");
    for (unsigned i = 0; i < XS_STATS_FRAMES; i++)
        frames[i] = gfn_unused();
    page = (const void *)(frames[0] << 12);
    request = (struct xen_mem_acquire_resource){ .nr_frames = XS_STATS_FRAMES, .frame_list = { frames } };
    check_equal(acquire(&request), 0, "map");
    request = (struct xen_mem_acquire_resource){ .nr_frames = 1, .frame = XS_STATS_FRAMES, .frame_list = { frames } };
    check(acquire(&request) < 0, "a frame behind the end: refused");
    request = (struct xen_mem_acquire_resource){ .id = 1, .nr_frames = 1, .frame_list = { frames } };
    check(acquire(&request) < 0, "another id: refused");
    return page->magic == XS_STATS_MAGIC;
}

static struct xs_stats_cpu read_cpu(unsigned number)
{
    const struct xs_stats_cpu *r = (const void *)((const char *)page + page->cpu_offset + number * page->cpu_size);
    struct xs_stats_cpu copy;
    uint32_t seq;

    do {
        seq = __atomic_load_n(&r->seq, __ATOMIC_ACQUIRE);
        copy = *r;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((seq & 1) || seq != __atomic_load_n(&r->seq, __ATOMIC_RELAXED));
    return copy;
}

static struct xs_stats_slot read_slot(unsigned number)
{
    const struct xs_stats_slot *r = (const void *)((const char *)page + page->slot_offset + number * page->slot_size);
    struct xs_stats_slot copy;
    uint32_t seq;

    do {
        seq = __atomic_load_n(&r->seq, __ATOMIC_ACQUIRE);
        copy = *r;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((seq & 1) || seq != __atomic_load_n(&r->seq, __ATOMIC_RELAXED));
    return copy;
}

static int own_slot(void)
{
    for (unsigned i = 1; i < page->nr_slots; i++) {
        struct xs_stats_slot slot = read_slot(i);

        if (slot.state == XS_SLOT_LIVE && slot.domid == 0)
            return (int)i;
    }
    return -1;
}

static void write_page(void *argument)
{
    *(volatile uint64_t *)argument = 0;
}

static void conservation(void)
{
    for (unsigned i = 0; i < page->nr_cpus; i++) {
        struct xs_stats_cpu cpu = read_cpu(i);

        check(cpu.guest_ns + cpu.hv_ns + cpu.idle_ns == cpu.charged_until_ns - cpu.online_ns,
              "CPU %u: guest %u + hv %u + idle %u ns = the time it is on", (uint64_t)i, cpu.guest_ns, cpu.hv_ns, cpu.idle_ns);
    }
}

static void counts(int number)
{
    struct xs_stats_slot before = read_slot((unsigned)number);
    struct xs_stats_slot after;
    uint64_t until = rdtsc() + page->tsc_khz * 20ull;   /* 20 ms */
    uint64_t give_up = rdtsc() + page->tsc_khz * 5000ull;

    for (int i = 0; i < 1000; i++)
        HC2(__HYPERVISOR_xen_version, 0, 0);
    while (rdtsc() < until)
        ;
    HC2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
    do                                                  /* counters reach the page at the latest when a slice ends */
        after = read_slot((unsigned)number);
    while (after.hypercalls - before.hypercalls < 1000 && rdtsc() < give_up);
    check(after.hypercalls - before.hypercalls >= 1000 && after.hypercalls - before.hypercalls < 1100,
          "1,000 hypercalls count as %u", after.hypercalls - before.hypercalls);
    check(after.exits >= before.exits + 1000, "and as exits");
    check(after.guest_ns - before.guest_ns >= 10000000, "20 ms of spinning: %u us of guest time",
          (after.guest_ns - before.guest_ns) / 1000);
    check(after.page_since_ns >= before.page_since_ns && (after.page_ns_hi > before.page_ns_hi ||
          after.page_ns_lo >= before.page_ns_lo), "the page integral does not fall");
    check(after.pages > 0 && after.pages_peak >= after.pages, "%u pages held", after.pages);
}

void guest_main(void)
{
    int slot;
    uint64_t magic;

    if (!guest_is_dom0()) {
        struct xen_mem_acquire_resource request = { .nr_frames = 0 };

        check(acquire(&request) < 0, "a guest may not map the stats page");
        return;
    }
    if (!map_page()) {
        check(false, "magic: got %x", page->magic);
        return;
    }
    check_equal(page->version, XS_STATS_VERSION, "version");
    check(page->nr_cpus >= 1 && page->nr_cpus <= XS_STATS_CPUS_MAX, "%u CPUs", (uint64_t)page->nr_cpus);
    check_equal(page->nr_slots, XS_STATS_SLOTS, "slots");
    check(page->tsc_khz > 1000 && page->tsc_mul, "clock: %u kHz", (uint64_t)page->tsc_khz);
    check(page->pages_free + page->pages_hv < page->pages_total, "pages: %u in all", page->pages_total);
    check_equal(read_slot(0).domid, 0x7ff2, "slot 0 is hv's own");
    slot = own_slot();
    check(slot > 0, "dom0's slot is %d", (int64_t)slot);
    if (slot > 0)
        counts(slot);
    conservation();
    magic = page->magic;
    check(try(write_page, (void *)(uintptr_t)page) >= 0, "a write faults");
    check(page->magic == magic, "and changes nothing");
    conservation();
}
