/* A network's frontend that lies: in xenstored, in its rings, in its packets' descriptors, and about who it is. */
#include "tests/guest/hostile.h"

#define xen_mb()  __sync_synchronize()
#define xen_rmb() __sync_synchronize()
#define xen_wmb() __sync_synchronize()
#define memset __builtin_memset
#define memcpy __builtin_memcpy
#include <xen/io/netif.h>

#define TX_REF    8u                    /* of the grant table */
#define RX_REF    9u
#define DATA_REF  16u
#define SPARE_REF 200u
#define NO_REF    300u                  /* its entry is empty */
#define ETHERNET  14u

static struct frontend net;
static uint64_t patience_ns;
static netif_tx_front_ring_t tx;
static netif_rx_front_ring_t rx;
static uint8_t *tx_page, *rx_page, *packet;
static uint8_t mac[6], ip[4];

static void nodes_say(void)
{
    frontend_say_number(&net, "tx-ring-ref", TX_REF);
    frontend_say_number(&net, "rx-ring-ref", RX_REF);
    frontend_say_number(&net, "event-channel", net.port);
    frontend_say(&net, "request-rx-copy", "1");
    frontend_say(&net, "feature-rx-notify", "1");
    frontend_say(&net, "feature-sg", "1");
    frontend_say(&net, "feature-gso-tcpv4", "1");
    frontend_say(&net, "multi-queue-num-queues", "1");
}

static void rings_new(void)
{
    netif_tx_sring_t *shared_tx = page_alloc();
    netif_rx_sring_t *shared_rx = page_alloc();

    tx_page = (uint8_t *)shared_tx;
    rx_page = (uint8_t *)shared_rx;
    SHARED_RING_INIT(shared_tx);
    SHARED_RING_INIT(shared_rx);
    FRONT_RING_INIT(&tx, shared_tx, 4096);
    FRONT_RING_INIT(&rx, shared_rx, 4096);
    grant_page(TX_REF, tx_page);
    grant_page(RX_REF, rx_page);
}

static unsigned digit(char c)
{
    return c >= 'a' ? (unsigned)(c - 'a' + 10) : c >= 'A' ? (unsigned)(c - 'A' + 10) : (unsigned)(c - '0');
}

/* Who we are, by the backend's own nodes. */
static void addresses_read(void)
{
    char text[64];

    if (frontend_read(&net, "mac", text, sizeof(text))) {
        for (unsigned i = 0; i < 6; i++)
            mac[i] = (uint8_t)(digit(text[3 * i]) << 4 | digit(text[3 * i + 1]));
    }
    if (frontend_read(&net, "ip", text, sizeof(text))) {
        unsigned i = 0;

        memset(ip, 0, sizeof(ip));
        for (const char *c = text; *c && *c != ' ' && i < 4; c++) {
            if (*c == '.')
                i++;
            else
                ip[i] = (uint8_t)(ip[i] * 10 + digit(*c));
        }
    }
}

static bool connect(void)
{
    patience_ns = ANSWER_NS;
    if (!frontend_begin(&net))
        return false;
    rings_new();
    nodes_say();
    frontend_say_number(&net, "state", XenbusStateConnected);
    return frontend_await(&net, XenbusStateConnected);
}

/* ---- packets ---- */

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* An honest ARP question for our own address: nobody answers it, and nobody minds. */
static void arp(void)
{
    memset(packet, 0, 60);
    memset(packet, 0xff, 6);
    memcpy(packet + 6, mac, 6);
    put16(packet + 12, 0x0806);
    memcpy(packet + ETHERNET, "\0\1\x08\0\6\4\0\1", 8);
    memcpy(packet + ETHERNET + 8, mac, 6);
    memcpy(packet + ETHERNET + 14, ip, 4);
    memcpy(packet + ETHERNET + 24, ip, 4);
}

