/* dom0's networks, for the provisioner: a bridge for each customer network, and the
 * host's TCP ports that lead to guests.
 *
 * Network N (1 to 254) is the bridge xsbrN with 10.77.N.0/24; the gateway is .1, guests have
 * .2 to .254. Networks do not reach each other. Out through eth0 guests are masqueraded and reach
 * neither dom0 nor private address ranges (the owner's own network), except the
 * resolvers that dom0 itself uses. Of dom0 a guest gets ARP and ping of its gateway, nothing else.
 *
 * There is no DHCP server to feed: xs-netback answers its guest itself, from the
 * addresses in the device's `ip` node (netback/dhcp.h). So an address is given by writing the node.
 *
 * The tap of a NIC is made by its xs-netback and ends with it, however that ends: none is left behind.
 *
 * All verbs can be repeated: done already is success. They return 0, or -1 after logging why. One thread
 * calls them, network_firewall_set any. They need root; nothing a customer wrote reaches a command line.
 */
#ifndef PROVISIONER_NETWORK_H
#define PROVISIONER_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define NETWORKS_MAX        254u
#define NETWORK_NAME_BYTES  16
#define NETWORK_BRIDGE_PREFIX "xsbr"
#define NETWORK_TAP_PREFIX  "xst"       /* taps are named xstDOMID.DEVICE (network_tap_name) */
#define NETWORK_FORWARDS_MAX 1024u
#define NETWORK_FIREWALLS_MAX 4096u
#define NETWORK_HOST_FIRST  2u
#define NETWORK_HOST_LAST   254u

/* Host byte order. host 0 is the network's own address, 1 its gateway. */
static inline uint32_t network_address(unsigned number, unsigned host)
{
    return 10u << 24 | 77u << 16 | (uint32_t)(number & 255) << 8 | (host & 255);
}

static inline void network_address_text(char text[16], unsigned number, unsigned host)
{
    uint32_t a = network_address(number, host);

    snprintf(text, 16, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

static inline void network_bridge_name(char name[NETWORK_NAME_BYTES], unsigned number)
{
    snprintf(name, NETWORK_NAME_BYTES, NETWORK_BRIDGE_PREFIX "%u", number & 255);
}

static inline void network_tap_name(char name[NETWORK_NAME_BYTES], uint32_t domid, unsigned device)
{
    snprintf(name, NETWORK_NAME_BYTES, NETWORK_TAP_PREFIX "%u.%u", domid & 0xffff, device & 0xff);
}

/* The bridge's, so that a gateway keeps its MAC whatever joins or leaves. */
static inline void network_gateway_mac(uint8_t mac[6], unsigned number)
{
    mac[0] = 0xfe;                      /* locally administered; guests' are 02:.. */
    mac[1] = 0x78;
    mac[2] = 0x73;
    mac[3] = mac[4] = 0;
    mac[5] = (uint8_t)number;
}

struct network_forward {
    uint16_t host_port, guest_port;
    uint32_t ipv4;                      /* the guest, host byte order */
};

int network_up(unsigned number);
int network_down(unsigned number);      /* the bridge; whatever is still in it loses its network */

/* The host's port leads to the guest's; one that led elsewhere is changed. Connections that exist go on. */
int network_forward_set(const struct network_forward *forward);
int network_forward_remove(uint16_t host_port);

/* The guest's rules (provisioner/firewall.h), in place of those it had, at once: no packet meets neither or a part. For
 * connections that exist, too. Of one that is not enabled: none. */
struct firewall;
int network_firewall_set(uint32_t ipv4, const struct firewall *firewall);

/* What there is now, for reconciling: `max` at most. How many, or -1 after logging. */
int network_list(unsigned *numbers, size_t max);
int network_forwards(struct network_forward *forwards, size_t max);
int network_firewalls(uint32_t *ipv4s, size_t max);

#endif
