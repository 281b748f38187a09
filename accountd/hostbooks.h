/* The host's own books: each hour of hv's clock, when accountd stops, and when asked, a leaf of type `books` says
 * where every ns of the CPUs went and that ledger, records and counters agree. As a leaf it is signed with the head.
 *
 * Exact: each CPU's guest + hv + idle = the time it was charged for (stats.h); what the ledger was given as usage =
 * what the records since the last statement cost (each account, month, price book and meter priced as F(after) -
 * F(before), which is what its records were charged one by one). Bounded: what all slots have used since boot
 * (records of those that are gone, records and what followed them of those that live) against what the CPUs ran. The
 * two are read one after the other and at most one slice of each CPU is charged in between: HOSTBOOKS_SKEW_NS a CPU,
 * however long ago the boot is. So customers + dom0 + unregistered + hv + idle + skew = wall, where wall is the
 * charged time of all CPUs.
 *
 * Fields of the leaf (flat; ns and nano are decimal strings): host, boot, cpus, from_ms, to_ms, t0_ns, t1_ns; since
 * the last statement of this boot wall_ns, cpu_guest_ns, cpu_hv_ns, idle_ns (the CPU table), customers_ns, dom0_ns,
 * unregistered_ns, hv_ns (slots, guest and hv on their behalf); the same since boot with boot_ before; recorded_...
 * (of that, in records); skew_ns (since boot, CPUs less slots), skew_max_ns; from_index, to_index, records (of
 * customers), from_seq, to_seq, charges, charged_nano, recomputed_nano; drift: "" or what does not close: "cpu",
 * "slots", "ledger".
 *
 * What does not close is an alert of kind `books` that says which CPU, incarnation or leaf, as far as that can be
 * told, and ends when it closes again. A range of the ledger that did not close is counted again in the next
 * statement.
 */
#ifndef ACCOUNTD_HOSTBOOKS_H
#define ACCOUNTD_HOSTBOOKS_H

#include "accountd/record.h"

#define HOSTBOOKS_SKEW_NS 100000000ull

struct accountd;

enum hostbooks_owner { BOOKS_CUSTOMERS, BOOKS_DOM0, BOOKS_UNREGISTERED, BOOKS_HV, BOOKS_OWNERS };

/* CPU time since boot. */
struct hostbooks_sums {
    int64_t wall_ns, guest_ns, hv_ns, idle_ns;  /* of the CPU table */
    int64_t owner_ns[BOOKS_OWNERS];             /* of the slots */
};

/* What an account used of a price book in a month, in the records since from_idx. */
struct hostbooks_tally {
    char account[RECORD_NAME_BYTES], period[8];
    int64_t version;
    struct meter_usage used, before;
};

struct hostbooks {
    char boot[RECORD_HEX_BYTES];
    uint64_t due_ns;                    /* 0: now */
    unsigned unsettled;                 /* samples in a row that were too far apart to say */
    struct hostbooks_sums last;         /* at the last statement of this boot */
    uint64_t last_ns;
    int64_t last_ms;
    uint64_t read_to, recorded_from;    /* leaves read; from where they count as CPU time */
    int64_t recorded_ns[BOOKS_OWNERS];
    uint64_t from_idx;                  /* where the ledger's range begins, and in its entries */
    int64_t from_seq, records;
    struct hostbooks_tally *tallies;
    size_t tallies_count, tally_last;
    char worst[RECORD_HEX_BYTES];       /* who had more CPU time than its vCPUs can have had, */
    int64_t worst_ns;                   /* by so much, */
    uint64_t worst_idx;                 /* in this leaf */
    char lost[RECORD_HEX_BYTES];        /* the last of this boot that went without a last record */
};

/* Goes on from the newest statement in the log. */
int hostbooks_open(struct accountd *a);
/* After each sample that was settled: reads new records, writes what is due. 1: a leaf was written, 0, -1. */
int hostbooks_run(struct accountd *a);
/* Writes one now, after a sample of now. -1 after logging. */
int hostbooks_now(struct accountd *a);
void hostbooks_close(struct accountd *a);

/* hostbooks_check.c. Each raises its alert or clears it. 1: it closes, 0: it does not, -1. */
int hostbooks_check_cpus(struct accountd *a);
int hostbooks_check_slots(struct accountd *a, int64_t skew_ns, int64_t at_most_ns);
int hostbooks_check_ledger(struct accountd *a, int64_t charged_nano, int64_t recomputed_nano);
/* What the tallies' records cost, and `before` of each; -1. */
int hostbooks_recompute(struct accountd *a, int64_t *nano);

#endif
