/* The NIC's other end: a tap with virtio headers, in a bridge of dom0. */
#ifndef PROVISIONER_NETBACK_TAP_H
#define PROVISIONER_NETBACK_TAP_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tap_offload {
    bool checksum, segments4, segments6;        /* what the guest takes unfinished */
};

struct tap;

/* As root: makes the tap, which ends with the process, and puts it into the bridge. NULL with errno and the step
 * that failed in *step. */
struct tap *tap_open(const char *name, const char *bridge, const struct tap_offload *offload, const char **step);

int tap_fd(const struct tap *tap);              /* readable: a frame is there */
/* 0: nothing there now. Else the frame's length, cut to `room`. -1 with errno. */
ssize_t tap_read(struct tap *tap, struct virtio_net_hdr *header, uint8_t *frame, size_t room);

#define TAP_WRITES_MAX 64u
struct tap_write {
    const struct virtio_net_hdr *header;        /* the frame is behind it */
    size_t len;                                 /* the frame's */
    bool refused;                               /* by the kernel */
};
/* Writes up to TAP_WRITES_MAX frames in one system call, so that who receives them runs after the last. In their
 * order: the kernel completes an entry of the ring before it looks at the next as long as the file does not block,
 * and a tap has no reason to. Returns when all are out or refused. */
void tap_write(struct tap *tap, struct tap_write *writes, unsigned count);

#endif
