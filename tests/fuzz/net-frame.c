/* A guest's frames, as hexadecimal (any byte is a digit): what passes is the guest's own by a second reading,
 * and what the tap is told of it lies inside it. */
#include "provisioner/netback/dhcp.h"
#include "provisioner/netback/filter.h"
#include "provisioner/netback/offload.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

const char *const fuzz_name = "frames, DHCP, offload flags";

/* The first byte: gso_type in two bits, blank in one. */
const char *const fuzz_seeds[] = {
    "00" "ffffffffffff020000000101" "0806" "000108000604000102000000010120a4d0102000000000000" "0a4d0103",
    "04" "020000000202020000000101" "080045000020000100004011" "00000a4d01020a4d0103" "03e807d0000c0000aabbccdd",
    "05" "020000000202020000000101" "080045000030000100004006" "00000a4d010208080808" "03e80050000000010000000050 10ffff00000000" "0102030405060708",
    "00" "ffffffffffff020000000101" "08004500010c000100004011" "000000000000ffffffff" "0044004300f80000"
    "01010600deadbeef00008000" "00000000000000000000000000000000" "02000000010100000000" "63825363350101ff",
    "00" "3333ff000101020000000101" "86dd6000000000203aff" "fe8000000000000000" "00fffe000101" "ff0200000000000000000001ff000101"
    "8700000000000000" "fe800000000000000000fffe000202" "0101020000000101",
    "00" "333300000016020000000101" "86dd6000000000240001" "00000000000000000000000000000000" "ff020000000000000000000000000016"
    "3a000502000001008f000000000000010400000" "0ff0200000000000000000001ff000101",
    NULL,
};

static const struct filter own = {{2, 0, 0, 0, 1, 1}, 1, {0x0a4d0102}};
static const struct dhcp dhcp = {.mac = {2, 0, 0, 0, 1, 1}, .ipv4 = 0x0a4d0102, .netmask = 0xffffff00, .gateway = 0x0a4d0101};

static uint8_t digit(uint8_t c)
{
    return (c & 0x40 ? c + 9 : c) & 15;
}

static void check_passed(const struct frame *frame)
{
    const uint8_t *bytes = frame->bytes;
    uint16_t type = frame_be16(bytes + 12);

    if (memcmp(bytes + 6, own.mac, 6) || (type != 0x0800 && type != 0x0806 && type != 0x86dd))
        abort();
    if (type == 0x0806 && (memcmp(bytes + 22, own.mac, 6) || (frame_be32(bytes + 28) != 0x0a4d0102 && frame_be32(bytes + 28))))
        abort();
    if (type == 0x0800 && frame_be32(bytes + 26) != 0x0a4d0102 && !(frame_be32(bytes + 26) == 0 && filter_is_dhcp(frame)))
        abort();
    if (frame->l4 > frame->end || frame->end > frame->len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *text, size_t size)
{
    uint8_t *bytes = malloc(size / 2 + 1), reply[DHCP_REPLY_BYTES];
    struct virtio_net_hdr header;
    struct frame frame;
    size_t len = size / 2;

    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    uint8_t flags = len ? bytes[0] : 0;
    struct offload offload = {.blank = flags & 4, .gso_type = flags & 3, .gso_size = 300};
    /* A copy of its own, so that a read past its end is seen. */
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, bytes + 1, len ? len - 1 : 0);
    if (len && !frame_parse(&frame, copy, len - 1)) {
        if (!filter_refuse(&own, &frame)) {
            check_passed(&frame);
            if (filter_is_dhcp(&frame))
                dhcp_answer(&dhcp, &frame, reply);
        }
        if (!offload_tx(&frame, &offload, &header) &&
            (header.hdr_len > len - 1 || (header.flags && header.csum_start + header.csum_offset + 2u > len - 1)))
            abort();
    }
    free(copy);
    free(bytes);
    return 0;
}
