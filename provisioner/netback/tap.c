#include "provisioner/netback/tap.h"

#include "provisioner/backend/uring.h"
#include "provisioner/backend/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct tap {
    int fd;
    struct io_uring uring;
};

/* Not a persistent one: the kernel drops what waits in a tap when its descriptor goes, so a tap that
 * outlived its worker would keep nothing, and might be left behind. */
static int make(int tap, const char *name, const struct tap_offload *offload, const char **step)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    int header = sizeof(struct virtio_net_hdr);
    unsigned long takes = (offload->checksum ? TUN_F_CSUM : 0) | (offload->segments4 ? TUN_F_TSO4 : 0) |
                          (offload->segments6 ? TUN_F_TSO6 : 0);

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    *step = "TUNSETIFF";
    if (ioctl(tap, TUNSETIFF, &request))
        return -1;
    *step = "TUNSETVNETHDRSZ";
    if (ioctl(tap, TUNSETVNETHDRSZ, &header))
        return -1;
    *step = "TUNSETOFFLOAD";
    return ioctl(tap, TUNSETOFFLOAD, takes);
}

/* dom0 speaks no IPv6 of its own on it; what it sent there would be a packet on the guest's bill. */
static int silence(const char *name)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return errno == ENOENT ? 0 : -1;        /* a kernel without IPv6 */
    ssize_t wrote = write(file, "1", 1);
    close(file);
    return wrote == 1 ? 0 : -1;
}

static int join(int sock, const char *name, const char *bridge)
{
    struct ifreq request = {.ifr_ifindex = (int)if_nametoindex(name)};
    char path[80];

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", bridge);
    if (!ioctl(sock, SIOCBRADDIF, &request))
        return 0;
    snprintf(path, sizeof(path), "/sys/class/net/%s/brif/%s", bridge, name);
    return errno == EBUSY && !access(path, F_OK) ? 0 : -1;
}

static int raise_link(int sock, const char *name)
{
    struct ifreq request = {0};

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    if (ioctl(sock, SIOCGIFFLAGS, &request))
        return -1;
    request.ifr_flags |= IFF_UP;
    return ioctl(sock, SIOCSIFFLAGS, &request);
}

static int link_up(const char *name, const char *bridge, const char **step)
{
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

    *step = "its settings";
    if (sock < 0)
        return -1;
    rc = silence(name);
    if (!rc) {
        *step = "joining the bridge";
        rc = join(sock, name, bridge);
    }
    if (!rc) {
        *step = "raising the link";
        rc = raise_link(sock, name);
    }
    int error = errno;
    close(sock);
    errno = error;
    return rc;
}

/* The tap is not registered with the ring: that ends some time after its process, and would keep the tap from the
 * next. */
static int open_ring(struct tap *tap, const char **step)
{
    static const uint8_t ops[] = {IORING_OP_WRITE};

    *step = "io_uring";
    errno = -uring_open(&tap->uring, TAP_WRITES_MAX, ops, sizeof(ops));
    return errno ? -1 : 0;
}

struct tap *tap_open(const char *name, const char *bridge, const struct tap_offload *offload, const char **step)
{
    static struct tap tap;

    *step = "opening /dev/net/tun";
    tap.fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tap.fd < 0 || make(tap.fd, name, offload, step) || link_up(name, bridge, step) || open_ring(&tap, step))
        return NULL;
    return &tap;
}

int tap_fd(const struct tap *tap)
{
    return tap->fd;
}

ssize_t tap_read(struct tap *tap, struct virtio_net_hdr *header, uint8_t *frame, size_t room)
{
    struct iovec parts[] = {{header, sizeof(*header)}, {frame, room}};
    ssize_t got = readv(tap->fd, parts, 2);

    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    return got > (ssize_t)sizeof(*header) ? got - (ssize_t)sizeof(*header) : 0;
}

static unsigned bytes_of(const struct tap_write *frame)
{
    return (unsigned)(sizeof(*frame->header) + frame->len);
}

static void submit(struct tap *tap, const struct tap_write *writes, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&tap->uring);
        io_uring_prep_write(sqe, tap->fd, writes[i].header, bytes_of(&writes[i]), 0);
        io_uring_sqe_set_data64(sqe, i);
    }
}

void tap_write(struct tap *tap, struct tap_write *writes, unsigned count)
{
    struct io_uring_cqe *cqe;

    if (count == 1) {                   /* at half the cost */
        writes->refused = write(tap->fd, writes->header, bytes_of(writes)) < 0;
        return;
    }
    submit(tap, writes, count);
    for (unsigned left = count; left;) {
        int rc = io_uring_submit_and_wait(&tap->uring, left);
        if (rc < 0 && rc != -EINTR && rc != -EAGAIN && rc != -EBUSY)
            worker_failed("io_uring: %s", strerror(-rc));
        for (; !io_uring_peek_cqe(&tap->uring, &cqe); left--) {
            writes[cqe->user_data].refused = cqe->res < 0;
            io_uring_cqe_seen(&tap->uring, cqe);
        }
    }
}
