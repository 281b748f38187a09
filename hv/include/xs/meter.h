/* Hypercall 55, meter_op: what dom0's daemons ask of the meter.
 *
 * Called as HYPERVISOR(55, cmd, arg) with arg the guest-virtual address of the
 * command's struct. Only dom0 may call: others get -EPERM. Every struct is
 * copied once, then checked. Errors common to all: -EFAULT arg is not
 * readable (or, for results, writable); -ENOSYS no such command.
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

#endif
