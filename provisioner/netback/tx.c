/* From the guest to the tap. */
#include <errno.h>
#include <string.h>

#include "provisioner/backend/worker.h"
#include "provisioner/netback/netback.h"
#include "provisioner/netback/offload.h"
#include "provisioner/netback/tap.h"

#define ARENA_BYTES (256u * 1024)       /* one batch of packets, each behind its header for the tap */
#define ARENA_ALIGN 8u

enum packet_kind { PACKET_DATA, PACKET_GROUP, PACKET_BAD };

struct packet {
    enum packet_kind kind;
    uint64_t first;
    unsigned slots, extras, segs;
    uint32_t len;
    struct offload offload;
    uint8_t group_type, group[6];
    unsigned op;                        /* PACKET_DATA: in the batch */
    struct virtio_net_hdr *header;      /* PACKET_DATA: its bytes are behind it */
    int status;
    const struct tap_write *write;      /* NULL: does not go out */
};

struct batch {
    unsigned packets, ops, writes;
    size_t used;
    struct packet packet[NETBACK_BATCH];
    struct xs_meter_op op[NETBACK_BATCH];
    struct xs_meter_seg seg[NETBACK_BATCH][NETBACK_SLOTS_MAX];
    struct tap_write write[NETBACK_BATCH];
};
static struct batch batch;
_Static_assert(NETBACK_BATCH <= TAP_WRITES_MAX, "a batch is written at once");
static uint8_t arena[ARENA_BYTES] __attribute__((aligned(ARENA_ALIGN)));

/* Copies what the guest has posted into the state. */
static void take(struct netback *netback)
{
    struct netback_state *state = netback->state;
    uint32_t posted = __atomic_load_n(&netback->tx->req_prod, __ATOMIC_ACQUIRE) - (uint32_t)state->tx_taken;

    if (posted > STATE_RING - (state->tx_taken - state->tx_answered))
        worker_broken("transmit ring: %u requests posted, more than it holds", posted);
    for (uint32_t i = 0; i < posted; i++) {
        unsigned at = (state->tx_taken + i) % STATE_RING;
        memcpy(state->tx_slots[at].raw, (const void *)&netback->tx->ring[at], sizeof(state->tx_slots[at].raw));
        state->tx_slots[at].status = NETIF_RSP_OKAY;
    }
    __atomic_store_n(&state->tx_taken, state->tx_taken + posted, __ATOMIC_RELEASE);
}

static const void *slot(const struct netback *netback, const struct packet *packet, unsigned i)
{
    if (packet->first + i >= netback->state->tx_taken)
        worker_broken("transmit ring: a packet without its end");
    return netback->state->tx_slots[(packet->first + i) % STATE_RING].raw;
}

/* The descriptors between the first slot and the others. */
static void gather_extras(const struct netback *netback, struct packet *packet)
{
    struct netif_extra_info extra;

    do {
        memcpy(&extra, slot(netback, packet, packet->slots), sizeof(extra));
        packet->slots++;
        packet->extras++;
        switch (extra.type) {
        case XEN_NETIF_EXTRA_TYPE_GSO:
            packet->offload.gso_type = extra.u.gso.type;
            packet->offload.gso_size = extra.u.gso.size;
            break;
        case XEN_NETIF_EXTRA_TYPE_MCAST_ADD:
        case XEN_NETIF_EXTRA_TYPE_MCAST_DEL:
            packet->kind = PACKET_GROUP;
            packet->group_type = extra.type;
            memcpy(packet->group, extra.u.mcast.addr, 6);
            break;
        case XEN_NETIF_EXTRA_TYPE_HASH:
            break;                      /* of no use with one queue */
        default:
            worker_broken("transmit ring: extra information of unknown type %u", extra.type);
        }
    } while (extra.flags & XEN_NETIF_EXTRA_FLAG_MORE);
}

static void add_segment(struct packet *packet, struct xs_meter_seg *segs, const struct netif_tx_request *request,
                        uint32_t len)
{
    if (request->offset > 4096 || len > 4096u - request->offset)
        worker_broken("transmit ring: a slot crosses its page (offset %u, %u bytes)", request->offset, len);
    if (len)
        segs[packet->segs++] = (struct xs_meter_seg){
            .ref = request->gref, .offset = request->offset, .len = (uint16_t)len};
}

