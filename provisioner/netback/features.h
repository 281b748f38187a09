/* What xs-netback offers a frontend, and what it wants to know of one: the tables that
 * xs-devd walks when it speaks for a vif in xenstored (io/netif.h has the meanings).
 *
 * Left out on purpose: more than one queue (one per NIC keeps packets in order
 * and one process a NIC), the control ring (hashing has no use with one queue).
 */
#ifndef PROVISIONER_NETBACK_FEATURES_H
#define PROVISIONER_NETBACK_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

/* Written to the backend's directory before it goes to InitWait. */
struct netback_feature {
    const char *node, *value;
};
static const struct netback_feature netback_features[] = {
    {"feature-rx-copy", "1"},           /* netfront refuses a backend without it */
    {"feature-rx-flip", "0"},
    {"feature-sg", "1"},
    {"feature-gso-tcpv4", "1"},
    {"feature-gso-tcpv6", "1"},
    {"feature-ipv6-csum-offload", "1"},
    {"feature-no-csum-offload", "0"},
    {"feature-multicast-control", "1"},
    {"feature-split-event-channels", "1"},
    {"multi-queue-max-queues", "1"},
    {NULL, NULL},
};

/* Read from the frontend's directory when it has gone to Initialised or Connected. Each becomes a member of the
 * worker's config under the name `config`. Numbers are decimal, below 2^32; a flag is a number, absent means 0, and
 * anything that is no number, or a required one that is absent, fails the device.
 *
 * refs:  an array of one ring reference.
 * ports: `event-channel-tx` and `event-channel-rx` when both are there, else `event-channel` for both.
 * A frontend that asks for more than one queue (multi-queue-num-queues above 1) fails. */
enum netback_kind { NETBACK_REF, NETBACK_PORT, NETBACK_FLAG, NETBACK_NOT_FLAG };
struct netback_key {
    const char *node, *otherwise;       /* otherwise: read when node is absent */
    const char *config;
    enum netback_kind kind;             /* NETBACK_NOT_FLAG: the config gets the opposite */
    bool required;                      /* a flag that is required must be 1 */
};
static const struct netback_key netback_keys[] = {
    {"tx-ring-ref", NULL, "tx_refs", NETBACK_REF, true},
    {"rx-ring-ref", NULL, "rx_refs", NETBACK_REF, true},
    {"event-channel-tx", "event-channel", "tx_port", NETBACK_PORT, true},
    {"event-channel-rx", "event-channel", "rx_port", NETBACK_PORT, true},
    {"request-rx-copy", NULL, "rx_copy", NETBACK_FLAG, true},
    {"feature-rx-notify", NULL, "rx_notify", NETBACK_FLAG, false},
    {"feature-sg", NULL, "sg", NETBACK_FLAG, false},
    {"feature-gso-tcpv4", NULL, "gso4", NETBACK_FLAG, false},
    {"feature-gso-tcpv6", NULL, "gso6", NETBACK_FLAG, false},
    {"feature-no-csum-offload", NULL, "csum_offload", NETBACK_NOT_FLAG, false},
    {"feature-ipv6-csum-offload", NULL, "csum6_offload", NETBACK_FLAG, false},
    {"request-multicast-control", NULL, "multicast", NETBACK_FLAG, false},
    {NULL, NULL, NULL, NETBACK_FLAG, false},
};

#endif
