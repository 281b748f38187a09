/* The model's half of devices and of dom0's network (provisioner/network.h): xs-devd and the guest
 * answer at once, or as the test wants it. */
#include "world_store.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/io/xenbus.h>

struct world_device *world_device(struct world *w, uint32_t domid, enum xenstore_kind kind, uint32_t id)
{
    for (unsigned i = 0; i < WORLD_DEVICES; i++) {
        struct world_device *d = &w->device[i];

        if (d->used && d->at.domid == domid && d->at.kind == kind && d->at.id == id)
            return d;
    }
    return NULL;
}

unsigned world_devices(struct world *w)
{
    unsigned n = 0;

    for (unsigned i = 0; i < WORLD_DEVICES; i++)
        n += w->device[i].used;
    for (unsigned i = 0; i < WORLD_PORTS; i++)
        n += w->port[i].host_port != 0;
    return n;
}

static struct world_device *find(struct world *w, const struct xenstore_place *at)
{
    struct world_device *d = world_device(w, at->domid, at->kind, at->id);

    return d && !strcmp(d->at.uuid, at->uuid) ? d : NULL;
}

struct world_firewall *world_firewall(struct world *w, uint32_t ipv4)
{
    for (unsigned i = 0; i < WORLD_FIREWALLS; i++)
        if (w->firewall[i].ipv4 == ipv4)
            return &w->firewall[i];
    return NULL;
}

static void guard_check(struct world *w)
{
    if (w->guarded && !world_firewall(w, w->guarded))
        world_broken(w, "a guest can be reached before its firewall is there");
}

static void rules_check(struct world *w, const struct xenstore_device *device)
{
    const struct world_domain *owner = world_domid(w, device->at.domid);

    if (!owner || !owner->introduced)
        world_broken(w, "a device of a domain that is not there");
    if (device->at.kind == XENSTORE_VIF) {
        guard_check(w);
        return;
    }
    if (access(device->params, F_OK))
        world_broken(w, "a disk without a file");
    for (unsigned i = 0; i < WORLD_DEVICES; i++)
        if (w->device[i].used && !strcmp(w->device[i].params, device->params))
            world_broken(w, "one file behind two disks");
}

int xenstore_device_publish(struct xenstore *store, const struct xenstore_device *device)
{
    struct world *w = store->w;
    int rc = world_enter(w, "device_publish");
    unsigned i = 0;

    if (rc || find(w, &device->at))
        return rc ? rc : world_leave(w, 0);
    rules_check(w, device);
    while (i < WORLD_DEVICES && w->device[i].used)
        i++;
    if (i == WORLD_DEVICES)
        errx(1, "more devices than the model has room for");
    w->device[i] = (struct world_device){ .used = true, .online = true, .read_only = device->read_only, .at = device->at,
                                          .state = w->deaf ? XenbusStateInitWait : XenbusStateConnected };
    snprintf(w->device[i].error, sizeof(w->device[i].error), "%s", w->device_error);
    snprintf(w->device[i].limit, sizeof(w->device[i].limit), "%s", device->limit);
    world_event();                      /* xs-devd has changed its nodes */
    if (device->at.kind == XENSTORE_VBD) {
        snprintf(w->device[i].params, sizeof(w->device[i].params), "%s", device->params);
        return world_leave(w, 0);
    }
    snprintf(w->device[i].mac, sizeof(w->device[i].mac), "%s", device->mac);
    snprintf(w->device[i].ip, sizeof(w->device[i].ip), "%s", device->ip);
    snprintf(w->device[i].bridge, sizeof(w->device[i].bridge), "%s", device->bridge);
    return world_leave(w, 0);
}

int xenstore_device_look(struct xenstore *store, const struct xenstore_place *at, unsigned *state, char error[128])
{
    struct world *w = store->w;
    int rc = world_enter(w, "device_look");
    const struct world_device *d = find(w, at);

    if (rc)
        return rc;
    if (d) {
        *state = d->state;
        snprintf(error, 128, "%s", d->error);
    }
    return world_leave(w, d ? 0 : -ENOENT);
}

int xenstore_device_close(struct xenstore *store, const struct xenstore_place *at)
{
    struct world *w = store->w;
    int rc = world_enter(w, "device_close");
    struct world_device *d = find(w, at);

    if (rc)
        return rc;
    if (d) {
        d->online = false;
        d->state = w->stubborn ? XenbusStateClosing : XenbusStateClosed;
        world_event();                  /* its nodes have changed */
    }
    return world_leave(w, d ? 0 : -ENOENT);
}

int xenstore_device_reopen(struct xenstore *store, const struct xenstore_place *at)
{
    struct world *w = store->w;
    int rc = world_enter(w, "device_reopen");
    struct world_device *d = find(w, at);

    if (rc)
        return rc;
    if (d) {
        d->online = true;
        d->state = XenbusStateConnected;
    }
    return world_leave(w, 0);
}

