/* What a guest may send, what DHCP answers it, and what its offload flags may say: frames by rows. */
#include "provisioner/netback/dhcp.h"
#include "provisioner/netback/filter.h"
#include "provisioner/netback/offload.h"
#include "tests/tap/tap.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <xen/xen.h>
#include <xen/io/netif.h>

#define OWN "020000000101"
#define OTHER "020000000202"
#define ALL "ffffffffffff"
#define OWN_LL "fe800000000000000000 00fffe000101"      /* of OWN: 02 ^ 02 = 00 */
#define OTHER_LL "fe800000000000000000 00fffe000202"
#define GROUP_LL "ff0200000000000000000001ff000101"

#define ARP ALL OWN "0806 0001 0800 06 04 0001" OWN "0a4d0102 000000000000 0a4d0103"
/* UDP 1000 -> 2000 with 4 bytes */
#define UDP OTHER OWN "0800 45 00 0020 0001 0000 40 11 0000 0a4d0102 0a4d0103 03e8 07d0 000c 0000 aabbccdd"
/* TCP with 8 bytes */
#define TCP OTHER OWN "0800 45 00 0030 0001 0000 40 06 0000 0a4d0102 08080808" \
    "03e8 0050 00000001 00000000 50 10 ffff 0000 0000 0102030405060708"
/* four bytes of options */
#define OPTIONS OTHER OWN "0800 46 00 0024 0001 0000 40 11 0000 0a4d0102 0a4d0103 94040000 03e8 07d0 000c 0000 aabbccdd"
#define DISCOVER ALL OWN "0800 45 00 001c 0001 0000 40 11 0000 00000000 ffffffff 0044 0043 0008 0000"
#define IP6_UDP "33330000000c" OWN "86dd 60000000 000c 11 ff" OWN_LL OTHER_LL "03e8 07d0 000c 0000 aabbccdd"
#define SOLICIT "3333ff000101" OWN "86dd 60000000 0020 3a ff" OWN_LL GROUP_LL "8700 0000 00000000" OTHER_LL "0101" OWN
#define IS_TAKEN "3333ff000101" OWN "86dd 60000000 0018 3a ff" "00000000000000000000000000000000" GROUP_LL \
    "8700 0000 00000000" OWN_LL
#define ADVERT "333300000001" OWN "86dd 60000000 0020 3a ff" OWN_LL GROUP_LL "8800 0000 20000000" OWN_LL "0201" OWN
#define MLD "333300000016" OWN "86dd 60000000 0024 00 01" "00000000000000000000000000000000" GROUP_LL \
    "3a00 0502 0000 0100 8f00 0000 0000 0001 04000000" GROUP_LL

