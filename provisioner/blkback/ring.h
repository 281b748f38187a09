/* The shared ring, and what must outlive a worker of it: which requests are taken and not answered.
 *
 * Each step is ordered so that a kill between any two stores leaves one truth:
 *   take     copy into a free entry; entry TAKEN; req_next + 1
 *   answer   entry says which answer is its own; entry ANSWERED; answer into its ring slot; rsp_next + 1
 *   publish  the shared rsp_prod (one store: here the frontend gets them); entries FREE
 * A TAKEN entry is done again by the next worker. Of an ANSWERED one the shared rsp_prod says whether the frontend
 * has it. A frontend that rewrites rsp_prod meanwhile harms its own disk's requests and no one else.
 */
#ifndef BLKBACK_RING_H
#define BLKBACK_RING_H

#include "provisioner/blkback/request.h"

#include <stddef.h>

#define RING_PAGES_MAX  8u              /* max-ring-page-order 3 */
#define RING_SLOTS_MAX  256u
/* Numbers of requests in flight lie this close together, so that hv still knows the oldest one's. */
#define RING_INFLIGHT   256u

_Static_assert(RING_INFLIGHT < XS_METER_WINDOW, "hv remembers every request that may be done again");

enum inflight_phase { INFLIGHT_FREE, INFLIGHT_TAKEN, INFLIGHT_ANSWERED };

struct inflight {
    uint8_t raw[REQUEST_RAW_BYTES];     /* as it was in the ring */
    uint64_t seq;
    uint32_t answer;                    /* index of its answer; ANSWERED only */
    int16_t status;                     /* likewise */
    uint8_t phase;
    uint8_t pad;
};

/* The state file. Zero is a ring that has just been connected. */
struct ring_state {
    uint64_t req_next;                  /* number of the next request to take; its low half is the ring's index */
    uint32_t rsp_next;
    uint32_t flush_failed;              /* what was answered before may be gone: nothing more is written */
    struct inflight table[RING_INFLIGHT];       /* at seq % RING_INFLIGHT */
};

struct ring {
    struct blkif_sring *shared;
    struct ring_state *state;
    enum request_abi abi;
    uint32_t size, stride;
    struct inflight *answered[RING_INFLIGHT];   /* and not published */
    unsigned nr_answered;
};

/* `pages` is the mapped ring; a state from a worker before us is put right and what it had answered is published (it
 * may not have sent the event: send one). 0; -EINVAL the state is damaged. */
int ring_open(struct ring *ring, void *pages, unsigned nr_pages, enum request_abi abi, struct ring_state *state);

/* Requests that a worker before us took and did not answer, by number: the first one from *seq on (0 at first); moves
 * *seq past it. NULL: no more. */
struct inflight *ring_retake(struct ring *ring, uint64_t *seq);

/* 1 and *taken: our copy of the next request; 0 none to take now; -EPROTO the producer is past the ring. */
int ring_take(struct ring *ring, struct inflight **taken);
void ring_answer(struct ring *ring, struct inflight *entry, const struct request *req, int status);
/* True if the frontend wants an event for it. */
bool ring_publish(struct ring *ring);
/* Asks for an event with the next request. True if one came meanwhile: take again. False, too, when the next one must
 * wait for an old one's answer. */
bool ring_await(struct ring *ring);

#endif
