/* From the tap to the guest. */
#include <errno.h>
#include <string.h>

#include "provisioner/backend/worker.h"
#include "provisioner/netback/netback.h"
#include "provisioner/netback/offload.h"
#include "provisioner/netback/tap.h"

#define FILL_MAX 64u                    /* frames read in one go, so that transmit has its turn */

static struct xs_meter_op ops[NETBACK_BATCH];
static struct xs_meter_seg segs[STATE_RING];
static uint8_t surplus[STATE_FRAME_MAX];

static struct rx_packet *packet_at(struct netback_state *state, uint64_t number)
{
    return &state->packets[number % STATE_QUEUE];
}

/* Where the next frame of up to `max` bytes goes; NULL: the queue is full. A frame lies in one piece. */
static uint8_t *place(struct netback_state *state, size_t max)
{
    if (state->head == state->tail)
        return state->bytes;
    if (state->tail - state->head == STATE_QUEUE)
        return NULL;
    const struct rx_packet *last = packet_at(state, state->tail - 1);
    size_t begin = packet_at(state, state->head)->offset, end = last->offset + last->len;
    if (last->offset < begin)           /* wrapped */
        return end + max <= begin ? state->bytes + end : NULL;
    if (STATE_QUEUE_BYTES - end >= max)
        return state->bytes + end;
    return begin >= max ? state->bytes : NULL;
}

static void append(struct netback_state *state, const struct virtio_net_hdr *header, const uint8_t *at, size_t len)
{
    *packet_at(state, state->tail) =
        (struct rx_packet){.header = *header, .offset = (uint32_t)(at - state->bytes), .len = (uint32_t)len};
    __atomic_store_n(&state->tail, state->tail + 1, __ATOMIC_RELEASE);
}

