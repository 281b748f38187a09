/* netif (xen/io/netif.h) served to an unmodified frontend: the core, which knows rings, the
 * meter and a tap, but neither xenstored nor how a worker starts.
 *
 * Every slot is copied out of the shared rings once and judged in that copy; payload crosses in
 * meter_copy only, and what is filtered is the copy that is sent.
 *
 * transmit: slots are taken, gathered into packets, up to 64 packets are copied in one call, each is
 *     judged, all that pass are written to the tap in one more, and all are answered. A frontend whose ring
 *     contradicts itself is broken (worker_broken); a packet that is merely wrong is answered with an error.
 * receive: frames wait in the state file's queue until the guest has posted buffers and its limit allows; when
 *     the queue is full they are dropped and counted.
 */
#ifndef PROVISIONER_NETBACK_NETBACK_H
#define PROVISIONER_NETBACK_NETBACK_H

#include <stdbool.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/io/netif.h>

#include "provisioner/backend/meter.h"
#include "provisioner/netback/dhcp.h"
#include "provisioner/netback/filter.h"
#include "provisioner/netback/state.h"
#include "provisioner/netback/tap.h"

#define NETBACK_SLOTS_MAX   18u         /* of one packet, data only: what the protocol promises to a frontend */
#define NETBACK_BATCH       XS_METER_OPS_MAX

struct netback {
    struct meter meter;
    struct netback_state *state;
    struct netif_tx_sring *tx;
    struct netif_rx_sring *rx;
    int tx_port, rx_port;
    struct tap *tap;
    struct filter filter;
    struct dhcp dhcp;
    bool multicast;                     /* the guest names the groups it wants; else it gets all */
    size_t frame_max;                   /* bytes, of a frame from the tap */
    uint64_t tx_retry_ns, rx_retry_ns;  /* monotonic; 0: no limit is waited for */
};

/* After a start: goes on from the state, or begins one. */
void netback_attach(struct netback *netback);

/* Both do all that can be done now. 0, or what meter_copy said when it is over (-EACCES, -ESRCH). */
int netback_transmit(struct netback *netback, uint64_t now_ns);
int netback_receive(struct netback *netback, uint64_t now_ns);

/* Takes what the tap has into the queue. 0, or -1 with errno: the tap is gone. */
int netback_fill(struct netback *netback);
/* A frame of our own for the guest. */
void netback_enqueue(struct netback *netback, const uint8_t *frame, size_t len);

/* Frames wait for the guest to post buffers. */
bool netback_waits(const struct netback *netback);

/* Of one ring: the frontend gets the answers from `before` on up to `now`, and an event on `port` if it wants one. */
void netback_publish(RING_IDX *rsp_prod, const RING_IDX *rsp_event, uint64_t before, uint64_t now, int port);

/* Tells the meter of `owed` drops. As netback_transmit. */
int netback_owe(struct netback *netback, uint32_t *owed, enum xs_meter_kind kind);

#endif
