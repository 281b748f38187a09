/* Differences of counters. There is no case for a counter that wrapped: 64
 * bits of ns last 584 years, so a counter that fell is a fault, not a wrap. */
#include "accountd/meter.h"

#include <string.h>

const char *const meter_counter_names[METER_COUNTERS] = {
    [METER_GUEST_NS] = "guest_ns",
    [METER_HV_NS] = "hv_ns",
    [METER_WAIT_NS] = "wait_ns",
    [METER_PAGE_NS] = "page_ns",
    [METER_EXITS] = "exits",
    [METER_HYPERCALLS] = "hypercalls",
    [METER_EVENTS_SENT] = "events_sent",
    [METER_EVENTS_RECEIVED] = "events_received",
    [METER_GRANT_MAPS] = "grant_maps",
    [METER_GRANT_UNMAPS] = "grant_unmaps",
    [METER_GRANT_COPIES] = "grant_copies",
    [METER_DISK_READ_OPS] = "disk_read_ops",
    [METER_DISK_WRITE_OPS] = "disk_write_ops",
    [METER_DISK_FLUSH_OPS] = "disk_flush_ops",
    [METER_DISK_DISCARD_OPS] = "disk_discard_ops",
    [METER_DISK_READ_BYTES] = "disk_read_bytes",
    [METER_DISK_WRITE_BYTES] = "disk_write_bytes",
    [METER_NET_RX_PACKETS] = "net_rx_packets",
    [METER_NET_TX_PACKETS] = "net_tx_packets",
    [METER_NET_RX_BYTES] = "net_rx_bytes",
    [METER_NET_TX_BYTES] = "net_tx_bytes",
    [METER_NET_RX_DROPS] = "net_rx_drops",
    [METER_NET_TX_DROPS] = "net_tx_drops",
    [METER_IO_REPLAYS] = "io_replays",
};

#define NS_PER_S      1000000000ull
#define PAGES_PER_GIB 262144ull

const struct meter_quantity_row meter_quantities[METER_QUANTITIES] = {
    [METER_VCPU_RESERVED] = { "vcpu_reserved", "vCPU-second", NS_PER_S },
    [METER_MEMORY_RESERVED] = { "memory_reserved", "GiB-second", 1024 * NS_PER_S },
    [METER_CPU_USED] = { "cpu_used", "CPU-second", NS_PER_S },
    [METER_MEMORY_USED] = { "memory_used", "GiB-second", PAGES_PER_GIB * NS_PER_S },
    [METER_DISK_OPS] = { "disk_ops", "operation", 1 },
    [METER_DISK_BYTES] = { "disk_bytes", "GiB", 1ull << 30 },
    [METER_NET_PACKETS] = { "net_packets", "packet", 1 },
    [METER_NET_BYTES_OUT] = { "net_bytes_out", "GiB", 1ull << 30 },
    [METER_NET_BYTES_IN] = { "net_bytes_in", "GiB", 1ull << 30 },
};

enum meter_quantity meter_quantity_find(const char *name)
{
    for (int q = 0; q < METER_QUANTITIES; q++)
        if (strcmp(meter_quantities[q].name, name) == 0)
            return q;
    return METER_QUANTITIES;
}

int meter_between(const struct meter_point *from, const struct meter_point *to, const struct meter_reserved *reserved,
                  struct meter_usage *usage, const char **fell)
{
    unsigned __int128 d[METER_COUNTERS];
    unsigned __int128 t = (unsigned __int128)to->t_ns - from->t_ns;

    if (to->t_ns < from->t_ns) {
        *fell = "t_ns";
        return -1;
    }
    for (int c = 0; c < METER_COUNTERS; c++) {
        if (to->at[c] < from->at[c]) {
            *fell = meter_counter_names[c];
            return -1;
        }
        d[c] = to->at[c] - from->at[c];
    }
    *usage = (struct meter_usage){ .of = {
        [METER_VCPU_RESERVED] = t * reserved->vcpus,
        [METER_MEMORY_RESERVED] = t * reserved->memory_mib,
        [METER_CPU_USED] = d[METER_GUEST_NS] + d[METER_HV_NS],
        [METER_MEMORY_USED] = d[METER_PAGE_NS],
        [METER_DISK_OPS] = d[METER_DISK_READ_OPS] + d[METER_DISK_WRITE_OPS] + d[METER_DISK_FLUSH_OPS] +
                           d[METER_DISK_DISCARD_OPS],
        [METER_DISK_BYTES] = d[METER_DISK_READ_BYTES] + d[METER_DISK_WRITE_BYTES],
        [METER_NET_PACKETS] = d[METER_NET_RX_PACKETS] + d[METER_NET_TX_PACKETS],
        [METER_NET_BYTES_OUT] = d[METER_NET_TX_BYTES],
        [METER_NET_BYTES_IN] = d[METER_NET_RX_BYTES],
    } };
    return 0;
}

