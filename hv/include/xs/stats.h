/* The stats page: what each domain used, as hv counted it.
 *
 * This is the contract between hv (the only writer) and a reader in dom0
 * (accountd). It is a run of XS_STATS_FRAMES pages which a dom0 process maps
 * read-only with
 *     XENMEM_acquire_resource { domid = DOMID_XEN (0x7FF2),
 *         type = XS_RESOURCE_STATS, id = 0, frame = 0, nr_frames = n }
 * (IOCTL_PRIVCMD_MMAP_RESOURCE; n from a size query, which answers with the
 * number of pages). Only dom0 may map it; read-only is enforced in dom0's
 * nested page table, so a write faults whatever the process's own page
 * tables say.
 *
 * Layout:  struct xs_stats_header          at 0
 *          struct xs_stats_cpu[nr_cpus]    at header.cpu_offset
 *          struct xs_stats_slot[nr_slots]  at header.slot_offset
 * Strides are header.cpu_size and header.slot_size: later versions only
 * append fields, a reader uses the strides and ignores what it does not know.
 *
 * Units: _ns is nanoseconds of hv's monotonic clock, 0 at boot. Counters are
 * absolute and only grow, from 0 at the birth of the incarnation.
 *
 * Reading a slot or CPU record (one writer at a time each; the sequence word
 * is odd while an update is under way):
 *     do {
 *         seq = atomic_load_acquire(&r->seq);          // pairs with the
 *         copy = *r;                                   // writer's releases
 *         atomic_thread_fence(acquire);
 *     } while ((seq & 1) || seq != atomic_load_relaxed(&r->seq));
 *
 * What runs now: with `now` = xs_stats_now_ns(header), taken after the copy,
 *     guest_ns(now) = guest_ns + vcpus_running * now - running_since_sum_ns
 *     page_ns(now)  = page_ns + pages * (now - page_since_ns)  while LIVE
 * The first may count an exit being handled at this instant as guest time
 * until hv charges it; the charged counters themselves are exact.
 *
 * Conservation, exact to the nanosecond for one consistent CPU record:
 *     guest_ns + hv_ns + idle_ns == charged_until_ns - online_ns
 * and, over all slots (hv's own slot 0 included) and all CPUs, once nothing
 * is in flight: sum slots.guest_ns == sum cpus.guest_ns, likewise hv_ns.
 */
#ifndef XS_STATS_H
#define XS_STATS_H

#include <stdint.h>

#define XS_RESOURCE_STATS   0xE000u     /* type for XENMEM_acquire_resource */

#define XS_STATS_MAGIC      0x5354415453534e58ull   /* "XNSSTATS", little endian */
#define XS_STATS_VERSION    1u
#define XS_STATS_SLOTS      512u        /* slot 0 is hv itself */
#define XS_STATS_CPUS_MAX   32u

struct xs_stats_header {
    uint64_t magic;
    uint32_t version;
    uint32_t header_size;
    uint32_t cpu_offset, cpu_size, nr_cpus;
    uint32_t slot_offset, slot_size, nr_slots;
    uint8_t boot_id[16];            /* random, new at each boot of hv */

    /* now_ns = (((tsc - tsc_base) << tsc_shift) * tsc_mul) >> 32, in 128 bits;
     * a negative shift shifts right. Fixed from boot on. */
    uint64_t tsc_base;
    uint32_t tsc_mul;
    int32_t tsc_shift;
    uint32_t tsc_khz;
    uint32_t pad0;

    uint64_t boot_wall_ns;          /* UTC of now_ns == 0, from the RTC, in ns since 1970; +-1 s */
    uint64_t pages_total;           /* 4 KiB pages of RAM that hv manages */
    uint64_t pages_hv;              /* of these, held by hv itself */
    uint64_t pages_free;            /* of these, free (scrubbed) now; updated without a sequence word */
    uint64_t slots_used;            /* slots that are not EMPTY */
};

