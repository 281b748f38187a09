/* Numbers seen and buckets: arithmetic alone. */
#include "hv/stats/iolimit.h"
#include "hv/lib/bitmap.h"

enum seq_state window_look(const struct seq_window *w, uint64_t seq)
{
    unsigned bit = seq % XS_METER_WINDOW;

    if (seq == UINT64_MAX)              /* its successor has no number */
        return SEQ_STALE;
    if (seq >= w->next)
        return SEQ_NEW;
    if (w->next - seq > XS_METER_WINDOW)
        return SEQ_STALE;
    if (!bit_test(w->counted, bit))
        return SEQ_NEW;
    return bit_test(w->redo, bit) ? SEQ_REDO : SEQ_STALE;
}

void window_note(struct seq_window *w, uint64_t seq)
{
    uint64_t passed = seq >= w->next ? MIN(seq - w->next, XS_METER_WINDOW - 1ul) : 0;

    for (; passed; passed--) {          /* their bits stood for numbers that are too old now */
        bit_clear(w->counted, (seq - passed) % XS_METER_WINDOW);
        bit_clear(w->redo, (seq - passed) % XS_METER_WINDOW);
    }
    bit_set(w->counted, seq % XS_METER_WINDOW);
    bit_clear(w->redo, seq % XS_METER_WINDOW);
    w->next = MAX(w->next, seq + 1);
}

void window_new_token(struct seq_window *w)
{
    for (unsigned i = 0; i < ARRAY_SIZE(w->redo); i++)
        w->redo[i] = w->counted[i];
}

/* Above zero means: it would be full in less than a burst. */
static uint64_t bucket_wait(const struct io_bucket *b, uint64_t burst_ns, uint64_t now_ns)
{
    return b->per_s && b->full_ns >= now_ns + burst_ns ? b->full_ns - now_ns - burst_ns + 1 : 0;
}

/* More than the quotient: the rate is never exceeded, and missed by at most one ns an operation. amount <= 2^17: no
 * overflow. */
static void bucket_take(struct io_bucket *b, uint64_t amount, uint64_t now_ns)
{
    if (b->per_s)
        b->full_ns = MAX(b->full_ns, now_ns) + amount * NS_PER_SEC / b->per_s + 1;
}

bool iolimit_take(struct io_limit *l, uint64_t bytes, uint64_t now_ns, uint64_t *retry_ns)
{
    uint64_t wait = bucket_wait(&l->ops, l->burst_ns, now_ns);

    if (bytes)
        wait = MAX(wait, bucket_wait(&l->bytes, l->burst_ns, now_ns));
    if (wait) {
        *retry_ns = wait;
        return false;
    }
    bucket_take(&l->ops, 1, now_ns);
    bucket_take(&l->bytes, bytes, now_ns);
    return true;
}
