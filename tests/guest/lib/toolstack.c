/* What kernels that run as dom0 need to make guests: domctl, memory, foreign maps, the stats page. */
#include "tests/guest/lib/toolstack.h"

#include <xen/memory.h>

const struct xs_stats_header *stats;

void map_stats(void)
{
    static xen_pfn_t frames[XS_STATS_FRAMES];
    struct xen_mem_acquire_resource request = { .domid = 0x7ff2, .type = XS_RESOURCE_STATS,
                                                .nr_frames = XS_STATS_FRAMES, .frame_list = { frames } };

    for (unsigned i = 0; i < XS_STATS_FRAMES; i++)
        frames[i] = gfn_unused();
    check_equal(HC2(__HYPERVISOR_memory_op, XENMEM_acquire_resource, &request), 0, "the stats page is mapped");
    stats = (const void *)(frames[0] << 12);
}

const struct xs_stats_slot *slot_of(uint32_t domid, uint32_t state)
{
    for (unsigned i = 1; i < stats->nr_slots; i++) {
        const struct xs_stats_slot *slot = (const void *)((const char *)stats + stats->slot_offset + i * stats->slot_size);

        if (slot->state == state && slot->domid == domid)
            return slot;
    }
    return NULL;
}

long acknowledge(uint32_t domid)
{
    const struct xs_stats_slot *slot = slot_of(domid, XS_SLOT_FINAL);
    struct xs_meter_ack ack = { .slot = 0 };

    if (!slot)
        return -ENOENT;
    ack.slot = (uint32_t)(((const char *)slot - (const char *)stats - stats->slot_offset) / stats->slot_size);
    __builtin_memcpy(ack.incarnation, slot->incarnation, sizeof(ack.incarnation));
    return HC2(XS_HC_METER_OP, XS_METER_ack, &ack);
}

struct xs_meter_inventory inventory(void)
{
    struct xs_meter_inventory held = { 0 };

    HC2(XS_HC_METER_OP, XS_METER_inventory, &held);
    return held;
}

struct xen_domctl *domctl(uint32_t cmd, uint32_t domid)
{
    static struct xen_domctl op;

    op = (struct xen_domctl){ .cmd = cmd, .interface_version = XEN_DOMCTL_INTERFACE_VERSION, .domain = (domid_t)domid };
    return &op;
}

long domctl_on(uint32_t cmd, uint32_t domid)
{
    long rc;

    do                                  /* a destroy comes back in the middle */
        rc = HC1(__HYPERVISOR_domctl, domctl(cmd, domid));
    while (rc == -EAGAIN);
    return rc;
}

long domain_create(void)
{
    struct xen_domctl *op = domctl(XEN_DOMCTL_createdomain, 0);
    long rc;

    op->u.createdomain = (struct xen_domctl_createdomain){
        .flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap, .max_vcpus = 1, .max_evtchn_port = 255, .max_grant_frames = 4,
        .max_maptrack_frames = 4, .grant_opts = XEN_DOMCTL_GRANT_version(1), .arch.emulation_flags = XEN_X86_EMU_LAPIC,
    };
    rc = HC1(__HYPERVISOR_domctl, op);
    return rc ? rc : op->domain;
}

long memory_give(uint32_t domid, unsigned pages)
{
    static xen_pfn_t list[512];
    struct xen_memory_reservation r = { .nr_extents = pages, .domid = (domid_t)domid, .extent_start = { list } };
    struct xen_domctl *op = domctl(XEN_DOMCTL_max_mem, domid);

    for (unsigned i = 0; i < pages; i++)
        list[i] = i;
    op->u.max_mem.max_memkb = pages * 4;
    if (HC1(__HYPERVISOR_domctl, op))
        return -1;
    return HC2(__HYPERVISOR_memory_op, XENMEM_populate_physmap, &r);
}

long foreign_map(uint32_t domid, uint64_t gpa, uint64_t at_gfn)
{
    xen_ulong_t idx = gpa >> 12;
    xen_pfn_t gfn = at_gfn;
    int error = 1;
    struct xen_add_to_physmap_batch b = { .domid = DOMID_SELF, .space = XENMAPSPACE_gmfn_foreign, .size = 1,
                                          .u.foreign_domid = (domid_t)domid };
    long rc;

    b.idxs.p = &idx;
    b.gpfns.p = &gfn;
    b.errs.p = &error;
    rc = HC2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, &b);
    return rc ? rc : error;
}

long unmap(uint64_t gfn)
{
    struct xen_remove_from_physmap r = { .domid = DOMID_SELF, .gpfn = gfn };

    return HC2(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, &r);
}

grant_entry_v1_t *map_grants(uint32_t domid)
{
    xen_pfn_t frame = gfn_unused();
    struct xen_mem_acquire_resource request = { .domid = (domid_t)domid, .type = XENMEM_resource_grant_table,
                                                .id = XENMEM_resource_grant_table_id_shared, .nr_frames = 1,
                                                .frame_list = { &frame } };

    return HC2(__HYPERVISOR_memory_op, XENMEM_acquire_resource, &request) ? NULL : (void *)(frame << 12);
}
