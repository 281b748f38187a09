/* A guest's firewall: what its owner asks for, read strictly, and the nft rules that it becomes. Pure: no I/O.
 *
 *   {enabled: bool[, inbound: [rule]][, outbound: [rule]]}
 *   rule {protocol: tcp | udp | icmp[, ports: "22" | "8000-8010"][, source | destination: "203.0.113.0/24"][, note]}
 *
 * source belongs to inbound, destination to outbound; an address alone is a network of one, absent it is everywhere. No ports
 * are all ports; icmp has none. Addresses are IPv4, as guests have no other (network.nft drops IPv6).
 *
 * Enabled: of what others begin, only what a rule of `inbound` allows reaches the guest; of what the guest begins, only what
 * a rule of `outbound` allows leaves it, but all when there is no such rule. Answers to what was begun pass. Each packet
 * of the side that began is looked at, not the first alone: what is no longer allowed ends.
 * Inbound rules see the guest's port: a forwarded one has been translated by then.
 */
#ifndef PROVISIONER_FIREWALL_H
#define PROVISIONER_FIREWALL_H

#include "common/json.h"

#include <stdbool.h>
#include <stdint.h>

#define FIREWALL_RULES_MAX  50u         /* each way */
#define FIREWALL_NOTE_BYTES 100

enum firewall_protocol { FIREWALL_TCP, FIREWALL_UDP, FIREWALL_ICMP, FIREWALL_PROTOCOLS };

struct firewall_rule {
    enum firewall_protocol protocol;
    uint16_t first, last;               /* ports; 0: all */
    bool anywhere;
    uint32_t network;                   /* host byte order; no bit below the prefix */
    uint8_t prefix;
    char note[FIREWALL_NOTE_BYTES + 1]; /* empty: none */
};

struct firewall {
    bool enabled;
    unsigned inbound_count, outbound_count;
    struct firewall_rule inbound[FIREWALL_RULES_MAX], outbound[FIREWALL_RULES_MAX];
};

/* 0, or -1 and *why names the field, "inbound[3].ports: ...", and *firewall is undefined. */
int firewall_read(const json_t *object, struct firewall *firewall, struct json_why *why);

/* As firewall_read takes it, in one spelling; new reference. */
json_t *firewall_json(const struct firewall *firewall);

/* One transaction for `nft -f` that makes these the guest's only rules, whatever it had; of one that is not enabled: none.
 * For the tables of host/dom0/etc/xs/network.nft. malloc'd, NULL when out of memory. */
char *firewall_nft(const struct firewall *firewall, uint32_t ipv4);

#endif