/* The packet that begins at packet->first, from the private copies. Its first slot tells the whole length, the others
 * their own. */
static void gather(const struct netback *netback, struct packet *packet, struct xs_meter_seg *segs)
{
    struct netif_tx_request first, next;
    uint32_t others = 0;

    memcpy(&first, slot(netback, packet, 0), sizeof(first));
    packet->slots = 1;
    packet->len = first.size;
    packet->offload.blank = first.flags & NETTXF_csum_blank;
    if (first.flags & NETTXF_extra_info)
        gather_extras(netback, packet);
    if (packet->kind == PACKET_GROUP)
        return;

    packet->segs = 1;                   /* the first's place, until its length is known */
    for (uint16_t flags = first.flags; flags & NETTXF_more_data; flags = next.flags) {
        memcpy(&next, slot(netback, packet, packet->slots++), sizeof(next));
        others += next.size;
        if (packet->slots - packet->extras > NETBACK_SLOTS_MAX || next.flags & NETTXF_extra_info)
            worker_broken("transmit ring: a packet of more than %u slots, or with extra information amid them",
                          NETBACK_SLOTS_MAX);
        add_segment(packet, segs, &next, next.size);
    }
    if (others > first.size)
        worker_broken("transmit ring: slots of %u bytes in a packet of %u", others, first.size);
    unsigned all = packet->segs;
    packet->segs = 0;
    add_segment(packet, segs, &first, first.size - others);
    if (!packet->segs)
        packet->kind = PACKET_BAD;      /* its first slot holds nothing */
    packet->segs = all;
    if (first.size < FRAME_HEADER)
        packet->kind = PACKET_BAD;
}

