/* probe: questions that a test asks hv from dom0's user space, past our daemons.
 *
 *   probe inventory     what hv holds (XS_METER_inventory), one `name value` a line
 *   probe stats-write   maps the stats page writable, as any root process may try, and writes: must fault
 */
#include "xs/meter.h"
#include "xs/stats.h"

#include <err.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
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

static void fault(int number)
{
    siglongjmp(fault_return, number);
}

static int stats_write(void)
{
    xenforeignmemory_handle *memory = xenforeignmemory_open(NULL, 0);
    void *page = NULL;
    volatile struct xs_stats_header *header;
    struct sigaction act = { .sa_handler = fault };
    uint64_t magic;
    int number;

    if (!memory)
        err(1, "xenforeignmemory_open");
    if (!xenforeignmemory_map_resource(memory, DOMID_XEN, XS_RESOURCE_STATS, 0, 0, XS_STATS_FRAMES, &page,
                                       PROT_READ | PROT_WRITE, 0))
        err(1, "the stats page cannot be mapped");
    header = page;
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
    errx(2, "usage: probe inventory | stats-write");
}