static const struct {
    const char *name, *frame;
    int at;                             /* where `change` replaces bytes; -1: the frame is cut to `change` bytes */
    const char *change;
    const char *refused;                /* NULL: passes */
} rows[] = {
    {"ARP request of one's own", ARP, 0, "", NULL},
    {"ARP reply of one's own", ARP, 20, "0002", NULL},
    {"ARP probe", ARP, 28, "00000000", NULL},
    {"ARP reply from 0.0.0.0", ARP, 20, "0002" OWN "00000000", "ARP for another IPv4 address"},
    {"ARP in another's name", ARP, 28, "0a4d0103", "ARP for another IPv4 address"},
    {"ARP in the gateway's name", ARP, 28, "0a4d0101", "ARP for another IPv4 address"},
    {"ARP with another's MAC inside", ARP, 22, OTHER, "ARP for another MAC"},
    {"ARP with long addresses", ARP, 18, "08", "ARP of another kind"},
    {"RARP as ARP", ARP, 20, "0003", "ARP of another kind"},
    {"ARP cut off", ARP, -1, "41", "ARP cut off"},
    {"another's MAC", UDP, 6, OTHER, "another source MAC"},
    {"a group's MAC as source", UDP, 6, "030000000101", "another source MAC"},
    {"the bridge's group", UDP, 0, "0180c200000e", "to bridges themselves"},
    {"UDP", UDP, 0, "", NULL},
    {"TCP", TCP, 0, "", NULL},
    {"second address", UDP, 26, "0a4d0109", NULL},
    {"another's IPv4 address", UDP, 26, "0a4d0103", "another IPv4 source"},
    {"the gateway's address", UDP, 26, "0a4d0101", "another IPv4 source"},
    {"loopback's address", UDP, 26, "7f000001", "another IPv4 source"},
    {"from 0.0.0.0", UDP, 26, "00000000", "another IPv4 source"},
    {"a VLAN tag", UDP, 12, "8100 0001 0800", "another protocol"},
    {"a provider's VLAN tag", UDP, 12, "88a8 0001 0800", "another protocol"},
    {"LLC", UDP, 12, "0026 4242 03", "another protocol"},
    {"EAPOL", UDP, 12, "888e", "another protocol"},
    {"shorter than its header", UDP, -1, "13", "shorter than an Ethernet header"},
    {"an IPv4 header cut off", UDP, -1, "33", "IPv4 header cut off"},
    {"longer than it is", UDP, 16, "0021", "IPv4 lengths that contradict each other"},
    {"shorter than its IPv4 header", UDP, 16, "0013", "IPv4 lengths that contradict each other"},
    {"an IPv4 header of 16 bytes", UDP, 14, "44", "IPv4 lengths that contradict each other"},
    {"IPv6 in IPv4's place", UDP, 14, "65", "IPv4 lengths that contradict each other"},
    {"padding behind the packet", UDP, 16, "001e", NULL},
    {"router alert", OPTIONS, 0, "", NULL},
    {"no-ops", OPTIONS, 34, "01010101", NULL},
    {"end of options", OPTIONS, 34, "00ffffff", NULL},
    {"loose source route", OPTIONS, 34, "83030400", "IPv4 source route"},
    {"strict source route behind a no-op", OPTIONS, 34, "01890304", "IPv4 source route"},
    {"an option without length", OPTIONS, 34, "01010144", "IPv4 options cut off"},
    {"an option of length 0", OPTIONS, 34, "44000000", "IPv4 options cut off"},
    {"an option longer than the header", OPTIONS, 34, "44050000", "IPv4 options cut off"},
    {"first fragment", UDP, 20, "2000", NULL},
    {"later fragment", UDP, 20, "0001", NULL},
    {"later fragment of another's", UDP, 20, "0001 40 11 0000 0a4d0103", "another IPv4 source"},
    {"first fragment that hides its ports", UDP, 16, "0018 0001 2000", "first fragment too short"},
    {"DHCP of a client", DISCOVER, 0, "", NULL},
    {"DHCP from one's own address", DISCOVER, 26, "0a4d0102", NULL},
    {"DHCP from another's address", DISCOVER, 26, "0a4d0103", "another IPv4 source"},
    {"DHCP in fragments", DISCOVER, 20, "2000", "another IPv4 source"},
    {"DHCP in fragments from one's own address", DISCOVER, 20, "2000 40 11 0000 0a4d0102", "DHCP from another port"},
    {"DHCP from port 1000", DISCOVER, 34, "03e8", "DHCP from another port"},
    {"DHCP from port 1000 and one's own address", DISCOVER, 26, "0a4d0102 ffffffff 03e8", "DHCP from another port"},
    {"a DHCP server", UDP, 34, "0043 0044", "DHCP server"},
    {"a DHCP server in fragments", UDP, 20, "2000 40 11 0000 0a4d0102 0a4d0103 0043 0044", "DHCP server"},
    {"IPv6 from one's link-local address", IP6_UDP, 0, "", NULL},
    {"IPv6 from another's", IP6_UDP, 22, OTHER_LL, "another IPv6 source"},
    {"IPv6 from a global address", IP6_UDP, 22, "2001", "another IPv6 source"},
    {"UDP from ::", IP6_UDP, 22, "00000000000000000000000000000000", "another IPv6 source"},
    {"an IPv6 header cut off", IP6_UDP, -1, "53", "IPv6 header cut off"},
    {"IPv6 longer than it is", IP6_UDP, 18, "000d", "IPv6 lengths that contradict each other"},
    {"a routing header", IP6_UDP, 20, "2b", "IPv6 extension header"},
    {"an IPv6 fragment", IP6_UDP, 20, "2c", "IPv6 extension header"},
    {"UDP behind hop-by-hop options", MLD, 22, OWN_LL GROUP_LL "1100", "IPv6 extension header"},
    {"a DHCPv6 server", IP6_UDP, 54, "0223", "DHCP server"},
    {"neighbour solicitation", SOLICIT, 0, "", NULL},
    {"solicitation with another's MAC", SOLICIT, 80, OTHER, "neighbour discovery for another MAC"},
    {"solicitation with an option of length 0", SOLICIT, 78, "0100", "neighbour discovery for another MAC"},
    {"solicitation with a long option", SOLICIT, 78, "0102", "neighbour discovery for another MAC"},
    {"is my address taken?", IS_TAKEN, 0, "", NULL},
    {"is another's address taken?", IS_TAKEN, 62, OTHER_LL, "neighbour discovery for another address"},
    {"neighbour advertisement", ADVERT, 0, "", NULL},
    {"advertisement of another's address", ADVERT, 62, OTHER_LL, "neighbour discovery for another address"},
    {"advertisement of another's MAC", ADVERT, 80, OTHER, "neighbour discovery for another MAC"},
    {"router advertisement", SOLICIT, 54, "86", "ICMPv6 of a router"},
    {"redirect", SOLICIT, 54, "89", "ICMPv6 of a router"},
    {"router solicitation", SOLICIT, 54, "85 00 0000 00000000 0101" OWN "0000000000000000 0101" OWN, "neighbour discovery for another MAC"},
    {"solicitation cut off", SOLICIT, 18, "0010", "neighbour discovery cut off"},
    {"ICMPv6 cut off", SOLICIT, 18, "0007", "ICMPv6 cut off"},
    {"multicast report from ::", MLD, 0, "", NULL},
    {"hop-by-hop options longer than the packet", MLD, 55, "10", "IPv6 extension header cut off"},
    {"echo from ::", MLD, 62, "80", "another IPv6 source"},
};

