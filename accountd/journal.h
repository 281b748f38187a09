/* The journal: from samples to records.
 *
 * It knows each incarnation whose end is not yet freed in hv, and decides what
 * is to be written of it: start, use at each interval, end, gap, anomaly. What
 * one sample brings is one transaction; the journal's own state moves on only
 * when that is durable, so a full disk costs nothing but time.
 */
#ifndef ACCOUNTD_JOURNAL_H
#define ACCOUNTD_JOURNAL_H

#include "accountd/head.h"
#include "accountd/sample.h"

/* A domain that nobody registers for this long is the host's own from then on. */
#define JOURNAL_UNCLAIMED_NS (600ull * 1000000000ull)

struct journal_entry {
    struct journal_entry *next;
    char incarnation[RECORD_HEX_BYTES];
    bool started;                       /* has a leaf: `last` is it */
    bool ended;                         /* has its end: waits for hv to free the slot */
    bool seen;                          /* in the newest sample */
    struct record last;
    struct chain_hash last_hash;
    unsigned slot_index;
    struct xs_stats_slot slot;          /* newest copy */
    struct meter_point point;
    uint64_t now_ns;                    /* when that was */
    int64_t samples, misses;            /* since `last` */
    bool resumed;                       /* this process has written no record of it yet */
    bool unpaid;                        /* what follows `last` bills nothing: it is paused for want of money */
    bool unpaid_next;                   /* what that is to be from the next sample on */
    unsigned payer;                     /* its place among the cap's, and 1; 0: not looked up yet */
    unsigned cap_base;                  /* where the cap last found its prices */
};

struct journal {
    struct head *head;
    uint64_t interval_ns;
    char boot[RECORD_HEX_BYTES];        /* "" before the first sample */
    uint64_t next_due_ns;
    struct journal_entry *entries;
};

/* When the sample was taken, for people. */
struct journal_clock {
    int64_t utc_ms;
    int64_t error_ms;
};

int journal_open(struct journal *journal, struct head *head, uint64_t interval_ns);
/* Takes a sample. `misses` samples before it fell out. Writes what is due, and
 * of `account` (or NULL) what is open. -1: nothing was written. */
int journal_take(struct journal *journal, const struct sample *sample, const struct journal_clock *clock,
                 int64_t misses, const char *account);
/* hv has freed the slot. */
int journal_freed(struct journal *journal, const char *incarnation);
const struct journal_entry *journal_find(const struct journal *journal, const char *incarnation);
void journal_close(struct journal *journal);

#endif
