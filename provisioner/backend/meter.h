/* Metered copies (xs/meter.h) for a worker: VMMCALL from user mode, no device node. */
#ifndef PROVISIONER_BACKEND_METER_H
#define PROVISIONER_BACKEND_METER_H

#include <stdint.h>
#include <xs/meter.h>

struct meter {
    uint32_t channel;
    uint8_t token[16];
};

/* Does ops[0..count) in order; results are in the ops. All that ops, their
 * segs and the segs' buffers name must be resident memory (mlock): an absent page is touched and tried
 * again, then its op has -EFAULT. Returns how many are done, and when that is
 * less than count, *retry_ns until the next one passes its limit; or -EACCES
 * (the token is void: end), -ESRCH (the guest is dying: end). */
int meter_copy(const struct meter *meter, struct xs_meter_op *ops, unsigned count, uint64_t *retry_ns);

#endif
