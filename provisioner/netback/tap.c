#include "provisioner/netback/tap.h"

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

int tap_open(const char *name, const char *bridge, const struct tap_offload *offload, const char **step)
{
    *step = "opening /dev/net/tun";
    int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (tap < 0)
        return -1;
    if (!make(tap, name, offload, step) && !link_up(name, bridge, step))
        return tap;
    int error = errno;
    close(tap);
    errno = error;
    return -1;
}

ssize_t tap_read(int tap, struct virtio_net_hdr *header, uint8_t *frame, size_t room)
{
    struct iovec parts[] = {{header, sizeof(*header)}, {frame, room}};
    ssize_t got = readv(tap, parts, 2);

    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    return got > (ssize_t)sizeof(*header) ? got - (ssize_t)sizeof(*header) : 0;
}

int tap_write(int tap, const struct virtio_net_hdr *header, const uint8_t *frame, size_t len)
{
    struct iovec parts[] = {{(void *)(uintptr_t)header, sizeof(*header)}, {(void *)(uintptr_t)frame, len}};

    return writev(tap, parts, 2) < 0 ? -1 : 0;
}
