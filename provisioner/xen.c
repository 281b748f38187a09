/* xen.h on libxenctrl, libxenforeignmemory and libxencall. libxenguest is left out: kernel.h says why. */
#include "provisioner/xen.h"
#include "common/log.h"

#include <xs/build.h>
#include <xs/meter.h>
#include <xs/stats.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xencall.h>
#include <xenctrl.h>
#include <xenforeignmemory.h>
#include <xen/grant_table.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>

#define EXTENT_ORDER    9u              /* 2 MiB */
#define EXTENTS_BATCH   128u
#define PORTS_MAX       1023            /* the guest's event channels */
#define GRANT_FRAMES    64
#define MAPTRACK_FRAMES 1               /* a guest backs no device of another */
#define DESTROY_CALLS_MAX 100000        /* each frees something; this many means that it does not */
#define LIST_MAX        (XS_STATS_SLOTS + 1)

struct xen {
    xc_interface *xc;
    xenforeignmemory_handle *memory;
    xencall_handle *call;
    xenforeignmemory_resource_handle *stats_map;
    const uint8_t *stats;
    void *copy;                         /* XEN_COPY_BYTES, hypercall-safe */
    struct populate_arg {
        struct xen_memory_reservation reservation;
        xen_pfn_t start[EXTENTS_BATCH];
    } *populate_arg;
    struct xs_build_write *write_arg;
    struct xs_meter_ack *ack_arg;
};

/* libxc returns -1 and errno; a few verbs return -errno. Both are failure < 0. */
static int result(int rc)
{
    return rc < 0 ? (errno ? -errno : -EIO) : 0;
}

static void stats_open(struct xen *xen)
{
    void *at = NULL;

    xen->stats_map = xenforeignmemory_map_resource(xen->memory, DOMID_XEN, XS_RESOURCE_STATS, 0, 0,
                                                   XS_STATS_FRAMES, &at, PROT_READ, 0);
    if (!xen->stats_map)
        fatal("the hypervisor's stats page cannot be mapped: is the machine booted with XenoServer's own hypervisor?");
    xen->stats = at;
    const struct xs_stats_header *h = at;
    if (h->magic != XS_STATS_MAGIC || h->version != XS_STATS_VERSION)
        fatalx("the stats page has magic %016jx, version %u; this program reads version %u: install the two together",
               (uintmax_t)h->magic, h->version, XS_STATS_VERSION);
}

struct xen *xen_open(void)
{
    struct xen *xen = calloc(1, sizeof(*xen));

    if (!xen)
        fatalx("out of memory");
    xen->xc = xc_interface_open(NULL, NULL, 0);
    xen->memory = xenforeignmemory_open(NULL, 0);
    xen->call = xencall_open(NULL, 0);
    if (!xen->xc || !xen->memory || !xen->call)
        fatal("/dev/xen/privcmd and /dev/xen/hypercall cannot be opened: run as root in dom0 with xen-privcmd loaded");
    xen->copy = xencall_alloc_buffer(xen->call, XEN_COPY_BYTES);
    xen->populate_arg = xencall_alloc_buffer(xen->call, sizeof(*xen->populate_arg));
    xen->write_arg = xencall_alloc_buffer(xen->call, sizeof(*xen->write_arg));
    xen->ack_arg = xencall_alloc_buffer(xen->call, sizeof(*xen->ack_arg));
    if (!xen->copy || !xen->populate_arg || !xen->write_arg || !xen->ack_arg)
        fatal("no memory for hypercall buffers");
    stats_open(xen);
    return xen;
}

void xen_close(struct xen *xen)
{
    xenforeignmemory_unmap_resource(xen->memory, xen->stats_map);
    xencall_free_buffer(xen->call, xen->ack_arg);
    xencall_free_buffer(xen->call, xen->write_arg);
    xencall_free_buffer(xen->call, xen->populate_arg);
    xencall_free_buffer(xen->call, xen->copy);
    xencall_close(xen->call);
    xenforeignmemory_close(xen->memory);
    xc_interface_close(xen->xc);
    free(xen);
}

