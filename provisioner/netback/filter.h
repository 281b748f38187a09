/* What a guest may put on its network: only what comes from itself. Pure.
 *
 * IPv4, ARP and a little IPv6 pass, everything else is refused: VLAN tags (the address
 * check would look past them), LLC and STP, and the group addresses that
 * bridges keep for themselves.
 *
 * IPv4: the source is one of the NIC's addresses; 0.0.0.0 only where DHCP asks. Fragments pass, except
 * a first one too short to show its ports. Options pass (IGMP needs one), except source routes. Nobody
 * may answer as a DHCP server.
 *
 * IPv6: networks have no IPv6 addresses yet, but each Linux kernel sends a few packets for its
 * link-local address, and to refuse them would count drops for honest guests. So what comes from
 * the one link-local address that the MAC gives (RFC 4291, appendix A) passes, and from :: what such a kernel asks
 * before it has it. Neighbour discovery may speak of its own address and MAC only, and
 * router advertisements and redirects are refused. Extension headers hide what follows: only the
 * hop-by-hop one of multicast reports passes.
 */
#ifndef PROVISIONER_NETBACK_FILTER_H
#define PROVISIONER_NETBACK_FILTER_H

#include "provisioner/netback/frame.h"

#define FILTER_IPV4_MAX 8u

struct filter {
    uint8_t mac[6];
    unsigned nr_ipv4;
    uint32_t ipv4[FILTER_IPV4_MAX];     /* host byte order */
};

/* NULL: may pass; or why not. */
const char *filter_refuse(const struct filter *filter, const struct frame *frame);

/* A DHCP client's word to a server: it passes the filter, and is answered instead of sent on. */
bool filter_is_dhcp(const struct frame *frame);

#endif
