/* Sole writer of the stats page (hv/include/xs/stats.h is the contract). */
#ifndef STATS_STATS_H
#define STATS_STATS_H

#include "hv/domain/domain.h"
#include "hv/arch/percpu.h"
#include "hv/stats/account.h"

/* boot_id: 16 random bytes; wall: UTC ns at now_ns() == 0. Allocates the page run. */
void stats_init(const uint8_t boot_id[16], uint64_t boot_wall_ns);
void stats_cpu_online(struct percpu *cpu, uint64_t now_ns);
mfn_t stats_frame(unsigned frame);                      /* < XS_STATS_FRAMES; MFN_INVALID beyond */

/* Charging. Everything from cpu->charged_until_ns to now_ns goes to one class of this CPU and, for guest and hv, to v
 * (NULL: hv's own slot). Inline and lock-free: per-CPU and per-vCPU words only; stats_publish moves them to the page. */
static inline void stats_charge_guest(struct percpu *cpu, struct vcpu *v, uint64_t now_ns)
{
    uint64_t delta = now_ns - cpu->charged_until_ns;

    cpu->charged_until_ns = now_ns;
    cpu->guest_ns += delta;
    v->guest_ns += delta;
}

void stats_charge_hv(struct percpu *cpu, struct vcpu *v, uint64_t now_ns);
void stats_charge_idle(struct percpu *cpu, uint64_t now_ns);

/* Publishes this CPU's record and, when v is given, what v accumulated since its last publish (guest_ns, hv_ns,
 * exits, hypercalls are moved into the slot and zeroed). Called at switch-out, at each slice end, before destroy. */
void stats_publish(struct percpu *cpu, struct vcpu *v);
/* v starts or stops running here: charges hv's time up to now to v, publishes, and keeps vcpus_running and
 * running_since_sum_ns. */
void stats_switch_in(struct percpu *cpu, struct vcpu *v, uint64_t now_ns, uint64_t waited_ns);
void stats_switch_out(struct percpu *cpu, struct vcpu *v, uint64_t now_ns);

/* Domain life. create: 0, -ENOSPC every slot is taken (unacknowledged tombstones included). */
int stats_domain_create(struct domain *d, uint64_t now_ns) __must_check;
void stats_domain_dying(struct domain *d, uint64_t now_ns);
void stats_domain_final(struct domain *d, uint64_t now_ns);     /* slot becomes a tombstone; d->stats_slot is 0 after */

/* Events and grants: counters that the modules above add to. Any CPU. */
enum stats_counter { STATS_EVENTS_SENT, STATS_EVENTS_RECEIVED, STATS_GRANT_MAPS, STATS_GRANT_UNMAPS, STATS_GRANT_COPIES };
void stats_count(struct domain *d, enum stats_counter which, uint64_t n);
/* One operation of XS_METER_copy, enum xs_meter_kind: `bytes` moved in `copies` segments. replay: it was counted before.
 * Any CPU. */
void stats_count_io(struct domain *d, unsigned kind, uint64_t bytes, unsigned copies, bool replay);

/* XS_METER_ack: 0, -ENOENT, -EBUSY. */
int stats_ack(unsigned slot, const uint8_t incarnation[16]) __must_check;
unsigned stats_slots_used(void);

#endif
