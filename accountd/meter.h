/* Two points of a domain's counters in, billable quantities out. Pure: no I/O, no clock.
 *
 * Quantities are integers in the finest unit that the counters have; what a
 * unit costs is rate.h's business. The same code meters in accountd and
 * recomputes in xs-verify.
 */
#ifndef ACCOUNTD_METER_H
#define ACCOUNTD_METER_H

#include <stdbool.h>
#include <stdint.h>
#include <xs/stats.h>

/* Absolute counters of one incarnation, in the order of a record's fields. */
enum meter_counter {
    METER_GUEST_NS, METER_HV_NS, METER_WAIT_NS, METER_PAGE_NS,
    METER_EXITS, METER_HYPERCALLS, METER_EVENTS_SENT, METER_EVENTS_RECEIVED,
    METER_GRANT_MAPS, METER_GRANT_UNMAPS, METER_GRANT_COPIES,
    METER_DISK_READ_OPS, METER_DISK_WRITE_OPS, METER_DISK_FLUSH_OPS, METER_DISK_DISCARD_OPS,
    METER_DISK_READ_BYTES, METER_DISK_WRITE_BYTES,
    METER_NET_RX_PACKETS, METER_NET_TX_PACKETS, METER_NET_RX_BYTES, METER_NET_TX_BYTES,
    METER_NET_RX_DROPS, METER_NET_TX_DROPS,
    METER_IO_REPLAYS,                   /* done again by a restarted backend: in none of the counts above, never billed */
    METER_COUNTERS
};
#define METER_COUNTERS_FIRST METER_IO_REPLAYS   /* how many the first records had (record.h) */
extern const char *const meter_counter_names[METER_COUNTERS];

/* The counters at one instant of hv's clock. page_ns has 128 bits, the others 64. */
struct meter_point {
    uint64_t t_ns;
    unsigned __int128 at[METER_COUNTERS];
};

/* What was promised to the domain, whether used or not. */
struct meter_reserved {
    uint32_t vcpus;
    uint32_t memory_mib;
};

/* What is billed. The price book has one row for each.
 *
 * A disk operation is a request of the guest that hv saw moved or done: reads and
 * writes, and flushes and discards too, which move no bytes and yet cost the disk
 * the most. A packet is what the guest handed over or was handed, before segmentation
 * offload cuts it; dropped ones are recorded and cost nothing. Replays
 * are a restarted backend's own affair. */
enum meter_quantity {
    METER_VCPU_RESERVED,                /* vCPU ns */
    METER_MEMORY_RESERVED,              /* MiB ns */
    METER_CPU_USED,                     /* ns, guest and hv on its behalf */
    METER_MEMORY_USED,                  /* page ns */
    METER_DISK_OPS,                     /* reads + writes + flushes + discards */
    METER_DISK_BYTES,                   /* read + written */
    METER_NET_PACKETS,                  /* received + sent */
    METER_NET_BYTES_OUT, METER_NET_BYTES_IN,
    METER_QUANTITIES
};
struct meter_quantity_row {
    const char *name;                   /* in price books, invoices, CSV */
    const char *unit;                   /* what one priced unit is */
    unsigned __int128 per_unit;         /* quantity in one priced unit */
};
extern const struct meter_quantity_row meter_quantities[METER_QUANTITIES];
/* METER_QUANTITIES if there is no such name. */
enum meter_quantity meter_quantity_find(const char *name);

struct meter_usage {
    unsigned __int128 of[METER_QUANTITIES];
};

/* What was used between two points. -1: something fell, *fell names it (or
 * "t_ns"), nothing may be billed between these points. */
int meter_between(const struct meter_point *from, const struct meter_point *to, const struct meter_reserved *reserved,
                  struct meter_usage *usage, const char **fell);

/* Adds to sum; -1 if a sum would pass 128 bits (sum is unchanged then). */
int meter_add(struct meter_usage *sum, const struct meter_usage *more);

/* The point of a consistent copy of a LIVE slot at most METER_SETTLE_NS
 * before now_ns, or of a dead one at its end. hv reads its clock before it
 * publishes what it did then; a point this far back cannot be overtaken by a
 * death or a page change that hv has dated but not published yet. */
#define METER_SETTLE_NS 100000000ull
struct meter_point meter_point_of(const struct xs_stats_slot *slot, uint64_t now_ns);

/* CPU time that is running and not charged yet, for display only. */
uint64_t meter_running_ns(const struct xs_stats_slot *slot, uint64_t now_ns);

/* The CPU record's own books: guest + hv + idle = accounted time. */
bool meter_cpu_conserved(const struct xs_stats_cpu *cpu);

#endif
