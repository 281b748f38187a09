#include "provisioner/netback/state.h"

static bool numbers_fit(const struct netback_state *state)
{
    return state->tx_answered <= state->tx_sent && state->tx_sent <= state->tx_taken &&
           state->tx_taken - state->tx_answered <= STATE_RING && state->rx_answered <= state->rx_taken &&
           state->rx_taken - state->rx_answered <= STATE_RING && state->head <= state->tail &&
           state->tail - state->head <= STATE_QUEUE && state->groups <= STATE_GROUPS;
}

static bool packet_fits(const struct rx_packet *packet)
{
    return packet->len > 0 && packet->len <= STATE_FRAME_MAX && packet->offset <= STATE_QUEUE_BYTES - packet->len;
}

/* A whole frame needs 17 slots, and one for its segments. */
static bool slots_fit(const struct rx_packet *packet)
{
    uint32_t pages = rx_packet_pages(packet);

    return packet->slots == pages || packet->slots == pages + 1;
}

static bool recover_queue(struct netback_state *state)
{
    uint64_t next = state->rx_answered;

    for (uint64_t i = state->head; i < state->tail; i++) {
        struct rx_packet *packet = &state->packets[i % STATE_QUEUE];
        if (!packet_fits(packet))
            return false;
        if (!packet->slots)
            continue;
        if (!slots_fit(packet))
            return false;
        if (packet->first < state->rx_answered && i == state->head) {
            state->head++;                      /* answered; its worker ended before it left the queue */
        } else if (packet->first == next && next < state->rx_taken) {
            next += packet->slots;
        } else if (packet->first == state->rx_taken) {
            packet->slots = 0;                  /* given slots that were never taken */
        } else {
            return false;
        }
    }
    return next == state->rx_taken;
}

bool state_recover(struct netback_state *state)
{
    return numbers_fit(state) && recover_queue(state);
}
