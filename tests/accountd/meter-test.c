/* meter.c: what is billed between two points, and which point a slot gives. */
#include "accountd/meter.h"
#include "tests/tap/tap.h"

#include <string.h>

#define U128_MAX (~(unsigned __int128)0)

static const struct meter_reserved reserved = { .vcpus = 2, .memory_mib = 512 };

static void test_between(void)
{
    struct meter_point from = { .t_ns = 1000 }, to = { .t_ns = 4000 };
    struct meter_usage usage;
    const char *fell = "";

    from.at[METER_GUEST_NS] = 10;
    to.at[METER_GUEST_NS] = 110;
    from.at[METER_HV_NS] = 5;
    to.at[METER_HV_NS] = 12;
    to.at[METER_WAIT_NS] = 999;
    to.at[METER_PAGE_NS] = (unsigned __int128)1 << 100;
    to.at[METER_DISK_READ_OPS] = 1;
    to.at[METER_DISK_WRITE_OPS] = 2;
    to.at[METER_DISK_FLUSH_OPS] = 4;
    to.at[METER_DISK_DISCARD_OPS] = 8;
    to.at[METER_DISK_READ_BYTES] = 512;
    to.at[METER_DISK_WRITE_BYTES] = 1024;
    to.at[METER_NET_RX_PACKETS] = 3;
    to.at[METER_NET_TX_PACKETS] = 4;
    to.at[METER_NET_RX_BYTES] = 300;
    to.at[METER_NET_TX_BYTES] = 400;
    to.at[METER_NET_RX_DROPS] = 50;
    to.at[METER_NET_TX_DROPS] = 60;
    to.at[METER_IO_REPLAYS] = 70;
    check(meter_between(&from, &to, &reserved, &usage, &fell) == 0, "growing counters are billed");
    check(usage.of[METER_VCPU_RESERVED] == 6000, "2 vCPUs for 3000 ns");
    check(usage.of[METER_MEMORY_RESERVED] == 1536000, "512 MiB for 3000 ns");
    check(usage.of[METER_CPU_USED] == 107, "guest and hypervisor time, not waiting");
    check(usage.of[METER_MEMORY_USED] == (unsigned __int128)1 << 100, "the page integral in 128 bits");
    check(usage.of[METER_DISK_OPS] == 15 && usage.of[METER_DISK_BYTES] == 1536, "disk: every kind of operation, and the bytes");
    check(usage.of[METER_NET_PACKETS] == 7 && usage.of[METER_NET_BYTES_OUT] == 400 &&
          usage.of[METER_NET_BYTES_IN] == 300, "network, each way; drops and replays cost nothing");
}

static void test_every_fall_is_named(void)
{
    for (int c = 0; c < METER_COUNTERS; c++) {
        struct meter_point from = { .t_ns = 1 }, to = { .t_ns = 2 };
        struct meter_usage usage = { { 77 } };
        const char *fell = "";

        from.at[c] = 5;
        to.at[c] = 4;
        check(meter_between(&from, &to, &reserved, &usage, &fell) == -1 && strcmp(fell, meter_counter_names[c]) == 0 &&
              usage.of[0] == 77, "%s fell: named, nothing billed", meter_counter_names[c]);
    }
}

static void test_time_fell(void)
{
    struct meter_point from = { .t_ns = 2 }, to = { .t_ns = 1 };
    struct meter_usage usage;
    const char *fell = "";

    check(meter_between(&from, &to, &reserved, &usage, &fell) == -1 && strcmp(fell, "t_ns") == 0, "time fell: named");
}

static void test_telescoping(void)
{
    struct meter_point point[3] = { { .t_ns = 100 }, { .t_ns = 12345 }, { .t_ns = 987654321 } };
    struct meter_usage first, second, sum = { { 0 } }, whole;
    const char *fell;

    for (int c = 0; c < METER_COUNTERS; c++) {
        point[1].at[c] = 1000u + 17u * (unsigned)c;
        point[2].at[c] = 5000000000u + 13u * (unsigned)c;
    }
    meter_between(&point[0], &point[1], &reserved, &first, &fell);
    meter_between(&point[1], &point[2], &reserved, &second, &fell);
    meter_between(&point[0], &point[2], &reserved, &whole, &fell);
    check(meter_add(&sum, &first) == 0 && meter_add(&sum, &second) == 0 && memcmp(&sum, &whole, sizeof(sum)) == 0,
          "two segments bill what one over both would");
}