int xenstore_device_resize(struct xenstore *store, const struct xenstore_place *at, const char *params)
{
    struct world *w = store->w;
    int rc = world_enter(w, "device_resize");
    struct world_device *d = find(w, at);

    if (rc)
        return rc;
    if (d && strcmp(d->params, params))
        world_broken(w, "another file behind a disk");
    if (d)
        d->resized++;
    return world_leave(w, d ? 0 : -ENOENT);
}

int xenstore_device_remove(struct xenstore *store, const struct xenstore_place *at)
{
    struct world *w = store->w;
    int rc = world_enter(w, "device_remove");
    struct world_device *d = find(w, at);

    if (rc)
        return rc;
    if (d)
        d->used = false;
    return world_leave(w, 0);
}

int xenstore_device_list(struct xenstore *store, struct xenstore_place **places, unsigned *count)
{
    struct world *w = store->w;
    int rc = world_enter(w, "device_list");

    if (rc)
        return rc;
    *places = calloc(WORLD_DEVICES, sizeof(**places));
    *count = 0;
    for (unsigned i = 0; *places && i < WORLD_DEVICES; i++)
        if (w->device[i].used)
            (*places)[(*count)++] = w->device[i].at;
    return world_leave(w, *places ? 0 : -ENOMEM);
}

struct world *world_here(void)
{
    static struct world *w;

    if (!w)
        w = world_attach(getenv("XS_WORLD"));
    return w;
}

static int leave(struct world *w, int rc)
{
    return world_leave(w, rc) ? -1 : 0;
}

int network_up(unsigned number)
{
    struct world *w = world_here();

    if (world_enter(w, "network_up"))
        return -1;
    w->bridge[number] = true;
    return leave(w, 0);
}

int network_down(unsigned number)
{
    struct world *w = world_here();

    if (world_enter(w, "network_down"))
        return -1;
    w->bridge[number] = false;
    return leave(w, 0);
}

static struct network_forward *port_find(struct world *w, uint16_t host_port)
{
    for (unsigned i = 0; i < WORLD_PORTS; i++)
        if (w->port[i].host_port == host_port)
            return &w->port[i];
    return NULL;
}

int network_forward_set(const struct network_forward *forward)
{
    struct world *w = world_here();
    struct network_forward *at;

    if (world_enter(w, "forward_set"))
        return -1;
    guard_check(w);
    at = port_find(w, forward->host_port);
    if (!at)
        at = port_find(w, 0);
    if (!at)
        errx(1, "more ports than the model has room for");
    *at = *forward;
    return leave(w, 0);
}

int network_forward_remove(uint16_t host_port)
{
    struct world *w = world_here();
    struct network_forward *at;

    if (world_enter(w, "forward_remove"))
        return -1;
    at = port_find(w, host_port);
    if (at)
        at->host_port = 0;
    return leave(w, 0);
}

int network_list(unsigned *numbers, size_t max)
{
    struct world *w = world_here();
    int n = 0;

    if (world_enter(w, "network_list"))
        return -1;
    for (unsigned i = 1; i < WORLD_NETWORKS && (size_t)n < max; i++)
        if (w->bridge[i])
            numbers[n++] = i;
    world_leave(w, 0);
    return n;
}

int network_forwards(struct network_forward *forwards, size_t max)
{
    struct world *w = world_here();
    int n = 0;

    if (world_enter(w, "forwards"))
        return -1;
    for (unsigned i = 0; i < WORLD_PORTS && (size_t)n < max; i++)
        if (w->port[i].host_port)
            forwards[n++] = w->port[i];
    world_leave(w, 0);
    return n;
}

int network_firewall_set(uint32_t ipv4, const struct firewall *firewall)
{
    struct world *w = world_here();
    struct world_firewall *at;

    if (world_enter(w, "firewall_set"))
        return -1;
    at = world_firewall(w, ipv4);
    if (!at && firewall->enabled)
        at = world_firewall(w, 0);
    if (!at && firewall->enabled)
        errx(1, "more firewalls than the model has room for");
    if (at)
        *at = (struct world_firewall){ .ipv4 = firewall->enabled ? ipv4 : 0, .rules = *firewall };
    return leave(w, 0);
}

int network_firewalls(uint32_t *ipv4s, size_t max)
{
    struct world *w = world_here();
    int n = 0;

    if (world_enter(w, "firewalls"))
        return -1;
    for (unsigned i = 0; i < WORLD_FIREWALLS && (size_t)n < max; i++)
        if (w->firewall[i].ipv4)
            ipv4s[n++] = w->firewall[i].ipv4;
    world_leave(w, 0);
    return n;
}