/* One physical CPU. */
struct xs_stats_cpu {
    uint32_t seq;
    uint32_t apic_id;
    uint64_t online_ns;             /* when accounting began on this CPU */
    uint64_t charged_until_ns;      /* everything before is in one of the three below */
    uint64_t guest_ns;              /* between VMRUN and #VMEXIT */
    uint64_t hv_ns;                 /* in hv, for a domain or for itself */
    uint64_t idle_ns;               /* halted, nothing to run */
    uint64_t switches;              /* changes of the running vCPU */
    uint64_t interrupts;            /* physical interrupts taken */
};

enum xs_stats_state {
    XS_SLOT_EMPTY = 0,
    XS_SLOT_LIVE = 1,
    XS_SLOT_DYING = 2,              /* destruction began: counters of use are final, memory is coming back */
    XS_SLOT_FINAL = 3,              /* tombstone: kept until acknowledged (xs/meter.h) */
};

/* One incarnation of a domain. A reboot of a guest is a new incarnation. */
struct xs_stats_slot {
    uint32_t seq;
    uint32_t state;                 /* enum xs_stats_state */
    uint32_t domid;                 /* DOMID_XEN (0x7FF2) in slot 0; reused by later domains */
    uint32_t vcpus_running;         /* vCPUs in guest mode or in hv on their own behalf now */
    uint8_t uuid[16];               /* handle of XEN_DOMCTL_createdomain */
    uint8_t incarnation[16];        /* random, never reused */

    uint64_t born_ns, died_ns;      /* died_ns 0 while LIVE; set when destruction begins */
    uint64_t updated_ns;

    /* CPU time, charged from the TSC at every change between guest and hv. */
    uint64_t guest_ns;              /* in guest mode */
    uint64_t hv_ns;                 /* in hv on this domain's behalf: exits, hypercalls */
    uint64_t wait_ns;               /* runnable, but another ran (summed over vCPUs) */
    uint64_t running_since_sum_ns;  /* sum over the running vCPUs of their last charge time */

    /* Memory, in 4 KiB pages. page_ns is the exact integral of pages over
     * time up to page_since_ns, 128 bits; it stops at died_ns. */
    uint64_t pages, pages_peak;
    uint64_t page_ns_lo, page_ns_hi;
    uint64_t page_since_ns;

    uint64_t exits;                 /* #VMEXITs */
    uint64_t hypercalls;
    uint64_t events_sent;           /* EVTCHNOP_send that reached a bound port */
    uint64_t events_received;       /* port set pending that was clear before */
    uint64_t grant_maps, grant_unmaps, grant_copies;

    /* Metered where the bytes cross (xs/meter.h); zero until devices are metered. */
    uint64_t disk_read_ops, disk_write_ops, disk_flush_ops, disk_discard_ops;
    uint64_t disk_read_bytes, disk_write_bytes;
    uint64_t net_rx_packets, net_tx_packets, net_rx_bytes, net_tx_bytes;
    uint64_t net_rx_drops, net_tx_drops;
    uint64_t io_replays;            /* operations that a restarted backend did again: moved, not counted above */

    uint64_t reserved[26];
};

#define XS_STATS_CPU_OFFSET   1024u
#define XS_STATS_SLOT_OFFSET  4096u
#define XS_STATS_BYTES  (XS_STATS_SLOT_OFFSET + XS_STATS_SLOTS * 512u)
#define XS_STATS_FRAMES ((XS_STATS_BYTES + 4095u) / 4096u)

_Static_assert(sizeof(struct xs_stats_header) <= XS_STATS_CPU_OFFSET, "header fits before the CPUs");
_Static_assert(sizeof(struct xs_stats_cpu) == 64, "one cache line");
_Static_assert(XS_STATS_CPU_OFFSET + XS_STATS_CPUS_MAX * sizeof(struct xs_stats_cpu) <= XS_STATS_SLOT_OFFSET,
               "CPU records fit before the slots");
_Static_assert(sizeof(struct xs_stats_slot) == 512, "slots do not straddle pages");

#endif
