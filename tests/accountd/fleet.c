#include "tests/accountd/fleet.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <x86intrin.h>

#define MONEY_NANO 100000000000000ll    /* 100,000 EUR: a year of it */

const char fleet_prices[] =
    "{\"currency\":\"EUR\",\"meters\":["
    "{\"den\":\"3\",\"meter\":\"cpu_used\",\"num_nano\":\"7000\",\"unit\":\"CPU-second\"},"
    "{\"den\":\"7\",\"meter\":\"vcpu_reserved\",\"num_nano\":\"10000\",\"unit\":\"vCPU-second\"},"
    "{\"den\":\"11\",\"meter\":\"memory_reserved\",\"num_nano\":\"5000\",\"unit\":\"GiB-second\"},"
    "{\"den\":\"13\",\"meter\":\"memory_used\",\"num_nano\":\"2500\",\"unit\":\"GiB-second\"},"
    "{\"den\":\"17\",\"meter\":\"disk_ops\",\"num_nano\":\"50\",\"unit\":\"operation\"},"
    "{\"den\":\"1\",\"meter\":\"disk_bytes\",\"num_nano\":\"1000000\",\"unit\":\"GiB\"},"
    "{\"den\":\"1\",\"meter\":\"net_packets\",\"num_nano\":\"5\",\"unit\":\"packet\"},"
    "{\"free\":\"100\",\"meter\":\"net_bytes_out\",\"minimum_nano\":\"10000000\",\"tiers\":["
    "{\"above\":\"0\",\"den\":\"1\",\"num_nano\":\"9000000\"},{\"above\":\"1000\",\"den\":\"1\",\"num_nano\":\"5000000\"}],"
    "\"unit\":\"GiB\"},"
    "{\"den\":\"1\",\"meter\":\"net_bytes_in\",\"num_nano\":\"1000\",\"unit\":\"GiB\"}],\"version\":1}";

const char *fleet_account(unsigned n, char name[static 16])
{
    snprintf(name, 16, "acc%u", n);
    return name;
}

static void register_it(struct life *life, unsigned n, unsigned owner, const struct xs_stats_slot *slot)
{
    struct ledger_registration r = { .reserved = { 2, 512 }, .price_book = 1 };
    int64_t held_nano, available_nano;

    fleet_account(owner, r.account);
    snprintf(r.instance, sizeof(r.instance), "ins%u", n);
    sodium_bin2hex(r.incarnation, sizeof(r.incarnation), slot->incarnation, sizeof(slot->incarnation));
    snprintf(r.domain_uuid, sizeof(r.domain_uuid), "%s", r.incarnation);
    if (n == owner)
        life_account(life, r.account, MONEY_NANO);
    if (ledger_register(life->a.ledger, &r, 1000000, 3, &held_nano, &available_nano) != LEDGER_OK)
        exit(99);
}

void fleet_birth(struct life *life, unsigned slot, unsigned n, unsigned owner)
{
    struct xs_stats_slot *s = life_birth(life, slot, 0xf1);

    memcpy(s->incarnation, &n, sizeof(n));
    memcpy(s->uuid, s->incarnation, sizeof(s->uuid));
    register_it(life, n, owner, s);
}

void fleet_work(struct life *life, unsigned count, uint64_t ns)
{
    for (unsigned i = 1; i <= count; i++) {
        struct xs_stats_slot *s = life_slot(life, i);

        if (s->state != XS_SLOT_LIVE)
            continue;
        s->guest_ns += ns / 4 + i * 333;
        s->hv_ns += ns / 400;
        s->disk_read_ops += ns / 100000000 + i;
        s->disk_write_bytes += ns / 1000 * i;
        s->net_tx_packets += ns / 50000000;
        s->net_tx_bytes += ns / 10 + i;
        s->net_rx_bytes += ns / 100;
    }
}

void fleet_page(const struct life *life, const char *path)
{
    static uint8_t page[XS_STATS_BYTES];
    struct xs_stats_header *h = (struct xs_stats_header *)page;
    struct xs_stats_cpu *cpu = (struct xs_stats_cpu *)(page + XS_STATS_CPU_OFFSET);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    *h = (struct xs_stats_header){ .magic = XS_STATS_MAGIC, .version = XS_STATS_VERSION, .header_size = sizeof(*h),
                                   .cpu_offset = XS_STATS_CPU_OFFSET, .cpu_size = sizeof(*cpu), .nr_cpus = 1,
                                   .slot_offset = XS_STATS_SLOT_OFFSET, .slot_size = sizeof(struct xs_stats_slot),
                                   .nr_slots = XS_STATS_SLOTS, .boot_id = { 1 }, .tsc_mul = 1u << 31 };
    h->tsc_base = __rdtsc() - 2 * life->now_ns - 1;
    /* More than all domains together, so that they are within it. */
    *cpu = (struct xs_stats_cpu){ .charged_until_ns = 1ull << 62, .guest_ns = 1ull << 62 };
    memcpy(page + XS_STATS_SLOT_OFFSET, life->a.sample.slot, sizeof(life->a.sample.slot));
    if (fd < 0 || write(fd, page, sizeof(page)) != (ssize_t)sizeof(page) || close(fd) != 0)
        exit(99);
}
