/* Hypercall 55 (xs/meter.h): its commands; those on tombstones and the inventory are here, channels and limits in
 * channel.c, the copy in meter_copy.c. */
#include "hv/stats/channel.h"
#include "hv/evtchn/evtchn.h"
#include "hv/gnttab/gnttab.h"
#include "hv/mm/guestcopy.h"
#include "hv/stats/stats.h"

static long op_ack(uint64_t arg_va)
{
    struct xs_meter_ack ack;

    if (copy_from_guest(&ack, arg_va, sizeof(ack)))
        return -EFAULT;
    return stats_ack(ack.slot, ack.incarnation);
}

static void inventory_add(struct xs_meter_inventory *sum, struct domain *d)
{
    sum->pages_owned += READ_ONCE(d->pages);
    sum->foreign_maps += (uint32_t)READ_ONCE(d->p2m.foreign_maps);
    if (d->dead)
        return;
    sum->domains++;
    sum->vcpus += d->nr_vcpus;
    sum->ports += evtchn_count(d);
    sum->grant_maps += gnttab_map_count(d);
}

static long op_inventory(uint64_t arg_va)
{
    struct xs_meter_inventory sum = { .pages_free = pages_free, .pages_hv = pages_hv };
    unsigned next = 0;
    struct domain *d;

    while (next < DOMID_LIMIT && (d = domain_get_from((domid_t)next))) {
        next = d->id + 1u;
        inventory_add(&sum, d);
        domain_put(d);
    }
    sum.slots_used = stats_slots_used();
    return copy_to_guest(arg_va, &sum, sizeof(sum)) ? -EFAULT : 0;
}

long do_meter_op(unsigned cmd, uint64_t arg_va)
{
    if (!current_vcpu()->domain->privileged)
        return -EPERM;
    switch (cmd) {
    case XS_METER_ack: return op_ack(arg_va);
    case XS_METER_inventory: return op_inventory(arg_va);
    case XS_METER_open: return meter_op_open(arg_va);
    case XS_METER_close: return meter_op_close(arg_va);
    case XS_METER_limit: return meter_op_limit(arg_va);
    case XS_METER_copy: return meter_op_copy(arg_va);
    }
    return -ENOSYS;
}