static size_t put_hex(uint8_t *bytes, const char *hex)
{
    size_t count = 0;
    unsigned value;

    for (; *hex; hex++) {
        if (isspace((unsigned char)*hex))
            continue;
        sscanf(hex++, "%2x", &value);
        bytes[count++] = (uint8_t)value;
    }
    return count;
}

static struct filter own(void)
{
    struct filter filter = {.nr_ipv4 = 2, .ipv4 = {0x0a4d0102, 0x0a4d0109}};

    put_hex(filter.mac, OWN);
    return filter;
}

static void check_rows(void)
{
    struct filter filter = own();

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t bytes[256];
        struct frame frame;
        size_t len = put_hex(bytes, rows[i].frame);
        if (rows[i].at < 0)
            sscanf(rows[i].change, "%zu", &len);
        else
            put_hex(bytes + rows[i].at, rows[i].change);
        const char *why = frame_parse(&frame, bytes, len);
        if (!why)
            why = filter_refuse(&filter, &frame);
        bool good = rows[i].refused ? why && !strcmp(why, rows[i].refused) : !why;
        if (!check(good, "%s: %s", rows[i].name, rows[i].refused ? rows[i].refused : "passes"))
            printf("# was: %s\n", why ? why : "passes");
    }
}

/* Each field that names an address, changed in each bit: never passes. */
static void check_every_bit(void)
{
    static const struct { const char *frame; int at, bytes; } fields[] = {
        {ARP, 6, 6}, {ARP, 22, 6}, {ARP, 28, 4}, {UDP, 6, 6}, {UDP, 26, 4}, {TCP, 26, 4}, {IP6_UDP, 6, 6}, {IP6_UDP, 22, 16},
        {ADVERT, 62, 16}, {ADVERT, 80, 6},
    };
    struct filter filter = own();
    bool passed = false;

    filter.nr_ipv4 = 1;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        for (int bit = 0; bit < fields[i].bytes * 8; bit++) {
            uint8_t bytes[256];
            struct frame frame;
            size_t len = put_hex(bytes, fields[i].frame);
            bytes[fields[i].at + bit / 8] ^= (uint8_t)(1 << bit % 8);
            passed |= !frame_parse(&frame, bytes, len) && !filter_refuse(&filter, &frame);
        }
    check(!passed, "no address passes with one bit changed");
}

static const struct {
    const char *name;
    uint8_t type;
    const char *options;
    uint32_t ciaddr;
    uint8_t answer;                     /* 0: none */
    bool lease;
} asked[] = {
    {"discover", 1, "", 0, 2, true},
    {"request of the offer", 3, "3604 0a4d0101 3204 0a4d0102", 0, 5, true},
    {"request after a reboot", 3, "3204 0a4d0102", 0, 5, true},
    {"renewal", 3, "", 0x0a4d0102, 5, true},
    {"request of another's address", 3, "3204 0a4d0103", 0, 6, false},
    {"request of nothing", 3, "", 0, 6, false},
    {"request of another server's offer", 3, "3604 0a4d0107 3204 0a4d0103", 0, 0, false},
    {"inform", 8, "", 0x0a4d0102, 5, false},
    {"release", 7, "3604 0a4d0101", 0x0a4d0102, 0, false},
    {"decline", 4, "3204 0a4d0102", 0, 0, false},
    {"options cut off", 1, "3204 0a", 0, 2, true},
};

