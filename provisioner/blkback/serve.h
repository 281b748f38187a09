/* One disk's requests from ring to answer. Knows the ring, the meter and disk_submit, and does no other I/O, so that
 * tests run it against models of the three.
 *
 *   read       file -> buffer, metered copy to the guest, answer
 *   write      metered copy from the guest, buffer -> file, answer
 *   flush      metered, waits for the writes taken before it, fdatasync, answer. After one that failed all but reads
 *              fail: Linux's frontend takes such a flush for one that is not supported, and would go on without
 *   discard    metered, hole punched, answer
 *   indirect   first a copy of its page of descriptors, then as the read or write it is
 *
 * Copies happen in one order, many to a call; where a limit stops one, all behind it wait.
 */
#ifndef BLKBACK_SERVE_H
#define BLKBACK_SERVE_H

#include "provisioner/backend/meter.h"
#include "provisioner/blkback/disk.h"
#include "provisioner/blkback/request.h"
#include "provisioner/blkback/ring.h"

struct serve;

/* Bytes of memory it needs: page-aligned, resident once touched (mlock2 with MLOCK_ONFAULT). */
size_t serve_bytes(void);
/* Takes up what a worker before us left. NULL: the ring's state is damaged. */
struct serve *serve_begin(void *memory, const struct meter *meter, struct disk *disk, void *ring_pages,
                          unsigned nr_pages, enum request_abi abi, struct ring_state *state,
                          const struct request_limits *limits);

/* Goes as far as it can. 0; -EPROTO the frontend broke the ring; -EACCES, -ESRCH as meter_copy. *notify is set if the
 * frontend wants an event. */
int serve_run(struct serve *serve, bool *notify);
/* What became of a disk_submit; serve_run comes next. */
void serve_done(struct serve *serve, unsigned tag, int result);
/* Copies wait for their limit, or other events have their turn first: ns until serve_retry is due; 0: neither. */
uint64_t serve_limited_ns(const struct serve *serve);
void serve_retry(struct serve *serve);

void serve_resize(struct serve *serve, uint64_t sectors);
void serve_stop(struct serve *serve);           /* takes no more from the ring */
bool serve_idle(const struct serve *serve);     /* nothing in flight */

#endif
