/* hv walks our own page tables for a metered copy, and what it finds absent is touched here and asked for again:
 * mlock keeps pages in memory, but the kernel may be moving one just then. */
#include "provisioner/backend/meter.h"
#include "provisioner/backend/vmmcall.h"

#include <errno.h>
#include <string.h>

#define TRIES 8
#define PAGE  4096u

/* A store that changes nothing, also under concurrent DMA into the page: a read would leave a page that was never
 * written, or is shared after a fork, read-only. */
static void touch(const void *start, size_t bytes)
{
    uintptr_t at = (uintptr_t)start, end = at + bytes;

    for (; at < end; at = (at | (PAGE - 1)) + 1)
        __atomic_fetch_or((uint8_t *)at, 0, __ATOMIC_RELAXED);
}

static void touch_op(const struct xs_meter_op *op)
{
    const struct xs_meter_seg *segs = (const struct xs_meter_seg *)(uintptr_t)op->segs;

    touch(op, sizeof(*op));
    touch(segs, op->nr_segs * sizeof(*segs));
    for (unsigned i = 0; i < op->nr_segs; i++)
        touch((const void *)(uintptr_t)segs[i].buffer, segs[i].len);
}

static int call(const struct meter *meter, struct xs_meter_op *ops, unsigned count, uint64_t *retry_ns)
{
    struct xs_meter_copy arg = { .channel = meter->channel, .nr_ops = count, .ops = (uintptr_t)ops };
    long rc;

    memcpy(arg.token, meter->token, sizeof(arg.token));
    for (unsigned tries = 0;; tries++) {
        rc = vmmcall(XS_METER_copy, &arg);
        if (rc != -EFAULT || tries == TRIES)
            break;
        touch(&arg, sizeof(arg));
        for (unsigned i = 0; i < count; i++)
            touch_op(&ops[i]);
    }
    if (rc)
        return (int)rc;
    *retry_ns = arg.retry_ns;
    return (int)arg.done;
}

/* The buffer was absent, so nothing was moved or counted. Operations behind this one are done and cannot be done
 * again, so should a limit have come meanwhile, it is waited for here: a page on the move and a limit at once are
 * rare. 0, or as meter_copy. */
static int again_if_absent(const struct meter *meter, struct xs_meter_op *op)
{
    uint64_t retry_ns;
    int rc;

    for (unsigned tries = 0; op->status == -EFAULT && tries < TRIES; tries++) {
        touch_op(op);
        do {
            rc = call(meter, op, 1, &retry_ns);
        } while (rc == 0);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int meter_copy(const struct meter *meter, struct xs_meter_op *ops, unsigned count, uint64_t *retry_ns)
{
    unsigned done = 0;

    while (done < count) {
        unsigned batch = count - done < XS_METER_OPS_MAX ? count - done : XS_METER_OPS_MAX;
        int passed = call(meter, ops + done, batch, retry_ns);

        if (passed < 0)
            return passed;
        for (int i = 0; i < passed; i++) {
            int rc = again_if_absent(meter, &ops[done + (unsigned)i]);

            if (rc)
                return rc;
        }
        done += (unsigned)passed;
        if ((unsigned)passed < batch)
            break;
    }
    return (int)done;
}
