/* The stats page. Time is charged in words of the CPU and of the vCPU without a lock (stats.h, inline); publishing
 * moves them here, under the slot's lock and sequence word.
 *
 * A slot has one writer at a time: d->stats_lock while a domain holds it, slots_lock while it is EMPTY or FINAL, its
 * own lock for slot 0. What was charged to a domain that has no slot any more goes to slot 0, so that the sum of the
 * slots stays the sum of the CPUs. */
#include "hv/stats/stats.h"
#include "hv/arch/tsc.h"
#include "hv/lib/string.h"
#include <xs/meter.h>
#include <xs/stats.h>

_Static_assert(XS_STATS_SLOT_OFFSET == PAGE_SIZE, "the header's page, then the slots");
_Static_assert(CPUS_MAX <= XS_STATS_CPUS_MAX, "a record for each CPU");
#define SLOTS_ORDER 6
_Static_assert(XS_STATS_SLOTS * sizeof(struct xs_stats_slot) == PAGE_SIZE << SLOTS_ORDER, "the slots fill their run");

static struct xs_stats_header *header;
static struct xs_stats_slot *slots;
static struct spinlock slots_lock;      /* who holds which slot; EMPTY and FINAL slots; the header. Outside stats_lock */
static struct spinlock hv_slot_lock;    /* slot 0; as stats_lock, and never together with one */

/* Each entry is its own CPU's. */
static uint64_t own_ns[CPUS_MAX];               /* hv time on nobody's behalf, not yet in slot 0 */
static uint64_t running_since_ns[CPUS_MAX];     /* what the vCPU running here has in running_since_sum_ns */
static struct vcpu *running[CPUS_MAX];

/* The writer's half of the protocol in xs/stats.h. The fence keeps the odd number before the data, its partner is the
 * reader's acquire fence; the release keeps the data before the even number, its partner the reader's acquire load. */
