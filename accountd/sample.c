/* Reading the stats page. Slots are copied under their sequence words, then
 * looked at; nothing is decided on what lies in the page itself. */
#include "accountd/sample.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <x86intrin.h>
#include <xenforeignmemory.h>

#define DOMID_OF_HV  0x7FF2u            /* DOMID_XEN */
#define TRIES_MAX    1000

struct stats_page {
    const uint8_t *at;
    size_t bytes;
};

static bool table_fits(uint32_t offset, uint32_t size, uint32_t count, size_t bytes)
{
    return offset % 8 == 0 && size % 8 == 0 && (uint64_t)offset + (uint64_t)size * count <= bytes;
}

const char *sample_header_fault(const struct xs_stats_header *h, size_t bytes)
{
    static const uint8_t zero[16];

    if (h->magic != XS_STATS_MAGIC)
        return "magic is wrong: not a stats page";
    if (h->version != XS_STATS_VERSION)
        return "version is not 1: hypervisor and accountd must be of one release";
    if (h->header_size < sizeof(*h) || h->header_size > h->cpu_offset)
        return "header_size is wrong";
    if (h->nr_cpus < 1 || h->nr_cpus > XS_STATS_CPUS_MAX)
        return "nr_cpus is out of range";
    if (h->nr_slots < 1 || h->nr_slots > XS_STATS_SLOTS)
        return "nr_slots is out of range";
    if (h->cpu_size < sizeof(struct xs_stats_cpu) || !table_fits(h->cpu_offset, h->cpu_size, h->nr_cpus, bytes))
        return "the CPU table does not fit";
    if (h->slot_size < sizeof(struct xs_stats_slot) || !table_fits(h->slot_offset, h->slot_size, h->nr_slots, bytes))
        return "the slot table does not fit";
    if (h->tsc_mul == 0 || h->tsc_shift < -63 || h->tsc_shift > 63)
        return "the clock's scale is wrong";
    if (memcmp(h->boot_id, zero, sizeof(zero)) == 0)
        return "boot_id is zero";
    return NULL;
}

static struct stats_page *page_new(const char *from, const void *at, size_t bytes)
{
    struct stats_page *page = malloc(sizeof(*page));
    const char *fault = bytes < sizeof(struct xs_stats_header) ? "too short" : sample_header_fault(at, bytes);

    if (fault)
        fatalx("%s: stats page: %s", from, fault);
    if (!page)
        fatal("stats page");
    *page = (struct stats_page){ .at = at, .bytes = bytes };
    return page;
}

struct stats_page *stats_page_xen(void)
{
    xenforeignmemory_handle *xen = xenforeignmemory_open(NULL, 0);
    void *at = NULL;
    size_t bytes = 0;

    if (!xen)
        fatal("/dev/xen/privcmd: cannot open (is this dom0 on our hypervisor, and are we root?)");
    if (xenforeignmemory_resource_size(xen, DOMID_OF_HV, XS_RESOURCE_STATS, 0, &bytes) != 0)
        fatal("stats page: the hypervisor does not offer it");
    if (!xenforeignmemory_map_resource(xen, DOMID_OF_HV, XS_RESOURCE_STATS, 0, 0, bytes / 4096, &at, PROT_READ, 0))
        fatal("stats page: cannot map it");
    /* The mapping lives on; the handle, which could ask hv for anything, does not. */
    xenforeignmemory_close(xen);
    return page_new("hypervisor", at, bytes);
}

struct stats_page *stats_page_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *at;

    if (fd < 0 || fstat(fd, &st) != 0)
        fatal("%s: cannot open the stats file", path);
    if (st.st_size == 0)
        fatalx("%s: stats page: empty", path);
    at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        fatal("%s: cannot map the stats file", path);
    close(fd);
    return page_new(path, at, (size_t)st.st_size);
}

void stats_page_free(struct stats_page *page)
{
    munmap((void *)page->at, page->bytes);
    free(page);
}

uint64_t sample_now_ns(const struct xs_stats_header *h, uint64_t tsc)
{
    unsigned __int128 ticks = tsc - h->tsc_base;

    ticks = h->tsc_shift < 0 ? ticks >> -h->tsc_shift : ticks << h->tsc_shift;
    return (uint64_t)((ticks * h->tsc_mul) >> 32);
}

/* Copies a record whose first word is its sequence; pairs with hv's releases
 * around each update. False if it was being written at every try. */
static bool copy_record(const void *from, void *to, size_t bytes)
{
    const _Atomic uint32_t *seq_at = (const _Atomic uint32_t *)from;

    for (int i = 0; i < TRIES_MAX; i++) {
        uint32_t seq = atomic_load_explicit(seq_at, memory_order_acquire);

        if (seq & 1)
            continue;
        memcpy(to, from, bytes);
        atomic_thread_fence(memory_order_acquire);
        if (seq == atomic_load_explicit(seq_at, memory_order_relaxed))
            return true;
    }
    return false;
}

static enum sample_slot copy_slot(const struct xs_stats_slot *from, struct xs_stats_slot *to)
{
    if (!copy_record(from, to, sizeof(*to)))
        return SAMPLE_TORN;
    return to->state == XS_SLOT_EMPTY || to->state > XS_SLOT_FINAL ? SAMPLE_EMPTY : SAMPLE_READ;
}

void sample_take(const struct stats_page *page, struct sample *s)
{
    memcpy(&s->header, page->at, sizeof(s->header));
    /* hv writes the layout once, before dom0 runs; a file may change under us. */
    if (sample_header_fault(&s->header, page->bytes))
        fatalx("stats page: its header changed: %s", sample_header_fault(&s->header, page->bytes));
    s->cpus = s->header.nr_cpus;
    s->slots = s->header.nr_slots;
    s->now_ns = sample_now_ns(&s->header, __rdtsc());
    for (uint32_t i = 0; i < s->cpus; i++)
        s->cpu_read[i] = copy_record(page->at + s->header.cpu_offset + (size_t)i * s->header.cpu_size, &s->cpu[i],
                                     sizeof(s->cpu[i]));
    for (uint32_t i = 0; i < s->slots; i++)
        s->slot_read[i] = copy_slot((const struct xs_stats_slot *)(page->at + s->header.slot_offset +
                                                                   (size_t)i * s->header.slot_size), &s->slot[i]);
}
