#include "provisioner/netback/offload.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>
#include <xen/xen.h>
#include <xen/io/netif.h>

enum { TCP_SUM = 16, TCP_HEADER = 20, UDP_SUM = 6, UDP_HEADER = 8 };

static const char *tx_checksum(const struct frame *frame, struct virtio_net_hdr *header)
{
    bool tcp = frame->protocol == IPPROTO_TCP;

    if (!frame->l4 || frame->fragment || (!tcp && frame->protocol != IPPROTO_UDP))
        return "checksum left open in what has none";
    if (frame->end - frame->l4 < (tcp ? TCP_HEADER : UDP_HEADER))
        return "checksum left open in a header cut off";
    header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    header->csum_start = (uint16_t)frame->l4;
    header->csum_offset = tcp ? TCP_SUM : UDP_SUM;
    return NULL;
}

static const char *tx_segments(const struct frame *frame, const struct offload *offload, struct virtio_net_hdr *header)
{
    bool v4 = offload->gso_type == XEN_NETIF_GSO_TYPE_TCPV4, v6 = offload->gso_type == XEN_NETIF_GSO_TYPE_TCPV6;

    if ((!v4 && !v6) || frame->ethertype != (v4 ? ETHERTYPE_IP : ETHERTYPE_IPV6))
        return "segments of an unknown kind";
    if (!offload->blank || frame->protocol != IPPROTO_TCP)
        return "segments of what is not TCP";
    if (frame->end != frame->len)
        return "segments with padding";         /* who cuts takes it for data */
    if (offload->gso_size < OFFLOAD_SEGMENT_MIN)
        return "segments too small";
    size_t tcp = (frame->bytes[frame->l4 + 12] >> 4) * 4u;
    if (tcp < TCP_HEADER || tcp > frame->end - frame->l4)
        return "TCP header cut off";
    if (frame->end - frame->l4 - tcp <= offload->gso_size)
        return NULL;                    /* one segment: nothing to cut */
    header->gso_type = v4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
    header->gso_size = offload->gso_size;
    header->hdr_len = (uint16_t)(frame->l4 + tcp);
    return NULL;
}

const char *offload_tx(const struct frame *frame, const struct offload *offload, struct virtio_net_hdr *header)
{
    const char *why = NULL;

    memset(header, 0, sizeof(*header));
    if (offload->blank)
        why = tx_checksum(frame, header);
    if (!why && offload->gso_type != XEN_NETIF_GSO_TYPE_NONE)
        why = tx_segments(frame, offload, header);
    return why;
}

void offload_rx(const struct virtio_net_hdr *header, struct offload *offload)
{
    *offload = (struct offload){.blank = header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM};
    if (header->gso_type == VIRTIO_NET_HDR_GSO_TCPV4)
        offload->gso_type = XEN_NETIF_GSO_TYPE_TCPV4;
    else if (header->gso_type == VIRTIO_NET_HDR_GSO_TCPV6)
        offload->gso_type = XEN_NETIF_GSO_TYPE_TCPV6;
    if (offload->gso_type != XEN_NETIF_GSO_TYPE_NONE)
        offload->gso_size = header->gso_size;
}