/* As a NIC does: frames for others, that a bridge sends to all, and groups that were not asked for. */
static bool wanted(const struct netback *netback, const uint8_t *to)
{
    static const uint8_t everyone[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    if (!(to[0] & 1))
        return !memcmp(to, netback->filter.mac, 6);
    if (!netback->multicast || !memcmp(to, everyone, 6))
        return true;
    for (unsigned i = 0; i < netback->state->groups; i++)
        if (!memcmp(netback->state->group[i], to, 6))
            return true;
    return false;
}

int netback_fill(struct netback *netback)
{
    struct virtio_net_hdr header;

    for (unsigned i = 0; i < FILL_MAX; i++) {
        uint8_t *at = place(netback->state, netback->frame_max), *to = at ? at : surplus;
        ssize_t len = tap_read(netback->tap, &header, to, netback->frame_max);
        if (len <= 0)
            return (int)len;
        if (len < (ssize_t)FRAME_HEADER || !wanted(netback, to))
            continue;
        if (at)
            append(netback->state, &header, at, (size_t)len);
        else
            netback->state->rx_drops_owed++;
    }
    return 0;
}

void netback_enqueue(struct netback *netback, const uint8_t *frame, size_t len)
{
    uint8_t *at = place(netback->state, len);

    if (!at) {
        netback->state->rx_drops_owed++;
        return;
    }
    memcpy(at, frame, len);
    append(netback->state, &(struct virtio_net_hdr){0}, at, len);
}

static unsigned slots_needed(const struct rx_packet *packet)
{
    struct offload offload;

    offload_rx(&packet->header, &offload);
    return rx_packet_pages(packet) + (offload.gso_type != XEN_NETIF_GSO_TYPE_NONE);
}

static uint32_t posted(struct netback *netback)
{
    struct netback_state *state = netback->state;
    uint32_t count = __atomic_load_n(&netback->rx->req_prod, __ATOMIC_ACQUIRE) - (uint32_t)state->rx_taken;

    if (count > STATE_RING - (state->rx_taken - state->rx_answered))
        worker_broken("receive ring: %u buffers posted, more than it holds", count);
    return count;
}

/* As posted, but asks for an event when there are `needed`, and looks again. */
static bool have(struct netback *netback, unsigned needed)
{
    if (posted(netback) >= needed)
        return true;
    __atomic_store_n(&netback->rx->req_event, (uint32_t)netback->state->rx_taken + needed, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);    /* with the frontend's: it sets req_prod, then looks at req_event */
    return posted(netback) >= needed;
}

static void give_slots(struct netback *netback, struct rx_packet *packet, unsigned count)
{
    struct netback_state *state = netback->state;

    for (unsigned i = 0; i < count; i++) {
        struct netif_rx_request request;
        unsigned at = (state->rx_taken + i) % STATE_RING;
        memcpy(&request, (const void *)&netback->rx->ring[at], sizeof(request));
        state->rx_slots[at] = (struct rx_slot){.ref = request.gref, .id = request.id};
    }
    packet->first = state->rx_taken;
    __atomic_store_n(&packet->slots, count, __ATOMIC_RELEASE);
    __atomic_store_n(&state->rx_taken, state->rx_taken + count, __ATOMIC_RELEASE);
}

/* How many packets from the queue's head have slots, after giving them to as many as one call and the guest's buffers
 * allow. */
static unsigned assign(struct netback *netback)
{
    struct netback_state *state = netback->state;
    unsigned count = 0;

    for (; count < NETBACK_BATCH && state->head + count < state->tail; count++) {
        struct rx_packet *packet = packet_at(state, state->head + count);
        unsigned needed = slots_needed(packet);
        if (packet->slots)
            continue;
        if (!have(netback, needed))
            break;
        give_slots(netback, packet, needed);
    }
    return count;
}

/* The slot behind the first one holds no data when the packet is to be cut into segments. */
static unsigned slot_of_piece(const struct rx_packet *packet, unsigned piece)
{
    return piece + (piece > 0 && packet->slots > rx_packet_pages(packet));
}

static unsigned add_op(struct netback_state *state, const struct rx_packet *packet, struct xs_meter_op *op,
                       unsigned used)
{
    unsigned pieces = rx_packet_pages(packet);

    for (unsigned i = 0; i < pieces; i++) {
        uint32_t left = packet->len - i * 4096;
        segs[used + i] = (struct xs_meter_seg){
            .ref = state->rx_slots[(packet->first + slot_of_piece(packet, i)) % STATE_RING].ref,
            .len = (uint16_t)(left < 4096 ? left : 4096),
            .buffer = (uintptr_t)(state->bytes + packet->offset + i * 4096)};
    }
    *op = (struct xs_meter_op){
        .seq = packet->first, .kind = XS_METER_net_rx, .nr_segs = (uint8_t)pieces, .segs = (uintptr_t)(segs + used)};
    return used + pieces;
}

static void respond(struct netback *netback, uint64_t number, uint16_t flags, int status)
{
    struct netif_rx_response response = {
        .id = netback->state->rx_slots[number % STATE_RING].id, .flags = flags, .status = (int16_t)status};

    memcpy((void *)&netback->rx->ring[number % STATE_RING], &response, sizeof(response));
}

static void respond_segments(struct netback *netback, uint64_t number, const struct offload *offload)
{
    struct netif_extra_info extra = {.type = XEN_NETIF_EXTRA_TYPE_GSO};

    extra.u.gso.type = offload->gso_type;
    extra.u.gso.size = offload->gso_size;
    memcpy((void *)&netback->rx->ring[number % STATE_RING], &extra, sizeof(extra));
}

static void respond_packet(struct netback *netback, const struct rx_packet *packet)
{
    unsigned pieces = rx_packet_pages(packet);
    struct offload offload;

    offload_rx(&packet->header, &offload);
    for (unsigned i = 0; i < pieces; i++) {
        uint32_t left = packet->len - i * 4096;
        uint16_t flags = i + 1 < pieces ? NETRXF_more_data : 0;
        if (!i && offload.blank)
            flags |= NETRXF_csum_blank | NETRXF_data_validated;
        else if (!i && packet->header.flags & VIRTIO_NET_HDR_F_DATA_VALID)
            flags |= NETRXF_data_validated;
        if (!i && packet->slots > pieces)
            flags |= NETRXF_extra_info;
        respond(netback, packet->first + slot_of_piece(packet, i), flags, left < 4096 ? (int)left : 4096);
    }
    if (packet->slots > pieces)
        respond_segments(netback, packet->first + 1, &offload);
}

/* The guest's own grants were bad: each of its buffers comes back by itself. */
static void respond_error(struct netback *netback, const struct rx_packet *packet)
{
    for (unsigned i = 0; i < packet->slots; i++)
        respond(netback, packet->first + i, 0, NETIF_RSP_ERROR);
}

static void answer(struct netback *netback, unsigned done)
{
    struct netback_state *state = netback->state;
    uint64_t before = state->rx_answered, after = before;

    for (unsigned i = 0; i < done; i++) {
        const struct rx_packet *packet = packet_at(state, state->head + i);
        if (ops[i].status)
            respond_error(netback, packet);
        else
            respond_packet(netback, packet);
        after = packet->first + packet->slots;
    }
    __atomic_store_n(&state->rx_answered, after, __ATOMIC_RELEASE);
    netback_publish(&netback->rx->rsp_prod, &netback->rx->rsp_event, before, after, netback->rx_port);
    __atomic_store_n(&state->head, state->head + done, __ATOMIC_RELEASE);
}

/* One batch. 1: go on; 0: nothing more can be delivered now; or an error. */
static int deliver(struct netback *netback, uint64_t now_ns)
{
    struct netback_state *state = netback->state;
    unsigned count = assign(netback), used = 0;
    uint64_t retry_ns = 0;

    if (!count)
        return 0;
    for (unsigned i = 0; i < count; i++)
        used = add_op(state, packet_at(state, state->head + i), &ops[i], used);
    int done = meter_copy(&netback->meter, ops, count, &retry_ns);
    if (done < 0)
        return done;
    if (done)
        answer(netback, (unsigned)done);
    if ((unsigned)done < count)
        netback->rx_retry_ns = now_ns + retry_ns + 1;
    return (unsigned)done == count;
}

int netback_receive(struct netback *netback, uint64_t now_ns)
{
    int rc = 1;

    if (netback->rx_retry_ns <= now_ns) {
        netback->rx_retry_ns = 0;
        while (rc > 0)
            rc = deliver(netback, now_ns);
        if (rc < 0)
            return rc;
    }
    return netback_owe(netback, &netback->state->rx_drops_owed, XS_METER_net_rx_drop);
}

bool netback_waits(const struct netback *netback)
{
    return netback->state->head < netback->state->tail && !netback->rx_retry_ns;
}