static size_t make_request(uint8_t *bytes, uint8_t type, const char *options, uint32_t ciaddr)
{
    size_t len = put_hex(bytes, DISCOVER), at = len;

    memset(bytes + at, 0, 236);
    put_hex(bytes + at, "01010600 deadbeef 0000 8000");
    for (int i = 0; i < 4; i++)
        bytes[at + 12 + i] = (uint8_t)(ciaddr >> (24 - 8 * i));
    put_hex(bytes + at + 28, OWN);
    len = at + 236 + put_hex(bytes + at + 236, "63825363 0000 3501");
    bytes[len++] = type;
    len += put_hex(bytes + len, options);
    bytes[17] = (uint8_t)(len - 14);
    bytes[16] = (uint8_t)((len - 14) >> 8);
    return len;
}

/* The value of an option in a reply; 0: absent */
static uint32_t option_of(const uint8_t *reply, uint8_t option)
{
    for (const uint8_t *at = reply + 282; at < reply + DHCP_REPLY_BYTES && *at != 255; at += 2 + at[1])
        if (*at == option)
            return at[1] == 4 ? frame_be32(at + 2) : at[2];
    return 0;
}

static size_t ask(const struct dhcp *dhcp, const uint8_t *bytes, size_t len, uint8_t *reply)
{
    struct frame frame;

    return frame_parse(&frame, bytes, len) ? 0 : dhcp_answer(dhcp, &frame, reply);
}

static void check_dhcp(void)
{
    struct dhcp dhcp = {.ipv4 = 0x0a4d0102, .netmask = 0xffffff00, .gateway = 0x0a4d0101,
                        .nr_resolvers = 1, .resolvers = {0x0a000203}};
    struct filter filter = own();
    uint8_t bytes[512], reply[DHCP_REPLY_BYTES];
    struct frame frame;

    put_hex(dhcp.mac, OWN);
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        size_t len = make_request(bytes, asked[i].type, asked[i].options, asked[i].ciaddr);
        bool good = !frame_parse(&frame, bytes, len) && !filter_refuse(&filter, &frame) && filter_is_dhcp(&frame);
        size_t got = ask(&dhcp, bytes, len, reply);
        if (!asked[i].answer) {
            check(good && !got, "%s: no answer", asked[i].name);
            continue;
        }
        bool gives = asked[i].answer != 6;
        good = good && got == DHCP_REPLY_BYTES && option_of(reply, 53) == asked[i].answer &&
               option_of(reply, 51) == (asked[i].lease ? DHCP_LEASE_S : 0) &&
               option_of(reply, 1) == (gives ? dhcp.netmask : 0) && option_of(reply, 3) == (gives ? dhcp.gateway : 0) &&
               option_of(reply, 6) == (gives ? 0x0a000203 : 0) && frame_be32(reply + 42 + 4) == 0xdeadbeef &&
               frame_be32(reply + 42 + 16) == (asked[i].lease ? dhcp.ipv4 : 0);
        check(good, "%s: answer %u", asked[i].name, asked[i].answer);
    }
    size_t len = make_request(bytes, 1, "", 0);
    check(ask(&dhcp, bytes, len, reply) && !memcmp(reply, "\xff\xff\xff\xff\xff\xff", 6),
          "the broadcast flag is obeyed");
    bytes[42 + 10] = 0;
    check(ask(&dhcp, bytes, len, reply) && !memcmp(reply, dhcp.mac, 6) && frame_be32(reply + 30) == dhcp.ipv4,
          "without it the answer comes to the address");
    put_hex(bytes + 42 + 28, OTHER);
    check(!ask(&dhcp, bytes, len, reply), "for another's MAC: no answer");
    put_hex(bytes + 42 + 28, OWN);
    put_hex(bytes + 16, "0056");
    check(!ask(&dhcp, bytes, len, reply), "cut off: no answer");
}

