#include "provisioner/devd/channel.h"
#include "common/log.h"

#include <errno.h>
#include <string.h>
#include <xencall.h>

static xencall_handle *handle;
static void *buffer;            /* never absent, unlike other pages of ours */

void channels_open(void)
{
    handle = xencall_open(NULL, 0);
    if (!handle)
        fatal("/dev/xen/privcmd: is this dom0, and are we root?");
    buffer = xencall_alloc_buffer(handle, sizeof(struct xs_meter_open) + sizeof(struct xs_meter_limit));
    if (!buffer)
        fatal("no buffer for hypercalls");
}

static int call(unsigned cmd, void *arg, size_t bytes)
{
    int rc;

    memcpy(buffer, arg, bytes);
    rc = xencall2(handle, XS_HC_METER_OP, cmd, (uintptr_t)buffer);
    memcpy(arg, buffer, bytes);
    return rc < 0 ? -errno : 0;
}

int channel_open(uint32_t domid, uint32_t class, uint32_t device, struct xs_meter_open *opened)
{
    *opened = (struct xs_meter_open){ .domid = domid, .class = class, .device = device };
    return call(XS_METER_open, opened, sizeof(*opened));
}

void channel_close(uint32_t domid, uint32_t class, uint32_t device)
{
    struct xs_meter_close arg = { .domid = domid, .class = class, .device = device };
    int rc = call(XS_METER_close, &arg, sizeof(arg));

    if (rc && rc != -ENOENT)
        log_warnx("domain %u: channel of device %u not closed: %s", domid, device, strerror(-rc));
}

int channel_limit(const struct xs_meter_limit *limit)
{
    struct xs_meter_limit arg = *limit;

    return call(XS_METER_limit, &arg, sizeof(arg));
}