int meter_add(struct meter_usage *sum, const struct meter_usage *more)
{
    struct meter_usage total;

    for (int q = 0; q < METER_QUANTITIES; q++)
        if (__builtin_add_overflow(sum->of[q], more->of[q], &total.of[q]))
            return -1;
    *sum = total;
    return 0;
}

static void copy_counters(const struct xs_stats_slot *slot, unsigned __int128 at[METER_COUNTERS])
{
    at[METER_GUEST_NS] = slot->guest_ns;
    at[METER_HV_NS] = slot->hv_ns;
    at[METER_WAIT_NS] = slot->wait_ns;
    at[METER_PAGE_NS] = (unsigned __int128)slot->page_ns_hi << 64 | slot->page_ns_lo;
    at[METER_EXITS] = slot->exits;
    at[METER_HYPERCALLS] = slot->hypercalls;
    at[METER_EVENTS_SENT] = slot->events_sent;
    at[METER_EVENTS_RECEIVED] = slot->events_received;
    at[METER_GRANT_MAPS] = slot->grant_maps;
    at[METER_GRANT_UNMAPS] = slot->grant_unmaps;
    at[METER_GRANT_COPIES] = slot->grant_copies;
    at[METER_DISK_READ_OPS] = slot->disk_read_ops;
    at[METER_DISK_WRITE_OPS] = slot->disk_write_ops;
    at[METER_DISK_FLUSH_OPS] = slot->disk_flush_ops;
    at[METER_DISK_DISCARD_OPS] = slot->disk_discard_ops;
    at[METER_DISK_READ_BYTES] = slot->disk_read_bytes;
    at[METER_DISK_WRITE_BYTES] = slot->disk_write_bytes;
    at[METER_NET_RX_PACKETS] = slot->net_rx_packets;
    at[METER_NET_TX_PACKETS] = slot->net_tx_packets;
    at[METER_NET_RX_BYTES] = slot->net_rx_bytes;
    at[METER_NET_TX_BYTES] = slot->net_tx_bytes;
    at[METER_NET_RX_DROPS] = slot->net_rx_drops;
    at[METER_NET_TX_DROPS] = slot->net_tx_drops;
    at[METER_IO_REPLAYS] = slot->io_replays;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

struct meter_point meter_point_of(const struct xs_stats_slot *slot, uint64_t now_ns)
{
    struct meter_point point;

    copy_counters(slot, point.at);
    if (slot->state != XS_SLOT_LIVE) {
        /* Use ended at died_ns, and with it the integral of pages. */
        point.t_ns = slot->died_ns;
        return point;
    }
    /* From page_since_ns on the pages have not changed: the integral up to
     * any later instant before the copy is exact, and cannot fall. */
    point.t_ns = now_ns > METER_SETTLE_NS ? now_ns - METER_SETTLE_NS : 0;
    point.t_ns = later(point.t_ns, later(slot->page_since_ns, slot->born_ns));
    point.at[METER_PAGE_NS] += (unsigned __int128)slot->pages * (point.t_ns - slot->page_since_ns);
    return point;
}

uint64_t meter_running_ns(const struct xs_stats_slot *slot, uint64_t now_ns)
{
    unsigned __int128 until = (unsigned __int128)slot->vcpus_running * now_ns;

    if (slot->state != XS_SLOT_LIVE || until < slot->running_since_sum_ns)
        return 0;
    return (uint64_t)(until - slot->running_since_sum_ns);
}

bool meter_cpu_conserved(const struct xs_stats_cpu *cpu)
{
    unsigned __int128 used = (unsigned __int128)cpu->guest_ns + cpu->hv_ns + cpu->idle_ns;

    return cpu->charged_until_ns >= cpu->online_ns && used == cpu->charged_until_ns - cpu->online_ns;
}