static void add_op(struct packet *packet)
{
    struct xs_meter_seg *segs = batch.seg[batch.ops];

    packet->op = batch.ops;
    packet->header = (struct virtio_net_hdr *)(arena + batch.used);
    batch.used += sizeof(*packet->header);
    for (unsigned i = 0; i < packet->segs; i++) {
        segs[i].buffer = (uintptr_t)arena + batch.used;
        batch.used += segs[i].len;
    }
    batch.used = (batch.used + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    batch.op[batch.ops++] = (struct xs_meter_op){
        .seq = packet->first, .kind = XS_METER_net_tx, .nr_segs = (uint8_t)packet->segs, .segs = (uintptr_t)segs};
}

/* Packets from `sent` on, as many as one call and the arena hold. */
static void gather_batch(const struct netback *netback)
{
    uint64_t next = netback->state->tx_sent;

    batch.packets = batch.ops = batch.writes = 0;
    batch.used = 0;
    while (next < netback->state->tx_taken && batch.packets < NETBACK_BATCH) {
        struct packet *packet = &batch.packet[batch.packets];
        *packet = (struct packet){.first = next};
        gather(netback, packet, batch.seg[batch.ops]);
        if (packet->kind == PACKET_DATA) {
            if (sizeof(*packet->header) + packet->len > ARENA_BYTES - batch.used)
                return;
            add_op(packet);
        }
        batch.packets++;
        next += packet->slots;
    }
}

static int change_group(struct netback_state *state, const struct packet *packet)
{
    unsigned i = 0;

    while (i < state->groups && memcmp(state->group[i], packet->group, 6))
        i++;
    if (packet->group_type == XEN_NETIF_EXTRA_TYPE_MCAST_DEL) {
        if (i < state->groups) {
            memmove(state->group[i], state->group[state->groups - 1], 6);
            state->groups--;
        }
        return NETIF_RSP_OKAY;
    }
    if (i == STATE_GROUPS)
        return NETIF_RSP_ERROR;
    if (i == state->groups) {
        memcpy(state->group[i], packet->group, 6);
        state->groups++;
    }
    return NETIF_RSP_OKAY;
}

/* A packet whose bytes are ours now: answered here, or among the batch's writes. */
static int judge(struct netback *netback, struct packet *packet)
{
    uint8_t reply[DHCP_REPLY_BYTES];
    struct frame frame;

    if (frame_parse(&frame, (const uint8_t *)(packet->header + 1), packet->len) ||
        filter_refuse(&netback->filter, &frame) || offload_tx(&frame, &packet->offload, packet->header))
        return NETIF_RSP_DROPPED;
    if (filter_is_dhcp(&frame)) {
        size_t len = dhcp_answer(&netback->dhcp, &frame, reply);
        if (len)
            netback_enqueue(netback, reply, len);
        return NETIF_RSP_OKAY;
    }
    packet->write = &batch.write[batch.writes];
    batch.write[batch.writes++] = (struct tap_write){.header = packet->header, .len = packet->len};
    return NETIF_RSP_OKAY;
}

static int finish(struct netback *netback, struct packet *packet)
{
    switch (packet->kind) {
    case PACKET_GROUP:
        return change_group(netback->state, packet);
    case PACKET_BAD:
        return NETIF_RSP_ERROR;
    default:
        return batch.op[packet->op].status ? NETIF_RSP_ERROR : judge(netback, packet);
    }
}

static void set_status(struct netback_state *state, const struct packet *packet)
{
    int status = packet->write && packet->write->refused ? NETIF_RSP_DROPPED : packet->status;

    for (unsigned i = 0; i < packet->slots; i++) {
        bool extra = i >= 1 && i <= packet->extras;
        state->tx_slots[(packet->first + i) % STATE_RING].status = extra ? NETIF_RSP_NULL : (int16_t)status;
    }
    __atomic_store_n(&state->tx_sent, packet->first + packet->slots, __ATOMIC_RELEASE);
    if (status != NETIF_RSP_OKAY && packet->kind != PACKET_GROUP)
        state->tx_drops_owed++;
}

static void answer(struct netback *netback)
{
    struct netback_state *state = netback->state;
    uint64_t before = state->tx_answered;

    if (before == state->tx_sent)
        return;
    for (uint64_t i = before; i < state->tx_sent; i++) {
        const struct tx_slot *done = &state->tx_slots[i % STATE_RING];
        struct netif_tx_request request;
        memcpy(&request, done->raw, sizeof(request));
        struct netif_tx_response response = {.id = request.id, .status = done->status};
        memcpy((void *)&netback->tx->ring[i % STATE_RING], &response, sizeof(response));
    }
    __atomic_store_n(&state->tx_answered, state->tx_sent, __ATOMIC_RELEASE);
    netback_publish(&netback->tx->rsp_prod, &netback->tx->rsp_event, before, state->tx_sent, netback->tx_port);
}

/* One batch. 1: go on, 0: a limit is waited for, or an error. */
static int send_batch(struct netback *netback, uint64_t now_ns)
{
    uint64_t retry_ns = 0;
    unsigned passed = 0;
    int done = 0;

    gather_batch(netback);
    if (batch.ops) {
        done = meter_copy(&netback->meter, batch.op, batch.ops, &retry_ns);
        if (done < 0)
            return done;
    }
    for (; passed < batch.packets; passed++) {
        struct packet *packet = &batch.packet[passed];
        if (packet->kind == PACKET_DATA && packet->op >= (unsigned)done)
            break;
        packet->status = finish(netback, packet);
    }
    if (batch.writes)
        tap_write(netback->tap, batch.write, batch.writes);
    for (unsigned i = 0; i < passed; i++)
        set_status(netback->state, &batch.packet[i]);
    answer(netback);
    if (passed == batch.packets)
        return 1;
    netback->tx_retry_ns = now_ns + retry_ns + 1;
    return 0;
}

/* True when nothing came while we said that we would sleep. */
static bool idle(struct netback *netback)
{
    uint32_t taken = (uint32_t)netback->state->tx_taken;

    __atomic_store_n(&netback->tx->req_event, taken + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);    /* with the frontend's: it sets req_prod, then looks at req_event */
    return __atomic_load_n(&netback->tx->req_prod, __ATOMIC_ACQUIRE) == taken;
}

int netback_transmit(struct netback *netback, uint64_t now_ns)
{
    int rc = 1;

    if (netback->tx_retry_ns > now_ns)
        return 0;
    netback->tx_retry_ns = 0;
    do {
        take(netback);
        while (rc > 0 && netback->state->tx_sent < netback->state->tx_taken)
            rc = send_batch(netback, now_ns);
    } while (rc > 0 && !idle(netback));
    if (rc < 0)
        return rc;
    return netback_owe(netback, &netback->state->tx_drops_owed, XS_METER_net_tx_drop);
}
