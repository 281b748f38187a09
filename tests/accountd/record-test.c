/* record.c: records of today and of before io_replays was counted. */
#include "accountd/record.h"
#include "tests/tap/tap.h"

#include <stdlib.h>
#include <string.h>

/* A use of 5 s, as it was written before: these bytes are in logs and have to stay a record. */
static const char old_leaf[] =
    "xs-usage/v1 use\n{\"account\":\"acc\",\"boot\":\"00000000000000000000000000000000\",\"disk_discard_ops_0\":\"0\","
    "\"disk_discard_ops_1\":\"0\",\"disk_flush_ops_0\":\"0\",\"disk_flush_ops_1\":\"0\",\"disk_read_bytes_0\":\"0\","
    "\"disk_read_bytes_1\":\"0\",\"disk_read_ops_0\":\"0\",\"disk_read_ops_1\":\"0\",\"disk_write_bytes_0\":\"0\","
    "\"disk_write_bytes_1\":\"0\",\"disk_write_ops_0\":\"0\",\"disk_write_ops_1\":\"0\",\"domain_uuid\":"
    "\"00000000000000000000000000000000\",\"events_received_0\":\"0\",\"events_received_1\":\"0\",\"events_sent_0\":\"0\","
    "\"events_sent_1\":\"0\",\"exits_0\":\"0\",\"exits_1\":\"9\",\"flags\":\"\",\"grant_copies_0\":\"0\","
    "\"grant_copies_1\":\"0\",\"grant_maps_0\":\"0\",\"grant_maps_1\":\"0\",\"grant_unmaps_0\":\"0\",\"grant_unmaps_1\":"
    "\"0\",\"guest_ns_0\":\"5\",\"guest_ns_1\":\"105\",\"host\":\"h\",\"hv_ns_0\":\"0\",\"hv_ns_1\":\"7\","
    "\"hypercalls_0\":\"0\",\"hypercalls_1\":\"0\",\"incarnation\":\"00000000000000000000000000000000\",\"instance\":\"i\","
    "\"memory_mib\":1,\"misses\":0,\"net_rx_bytes_0\":\"0\",\"net_rx_bytes_1\":\"0\",\"net_rx_drops_0\":\"0\","
    "\"net_rx_drops_1\":\"0\",\"net_rx_packets_0\":\"0\",\"net_rx_packets_1\":\"0\",\"net_tx_bytes_0\":\"0\","
    "\"net_tx_bytes_1\":\"0\",\"net_tx_drops_0\":\"0\",\"net_tx_drops_1\":\"0\",\"net_tx_packets_0\":\"0\","
    "\"net_tx_packets_1\":\"0\",\"number\":1,\"page_ns_0\":\"0\",\"page_ns_1\":\"0\","
    "\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"price_book\":1,\"salt\":"
    "\"00000000000000000000000000000000\",\"samples\":1,\"t0_ms\":1,\"t0_ns\":\"1000000000\",\"t1_ms\":2,"
    "\"t1_ns\":\"6000000000\",\"utc_error_ms\":1,\"vcpus\":1,\"wait_ns_0\":\"0\",\"wait_ns_1\":\"0\"}\n";

static bool leaf_is(const struct record *record, const char *expected)
{
    struct json_why why;
    json_t *fields = record_fields(record);
    char *leaf = chain_leaf(record->type, fields, &why);
    bool same = leaf && strcmp(leaf, expected) == 0;

    json_decref(fields);
    free(leaf);
    return same;
}

static int leaf_read(const char *leaf, struct record *record, struct json_why *why)
{
    char type[CHAIN_TYPE_BYTES];
    json_t *fields = chain_leaf_parse(leaf, strlen(leaf), type, why);
    int rc = fields ? record_parse(type, fields, record, why) : -1;

    json_decref(fields);
    return rc;
}

static void test_old(void)
{
    struct record old = { 0 }, next;
    struct meter_usage usage;
    struct chain_hash hash = { { 1, 2, 3 } };
    struct json_why why = { "" };

    check(leaf_read(old_leaf, &old, &why) == 0 && old.before_replays, "a record of before io_replays is read (%s)", why.text);
    check(leaf_is(&old, old_leaf), "it gives the same bytes again");
    check(old.from.at[METER_IO_REPLAYS] == 0 && old.to.at[METER_IO_REPLAYS] == 0, "nothing was done again in it");
    check(record_usage(&old, &usage, &why) == 0 && usage.of[METER_CPU_USED] == 107, "it bills what it billed");
    next = old;
    next.before_replays = false;
    next.number = old.number + 1;
    next.prev = hash;
    next.from = next.to = old.to;
    next.to.t_ns += 1;
    next.to.at[METER_IO_REPLAYS] = 12;
    check(record_follows(&old, &hash, &next, &why), "a record of today follows it (%s)", why.text);
    check(record_usage(&next, &usage, &why) == 0 && usage.of[METER_DISK_OPS] == 0, "whose replays cost nothing");
    next.from.at[METER_IO_REPLAYS] = 3;
    check(!record_follows(&old, &hash, &next, &why), "but not one that begins with replays");
}

/* The counter at one end only, or of another name. */
static void test_halves(void)
{
    static const char *const bad[] = { "\"io_replays_0\":\"0\",", "\"io_replays_1\":\"0\",",
                                       "\"io_replays_0\":\"5\",\"io_replays_2\":\"9\"," };
    const char *at = strstr(old_leaf, "\"memory_mib\"");
    struct json_why why = { "" };
    struct record record;
    char leaf[4096];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(leaf, sizeof(leaf), "%.*s%s%s", (int)(at - old_leaf), old_leaf, bad[i], at);
        check(leaf_read(leaf, &record, &why) == -1, "refused with %s: %s", bad[i], why.text);
    }
    snprintf(leaf, sizeof(leaf), "%.*s\"io_replays_0\":\"5\",\"io_replays_1\":\"9\",%s", (int)(at - old_leaf), old_leaf, at);
    check(leaf_read(leaf, &record, &why) == 0 && record.to.at[METER_IO_REPLAYS] == 9 && leaf_is(&record, leaf),
          "with both ends it is a record of today, and gives the same bytes again");
}

int main(void)
{
    test_old();
    test_halves();
    return tap_end();
}
