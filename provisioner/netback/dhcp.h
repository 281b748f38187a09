/* Answers a guest's DHCP (RFC 2131) with the addresses its NIC has. Pure.
 *
 * A guest's request never leaves its backend, so no other guest can answer it and no
 * server in dom0 listens to strangers. Nothing is leased: the address
 * belongs to the NIC as long as that exists, whatever the client does. Without
 * message type (plain BOOTP) there is no answer.
 */
#ifndef PROVISIONER_NETBACK_DHCP_H
#define PROVISIONER_NETBACK_DHCP_H

#include "provisioner/netback/frame.h"

#define DHCP_RESOLVERS_MAX  3u
#define DHCP_REPLY_BYTES    342u        /* Ethernet, IP, UDP, and the 300 bytes that old clients insist on */
#define DHCP_LEASE_S        86400u
enum { DHCP_SERVER = 67, DHCP_CLIENT = 68 };    /* ports */

struct dhcp {
    uint8_t mac[6], gateway_mac[6];
    uint32_t ipv4, netmask, gateway;    /* host byte order */
    unsigned nr_resolvers;
    uint32_t resolvers[DHCP_RESOLVERS_MAX];
};

/* The answer to a frame for which filter_is_dhcp is true; the bytes written to `reply`, or 0: none is due. */
size_t dhcp_answer(const struct dhcp *dhcp, const struct frame *request, uint8_t reply[DHCP_REPLY_BYTES]);

#endif
