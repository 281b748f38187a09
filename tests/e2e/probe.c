/* probe: questions that a test asks hv from dom0's user space, past our daemons.
 *
 *   probe inventory     what hv holds (XS_METER_inventory), one `name value` a line
 *   probe io DOMID      what hv counted of a live domain's disks and NICs
 *   probe stats-write   maps the stats page writable, as any root process may try, and writes: must fault
 */
#include "xs/meter.h"
#include "xs/stats.h"

#include <err.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xencall.h>
#include <xenforeignmemory.h>

static sigjmp_buf fault_return;

static int inventory(void)
{
    xencall_handle *xen = xencall_open(NULL, 0);
    struct xs_meter_inventory *i;

    if (!xen)
        err(1, "xencall_open");
    i = xencall_alloc_buffer(xen, sizeof(*i));
    if (!i)
        err(1, "xencall_alloc_buffer");
    memset(i, 0, sizeof(*i));
    if (xencall2(xen, XS_HC_METER_OP, XS_METER_inventory, (uintptr_t)i) != 0)
        err(1, "XS_METER_inventory");
    printf("pages_free %" PRIu64 "\npages_owned %" PRIu64 "\npages_hv %" PRIu64 "\n", i->pages_free, i->pages_owned,
           i->pages_hv);
    printf("domains %u\nvcpus %u\nports %u\ngrant_maps %u\nforeign_maps %u\nslots_used %u\n", i->domains, i->vcpus,
           i->ports, i->grant_maps, i->foreign_maps, i->slots_used);
    return 0;
}

static void *stats_map(int protection)
{
    xenforeignmemory_handle *memory = xenforeignmemory_open(NULL, 0);
    void *page = NULL;

    if (!memory)
        err(1, "xenforeignmemory_open");
    if (!xenforeignmemory_map_resource(memory, DOMID_XEN, XS_RESOURCE_STATS, 0, 0, XS_STATS_FRAMES, &page, protection, 0))
        err(1, "the stats page cannot be mapped");
    return page;
}

static struct xs_stats_slot slot_read(const struct xs_stats_slot *slot)
{
    struct xs_stats_slot copy;
    uint32_t seq;

    do {
        seq = __atomic_load_n(&slot->seq, __ATOMIC_ACQUIRE);
        copy = *slot;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((seq & 1) || seq != __atomic_load_n(&slot->seq, __ATOMIC_RELAXED));
    return copy;
}

static int io(uint32_t domid)
{
    const struct xs_stats_header *header = stats_map(PROT_READ);
    const struct xs_stats_slot *slots = (const void *)((const char *)header + header->slot_offset);

    for (uint32_t i = 1; i < header->nr_slots; i++) {
        struct xs_stats_slot s = slot_read(&slots[i]);

        if (s.state != XS_SLOT_LIVE || s.domid != domid)
            continue;
        printf("disk_read_ops %" PRIu64 "\ndisk_write_ops %" PRIu64 "\ndisk_flush_ops %" PRIu64 "\ndisk_discard_ops %" PRIu64
               "\ndisk_read_bytes %" PRIu64 "\ndisk_write_bytes %" PRIu64 "\n", s.disk_read_ops, s.disk_write_ops,
               s.disk_flush_ops, s.disk_discard_ops, s.disk_read_bytes, s.disk_write_bytes);
        printf("net_rx_packets %" PRIu64 "\nnet_tx_packets %" PRIu64 "\nnet_rx_bytes %" PRIu64 "\nnet_tx_bytes %" PRIu64
               "\nnet_rx_drops %" PRIu64 "\nnet_tx_drops %" PRIu64 "\nio_replays %" PRIu64 "\n", s.net_rx_packets,
               s.net_tx_packets, s.net_rx_bytes, s.net_tx_bytes, s.net_rx_drops, s.net_tx_drops, s.io_replays);
        return 0;
    }
    errx(1, "no live domain %" PRIu32, domid);
}

static void fault(int number)
{
    siglongjmp(fault_return, number);
}

static int stats_write(void)
{
    volatile struct xs_stats_header *header = stats_map(PROT_READ | PROT_WRITE);
    struct sigaction act = { .sa_handler = fault };
    uint64_t magic;
    int number;

    magic = header->magic;
    printf("magic %s\n", magic == XS_STATS_MAGIC ? "right" : "wrong");
    sigaction(SIGSEGV, &act, NULL);
    sigaction(SIGBUS, &act, NULL);
    number = sigsetjmp(fault_return, 1);
    if (!number) {
        header->magic = ~magic;
        printf("write accepted, page %s\n", header->magic == magic ? "unchanged" : "CHANGED");
        return 1;
    }
    printf("write faulted\npage %s\n", header->magic == magic ? "unchanged" : "CHANGED");
    return header->magic == magic ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "inventory"))
        return inventory();
    if (argc == 2 && !strcmp(argv[1], "stats-write"))
        return stats_write();
    if (argc == 3 && !strcmp(argv[1], "io"))
        return io((uint32_t)strtoul(argv[2], NULL, 10));
    errx(2, "usage: probe inventory | io DOMID | stats-write");
}