static void write_begin(uint32_t *seq)
{
    __atomic_store_n(seq, *seq + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

static void write_end(uint32_t *seq)
{
    __atomic_store_n(seq, *seq + 1, __ATOMIC_RELEASE);
}

/* The domain's slot, locked and its sequence odd; NULL, with nothing locked, if it has none. */
static struct xs_stats_slot *slot_open(struct domain *d, uint64_t now_ns)
{
    struct xs_stats_slot *slot;

    spin_lock(&d->stats_lock);
    if (!d->stats_slot) {
        spin_unlock(&d->stats_lock);
        return NULL;
    }
    slot = &slots[d->stats_slot];
    write_begin(&slot->seq);
    slot->updated_ns = MAX(slot->updated_ns, now_ns);
    return slot;
}

static void slot_close(struct domain *d, struct xs_stats_slot *slot)
{
    write_end(&slot->seq);
    spin_unlock(&d->stats_lock);
}

static void hv_slot_add(uint64_t guest_ns, uint64_t hv_ns, uint64_t now_ns)
{
    struct xs_stats_slot *slot = &slots[0];

    spin_lock(&hv_slot_lock);
    write_begin(&slot->seq);
    slot->guest_ns += guest_ns;
    slot->hv_ns += hv_ns;
    slot->updated_ns = MAX(slot->updated_ns, now_ns);
    write_end(&slot->seq);
    spin_unlock(&hv_slot_lock);
}

static void header_init(const uint8_t boot_id[16], uint64_t boot_wall_ns)
{
    *header = (struct xs_stats_header){
        .magic = XS_STATS_MAGIC, .version = XS_STATS_VERSION, .header_size = sizeof(struct xs_stats_header),
        .cpu_offset = XS_STATS_CPU_OFFSET, .cpu_size = sizeof(struct xs_stats_cpu),
        .slot_offset = XS_STATS_SLOT_OFFSET, .slot_size = sizeof(struct xs_stats_slot), .nr_slots = XS_STATS_SLOTS,
        .tsc_base = tsc_base, .tsc_mul = tsc_mul, .tsc_shift = tsc_shift, .tsc_khz = tsc_khz,
        .boot_wall_ns = boot_wall_ns,
        .pages_total = pages_total, .pages_hv = pages_hv, .pages_free = pages_free, .slots_used = 1,
    };
    memcpy(header->boot_id, boot_id, sizeof(header->boot_id));
}

void stats_init(const uint8_t boot_id[16], uint64_t boot_wall_ns)
{
    struct xs_stats_header *page = page_alloc_hv(0);

    slots = page_alloc_hv(SLOTS_ORDER);
    if (!page || !slots)
        panic("stats: no memory for the stats page (%u KiB): give the machine more", XS_STATS_BYTES / 1024);
    spin_init(&slots_lock);
    spin_init(&hv_slot_lock);
    slots[0].state = XS_SLOT_LIVE;
    slots[0].domid = DOMID_XEN;
    memcpy(slots[0].incarnation, boot_id, sizeof(slots[0].incarnation));
    header = page;
    header_init(boot_id, boot_wall_ns);
}

void stats_cpu_online(struct percpu *cpu, uint64_t now_ns)
{
    struct xs_stats_cpu *rec = (struct xs_stats_cpu *)((char *)header + XS_STATS_CPU_OFFSET) + cpu->id;

    *rec = (struct xs_stats_cpu){ .apic_id = cpu->apic_id, .online_ns = now_ns, .charged_until_ns = now_ns };
    cpu->charged_until_ns = now_ns;
    cpu->guest_ns = cpu->hv_ns = cpu->idle_ns = 0;
    cpu->stats = rec;
    spin_lock(&slots_lock);
    header->nr_cpus = MAX(header->nr_cpus, cpu->id + 1);
    spin_unlock(&slots_lock);
}

mfn_t stats_frame(unsigned frame)
{
    if (frame >= XS_STATS_FRAMES)
        return MFN_INVALID;
    return frame == 0 ? virt_to_mfn(header) : MFN(virt_to_mfn(slots).n + frame - 1);
}

void stats_charge_hv(struct percpu *cpu, struct vcpu *v, uint64_t now_ns)
{
    uint64_t delta = now_ns - cpu->charged_until_ns;

    cpu->charged_until_ns = now_ns;
    cpu->hv_ns += delta;
    if (v)
        v->hv_ns += delta;
    else
        own_ns[cpu->id] += delta;
}

void stats_charge_idle(struct percpu *cpu, uint64_t now_ns)
{
    cpu->idle_ns += now_ns - cpu->charged_until_ns;
    cpu->charged_until_ns = now_ns;
}

static void cpu_publish(struct percpu *cpu)
{
    struct xs_stats_cpu *rec = cpu->stats;

    write_begin(&rec->seq);
    rec->charged_until_ns = cpu->charged_until_ns;
    rec->guest_ns = cpu->guest_ns;
    rec->hv_ns = cpu->hv_ns;
    rec->idle_ns = cpu->idle_ns;
    rec->switches = cpu->switches;
    rec->interrupts = cpu->interrupts;
    write_end(&rec->seq);
    if (own_ns[cpu->id]) {
        hv_slot_add(0, own_ns[cpu->id], cpu->charged_until_ns);
        own_ns[cpu->id] = 0;
    }
}

/* A running vCPU is extrapolated from its last charge, which is now, or no more if it leaves. */
static void running_advance_locked(struct percpu *cpu, struct xs_stats_slot *slot, bool leaves)
{
    slot->running_since_sum_ns -= running_since_ns[cpu->id];
    if (leaves) {
        slot->vcpus_running--;
    } else {
        running_since_ns[cpu->id] = cpu->charged_until_ns;
        slot->running_since_sum_ns += cpu->charged_until_ns;
    }
}

/* Moves what v gathered since the last time. */
static void vcpu_publish(struct percpu *cpu, struct vcpu *v, bool leaves)
{
    struct xs_stats_slot *slot = slot_open(v->domain, cpu->charged_until_ns);

    if (slot) {
        slot->guest_ns += v->guest_ns;
        slot->hv_ns += v->hv_ns;
        slot->exits += v->exits;
        slot->hypercalls += v->hypercalls;
        if (running[cpu->id] == v)
            running_advance_locked(cpu, slot, leaves);
        slot_close(v->domain, slot);
    } else {
        hv_slot_add(v->guest_ns, v->hv_ns, cpu->charged_until_ns);
    }
    v->guest_ns = v->hv_ns = 0;
    v->exits = v->hypercalls = 0;
}

void stats_publish(struct percpu *cpu, struct vcpu *v)
{
    cpu_publish(cpu);
    if (v)
        vcpu_publish(cpu, v, false);
}

void stats_switch_in(struct percpu *cpu, struct vcpu *v, uint64_t now_ns, uint64_t waited_ns)
{
    struct xs_stats_slot *slot;

    ASSERT(!running[cpu->id]);
    stats_charge_hv(cpu, v, now_ns);
    cpu_publish(cpu);
    slot = slot_open(v->domain, now_ns);
    if (!slot)
        return;
    slot->wait_ns += waited_ns;
    slot->vcpus_running++;
    slot->running_since_sum_ns += now_ns;
    slot_close(v->domain, slot);
    running[cpu->id] = v;
    running_since_ns[cpu->id] = now_ns;
}

void stats_switch_out(struct percpu *cpu, struct vcpu *v, uint64_t now_ns)
{
    stats_charge_hv(cpu, v, now_ns);
    cpu_publish(cpu);
    vcpu_publish(cpu, v, true);
    if (running[cpu->id] == v)
        running[cpu->id] = NULL;
}

/* Brings the integral up to now. Clocks of two CPUs may differ by a little: time never runs backwards here. */
static void pages_integrate(struct xs_stats_slot *slot, uint64_t now_ns)
{
    unsigned __int128 sum = (unsigned __int128)slot->page_ns_hi << 64 | slot->page_ns_lo;

    if (now_ns <= slot->page_since_ns)
        return;
    sum += (unsigned __int128)slot->pages * (now_ns - slot->page_since_ns);
    slot->page_ns_lo = (uint64_t)sum;
    slot->page_ns_hi = (uint64_t)(sum >> 64);
    slot->page_since_ns = now_ns;
}

void stats_pages_changed(struct domain *d, uint64_t pages, uint64_t now_ns)
{
    struct xs_stats_slot *slot = slot_open(d, now_ns);

    if (!slot)
        return;
    if (slot->state == XS_SLOT_LIVE)
        pages_integrate(slot, now_ns);
    slot->pages = pages;
    slot->pages_peak = MAX(slot->pages_peak, pages);
    slot_close(d, slot);
}

/* Everything but the sequence word, which goes on through all uses of a slot. */
static void slot_reset_locked(struct xs_stats_slot *slot)
{
    memset((char *)slot + sizeof(slot->seq), 0, sizeof(*slot) - sizeof(slot->seq));
}

static void slot_fill_locked(struct xs_stats_slot *slot, const struct domain *d, uint64_t now_ns)
{
    write_begin(&slot->seq);
    slot_reset_locked(slot);
    slot->state = XS_SLOT_LIVE;
    slot->domid = d->id;
    memcpy(slot->uuid, d->uuid, sizeof(slot->uuid));
    memcpy(slot->incarnation, d->incarnation, sizeof(slot->incarnation));
    slot->born_ns = slot->updated_ns = slot->page_since_ns = now_ns;
    slot->pages = slot->pages_peak = d->pages;
    write_end(&slot->seq);
}

int stats_domain_create(struct domain *d, uint64_t now_ns)
{
    unsigned slot = 1;

    spin_lock(&slots_lock);
    while (slot < XS_STATS_SLOTS && slots[slot].state != XS_SLOT_EMPTY)
        slot++;
    if (slot < XS_STATS_SLOTS) {
        slot_fill_locked(&slots[slot], d, now_ns);
        spin_lock(&d->stats_lock);
        d->stats_slot = slot;
        spin_unlock(&d->stats_lock);
        header->slots_used++;
    }
    spin_unlock(&slots_lock);
    return slot < XS_STATS_SLOTS ? 0 : -ENOSPC;
}

void stats_domain_dying(struct domain *d, uint64_t now_ns)
{
    struct xs_stats_slot *slot = slot_open(d, now_ns);

    if (!slot)
        return;
    if (slot->state == XS_SLOT_LIVE) {
        pages_integrate(slot, now_ns);
        slot->died_ns = slot->page_since_ns;
        slot->state = XS_SLOT_DYING;
    }
    slot_close(d, slot);
}

void stats_domain_final(struct domain *d, uint64_t now_ns)
{
    struct xs_stats_slot *slot;

    stats_domain_dying(d, now_ns);
    spin_lock(&slots_lock);                     /* an ack must not see FINAL before the sequence is even again */
    slot = slot_open(d, now_ns);
    if (slot) {
        ASSERT(slot->vcpus_running == 0);
        slot->state = XS_SLOT_FINAL;
        d->stats_slot = 0;
        slot_close(d, slot);
    }
    spin_unlock(&slots_lock);
}

_Static_assert(offsetof(struct xs_stats_slot, grant_copies) ==
               offsetof(struct xs_stats_slot, events_sent) + STATS_GRANT_COPIES * sizeof(uint64_t), "one run of counters");

/* An event is no reason to read the clock, and updated_ns is about time: it stays. */
void stats_count(struct domain *d, enum stats_counter which, uint64_t n)
{
    struct xs_stats_slot *slot = slot_open(d, 0);

    if (!slot)
        return;
    (&slot->events_sent)[which] += n;        /* in the enum's order */
    slot_close(d, slot);
}

#define FIELD(name) offsetof(struct xs_stats_slot, name)
/* What an operation of each kind adds to; 0: nothing. */
static const struct io_fields {
    uint16_t ops, bytes;
} io_fields[] = {
    [XS_METER_disk_read] = { FIELD(disk_read_ops), FIELD(disk_read_bytes) },
    [XS_METER_disk_write] = { FIELD(disk_write_ops), FIELD(disk_write_bytes) },
    [XS_METER_disk_flush] = { FIELD(disk_flush_ops), 0 },
    [XS_METER_disk_discard] = { FIELD(disk_discard_ops), 0 },
    [XS_METER_net_tx] = { FIELD(net_tx_packets), FIELD(net_tx_bytes) },
    [XS_METER_net_rx] = { FIELD(net_rx_packets), FIELD(net_rx_bytes) },
    [XS_METER_net_tx_drop] = { FIELD(net_tx_drops), 0 },
    [XS_METER_net_rx_drop] = { FIELD(net_rx_drops), 0 },
    [XS_METER_control] = { 0, 0 },
};

static void field_add(struct xs_stats_slot *slot, uint16_t field, uint64_t n)
{
    if (field)
        *(uint64_t *)((char *)slot + field) += n;
}

void stats_count_io(struct domain *d, unsigned kind, uint64_t bytes, unsigned copies, bool replay)
{
    const struct io_fields *to = &io_fields[kind];
    struct xs_stats_slot *slot = slot_open(d, 0);

    if (!slot)
        return;
    field_add(slot, replay ? FIELD(io_replays) : to->ops, 1);
    field_add(slot, replay ? 0 : to->bytes, bytes);
    slot->grant_copies += copies;
    slot_close(d, slot);
}

int stats_ack(unsigned slot, const uint8_t incarnation[16])
{
    struct xs_stats_slot *s;
    int rc = -ENOENT;

    if (slot == 0 || slot >= XS_STATS_SLOTS)
        return -ENOENT;
    s = &slots[index_nospec(slot, XS_STATS_SLOTS)];
    spin_lock(&slots_lock);
    if (s->state != XS_SLOT_EMPTY && memcmp(s->incarnation, incarnation, sizeof(s->incarnation)) == 0) {
        rc = -EBUSY;
        if (s->state == XS_SLOT_FINAL) {
            write_begin(&s->seq);
            slot_reset_locked(s);
            write_end(&s->seq);
            header->slots_used--;
            rc = 0;
        }
    }
    spin_unlock(&slots_lock);
    return rc;
}

unsigned stats_slots_used(void)
{
    return (unsigned)READ_ONCE(header->slots_used);
}

void stats_pages_free(uint64_t free, uint64_t hv)
{
    if (!header)
        return;
    WRITE_ONCE(header->pages_free, free);
    WRITE_ONCE(header->pages_hv, hv);
}
