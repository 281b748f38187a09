#include "provisioner/netback/dhcp.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#define BOOTP_BYTES 236u                /* before the magic number */
#define MAGIC       0x63825363u

enum { BOOTP_CIADDR = 12, BOOTP_YIADDR = 16, BOOTP_CHADDR = 28 };
enum { IP_AT = FRAME_HEADER, UDP_AT = IP_AT + 20, BOOTP_AT = UDP_AT + 8, OPTIONS_AT = BOOTP_AT + BOOTP_BYTES + 4 };
enum {
    OPT_NETMASK = 1,
    OPT_ROUTER = 3,
    OPT_RESOLVERS = 6,
    OPT_REQUESTED = 50,
    OPT_LEASE = 51,
    OPT_TYPE = 53,
    OPT_SERVER = 54,
    OPT_END = 255
};
enum { DISCOVER = 1, OFFER = 2, REQUEST = 3, ACK = 5, NAK = 6, INFORM = 8 };

struct asked {
    uint8_t type;
    uint32_t address, server;           /* 0: not named */
};

static void read_options(const uint8_t *option, const uint8_t *end, struct asked *asked)
{
    while (option < end && *option != OPT_END) {
        if (!*option) {                 /* padding */
            option++;
            continue;
        }
        if (end - option < 2 || option[1] > end - option - 2)
            return;
        if (option[0] == OPT_TYPE && option[1] == 1)
            asked->type = option[2];
        else if (option[0] == OPT_REQUESTED && option[1] == 4)
            asked->address = frame_be32(option + 2);
        else if (option[0] == OPT_SERVER && option[1] == 4)
            asked->server = frame_be32(option + 2);
        option += 2 + option[1];
    }
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

static uint8_t *option32(uint8_t *at, uint8_t option, const uint32_t *values, unsigned count)
{
    *at++ = option;
    *at++ = (uint8_t)(count * 4);
    for (unsigned i = 0; i < count; i++, at += 4)
        put32(at, values[i]);
    return at;
}

static uint16_t header_sum(const uint8_t *ip)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < 20; i += 2)
        sum += frame_be16(ip + i);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) ~(sum + (sum >> 16));
}

/* The UDP checksum stays 0, "none": the frame crosses no wire. */
static void put_headers(const struct dhcp *dhcp, uint8_t *reply, const uint8_t *to_mac, uint32_t to)
{
    uint8_t *ip = reply + IP_AT, *udp = reply + UDP_AT;

    memcpy(reply, to_mac, 6);
    memcpy(reply + 6, dhcp->gateway_mac, 6);
    put16(reply + 12, ETHERTYPE_IP);
    ip[0] = 0x45;
    put16(ip + 2, DHCP_REPLY_BYTES - IP_AT);
    ip[8] = 64;
    ip[9] = IPPROTO_UDP;
    put32(ip + 12, dhcp->gateway);
    put32(ip + 16, to);
    put16(ip + 10, header_sum(ip));
    put16(udp, DHCP_SERVER);
    put16(udp + 2, DHCP_CLIENT);
    put16(udp + 4, DHCP_REPLY_BYTES - UDP_AT);
}

static void put_options(const struct dhcp *dhcp, uint8_t *at, uint8_t type, bool with_lease)
{
    *at++ = OPT_TYPE;
    *at++ = 1;
    *at++ = type;
    at = option32(at, OPT_SERVER, &dhcp->gateway, 1);
    if (type != NAK) {
        if (with_lease)
            at = option32(at, OPT_LEASE, &(uint32_t){DHCP_LEASE_S}, 1);
        at = option32(at, OPT_NETMASK, &dhcp->netmask, 1);
        at = option32(at, OPT_ROUTER, &dhcp->gateway, 1);
        if (dhcp->nr_resolvers)
            at = option32(at, OPT_RESOLVERS, dhcp->resolvers, dhcp->nr_resolvers);
    }
    *at = OPT_END;
}

/* The type of the answer; 0: none. */
static uint8_t answer_type(const struct dhcp *dhcp, const struct asked *asked, uint32_t ciaddr)
{
    switch (asked->type) {
    case DISCOVER:
        return OFFER;
    case REQUEST:
        if (asked->server && asked->server != dhcp->gateway)
            return 0;
        return (asked->address ? asked->address : ciaddr) == dhcp->ipv4 ? ACK : NAK;
    case INFORM:
        return ACK;
    default:
        return 0;
    }
}

size_t dhcp_answer(const struct dhcp *dhcp, const struct frame *request, uint8_t reply[DHCP_REPLY_BYTES])
{
    static const uint8_t everyone[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const uint8_t *bootp = request->bytes + request->l4 + 8, *end = request->bytes + request->end;
    struct asked asked = {0};

    /* op request, Ethernet, for this NIC */
    if (end - bootp < BOOTP_BYTES + 4 || bootp[0] != 1 || bootp[1] != 1 || bootp[2] != 6 ||
        memcmp(bootp + BOOTP_CHADDR, dhcp->mac, 6) || frame_be32(bootp + BOOTP_BYTES) != MAGIC)
        return 0;
    read_options(bootp + BOOTP_BYTES + 4, end, &asked);
    uint32_t ciaddr = frame_be32(bootp + BOOTP_CIADDR);
    uint8_t type = answer_type(dhcp, &asked, ciaddr);
    if (!type)
        return 0;

    /* A client that has its address is spoken to there; one that cannot hear yet says so by the broadcast flag. */
    bool to_all = type == NAK || (!ciaddr && bootp[10] & 0x80);
    memset(reply, 0, DHCP_REPLY_BYTES);
    put_headers(dhcp, reply, to_all ? everyone : dhcp->mac, to_all ? 0xffffffff : dhcp->ipv4);
    uint8_t *answer = reply + BOOTP_AT;
    memcpy(answer, bootp, 12);                  /* type of hardware, transaction, seconds, flags */
    answer[0] = 2;
    answer[3] = 0;
    if (type != NAK)
        put32(answer + BOOTP_CIADDR, ciaddr == dhcp->ipv4 ? ciaddr : 0);
    if (type != NAK && asked.type != INFORM)
        put32(answer + BOOTP_YIADDR, dhcp->ipv4);
    memcpy(answer + BOOTP_CHADDR, dhcp->mac, 6);
    put32(answer + BOOTP_BYTES, MAGIC);
    put_options(dhcp, reply + OPTIONS_AT, type, asked.type != INFORM);
    return DHCP_REPLY_BYTES;
}
