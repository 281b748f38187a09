/* Leaves and records out of foreign bytes: what is read gives the same bytes
 * again, and what a record bills is never read out of a counter that fell. */
#include "accountd/record.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define RECORD_HEAD \
    "xs-usage/v1 use\n{\"account\":\"acc\",\"boot\":\"00000000000000000000000000000000\",\"disk_discard_ops_0\":\"0\"," \
    "\"disk_discard_ops_1\":\"0\",\"disk_flush_ops_0\":\"0\",\"disk_flush_ops_1\":\"0\",\"disk_read_bytes_0\":\"0\"," \
    "\"disk_read_bytes_1\":\"0\",\"disk_read_ops_0\":\"0\",\"disk_read_ops_1\":\"0\",\"disk_write_bytes_0\":\"0\"," \
    "\"disk_write_bytes_1\":\"0\",\"disk_write_ops_0\":\"0\",\"disk_write_ops_1\":\"0\",\"domain_uuid\":" \
    "\"00000000000000000000000000000000\",\"events_received_0\":\"0\",\"events_received_1\":\"0\",\"events_sent_0\":\"0\"," \
    "\"events_sent_1\":\"0\",\"exits_0\":\"0\",\"exits_1\":\"9\",\"flags\":\"\",\"grant_copies_0\":\"0\"," \
    "\"grant_copies_1\":\"0\",\"grant_maps_0\":\"0\",\"grant_maps_1\":\"0\",\"grant_unmaps_0\":\"0\",\"grant_unmaps_1\":" \
    "\"0\",\"guest_ns_0\":\"5\",\"guest_ns_1\":\"18446744073709551615\",\"host\":\"h\",\"hv_ns_0\":\"0\",\"hv_ns_1\":\"7\"," \
    "\"hypercalls_0\":\"0\",\"hypercalls_1\":\"0\",\"incarnation\":\"00000000000000000000000000000000\",\"instance\":\"i\","
#define RECORD_TAIL \
    "\"memory_mib\":1,\"misses\":0,\"net_rx_bytes_0\":\"0\",\"net_rx_bytes_1\":\"0\",\"net_rx_drops_0\":\"0\"," \
    "\"net_rx_drops_1\":\"0\",\"net_rx_packets_0\":\"0\",\"net_rx_packets_1\":\"0\",\"net_tx_bytes_0\":\"0\"," \
    "\"net_tx_bytes_1\":\"0\",\"net_tx_drops_0\":\"0\",\"net_tx_drops_1\":\"0\",\"net_tx_packets_0\":\"0\"," \
    "\"net_tx_packets_1\":\"0\",\"number\":1,\"page_ns_0\":\"0\",\"page_ns_1\":\"340282366920938463463374607431768211455\"," \
    "\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"price_book\":1,\"salt\":" \
    "\"00000000000000000000000000000000\",\"samples\":1,\"t0_ms\":1,\"t0_ns\":\"1\",\"t1_ms\":2,\"t1_ns\":\"2\"," \
    "\"utc_error_ms\":1,\"vcpus\":1,\"wait_ns_0\":\"0\",\"wait_ns_1\":\"0\"}\n"

const char *const fuzz_name = "leaves and records";
const char *const fuzz_seeds[] = {
    "xs-usage/v1 genesis\n{\"created_ms\":1,\"host\":\"h\",\"log_key\":\"h/usage/e1+00000000+AQ==\"}\n",
    "xs-usage/v1 use\n{\"a\":1,\"b\":\"2\",\"c\":true}\n",
    RECORD_HEAD RECORD_TAIL,            /* of before io_replays */
    RECORD_HEAD "\"io_replays_0\":\"0\",\"io_replays_1\":\"3\"," RECORD_TAIL,
    NULL,
};

static void use_record(const char *type, const json_t *fields)
{
    struct record record;
    struct meter_usage usage;
    struct json_why why;

    if (record_parse(type, fields, &record, &why))
        return;
    if (record_usage(&record, &usage, &why) == 0 && record.to.at[METER_GUEST_NS] < record.from.at[METER_GUEST_NS] &&
        usage.of[METER_CPU_USED] != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char type[CHAIN_TYPE_BYTES];
    struct json_why why;
    json_t *fields = chain_leaf_parse((const char *)bytes, size, type, &why);
    char *again;

    if (!fields)
        return 0;
    again = chain_leaf(type, fields, &why);
    if (!again || strlen(again) != size || memcmp(again, bytes, size) != 0)
        abort();
    use_record(type, fields);
    free(again);
    json_decref(fields);
    return 0;
}
