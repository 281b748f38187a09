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

/* As root: makes the tap and puts it into the bridge. The descriptor, with which the tap
 * goes away; or -1 with errno and the step that failed in *step. */
int tap_open(const char *name, const char *bridge, const struct tap_offload *offload, const char **step);

/* 0: nothing there now. Else the frame's length, cut to `room`. -1 with errno. */
ssize_t tap_read(int tap, struct virtio_net_hdr *header, uint8_t *frame, size_t room);
/* -1 with errno: the kernel refused the frame. */
int tap_write(int tap, const struct virtio_net_hdr *header, const uint8_t *frame, size_t len);

#endif