int xen_host_read(struct xen *xen, struct xen_host *host)
{
    const struct xs_stats_header *h = (const void *)xen->stats;
    const volatile struct xs_stats_header *now = h;
    xen_extraversion_t extra = "";
    struct xen_domain *domains;
    unsigned count;
    int version = xc_version(xen->xc, XENVER_version, NULL);
    int rc;

    if (version < 0 || xc_version(xen->xc, XENVER_extraversion, extra) < 0)
        return result(-1);
    rc = xen_domain_list(xen, &domains, &count);
    if (rc)
        return rc;
    free(domains);
    *host = (struct xen_host){ .pages_total = h->pages_total, .pages_free = now->pages_free, .cpus = h->nr_cpus,
                               .domains = count + 1, .slots_free = h->nr_slots - (uint32_t)now->slots_used };
    memcpy(host->boot_id, h->boot_id, sizeof(host->boot_id));
    extra[sizeof(extra) - 1] = 0;
    snprintf(host->version, sizeof(host->version), "%d.%d%s", version >> 16, version & 0xffff, extra);
    return 0;
}

static void domain_take(struct xen_domain *d, const xc_domaininfo_t *info)
{
    *d = (struct xen_domain){
        .domid = info->domain,
        .pages = info->tot_pages,
        .dying = info->flags & XEN_DOMINF_dying,
        .paused = info->flags & XEN_DOMINF_paused,
        .shutdown = info->flags & XEN_DOMINF_shutdown,
        .reason = (info->flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask,
    };
    memcpy(d->uuid, info->handle, sizeof(d->uuid));
}

int xen_domain_list(struct xen *xen, struct xen_domain **domains, unsigned *count)
{
    xc_domaininfo_t *infos = calloc(LIST_MAX, sizeof(*infos));
    struct xen_domain *list = calloc(LIST_MAX, sizeof(*list));
    int found = -1;

    errno = ENOMEM;
    if (infos && list)
        found = xc_domain_getinfolist(xen->xc, 1, LIST_MAX, infos);
    for (int i = 0; i < found; i++)
        domain_take(&list[i], &infos[i]);
    free(infos);
    if (found < 0) {
        free(list);
        return result(-1);
    }
    *domains = list;
    *count = (unsigned)found;
    return 0;
}

static int limits_set(struct xen *xen, uint32_t domid, const struct xen_domain_spec *spec)
{
    struct xen_domctl_sched_credit share = { .weight = (uint16_t)spec->weight, .cap = (uint16_t)spec->cap_percent };
    int rc = result(xc_domain_max_vcpus(xen->xc, domid, spec->vcpus));

    if (!rc)
        rc = result(xc_domain_setmaxmem(xen->xc, domid, spec->pages_max * 4));
    if (!rc)
        rc = result(xc_sched_credit_domain_set(xen->xc, domid, &share));
    return rc;
}

int xen_domain_create(struct xen *xen, const struct xen_domain_spec *spec, uint32_t *domid)
{
    struct xen_domctl_createdomain config = {
        .flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
        .max_vcpus = spec->vcpus,
        .max_evtchn_port = PORTS_MAX,
        .max_grant_frames = GRANT_FRAMES,
        .max_maptrack_frames = MAPTRACK_FRAMES,
        .grant_opts = XEN_DOMCTL_GRANT_version(1),
        .arch.emulation_flags = XEN_X86_EMU_LAPIC,
    };
    uint32_t made = 0;                  /* 0: the hypervisor chooses */
    int rc;

    memcpy(config.handle, spec->uuid, sizeof(config.handle));
    rc = result(xc_domain_create(xen->xc, &made, &config));
    if (rc)
        return rc;
    rc = limits_set(xen, made, spec);
    if (rc)
        xen_domain_destroy(xen, made);
    else
        *domid = made;
    return rc;
}

int xen_domain_destroy(struct xen *xen, uint32_t domid)
{
    int rc, calls = 0;

    /* The hypervisor may stop in the middle to stay responsive, and asks to be called again. */
    do {
        rc = result(xc_domain_destroy(xen->xc, domid));
    } while ((rc == -EAGAIN || rc == -EBUSY) && ++calls < DESTROY_CALLS_MAX);
    return rc == -ESRCH ? 0 : rc;
}

int xen_domain_pause(struct xen *xen, uint32_t domid)
{
    return result(xc_domain_pause(xen->xc, domid));
}

int xen_domain_unpause(struct xen *xen, uint32_t domid)
{
    return result(xc_domain_unpause(xen->xc, domid));
}

/* Extents of one order until done or refused. Returns how many were populated, or -errno. Not by xc_domain_populate_physmap:
 * libxc wraps memory calls into multicalls, which hv does not have. */
static long populate_some(struct xen *xen, uint32_t domid, uint64_t pfn, uint64_t extents, unsigned order)
{
    struct populate_arg *arg = xen->populate_arg;
    unsigned batch = extents < EXTENTS_BATCH ? (unsigned)extents : EXTENTS_BATCH;
    int done;

    for (unsigned i = 0; i < batch; i++)
        arg->start[i] = pfn + ((uint64_t)i << order);
    arg->reservation = (struct xen_memory_reservation){ .extent_start.p = arg->start, .nr_extents = batch,
                                                        .extent_order = order, .domid = (domid_t)domid };
    errno = 0;
    done = xencall2(xen->call, __HYPERVISOR_memory_op, XENMEM_populate_physmap, (uintptr_t)arg);
    return done < 0 ? result(-1) : done;
}

int xen_memory_populate(struct xen *xen, uint32_t domid, uint64_t pfn, uint64_t pages)
{
    const uint64_t extent_pages = 1u << EXTENT_ORDER;

    while (pages) {
        bool large = !(pfn % extent_pages) && pages >= extent_pages;
        uint64_t to_border = extent_pages - pfn % extent_pages;
        uint64_t singles = to_border < pages ? to_border : pages;
        long done = large ? populate_some(xen, domid, pfn, pages / extent_pages, EXTENT_ORDER) : 0;
        uint64_t got;

        /* No 2 MiB left in one piece is no failure: single pages may be there. */
        if (done > 0) {
            got = (uint64_t)done * extent_pages;
        } else {
            done = populate_some(xen, domid, pfn, singles, 0);
            if (done <= 0)
                return done ? (int)done : -ENOMEM;
            got = (uint64_t)done;
        }
        pfn += got;
        pages -= got;
    }
    return 0;
}

void *xen_copy_buffer(struct xen *xen)
{
    return xen->copy;
}

int xen_copy_in(struct xen *xen, uint32_t domid, uint64_t gpa, size_t bytes)
{
    *xen->write_arg = (struct xs_build_write){ .domid = domid, .gpa = gpa, .from = (uintptr_t)xen->copy,
                                               .bytes = bytes };
    return result(xencall2(xen->call, XS_HC_BUILD_OP, XS_BUILD_write, (uintptr_t)xen->write_arg));
}

/* Not by xc_domain_set_memory_map, for the same reason as in populate_some. */
int xen_memory_map_set(struct xen *xen, uint32_t domid, const struct layout_range *ranges, unsigned count)
{
    struct {
        struct xen_foreign_memory_map arg;
        struct e820entry map[LAYOUT_RANGES_MAX];
    } *call = xen->copy;

    for (unsigned i = 0; i < count; i++)
        call->map[i] = (struct e820entry){ .addr = ranges[i].gpa, .size = ranges[i].bytes, .type = ranges[i].type };
    call->arg = (struct xen_foreign_memory_map){ .domid = (domid_t)domid, .map.nr_entries = count };
    set_xen_guest_handle_raw(call->arg.map.buffer, call->map);
    return result(xencall2(xen->call, __HYPERVISOR_memory_op, XENMEM_set_memory_map, (uintptr_t)call));
}

int xen_cpu_set(struct xen *xen, uint32_t domid, uint8_t *records, size_t bytes)
{
    return result(xc_domain_hvm_setcontext(xen->xc, domid, records, (uint32_t)bytes));
}

/* A port made before a crash is found in the param that tells the guest of it. */
static int port_make(struct xen *xen, uint32_t domid, uint32_t param, uint32_t *port)
{
    uint64_t known = 0;
    int made;

    if (xc_hvm_param_get(xen->xc, domid, param, &known) == 0 && known) {
        *port = (uint32_t)known;
        return 0;
    }
    made = xc_evtchn_alloc_unbound(xen->xc, domid, 0);
    if (made < 0)
        return result(-1);
    *port = (uint32_t)made;
    return result(xc_hvm_param_set(xen->xc, domid, param, *port));
}

/* The guest's grant table is ours to write until it runs: the first entries are
 * reserved for the rings (grant_table.h). The entry is complete before it is permitted. */
static int grants_seed(struct xen *xen, uint32_t domid, const struct xen_rings *rings)
{
    void *at = NULL;
    xenforeignmemory_resource_handle *map =
        xenforeignmemory_map_resource(xen->memory, (domid_t)domid, XENMEM_resource_grant_table,
                                      XENMEM_resource_grant_table_id_shared, 0, 1, &at, PROT_READ | PROT_WRITE, 0);
    grant_entry_v1_t *table = at;

    if (!map)
        return result(-1);
    table[GNTTAB_RESERVED_CONSOLE].frame = (uint32_t)rings->console_pfn;
    table[GNTTAB_RESERVED_XENSTORE].frame = (uint32_t)rings->store_pfn;
    atomic_thread_fence(memory_order_release);
    table[GNTTAB_RESERVED_CONSOLE].flags = GTF_permit_access;
    table[GNTTAB_RESERVED_XENSTORE].flags = GTF_permit_access;
    return result(xenforeignmemory_unmap_resource(xen->memory, map));
}

int xen_rings_make(struct xen *xen, uint32_t domid, struct xen_rings *rings)
{
    int rc = port_make(xen, domid, HVM_PARAM_STORE_EVTCHN, &rings->store_port);

    if (!rc)
        rc = port_make(xen, domid, HVM_PARAM_CONSOLE_EVTCHN, &rings->console_port);
    if (!rc)
        rc = result(xc_hvm_param_set(xen->xc, domid, HVM_PARAM_STORE_PFN, rings->store_pfn));
    if (!rc)
        rc = result(xc_hvm_param_set(xen->xc, domid, HVM_PARAM_CONSOLE_PFN, rings->console_pfn));
    return rc ? rc : grants_seed(xen, domid, rings);
}

int xen_console_unread(struct xen *xen, uint32_t domid, uint64_t console_pfn)
{
    xen_pfn_t pfn = console_pfn;
    int refused = 0;
    const volatile struct xencons_interface *ring =
        xenforeignmemory_map(xen->memory, domid, PROT_READ, 1, &pfn, &refused);
    uint32_t unread;

    if (!ring)
        return result(-1);
    unread = ring->out_prod - ring->out_cons;
    xenforeignmemory_unmap(xen->memory, (void *)(uintptr_t)ring, 1);
    return unread <= sizeof(ring->out) ? (int)unread : 0;
}

/* The reader's loop of stats.h, for the few fields that are wanted. */
static bool slot_holds(const struct xs_stats_slot *slot, uint32_t domid, const uint8_t uuid[16],
                       uint8_t incarnation[16])
{
    uint32_t seq;
    bool holds;

    do {
        seq = __atomic_load_n(&slot->seq, __ATOMIC_ACQUIRE);
        holds = slot->state == XS_SLOT_LIVE && slot->domid == domid && !memcmp(slot->uuid, uuid, 16);
        if (holds)
            memcpy(incarnation, slot->incarnation, 16);
        atomic_thread_fence(memory_order_acquire);
    } while ((seq & 1) || seq != __atomic_load_n(&slot->seq, __ATOMIC_RELAXED));
    return holds;
}

int xen_incarnation(struct xen *xen, uint32_t domid, const uint8_t uuid[16], uint8_t incarnation[16])
{
    const struct xs_stats_header *h = (const void *)xen->stats;

    for (uint32_t i = 1; i < h->nr_slots; i++) {
        const uint8_t *at = xen->stats + h->slot_offset + (size_t)i * h->slot_size;

        if (slot_holds((const void *)at, domid, uuid, incarnation))
            return 0;
    }
    return -ESRCH;
}

int xen_meter_ack(struct xen *xen, uint32_t slot, const uint8_t incarnation[16])
{
    *xen->ack_arg = (struct xs_meter_ack){ .slot = slot };
    memcpy(xen->ack_arg->incarnation, incarnation, 16);
    return result(xencall2(xen->call, XS_HC_METER_OP, XS_METER_ack, (uintptr_t)xen->ack_arg));
}
