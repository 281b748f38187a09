#include "provisioner/netback/frame.h"

#include <net/ethernet.h>
#include <netinet/in.h>

#define IP6_HEADER 40u

static const char *parse_ip4(struct frame *frame)
{
    const uint8_t *ip = frame->bytes + FRAME_HEADER;
    size_t room = frame->len - FRAME_HEADER;

    if (room < 20)
        return "IPv4 header cut off";
    size_t header = (ip[0] & 15) * 4u, total = frame_be16(ip + 2);
    if (ip[0] >> 4 != 4 || header < 20 || header > total || total > room)
        return "IPv4 lengths that contradict each other";

    uint16_t fragment = frame_be16(ip + 6);
    frame->fragment = fragment & 0x3fff;        /* more to come, or not the first */
    frame->end = FRAME_HEADER + total;
    frame->protocol = ip[9];
    if (!(fragment & 0x1fff))
        frame->l4 = FRAME_HEADER + header;
    return NULL;
}

static const char *parse_ip6(struct frame *frame)
{
    const uint8_t *ip = frame->bytes + FRAME_HEADER;
    size_t room = frame->len - FRAME_HEADER;

    if (room < IP6_HEADER)
        return "IPv6 header cut off";
    size_t payload = frame_be16(ip + 4), l4 = IP6_HEADER;
    if (ip[0] >> 4 != 6 || payload + IP6_HEADER > room)
        return "IPv6 lengths that contradict each other";

    frame->protocol = ip[6];
    if (frame->protocol == IPPROTO_HOPOPTS) {
        if (payload < 8 || (ip[l4 + 1] + 1u) * 8 > payload)
            return "IPv6 extension header cut off";
        frame->hop_by_hop = true;
        frame->protocol = ip[l4];
        l4 += (ip[l4 + 1] + 1u) * 8;
    }
    frame->l4 = FRAME_HEADER + l4;
    frame->end = FRAME_HEADER + IP6_HEADER + payload;
    return NULL;
}

const char *frame_parse(struct frame *frame, const uint8_t *bytes, size_t len)
{
    *frame = (struct frame){.bytes = bytes, .len = len, .end = len};
    if (len < FRAME_HEADER)
        return "shorter than an Ethernet header";
    frame->ethertype = frame_be16(bytes + 12);
    if (frame->ethertype == ETHERTYPE_IP)
        return parse_ip4(frame);
    if (frame->ethertype == ETHERTYPE_IPV6)
        return parse_ip6(frame);
    return NULL;
}
