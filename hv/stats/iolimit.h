/* Two pure things that metered copies need: which numbers were counted before, and how much may pass now. The host's
 * tests run both. */
#ifndef STATS_IOLIMIT_H
#define STATS_IOLIMIT_H

#include "hv/lib/types.h"
#include "hv/include/xs/meter.h"

/* The last XS_METER_WINDOW numbers up to the highest seen. */
struct seq_window {
    uint64_t next;                      /* the highest seen, + 1 */
    uint64_t counted[XS_METER_WINDOW / 64];
    uint64_t redo[XS_METER_WINDOW / 64]; /* of these, what a token before this one did: it may be done once more */
};

enum seq_state {
    SEQ_NEW,
    SEQ_REDO,                           /* was counted before the token changed: moved again and not counted */
    SEQ_STALE,                          /* too old, or done with this token */
};

enum seq_state window_look(const struct seq_window *w, uint64_t seq);
void window_note(struct seq_window *w, uint64_t seq);   /* seq was SEQ_NEW or SEQ_REDO, and is done */
void window_new_token(struct seq_window *w);

/* A token bucket, kept as the time at which it would be full again: one addition where a level needs two. */
struct io_bucket {
    uint64_t per_s;                     /* 0: no limit */
    uint64_t full_ns;
};

struct io_limit {
    uint64_t burst_ns;
    struct io_bucket ops, bytes;
};

/* Takes one operation of `bytes` out of the buckets. false: one is not above zero, nothing is taken, and it passes in
 * *retry_ns. */
bool iolimit_take(struct io_limit *l, uint64_t bytes, uint64_t now_ns, uint64_t *retry_ns) __must_check;

#endif
