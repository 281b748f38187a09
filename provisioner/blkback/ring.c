#include "provisioner/blkback/ring.h"

#include <errno.h>
#include <string.h>

#define PAGE_BYTES 4096u

/* Keeps the compiler from moving stores across. The processor does not reorder them, and a kill falls between two
 * instructions. */
#define KILL_POINT() __atomic_signal_fence(__ATOMIC_SEQ_CST)

static uint8_t *slot_of(const struct ring *ring, uint32_t index)
{
    return (uint8_t *)ring->shared + offsetof(struct blkif_sring, ring) + (index & (ring->size - 1)) * ring->stride;
}

static struct inflight *entry_of(const struct ring *ring, uint64_t seq)
{
    return &ring->state->table[seq % RING_INFLIGHT];
}

/* Field by field: the frontend sees the padding too. Both layouts have these at the same places. */
static void answer_write(const struct ring *ring, uint32_t index, uint64_t id, uint8_t op, int16_t status)
{
    uint8_t *slot = slot_of(ring, index);

    memcpy(slot + offsetof(struct blkif_response, id), &id, sizeof(id));
    memcpy(slot + offsetof(struct blkif_response, operation), &op, sizeof(op));
    memcpy(slot + offsetof(struct blkif_response, status), &status, sizeof(status));
}

/* Its answer again, unless the frontend has it. */
static int recover_answered(struct ring *ring, struct inflight *entry, uint32_t published)
{
    struct request_limits none = { 0 };
    struct request req;

    if ((int32_t)(published - entry->answer) > 0) {
        entry->phase = INFLIGHT_FREE;
        return 0;
    }
    if (entry->answer - published >= ring->size)
        return -EINVAL;
    (void)request_read(entry->raw, ring->abi, &none, &req);     /* for its id and op */
    answer_write(ring, entry->answer, req.id, req.op, entry->status);
    ring->answered[ring->nr_answered++] = entry;
    if ((int32_t)(entry->answer - ring->state->rsp_next) >= 0)
        ring->state->rsp_next = entry->answer + 1;
    return 0;
}

static int recover(struct ring *ring)
{
    struct ring_state *state = ring->state;
    uint32_t published = __atomic_load_n(&ring->shared->rsp_prod, __ATOMIC_RELAXED);
    struct inflight *last = entry_of(ring, state->req_next);

    if (last->phase == INFLIGHT_TAKEN && last->seq == state->req_next)
        state->req_next++;
    for (unsigned i = 0; i < RING_INFLIGHT; i++) {
        struct inflight *entry = &state->table[i];

        if (entry->phase == INFLIGHT_FREE)
            continue;
        if (entry->phase > INFLIGHT_ANSWERED || entry_of(ring, entry->seq) != entry || entry->seq >= state->req_next ||
            state->req_next - entry->seq > RING_INFLIGHT)
            return -EINVAL;
        if (entry->phase == INFLIGHT_ANSWERED && recover_answered(ring, entry, published) != 0)
            return -EINVAL;
    }
    return (uint32_t)state->req_next - state->rsp_next <= ring->size ? 0 : -EINVAL;
}

static uint32_t slots_in(unsigned nr_pages, uint32_t stride)
{
    uint32_t fit = (nr_pages * PAGE_BYTES - (uint32_t)offsetof(struct blkif_sring, ring)) / stride, slots = 1;

    while (slots * 2 <= fit)
        slots *= 2;
    return slots;
}

int ring_open(struct ring *ring, void *pages, unsigned nr_pages, enum request_abi abi, struct ring_state *state)
{
    int rc;

    *ring = (struct ring){ .shared = pages, .state = state, .abi = abi, .stride = request_stride(abi) };
    ring->size = slots_in(nr_pages, ring->stride);
    rc = recover(ring);
    if (rc)
        return rc;
    (void)ring_publish(ring);
    return 0;
}

struct inflight *ring_retake(struct ring *ring, uint64_t *seq)
{
    uint64_t end = ring->state->req_next;

    if (*seq == 0 && end > RING_INFLIGHT)
        *seq = end - RING_INFLIGHT;
    while (*seq < end) {
        struct inflight *entry = entry_of(ring, (*seq)++);

        if (entry->phase == INFLIGHT_TAKEN)
            return entry;
    }
    return NULL;
}

int ring_take(struct ring *ring, struct inflight **taken)
{
    struct ring_state *state = ring->state;
    struct inflight *entry = entry_of(ring, state->req_next);
    /* Pairs with the frontend's barrier between its requests and its store to req_prod. */
    uint32_t prod = __atomic_load_n(&ring->shared->req_prod, __ATOMIC_ACQUIRE), next = (uint32_t)state->req_next;

    if (prod - next > ring->size || prod - state->rsp_next > ring->size)
        return -EPROTO;
    if (prod == next || entry->phase != INFLIGHT_FREE)
        return 0;
    memcpy(entry->raw, slot_of(ring, next), ring->stride);
    entry->seq = state->req_next;
    KILL_POINT();
    entry->phase = INFLIGHT_TAKEN;
    KILL_POINT();
    state->req_next++;
    KILL_POINT();
    *taken = entry;
    return 1;
}

void ring_answer(struct ring *ring, struct inflight *entry, const struct request *req, int status)
{
    struct ring_state *state = ring->state;

    entry->answer = state->rsp_next;
    entry->status = (int16_t)status;
    KILL_POINT();
    entry->phase = INFLIGHT_ANSWERED;
    KILL_POINT();
    answer_write(ring, entry->answer, req->id, req->op, entry->status);
    KILL_POINT();
    state->rsp_next++;
    ring->answered[ring->nr_answered++] = entry;
}

bool ring_publish(struct ring *ring)
{
    uint32_t now = ring->state->rsp_next, count = ring->nr_answered;

    if (!count)
        return false;
    /* Pairs with the frontend's barrier between its load of rsp_prod and its looks at the answers. */
    __atomic_store_n(&ring->shared->rsp_prod, now, __ATOMIC_RELEASE);
    KILL_POINT();
    while (ring->nr_answered)
        ring->answered[--ring->nr_answered]->phase = INFLIGHT_FREE;
    /* Pairs with the frontend's barrier between its store to rsp_event and its last look at rsp_prod. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return now - __atomic_load_n(&ring->shared->rsp_event, __ATOMIC_RELAXED) < count;
}

bool ring_await(struct ring *ring)
{
    uint32_t next = (uint32_t)ring->state->req_next;

    if (entry_of(ring, ring->state->req_next)->phase != INFLIGHT_FREE)
        return false;
    __atomic_store_n(&ring->shared->req_event, next + 1, __ATOMIC_RELAXED);
    /* Pairs with the frontend's barrier between its store to req_prod and its look at req_event. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return __atomic_load_n(&ring->shared->req_prod, __ATOMIC_RELAXED) != next;
}
