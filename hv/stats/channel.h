/* The channels of one domain (xs/meter.h): who may move bytes for which of its devices, what was moved before, and the
 * domain's I/O limits. What moves is meter_copy.c's. */
#ifndef STATS_CHANNEL_H
#define STATS_CHANNEL_H

#include "hv/domain/domain.h"
#include "hv/stats/iolimit.h"

#define CHANNEL_CLASSES 2u

struct channel {
    struct spinlock lock;               /* order 4 in LOCKING.md; held while an operation runs; all below */
    uint32_t class;                     /* 0: closed */
    uint32_t device;
    uint64_t token[2];
    struct seq_window window[2];        /* disk and transmit, receive */
};

struct meter {
    struct channel channel[XS_METER_CHANNELS_MAX];
    struct io_limit limit[CHANNEL_CLASSES];     /* under stats_lock */
};

int meter_init(struct domain *d) __must_check;          /* 0, -ENOMEM */
void meter_free(struct domain *d);
/* d is dying, which copies look at under their channel's lock: none is under way when this returns. */
void meter_quiesce(const struct domain *d);

/* By the number that XS_METER_open gave: the domain (with a reference) and the channel, open or not. -EACCES. */
int channel_find(uint32_t number, struct domain **d, struct channel **c) __must_check;
/* The token opens c: 0; -EACCES. In time that does not tell where it differs. */
int channel_check_locked(const struct channel *c, const uint8_t token[16]) __must_check;

/* One operation against d's limit of a class. false: it passes in *retry_ns. */
bool meter_limit_take(struct domain *d, uint32_t class, uint64_t bytes, uint64_t *retry_ns) __must_check;

/* Hypercall 55 (xs/meter.h, which lists every result), and its commands. */
long do_meter_op(unsigned cmd, uint64_t arg_va);
long meter_op_open(uint64_t arg_va);
long meter_op_close(uint64_t arg_va);
long meter_op_limit(uint64_t arg_va);
long meter_op_copy(uint64_t arg_va);

#endif
