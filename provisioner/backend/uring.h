/* An io_uring for a worker. A system call filter sees io_uring_enter and not what it carries, so the ring itself takes
 * only the operations that its worker needs. */
#ifndef PROVISIONER_BACKEND_URING_H
#define PROVISIONER_BACKEND_URING_H

#include <liburing.h>

/* `ops`: IORING_OP_*; no other passes from here on, and nothing can be registered. 0 or -errno. */
int uring_open(struct io_uring *uring, unsigned entries, const uint8_t *ops, unsigned nr_ops);

#endif
