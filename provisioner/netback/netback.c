/* What both directions have in common. */
#include "provisioner/netback/netback.h"

#include "provisioner/backend/worker.h"

void netback_attach(struct netback *netback)
{
    struct netback_state *state = netback->state;

    if (!state->begun) {
        state->tx_answered = __atomic_load_n(&netback->tx->rsp_prod, __ATOMIC_ACQUIRE);
        state->tx_sent = state->tx_taken = state->tx_answered;
        state->rx_answered = state->rx_taken = __atomic_load_n(&netback->rx->rsp_prod, __ATOMIC_ACQUIRE);
        __atomic_store_n(&state->begun, 1, __ATOMIC_RELEASE);
    } else if (!state_recover(state)) {
        worker_broken("the state file is not one that a worker leaves");
    }
    /* A worker that was killed may have answered without saying so. */
    __atomic_store_n(&netback->tx->rsp_prod, (uint32_t)state->tx_answered, __ATOMIC_RELEASE);
    __atomic_store_n(&netback->rx->rsp_prod, (uint32_t)state->rx_answered, __ATOMIC_RELEASE);
    worker_notify(netback->tx_port);
    if (netback->rx_port != netback->tx_port)
        worker_notify(netback->rx_port);
}

void netback_publish(RING_IDX *rsp_prod, const RING_IDX *rsp_event, uint64_t before, uint64_t now, int port)
{
    __atomic_store_n(rsp_prod, (uint32_t)now, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);    /* with the frontend's: it sets rsp_event, then looks at rsp_prod */
    if ((uint32_t)now - __atomic_load_n(rsp_event, __ATOMIC_RELAXED) < (uint32_t)(now - before))
        worker_notify(port);
}

int netback_owe(struct netback *netback, uint32_t *owed, enum xs_meter_kind kind)
{
    struct xs_meter_op ops[NETBACK_BATCH];

    while (*owed) {
        unsigned count = *owed < NETBACK_BATCH ? *owed : NETBACK_BATCH;
        uint64_t retry_ns;
        for (unsigned i = 0; i < count; i++)
            ops[i] = (struct xs_meter_op){.kind = (uint8_t)kind};
        __atomic_store_n(owed, *owed - count, __ATOMIC_RELEASE);
        int done = meter_copy(&netback->meter, ops, count, &retry_ns);
        if (done < 0)
            return done;
        if ((unsigned)done < count) {
            *owed += count - (unsigned)done;    /* with the next packets */
            return 0;
        }
    }
    return 0;
}
