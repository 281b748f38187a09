/* The stats page: mapped once, read each second. hv/include/xs/stats.h is the contract. */
#ifndef ACCOUNTD_SAMPLE_H
#define ACCOUNTD_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <xs/stats.h>

struct stats_page;

/* From hv; needs the rights of root on /dev/xen, which are given back before it returns.
 * Exits 1 with what is wrong: no hv, not ours, another version. */
struct stats_page *stats_page_xen(void);
/* From a file of the same layout, for tests. Exits 1 likewise. */
struct stats_page *stats_page_file(const char *path);
void stats_page_free(struct stats_page *page);

enum sample_slot { SAMPLE_EMPTY, SAMPLE_READ, SAMPLE_TORN };

struct sample {
    uint64_t now_ns;                    /* taken before the slots were copied */
    struct xs_stats_header header;
    uint32_t cpus;
    bool cpu_read[XS_STATS_CPUS_MAX];
    struct xs_stats_cpu cpu[XS_STATS_CPUS_MAX];
    uint32_t slots;
    enum sample_slot slot_read[XS_STATS_SLOTS];     /* TORN: its writer was busy at each try */
    struct xs_stats_slot slot[XS_STATS_SLOTS];
};
void sample_take(const struct stats_page *page, struct sample *sample);

/* What is wrong with a header for a page of so many bytes, or NULL. */
const char *sample_header_fault(const struct xs_stats_header *header, size_t bytes);
uint64_t sample_now_ns(const struct xs_stats_header *header, uint64_t tsc);

#endif