/* UDP to the broadcast address, port 9 (discard): 20 and 8 bytes of header, no checksum. */
static void udp(void)
{
    uint8_t *h = packet + ETHERNET;
    uint32_t sum = 0;

    memset(packet, 0, 60);
    memset(packet, 0xff, 6);
    memcpy(packet + 6, mac, 6);
    put16(packet + 12, 0x0800);
    h[0] = 0x45;
    put16(h + 2, 46);
    h[8] = 64;
    h[9] = 17;
    memcpy(h + 12, ip, 4);
    memset(h + 16, 0xff, 4);
    for (unsigned i = 0; i < 20; i += 2)
        sum += (uint32_t)h[i] << 8 | h[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    put16(h + 10, ~(sum + (sum >> 16)) & 0xffff);
    put16(h + 20, 9);
    put16(h + 22, 9);
    put16(h + 24, 26);
}

static netif_tx_request_t *next_slot(void)
{
    netif_tx_request_t *slot = RING_GET_REQUEST(&tx, tx.req_prod_pvt);

    *slot = (netif_tx_request_t){ .gref = DATA_REF, .id = (uint16_t)tx.req_prod_pvt, .size = 60 };
    tx.req_prod_pvt++;
    return slot;
}

static struct netif_extra_info *next_extra(uint8_t type, uint8_t flags)
{
    struct netif_extra_info *extra = (void *)next_slot();

    memset(extra, 0, sizeof(*extra));
    extra->type = type;
    extra->flags = flags;
    return extra;
}

static void push(void)
{
    RING_PUSH_REQUESTS(&tx);
    port_send(&net);
}

/* The next answer's status (those of descriptors left out), or why there is none. */
static int answer(void)
{
    uint64_t until = clock_ns(0) + patience_ns;

    for (;;) {
        int more;

        while (RING_HAS_UNCONSUMED_RESPONSES(&tx)) {
            int status = RING_GET_RESPONSE(&tx, tx.rsp_cons)->status;

            tx.rsp_cons++;
            if (status != NETIF_RSP_NULL)
                return status;
        }
        if (frontend_closed(&net))
            return ANSWER_CLOSED;
        RING_FINAL_CHECK_FOR_RESPONSES(&tx, more);
        if (!more && !frontend_sleep(&net, until))
            return ANSWER_NONE;
    }
}

/* ---- packets of another's, or of nobody's: taken from the guest, and thrown away ---- */

static void spoof_mac(void) { arp(), packet[11] ^= 1; }
static void spoof_arp_mac(void) { arp(), packet[ETHERNET + 13] ^= 1; }
static void spoof_arp_ip(void) { arp(), packet[ETHERNET + 17] ^= 1; }
static void spoof_ip(void) { udp(), packet[ETHERNET + 15] ^= 1; }
static void to_bridge(void) { arp(), memcpy(packet, "\x01\x80\xc2\0\0", 6); }
static void vlan(void) { arp(), put16(packet + 12, 0x8100); }
static void ip_header_short(void) { udp(), packet[ETHERNET] = 0x41; }
static void ip_length_long(void) { udp(), put16(packet + ETHERNET + 2, 9000); }
static void ip6_stranger(void) { udp(), put16(packet + 12, 0x86dd), packet[ETHERNET] = 0x60; }

static void dhcp_server(void)
{
    udp();
    put16(packet + ETHERNET + 20, 67);
    put16(packet + ETHERNET + 22, 68);
}

static const struct {
    const char *name;
    void (*write)(void);
} packets[] = {
    { "net-spoof-mac", spoof_mac }, { "net-spoof-arp-mac", spoof_arp_mac }, { "net-spoof-arp-ip", spoof_arp_ip },
    { "net-spoof-ip", spoof_ip }, { "net-to-bridge", to_bridge }, { "net-vlan", vlan },
    { "net-ip-header-short", ip_header_short }, { "net-ip-length-long", ip_length_long }, { "net-ip6", ip6_stranger },
    { "net-dhcp-server", dhcp_server },
};

/* ---- descriptors that are wrong: answered as errors, or dropped ---- */

static void grant_none(void) { next_slot()->gref = NO_REF; }
static void grant_beyond(void) { next_slot()->gref = 0xfffffff0; }
static void short_0(void) { next_slot()->size = 0; }
static void short_13(void) { next_slot()->size = 13; }

static void gso(uint8_t type, uint16_t size)
{
    struct netif_extra_info *extra;

    next_slot()->flags = NETTXF_extra_info | NETTXF_csum_blank;
    extra = next_extra(XEN_NETIF_EXTRA_TYPE_GSO, 0);
    extra->u.gso.type = type;
    extra->u.gso.size = size;
}

static void gso_of_none(void) { udp(), gso(XEN_NETIF_GSO_TYPE_TCPV4, 0); }
static void gso_of_udp(void) { udp(), gso(XEN_NETIF_GSO_TYPE_TCPV4, 10); }
static void gso_unknown(void) { udp(), gso(99, 1000); }

static void groups_many(void)
{
    for (unsigned i = 0; i < 100; i++) {
        next_slot()->flags = NETTXF_extra_info;
        memcpy(next_extra(XEN_NETIF_EXTRA_TYPE_MCAST_ADD, 0)->u.mcast.addr, &(uint64_t){ random_next() }, 6);
    }
    push();
    for (unsigned i = 0; i < 99; i++)
        answer();
}

static void pages_back(void)
{
    for (unsigned i = 0; i < 16; i++) {
        void *page = page_alloc();

        grant_page(SPARE_REF + i, page);
        next_slot()->gref = SPARE_REF + i;
        push();
        grant_set(SPARE_REF + i, 0, 0, 0);
        page_give_back(page);
    }
    for (unsigned i = 0; i < 15; i++)
        answer();
}

static void same_ids(void)
{
    for (unsigned i = 0; i < 4; i++)
        next_slot()->id = 42;
    push();
    for (unsigned i = 0; i < 3; i++)
        answer();
}

/* ---- rings and chains that are wrong: the device is closed ---- */

static void tx_overrun(void) { tx.req_prod_pvt += 300; }
static void size_most(void) { next_slot()->size = 65535; }
static void slot_crosses(void) { next_slot()->offset = 4090; }
static void no_end(void) { next_slot()->flags = NETTXF_more_data; }
static void extra_no_end(void) { next_slot()->flags = NETTXF_extra_info; }

static void tx_backwards(void)
{
    next_slot();
    push();
    answer();
    tx.req_prod_pvt -= 5;
}

static void rx_overrun(void) { patience_ns = MAYBE_NS, rx.sring->req_prod += 1000; }

static void slots_many(void)
{
    for (unsigned i = 0; i < 40; i++)
        next_slot()->flags = i < 39 ? NETTXF_more_data : 0;
}

static void sum_wrong(void)
{
    next_slot()->flags = NETTXF_more_data;
    next_slot()->size = 200;
}

static void extra_garbage(void)
{
    next_slot()->flags = NETTXF_extra_info;
    memset(next_extra(77, 0)->u.mcast.addr, 0xee, 6);
}

static void extra_endless(void)
{
    next_slot()->flags = NETTXF_extra_info;
    for (unsigned i = 0; i < 250; i++)
        next_extra(XEN_NETIF_EXTRA_TYPE_GSO, XEN_NETIF_EXTRA_FLAG_MORE);
}

static void ring_changing(void)
{
    uint64_t *words = (uint64_t *)tx.sring->ring;

    for (unsigned i = 0; i < 200; i++)
        next_slot();
    push();
    for (unsigned i = 0; i < 2000000; i++)
        words[random_next() % 384] = random_next() % 3 ? random_next() : DATA_REF;
    tx.rsp_cons = tx.sring->rsp_prod;
    patience_ns = MAYBE_NS;
}

static void rings_back(void)
{
    for (unsigned i = 0; i < 8; i++)
        next_slot();
    push();
    patience_ns = MAYBE_NS;
    grant_set(TX_REF, 0, 0, 0);
    grant_set(RX_REF, 0, 0, 0);
    page_give_back(tx_page);
    page_give_back(rx_page);
    tx.sring = page_alloc();            /* ours is elsewhere now: what the backend answers, it answers itself */
    SHARED_RING_INIT(tx.sring);
    tx.rsp_cons = tx.req_prod_pvt = 0;
    for (unsigned i = 0; i < 100; i++)
        port_send(&net);
}

static const struct {
    const char *name;
    void (*post)(void);
    bool anew;                          /* on a connection of its own */
} posts[] = {
    { "net-grant-none", grant_none, false }, { "net-grant-beyond", grant_beyond, false },
    { "net-short-0", short_0, false }, { "net-short-13", short_13, false }, { "net-gso-of-none", gso_of_none, false },
    { "net-gso-of-udp", gso_of_udp, false }, { "net-gso-unknown", gso_unknown, false },
    { "net-groups-many", groups_many, false }, { "net-pages-back", pages_back, false },
    { "net-same-ids", same_ids, false }, { "net-tx-overrun", tx_overrun, true },
    { "net-tx-backwards", tx_backwards, true }, { "net-rx-overrun", rx_overrun, true },
    { "net-size-most", size_most, true }, { "net-slot-crosses", slot_crosses, true }, { "net-no-end", no_end, true },
    { "net-extra-no-end", extra_no_end, true }, { "net-slots-many", slots_many, true },
    { "net-sum-wrong", sum_wrong, true }, { "net-extra-garbage", extra_garbage, true },
    { "net-extra-endless", extra_endless, true }, { "net-ring-changing", ring_changing, true },
    { "net-rings-back", rings_back, true },
};

static void bad_packets(void)
{
    bool connected = false;

    for (unsigned i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        if (!wanted(packets[i].name))
            continue;
        connected = connected || connect();
        packets[i].write();
        next_slot();
        push();
        done(packets[i].name, answer());
    }
}

static void bad_posts(void)
{
    bool connected = false;

    for (unsigned i = 0; i < sizeof(posts) / sizeof(posts[0]); i++) {
        if (!wanted(posts[i].name))
            continue;
        connected = (connected && !posts[i].anew) || connect();
        if (!connected) {
            done_with(posts[i].name, "not connected");
            continue;
        }
        arp();
        posts[i].post();
        push();
        done(posts[i].name, answer());
    }
}

/* ---- xenstored ---- */

static const struct lie lies[] = {
    { "net-ref-none", "tx-ring-ref", "300" }, { "net-ref-beyond", "rx-ring-ref", "4294967295" },
    { "net-ref-text", "tx-ring-ref", "eight" }, { "net-port-none", "event-channel", "77" },
    { "net-port-text", "event-channel", "-1" }, { "net-queues", "multi-queue-num-queues", "4" },
    { "net-queues-text", "multi-queue-num-queues", "some" }, { "net-no-copy", "request-rx-copy", "0" },
    { "net-sg-text", "feature-sg", "maybe" },
};

static void bad_nodes(void)
{
    for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        if (!wanted(lies[i].name))
            continue;
        frontend_begin(&net);
        rings_new();
        nodes_say();
        frontend_say(&net, lies[i].node, lies[i].value);
        frontend_say_number(&net, "state", XenbusStateConnected);
        done(lies[i].name, frontend_await(&net, XenbusStateClosed) ? ANSWER_CLOSED : ANSWER_NONE);
    }
}

void net_attacks(void)
{
    frontend_find(&net, "vif/0");
    addresses_read();
    packet = page_alloc();
    grant_page(DATA_REF, packet);
    bad_packets();
    bad_posts();
    bad_nodes();
    if (connect()) {
        arp();
        next_slot();
        push();
        done("net-honest", answer());
    } else {
        done_with("net-honest", "not connected");
    }
}
