/* What outlives a worker: the layout of a NIC's state file (backend/worker.h).
 *
 * Both rings are followed by free-running 64-bit slot numbers; the low half is the ring's own
 * index, and the number of a packet's first slot is its `seq` for the meter. Each number below is
 * written after what it speaks for, so a worker that is killed between any two stores leaves a
 * state that its successor continues:
 *
 *   tx   answered <= sent <= taken. Slots from `answered` on are kept in private copies. A packet
 *        below `sent` is out on the tap; one above is copied again under its old
 *        number, moved twice and counted once. A kill between tap and `sent` sends a batch's packets twice, which
 *        a network may do.
 *   rx   answered <= taken. The queue holds whole packets, head to tail. Those that have slots are
 *        copied again, the same bytes to the same slots under the same number.
 *
 * What the frontend sees, the rings' rsp_prod, is published after `answered`: a slot
 * that may hold a new request is never written again.
 *
 * Drops are owed until they are told to the meter, and forgiven just before: a kill may lose the count of a
 * few dropped packets, which nobody pays for, and never doubles one.
 */
#ifndef PROVISIONER_NETBACK_STATE_H
#define PROVISIONER_NETBACK_STATE_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>

#define STATE_RING          256u        /* slots of either ring: one page */
#define STATE_QUEUE         512u        /* packets waiting for the guest */
#define STATE_QUEUE_BYTES   (256u * 1024)
#define STATE_GROUPS        64u         /* multicast addresses a guest may ask for */
#define STATE_FRAME_MAX     65553u      /* 64 KiB of IP packet, Ethernet, a tag */

struct tx_slot {
    uint8_t raw[12];                    /* struct netif_tx_request, or netif_extra_info */
    int16_t status;                     /* the answer, once below `sent` */
    uint16_t pad;
};

struct rx_slot {
    uint32_t ref;
    uint16_t id;
    uint16_t pad;
};

struct rx_packet {
    struct virtio_net_hdr header;
    uint32_t offset, len;               /* in `bytes` */
    uint32_t slots;                     /* 0: none given yet */
    uint64_t first;                     /* of its slots */
};

static inline uint32_t rx_packet_pages(const struct rx_packet *packet)
{
    return (packet->len + 4095) / 4096;
}

struct netback_state {
    uint32_t begun;
    uint32_t tx_drops_owed, rx_drops_owed;
    uint32_t groups;
    uint64_t tx_answered, tx_sent, tx_taken;
    uint64_t rx_answered, rx_taken;
    uint64_t head, tail;                /* packet numbers, free-running */
    uint8_t group[STATE_GROUPS][6];
    struct tx_slot tx_slots[STATE_RING];
    struct rx_slot rx_slots[STATE_RING];
    struct rx_packet packets[STATE_QUEUE];
    uint8_t bytes[STATE_QUEUE_BYTES] __attribute__((aligned(4096)));
};

/* Makes a state that a killed worker left consistent. False: no worker of ours has written it. */
bool state_recover(struct netback_state *state);

#endif
