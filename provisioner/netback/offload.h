/* Between netif's flags and a tap's virtio_net_hdr: checksums left to whoever
 * sends the packet on, and segments left uncut. Pure. */
#ifndef PROVISIONER_NETBACK_OFFLOAD_H
#define PROVISIONER_NETBACK_OFFLOAD_H

#include <linux/virtio_net.h>

#include "provisioner/netback/frame.h"

/* Smaller segments are refused: 64 KiB cut into single bytes would be dom0's work. A path of the smallest
 * MTU that IPv4 knows, 576, needs 472. */
#define OFFLOAD_SEGMENT_MIN 256u

struct offload {
    bool blank;                         /* the checksum field holds the pseudo-header's sum only */
    uint8_t gso_type;                   /* XEN_NETIF_GSO_TYPE_* */
    uint16_t gso_size;
};

/* For a frame that a guest sends. NULL, or why the guest's flags cannot be true. */
const char *offload_tx(const struct frame *frame, const struct offload *offload, struct virtio_net_hdr *header);

/* For a frame to a guest, as the tap described it. */
void offload_rx(const struct virtio_net_hdr *header, struct offload *offload);

#endif
