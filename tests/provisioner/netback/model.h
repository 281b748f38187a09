/* A guest's pages and rings, hv's meter, a tap: what netback's core touches, in one process. The frontend here is honest
 * unless a test writes into the rings itself. */
#ifndef TESTS_PROVISIONER_NETBACK_MODEL_H
#define TESTS_PROVISIONER_NETBACK_MODEL_H

#include "provisioner/netback/netback.h"

#include <setjmp.h>

#define MODEL_GRANTS    1024u
#define MODEL_FRAMES    4096u
#define MODEL_FRAME_MAX 20000u

struct model_frame {
    uint32_t len;
    uint8_t *bytes;
};

struct model {
    struct netback netback;
    struct netback_state state;
    uint8_t tx_page[4096] __attribute__((aligned(4096)));
    uint8_t rx_page[4096] __attribute__((aligned(4096)));
    bool granted[MODEL_GRANTS], in_use[MODEL_GRANTS];

    /* hv */
    uint64_t tx_packets, tx_bytes, rx_packets, rx_bytes, tx_drops, rx_drops, replays;
    uint64_t tx_top, rx_top;            /* highest seq seen, plus 1 */
    uint8_t tx_seen[XS_METER_WINDOW], rx_seen[XS_METER_WINDOW];
    unsigned allowance;                 /* operations until the limit; UINT_MAX: none */

    /* the frontend */
    uint32_t tx_prod, tx_cons, rx_prod, rx_cons;
    uint32_t tx_ref[256], rx_ref[256];  /* by slot; MODEL_GRANTS: extra information */
    uint64_t sent_packets, sent_bytes, got_packets, got_bytes, tx_errors, tx_dropped, rx_errors;
    bool bad_answer;

    /* the wire: what went out on the tap, what is to come in */
    struct model_frame out[MODEL_FRAMES], in[MODEL_FRAMES], got[MODEL_FRAMES];
    unsigned outs, ins, in_next, gots;
    struct virtio_net_hdr out_header;   /* the last one's */
    struct virtio_net_hdr in_header;
    bool tap_refuses;

    unsigned notified;
    sigjmp_buf over;                    /* worker_broken, or killed */
    char broken[256];
    uint8_t page[MODEL_GRANTS][4096];   /* last, and left as it is by model_reset */
};

extern struct model model;

void model_reset(void);
void model_attach(void);                /* a worker begins */
bool model_take_over(void);             /* after a kill; false: it did not believe the state */

/* The frontend sends one packet in `slots` slots; false: no room in the ring. */
bool model_send(const uint8_t *frame, uint32_t len, unsigned slots, uint16_t flags, const struct netif_extra_info *extra);
/* It takes answers; false when one is not what it must be. */
void model_take_answers(void);
void model_post(unsigned count);        /* receive buffers */
void model_take_frames(void);           /* received, into got[] */
void model_deliver(const uint8_t *frame, uint32_t len);         /* to the tap */

/* A raw request, as a hostile frontend puts it. */
void model_put_raw(const void *request, size_t bytes);

/* Runs the core until a broken ring or a kill ends it: false. */
bool model_run(uint64_t now_ns);

/* Single-steps model_run and kills it after `steps` instructions of netback's; 0: lets it live. */
void model_kill_after(uint64_t steps);

#endif
