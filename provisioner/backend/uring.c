#include "provisioner/backend/uring.h"

#include <errno.h>

#define OPS_MAX 8u

int uring_open(struct io_uring *uring, unsigned entries, const uint8_t *ops, unsigned nr_ops)
{
    struct io_uring_restriction rules[OPS_MAX] = { 0 };
    int rc;

    if (nr_ops > OPS_MAX)
        return -E2BIG;
    for (unsigned i = 0; i < nr_ops; i++) {
        rules[i].opcode = IORING_RESTRICTION_SQE_OP;
        rules[i].sqe_op = ops[i];
    }
    rc = io_uring_queue_init(entries, uring,
                             IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED);
    if (rc)
        return rc;
    /* liburing 2.3 declares functions for these two and does not export them. */
    rc = io_uring_register((unsigned)uring->ring_fd, IORING_REGISTER_RESTRICTIONS, rules, nr_ops);
    return rc ? rc : io_uring_register((unsigned)uring->ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}