static const struct {
    const char *name, *frame;
    int at;
    const char *change;
    struct offload offload;
    const char *refused;
    unsigned start, segments;           /* of the header */
} offloads[] = {
    {"nothing left open", TCP, 0, "", {false, 0, 0}, NULL, 0, 0},
    {"TCP checksum", TCP, 0, "", {true, 0, 0}, NULL, 34, 0},
    {"UDP checksum", UDP, 0, "", {true, 0, 0}, NULL, 34, 0},
    {"checksum of ICMP", UDP, 23, "01", {true, 0, 0}, "checksum left open in what has none", 0, 0},
    {"checksum of ARP", ARP, 0, "", {true, 0, 0}, "checksum left open in what has none", 0, 0},
    {"checksum of a fragment", UDP, 20, "2000", {true, 0, 0}, "checksum left open in what has none", 0, 0},
    {"checksum of a later fragment", UDP, 20, "0001", {true, 0, 0}, "checksum left open in what has none", 0, 0},
    {"checksum of a TCP header cut off", TCP, 16, "0027", {true, 0, 0}, "checksum left open in a header cut off", 0, 0},
    {"segments larger than the packet", TCP, 0, "", {true, XEN_NETIF_GSO_TYPE_TCPV4, 1448}, NULL, 34, 0},
    {"segments of IPv6 in IPv4", TCP, 0, "", {true, XEN_NETIF_GSO_TYPE_TCPV6, 1448}, "segments of an unknown kind", 0, 0},
    {"segments of no known kind", TCP, 0, "", {true, 9, 1448}, "segments of an unknown kind", 0, 0},
    {"segments of UDP", UDP, 0, "", {true, XEN_NETIF_GSO_TYPE_TCPV4, 1448}, "segments of what is not TCP", 0, 0},
    {"segments with checksums done", TCP, 0, "", {false, XEN_NETIF_GSO_TYPE_TCPV4, 1448}, "segments of what is not TCP", 0, 0},
    {"segments of one byte", TCP, 0, "", {true, XEN_NETIF_GSO_TYPE_TCPV4, 1}, "segments too small", 0, 0},
    {"segments of none", TCP, 0, "", {true, XEN_NETIF_GSO_TYPE_TCPV4, 0}, "segments too small", 0, 0},
    {"segments behind a TCP header that is too long", TCP, 46, "f0", {true, XEN_NETIF_GSO_TYPE_TCPV4, 1448}, "TCP header cut off", 0, 0},
    {"segments behind a TCP header that is too short", TCP, 46, "40", {true, XEN_NETIF_GSO_TYPE_TCPV4, 1448}, "TCP header cut off", 0, 0},
    {"segments with padding", TCP, 16, "0028", {true, XEN_NETIF_GSO_TYPE_TCPV4, 1448}, "segments with padding", 0, 0},
};

static void check_offloads(void)
{
    uint8_t bytes[4096];
    struct virtio_net_hdr header;
    struct frame frame;

    for (size_t i = 0; i < sizeof(offloads) / sizeof(offloads[0]); i++) {
        size_t len = put_hex(bytes, offloads[i].frame);
        put_hex(bytes + offloads[i].at, offloads[i].change);
        const char *why = frame_parse(&frame, bytes, len);
        if (!why)
            why = offload_tx(&frame, &offloads[i].offload, &header);
        bool good = offloads[i].refused ? why && !strcmp(why, offloads[i].refused)
                                        : !why && header.csum_start == offloads[i].start && header.gso_type == offloads[i].segments;
        check(good, "%s: %s", offloads[i].name, offloads[i].refused ? offloads[i].refused : "passes");
    }
    size_t len = put_hex(bytes, TCP);
    memset(bytes + len, 0, 3000);
    bytes[16] = (uint8_t)((len + 3000 - 14) >> 8);
    bytes[17] = (uint8_t)(len + 3000 - 14);
    check(!frame_parse(&frame, bytes, len + 3000) &&
              !offload_tx(&frame, &(struct offload){true, XEN_NETIF_GSO_TYPE_TCPV4, 1000}, &header) &&
              header.gso_type == VIRTIO_NET_HDR_GSO_TCPV4 && header.gso_size == 1000 && header.hdr_len == 54 &&
              header.csum_offset == 16,
          "segments to be cut are described to the tap");
}

int main(void)
{
    check_rows();
    check_every_bit();
    check_dhcp();
    check_offloads();
    return tap_end();
}