static void test_add_overflow(void)
{
    struct meter_usage sum = { { 0 } }, more = { { 0 } };

    sum.of[METER_CPU_USED] = U128_MAX;
    sum.of[METER_VCPU_RESERVED] = 3;
    more.of[METER_CPU_USED] = 1;
    more.of[METER_VCPU_RESERVED] = 1;
    check(meter_add(&sum, &more) == -1 && sum.of[METER_VCPU_RESERVED] == 3, "a sum past 128 bits is refused, unchanged");
}

static void test_live_point(void)
{
    struct xs_stats_slot slot = { .state = XS_SLOT_LIVE, .born_ns = 1000, .pages = 7, .page_since_ns = 2000,
                                  .page_ns_lo = 50, .page_ns_hi = 1, .guest_ns = 33 };
    uint64_t now_ns = 10000 + METER_SETTLE_NS;
    struct meter_point point = meter_point_of(&slot, now_ns);

    check(point.t_ns == 10000, "a live point lies METER_SETTLE_NS back");
    check(point.at[METER_PAGE_NS] == ((unsigned __int128)1 << 64) + 50 + 7 * 8000, "pages are integrated up to it");
    check(point.at[METER_GUEST_NS] == 33, "charged time is taken as it is");
    slot.page_since_ns = now_ns - 5;
    point = meter_point_of(&slot, now_ns);
    check(point.t_ns == now_ns - 5 && point.at[METER_PAGE_NS] == ((unsigned __int128)1 << 64) + 50,
          "never before the last change of pages");
    slot.page_since_ns = 0;
    slot.born_ns = now_ns - 3;
    check(meter_point_of(&slot, now_ns).t_ns == now_ns - 3, "never before its birth");
}

static void test_dead_point(void)
{
    struct xs_stats_slot slot = { .state = XS_SLOT_FINAL, .born_ns = 1, .died_ns = 500, .pages = 7,
                                  .page_since_ns = 400, .page_ns_lo = 60 };
    struct meter_point point = meter_point_of(&slot, 99999999999ull);

    check(point.t_ns == 500 && point.at[METER_PAGE_NS] == 60, "a dead slot's point is its death, its integral final");
}

static void test_running(void)
{
    struct xs_stats_slot slot = { .state = XS_SLOT_LIVE, .vcpus_running = 2, .running_since_sum_ns = 150 };

    check(meter_running_ns(&slot, 100) == 50, "two running vCPUs: 2 * now - sum of starts");
    check(meter_running_ns(&slot, 70) == 0, "never negative");
    slot.state = XS_SLOT_DYING;
    check(meter_running_ns(&slot, 100) == 0, "the dying do not run");
}

static void test_cpu_books(void)
{
    struct xs_stats_cpu cpu = { .online_ns = 10, .charged_until_ns = 110, .guest_ns = 50, .hv_ns = 30, .idle_ns = 20 };

    check(meter_cpu_conserved(&cpu), "guest + hv + idle = time accounted");
    cpu.idle_ns++;
    check(!meter_cpu_conserved(&cpu), "one ns too much is seen");
    cpu.idle_ns -= 2;
    check(!meter_cpu_conserved(&cpu), "one ns too little is seen");
    cpu = (struct xs_stats_cpu){ .online_ns = 10, .charged_until_ns = 9, .guest_ns = UINT64_MAX };
    check(!meter_cpu_conserved(&cpu), "charged before online is seen");
}

int main(void)
{
    test_between();
    test_every_fall_is_named();
    test_time_fell();
    test_telescoping();
    test_add_overflow();
    test_live_point();
    test_dead_point();
    test_running();
    test_cpu_books();
    return tap_end();
}
