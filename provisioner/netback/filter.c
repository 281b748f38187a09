#include "provisioner/netback/filter.h"
#include "provisioner/netback/dhcp.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

enum { DHCP6_SERVER = 547 };
enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_LOOSE_ROUTE = 131, OPTION_STRICT_ROUTE = 137 };
enum {
    MLD_REPORT = 131,
    MLD_DONE = 132,
    ROUTER_SOLICIT = 133,
    ROUTER_ADVERT = 134,
    NEIGHBOUR_SOLICIT = 135,
    NEIGHBOUR_ADVERT = 136,
    REDIRECT = 137,
    MLD2_REPORT = 143
};

static bool owns(const struct filter *filter, uint32_t ipv4)
{
    for (unsigned i = 0; i < filter->nr_ipv4; i++)
        if (filter->ipv4[i] == ipv4)
            return true;
    return false;
}

static const char *refuse_arp(const struct filter *filter, const struct frame *frame)
{
    static const uint8_t ethernet_ipv4[] = {0, 1, 8, 0, 6, 4};
    const uint8_t *arp = frame->bytes + FRAME_HEADER;

    if (frame->len < FRAME_HEADER + 28)
        return "ARP cut off";
    uint16_t operation = frame_be16(arp + 6);
    uint32_t sender = frame_be32(arp + 14);
    if (memcmp(arp, ethernet_ipv4, sizeof(ethernet_ipv4)) || (operation != 1 && operation != 2))
        return "ARP of another kind";
    if (memcmp(arp + 8, filter->mac, 6))
        return "ARP for another MAC";
    /* A request from 0.0.0.0 asks whether an address is taken and enters nobody's table (RFC 5227). */
    if (!owns(filter, sender) && !(operation == 1 && sender == 0))
        return "ARP for another IPv4 address";
    return NULL;
}

static bool has_ports(const struct frame *frame)
{
    return frame->l4 && frame->end - frame->l4 >= 8;
}

bool filter_is_dhcp(const struct frame *frame)
{
    return frame->ethertype == ETHERTYPE_IP && frame->protocol == IPPROTO_UDP && has_ports(frame) && !frame->fragment &&
           frame_be16(frame->bytes + frame->l4 + 2) == DHCP_SERVER;
}

static const char *refuse_options(const struct frame *frame)
{
    const uint8_t *option = frame->bytes + FRAME_HEADER + 20;
    const uint8_t *end = frame->bytes + FRAME_HEADER + (frame->bytes[FRAME_HEADER] & 15) * 4u;

    while (option < end && *option != OPTION_END) {
        if (*option == OPTION_NOP) {
            option++;
            continue;
        }
        if (*option == OPTION_LOOSE_ROUTE || *option == OPTION_STRICT_ROUTE)
            return "IPv4 source route";
        if (end - option < 2 || option[1] < 2 || option[1] > end - option)
            return "IPv4 options cut off";
        option += option[1];
    }
    return NULL;
}

static const char *refuse_ip4(const struct filter *filter, const struct frame *frame)
{
    const uint8_t *ip = frame->bytes + FRAME_HEADER;
    uint32_t source = frame_be32(ip + 12);

    if (!owns(filter, source) && !(source == 0 && filter_is_dhcp(frame)))
        return "another IPv4 source";
    if (frame->l4 && frame->fragment && !has_ports(frame))
        return "first fragment too short";
    if (frame->protocol == IPPROTO_UDP && has_ports(frame)) {
        uint16_t from = frame_be16(frame->bytes + frame->l4), to = frame_be16(frame->bytes + frame->l4 + 2);
        if (from == DHCP_SERVER)
            return "DHCP server";
        if (to == DHCP_SERVER && (frame->fragment || from != DHCP_CLIENT))
            return "DHCP from another port";
    }
    return refuse_options(frame);
}

static void link_local(const struct filter *filter, uint8_t address[16])
{
    const uint8_t *mac = filter->mac;
    const uint8_t own[16] = {0xfe, 0x80, 0, 0, 0, 0, 0, 0,
                             mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};

    memcpy(address, own, sizeof(own));
}

/* The link-layer addresses that neighbour discovery names from `option` on are all our own. */
static bool names_own_mac(const struct filter *filter, const uint8_t *option, const uint8_t *end)
{
    while (option < end) {
        if (end - option < 8 || !option[1] || option[1] * 8 > end - option)
            return false;
        if ((option[0] == 1 || option[0] == 2) && (option[1] != 1 || memcmp(option + 2, filter->mac, 6)))
            return false;
        option += option[1] * 8;
    }
    return true;
}

static const char *refuse_icmp6(const struct filter *filter, const struct frame *frame, const uint8_t own[16],
                                bool from_own)
{
    const uint8_t *icmp = frame->bytes + frame->l4, *end = frame->bytes + frame->end;
    size_t len = (size_t)(end - icmp);

    if (len < 8)
        return "ICMPv6 cut off";
    switch (icmp[0]) {
    case ROUTER_ADVERT:
    case REDIRECT:
        return "ICMPv6 of a router";
    case MLD_REPORT:
    case MLD_DONE:
    case MLD2_REPORT:
        return NULL;
    case ROUTER_SOLICIT:
        return names_own_mac(filter, icmp + 8, end) ? NULL : "neighbour discovery for another MAC";
    case NEIGHBOUR_SOLICIT:
    case NEIGHBOUR_ADVERT:
        if (len < 24)
            return "neighbour discovery cut off";
        /* An advertisement speaks of its target, and so does a question from ::, "is this taken?". */
        if ((icmp[0] == NEIGHBOUR_ADVERT || !from_own) && memcmp(icmp + 8, own, 16))
            return "neighbour discovery for another address";
        return names_own_mac(filter, icmp + 24, end) ? NULL : "neighbour discovery for another MAC";
    default:
        return from_own ? NULL : "another IPv6 source";
    }
}

static const char *refuse_ip6(const struct filter *filter, const struct frame *frame)
{
    static const uint8_t unspecified[16];
    const uint8_t *source = frame->bytes + FRAME_HEADER + 8;
    uint8_t own[16];

    link_local(filter, own);
    bool from_own = !memcmp(source, own, 16);
    if (!from_own && memcmp(source, unspecified, 16))
        return "another IPv6 source";
    if (frame->protocol == IPPROTO_ICMPV6)
        return refuse_icmp6(filter, frame, own, from_own);
    if (!from_own)
        return "another IPv6 source";
    if (frame->hop_by_hop || (frame->protocol != IPPROTO_TCP && frame->protocol != IPPROTO_UDP))
        return "IPv6 extension header";
    if (frame->protocol == IPPROTO_UDP && has_ports(frame) && frame_be16(frame->bytes + frame->l4) == DHCP6_SERVER)
        return "DHCP server";
    return NULL;
}

const char *filter_refuse(const struct filter *filter, const struct frame *frame)
{
    static const uint8_t bridges_own[5] = {0x01, 0x80, 0xc2, 0, 0};

    if (memcmp(frame->bytes + 6, filter->mac, 6))
        return "another source MAC";
    if (!memcmp(frame->bytes, bridges_own, sizeof(bridges_own)))
        return "to bridges themselves";
    switch (frame->ethertype) {
    case ETHERTYPE_ARP:
        return refuse_arp(filter, frame);
    case ETHERTYPE_IP:
        return refuse_ip4(filter, frame);
    case ETHERTYPE_IPV6:
        return refuse_ip6(filter, frame);
    default:
        return "another protocol";
    }
}
