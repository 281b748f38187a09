/* Hypercall 55, meter_op: what dom0's daemons ask of the meter.
 *
 * Called as HYPERVISOR(55, cmd, arg) with arg the guest-virtual address of the
 * command's struct. Only dom0 may call: others get -EPERM. Every struct is
 * copied once, then checked. Errors common to all: -EFAULT arg is not
 * readable (or, for results, writable); -ENOSYS no such command.
 *
 * All commands but one are for dom0's kernel mode (a process with privcmd).
 * XS_METER_copy alone may also be called from dom0's user mode, by VMMCALL
 * itself: what it may touch is bounded by the channel's token, so that a
 * backend process needs no right to any other hypercall. User mode's rights
 * to its own pages are honoured in the software walk.
 */
#ifndef XS_METER_H
#define XS_METER_H

#include <stdint.h>

#define XS_HC_METER_OP  55

/* XS_METER_ack: the final counters in `slot` are durable with the caller; free the slot.
 * 0; -ENOENT the slot does not hold this incarnation (also: acknowledged before);
 * -EBUSY the slot is not FINAL yet. */
#define XS_METER_ack    1
struct xs_meter_ack {
    uint32_t slot;
    uint32_t pad;                   /* 0 */
    uint8_t incarnation[16];
};

/* XS_METER_inventory: what hv holds, counted by walking its tables at this moment,
 * for leak checks. 0. */
#define XS_METER_inventory 2
struct xs_meter_inventory {         /* all out */
    uint64_t pages_free;
    uint64_t pages_owned;           /* by domains, dom0 included */
    uint64_t pages_hv;              /* page tables, domain structures, hv image */
    uint32_t domains;               /* live and dying, dom0 included */
    uint32_t vcpus;
    uint32_t ports;                 /* event channels not closed, all domains */
    uint32_t grant_maps;            /* live map handles, all domains */
    uint32_t foreign_maps;          /* foreign pages in p2ms */
    uint32_t slots_used;
};

/* Channels. A channel stands for one device of one guest: who holds its token
 * may move bytes between pages which that guest granted to dom0 and its own
 * buffers, and cannot do so without their being counted for the guest.
 *
 * XS_METER_open: makes the channel, or, when this guest's device has one, gives
 * it a new token: the old one is void from here on, what was counted stays
 * remembered, and a copy that the old one began is over when this returns. A
 * channel ends with XS_METER_close or with its domain. When the frontend connects
 * anew, its ring and so its numbers begin at 0: close, then open.
 * 0; -ESRCH no such domain, or it is dying, or dom0; -EINVAL class, pad;
 * -ENOSPC the domain has XS_METER_CHANNELS_MAX channels. */
#define XS_METER_open   3
#define XS_METER_CHANNELS_MAX  16u      /* of one domain */
#define XS_METER_CLASS_disk  1u
#define XS_METER_CLASS_net   2u
struct xs_meter_open {
    uint32_t domid;
    uint32_t class;
    uint32_t device;                    /* the caller's name for it, e.g. 51712 */
    uint32_t channel;                   /* out */
    uint8_t token[16];                  /* out, random */
};

/* XS_METER_close: {domid, class, device} as opened. 0; -ENOENT. When it
 * returns, no copy on that channel is under way, nor will one begin. */
#define XS_METER_close  4
struct xs_meter_close {
    uint32_t domid;
    uint32_t class;
    uint32_t device;
    uint32_t pad;                       /* 0 */
};

/* XS_METER_limit: how much I/O of one class (all its devices together) a domain
 * may do: token buckets that hold up to burst_ms worth of the rate, full at
 * first. 0 for a rate: no limit. An operation passes when its bucket is above
 * zero and may overdraw it, so a large one is never stuck. Drops and control pass.
 * 0; -ESRCH; -EINVAL class; burst_ms 0 or above 60000 with a rate given. */
#define XS_METER_limit  5
struct xs_meter_limit {
    uint32_t domid;
    uint32_t class;
    uint64_t ops_per_s;
    uint64_t bytes_per_s;
    uint32_t burst_ms;
    uint32_t pad;                       /* 0 */
};

/* XS_METER_copy: up to XS_METER_OPS_MAX operations in order. An operation is what the
 * guest would call one: a request of its disk, a packet. Its bytes and itself
 * are counted in the same step that moves them.
 *
 * Each operation has a number, `seq`: the free-running index of the (first)
 * ring slot it came in. A backend that was killed after a copy and before its
 * answer to the guest does the operation again with its new token; hv moves the
 * bytes again but counts a number once (per channel and direction: disk and transmit,
 * receive), so that a crash costs the guest nothing. Repeated ones are counted
 * apart, in `io_replays` of the slot. With one token a number is done once, or
 * bytes could be moved for nothing: then -ESTALE. hv remembers the last
 * XS_METER_WINDOW numbers up to the highest one seen: an older one is refused
 * (-ESTALE). An operation that failed is not remembered.
 *
 * The call returns 0 when `done` and the results are written: ops[0..done) have
 * status and moved. done < nr_ops: the limit was reached; ops[done] passes in
 * retry_ns. Otherwise -EACCES no such channel, or not this token (one answer for
 * both); -EINVAL nr_ops; -EFAULT; -ESRCH the guest is dying. Preempted between
 * operations: nothing is done or counted twice. */
#define XS_METER_copy   6
#define XS_METER_OPS_MAX    64u
#define XS_METER_SEGS_MAX   32u
#define XS_METER_WINDOW     512u

enum xs_meter_kind {
    XS_METER_disk_read = 1,             /* to the guest; class disk */
    XS_METER_disk_write,                /* from the guest */
    XS_METER_disk_flush,                /* no segments */
    XS_METER_disk_discard,              /* no segments */
    XS_METER_net_tx,                    /* from the guest; class net */
    XS_METER_net_rx,                    /* to the guest */
    XS_METER_net_tx_drop,               /* no segments, seq ignored: taken from the guest and thrown away */
    XS_METER_net_rx_drop,               /* no segments, seq ignored: not deliverable */
    XS_METER_control,                   /* class disk, from the guest, one segment, seq ignored: a page of descriptors.
                                         * Neither counted as I/O nor limited */
};

struct xs_meter_seg {
    uint32_t ref;                       /* the guest's grant to dom0 */
    uint16_t offset, len;               /* in that page: offset + len <= 4096, len > 0 */
    uint64_t buffer;                    /* guest-virtual, the caller's */
};

struct xs_meter_op {
    uint64_t seq;
    uint8_t kind;                       /* enum xs_meter_kind */
    uint8_t nr_segs;                    /* <= XS_METER_SEGS_MAX */
    int16_t status;                     /* out: 0; -EINVAL kind or segments; -ESTALE; -EPERM the grant does not allow it;
                                         * -EFAULT segments or buffers are not there, and nothing was moved.
                                         * With -EPERM, segments before the one that failed were moved and
                                         * are counted, as is the operation when any was */
    uint32_t moved;                     /* out: bytes */
    uint64_t segs;                      /* struct xs_meter_seg[nr_segs], guest-virtual */
};

struct xs_meter_copy {
    uint8_t token[16];
    uint32_t channel;
    uint32_t nr_ops;
    uint64_t ops;                       /* struct xs_meter_op[nr_ops], guest-virtual, written to */
    uint32_t done;                      /* in 0; out */
    uint32_t pad;                       /* 0 */
    uint64_t retry_ns;                  /* out */
};

_Static_assert(sizeof(struct xs_meter_seg) == 16 && sizeof(struct xs_meter_op) == 24 &&
               sizeof(struct xs_meter_copy) == 48, "the layout is a contract");

#endif
