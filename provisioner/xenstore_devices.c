/* Devices in xenstored (devd/nodes.h). What a device needs is written in one
 * transaction, so that xs-devd and the guest see all of it or nothing. */
#include "provisioner/xenstore_nodes.h"
#include "common/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/xen.h>
#include <xen/io/xenbus.h>

#define PATH_BYTES  160
#define TRIES_MAX   100                 /* of a transaction, against others that change the same */

static const char *const kind_names[] = { [XENSTORE_VBD] = "vbd", [XENSTORE_VIF] = "vif" };

/* A directory and the transaction in which it is written. */
struct nodes {
    struct xs_handle *xs;
    xs_transaction_t transaction;
    char path[PATH_BYTES];
};

static void backend_path(char path[PATH_BYTES], const struct xenstore_place *at)
{
    snprintf(path, PATH_BYTES, XENSTORE_BACKENDS "/%s/%" PRIu32 "/%" PRIu32, kind_names[at->kind], at->domid, at->id);
}

static void frontend_path(char path[PATH_BYTES], const struct xenstore_place *at)
{
    snprintf(path, PATH_BYTES, "/local/domain/%" PRIu32 "/device/%s/%" PRIu32, at->domid, kind_names[at->kind], at->id);
}

__attribute__((format(printf, 3, 4)))
static int put(const struct nodes *n, const char *name, const char *fmt, ...)
{
    char path[PATH_BYTES + 32], value[4096];
    va_list args;
    int bytes;

    va_start(args, fmt);
    bytes = vsnprintf(value, sizeof(value), fmt, args);
    va_end(args);
    if (bytes >= (int)sizeof(value))
        return -ENAMETOOLONG;
    snprintf(path, sizeof(path), "%s/%s", n->path, name);
    return xs_write(n->xs, n->transaction, path, value, (unsigned)bytes) ? 0 : xenstore_failure(path);
}

/* The value of a node, malloc'd; NULL with errno. */
static char *get(struct xenstore *store, const char *directory, const char *name)
{
    char path[PATH_BYTES + 32];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return xs_read(store->xs, XBT_NULL, path, NULL);
}

/* Rights first: what is put into a directory inherits them. */
static int directory_make(const struct nodes *n, uint32_t owner, uint32_t reader)
{
    struct xs_permissions rights[2] = { { .id = owner, .perms = XS_PERM_NONE }, { .id = reader, .perms = XS_PERM_READ } };

    if (xs_mkdir(n->xs, n->transaction, n->path) && xs_set_permissions(n->xs, n->transaction, n->path, rights, 2))
        return 0;
    return xenstore_failure(n->path);
}

static int frontend_write(struct nodes *n, const struct xenstore_device *d)
{
    char backend[PATH_BYTES];
    int rc;

    backend_path(backend, &d->at);
    frontend_path(n->path, &d->at);
    rc = directory_make(n, d->at.domid, 0);
    rc = rc ? rc : put(n, "backend", "%s", backend);
    rc = rc ? rc : put(n, "backend-id", "0");
    rc = rc ? rc : put(n, "state", "%d", XenbusStateInitialising);
    if (rc)
        return rc;
    if (d->at.kind == XENSTORE_VIF) {
        rc = put(n, "handle", "%" PRIu32, d->at.id);
        return rc ? rc : put(n, "mac", "%s", d->mac);
    }
    rc = put(n, "virtual-device", "%" PRIu32, d->at.id);
    return rc ? rc : put(n, "device-type", "disk");
}

static int disk_write(const struct nodes *n, const struct xenstore_device *d)
{
    int rc = put(n, "params", "%s", d->params);

    rc = rc ? rc : put(n, "mode", "%s", d->read_only ? "r" : "w");
    return rc ? rc : put(n, "discard", "%d", !d->read_only);
}

static int nic_write(const struct nodes *n, const struct xenstore_device *d)
{
    int rc = put(n, "mac", "%s", d->mac);

    rc = rc ? rc : put(n, "ip", "%s", d->ip);
    rc = rc ? rc : put(n, "bridge", "%s", d->bridge);
    return rc ? rc : put(n, "tap", "%s", d->tap);
}

static int backend_write(struct nodes *n, const struct xenstore_device *d)
{
    char frontend[PATH_BYTES];
    int rc;

    frontend_path(frontend, &d->at);
    backend_path(n->path, &d->at);
    rc = directory_make(n, 0, d->at.domid);
    rc = rc ? rc : put(n, "frontend", "%s", frontend);
    rc = rc ? rc : put(n, "frontend-id", "%" PRIu32, d->at.domid);
    rc = rc ? rc : put(n, "vm", "/vm/%s", d->at.uuid);
    rc = rc ? rc : put(n, "online", "1");
    rc = rc ? rc : d->at.kind == XENSTORE_VBD ? disk_write(n, d) : nic_write(n, d);
    rc = rc || !*d->limit ? rc : put(n, "limit", "%s", d->limit);
    return rc ? rc : put(n, "state", "%d", XenbusStateInitialising);
}

/* Whether the backend's directory is for this guest: 1; 0 another's or none; -errno. */
static int is_ours(struct xenstore *store, const struct xenstore_place *at)
{
    char path[PATH_BYTES], vm[64], *owner;
    bool ours;

    backend_path(path, at);
    owner = get(store, path, "vm");
    if (!owner)
        return errno == ENOENT ? 0 : xenstore_failure(path);
    snprintf(vm, sizeof(vm), "/vm/%s", at->uuid);
    ours = !strcmp(owner, vm);
    free(owner);
    return ours;
}

/* Writes what `write` says, again when somebody else was quicker. */
static int in_transaction(struct xenstore *store, int (*write)(struct nodes *n, const struct xenstore_device *d),
                          int (*then)(struct nodes *n, const struct xenstore_device *d), const struct xenstore_device *d)
{
    struct nodes n = { .xs = store->xs };

    for (int tries = 0; tries < TRIES_MAX; tries++) {
        int rc;

        n.transaction = xs_transaction_start(store->xs);
        if (n.transaction == XBT_NULL)
            return xenstore_failure("transaction");
        rc = write(&n, d);
        if (!rc && then)
            rc = then(&n, d);
        if (xs_transaction_end(store->xs, n.transaction, rc != 0) || rc)
            return rc;
        if (errno != EAGAIN)
            return xenstore_failure("transaction");
    }
    return -EAGAIN;
}

int xenstore_device_publish(struct xenstore *store, const struct xenstore_device *device)
{
    int rc = is_ours(store, &device->at);

    if (rc)
        return rc < 0 ? rc : 0;
    return in_transaction(store, frontend_write, backend_write, device);
}

int xenstore_device_look(struct xenstore *store, const struct xenstore_place *at, unsigned *state, char error[128])
{
    char path[PATH_BYTES], *value;

    backend_path(path, at);
    value = get(store, path, "state");
    if (!value)
        return errno == ENOENT ? -ENOENT : xenstore_failure(path);
    *state = (unsigned)strtoul(value, NULL, 10);
    free(value);
    value = get(store, path, "error");
    snprintf(error, 128, "%s", value ? value : "");
    free(value);
    return 0;
}

static int close_write(struct nodes *n, const struct xenstore_device *d)
{
    int rc;

    backend_path(n->path, &d->at);
    rc = put(n, "online", "0");
    return rc ? rc : put(n, "state", "%d", XenbusStateClosing);
}

int xenstore_device_close(struct xenstore *store, const struct xenstore_place *at)
{
    return in_transaction(store, close_write, NULL, &(struct xenstore_device){ .at = *at });
}

static int reopen_write(struct nodes *n, const struct xenstore_device *d)
{
    char path[PATH_BYTES + 8], *front;
    bool connected;
    int rc;

    frontend_path(n->path, &d->at);
    snprintf(path, sizeof(path), "%s/state", n->path);
    front = xs_read(n->xs, n->transaction, path, NULL);
    connected = front && strtoul(front, NULL, 10) == XenbusStateConnected;
    free(front);
    backend_path(n->path, &d->at);
    rc = put(n, "online", "1");
    return rc ? rc : put(n, "state", "%d", connected ? XenbusStateConnected : XenbusStateInitWait);
}

int xenstore_device_reopen(struct xenstore *store, const struct xenstore_place *at)
{
    int rc = is_ours(store, at);

    if (rc <= 0)
        return rc;
    return in_transaction(store, reopen_write, NULL, &(struct xenstore_device){ .at = *at });
}

int xenstore_device_resize(struct xenstore *store, const struct xenstore_place *at, const char *params)
{
    struct nodes n = { .xs = store->xs, .transaction = XBT_NULL };
    int rc = is_ours(store, at);

    if (rc <= 0)
        return rc ? rc : -ENOENT;
    backend_path(n.path, at);
    return put(&n, "params", "%s", params);
}

/* /local/domain/0/backend/vbd/N, when nothing is in it any more. */
static int parent_remove(struct xenstore *store, const struct xenstore_place *at)
{
    char path[PATH_BYTES], **names;
    unsigned count;

    snprintf(path, sizeof(path), XENSTORE_BACKENDS "/%s/%" PRIu32, kind_names[at->kind], at->domid);
    names = xs_directory(store->xs, XBT_NULL, path, &count);
    free(names);
    return names && !count ? xenstore_tree_remove(store, path) : 0;
}

int xenstore_device_remove(struct xenstore *store, const struct xenstore_place *at)
{
    char path[PATH_BYTES];
    int rc = is_ours(store, at);

    if (rc <= 0)
        return rc;
    frontend_path(path, at);
    rc = xenstore_tree_remove(store, path);
    if (rc)
        return rc;
    /* The backend's last: it says whose the device is, should this be cut short. */
    backend_path(path, at);
    rc = xenstore_tree_remove(store, path);
    return rc ? rc : parent_remove(store, at);
}

struct places {
    struct xenstore_place *list;
    unsigned count, room;
};

static int place_add(struct xenstore *store, struct places *p, enum xenstore_kind kind, const char *domid, const char *id)
{
    struct xenstore_place at = { .domid = (uint32_t)strtoul(domid, NULL, 10), .id = (uint32_t)strtoul(id, NULL, 10),
                                 .kind = kind };
    char path[PATH_BYTES], *vm;

    if (p->count == p->room) {
        unsigned room = p->room ? 2 * p->room : 64;
        struct xenstore_place *more = reallocarray(p->list, room, sizeof(*more));

        if (!more)
            return -ENOMEM;
        p->list = more;
        p->room = room;
    }
    backend_path(path, &at);
    vm = get(store, path, "vm");
    if (vm && !strncmp(vm, "/vm/", 4))
        snprintf(at.uuid, sizeof(at.uuid), "%s", vm + 4);
    free(vm);
    p->list[p->count++] = at;
    return 0;
}

static int places_of(struct xenstore *store, struct places *p, enum xenstore_kind kind, const char *domid)
{
    char path[PATH_BYTES], **ids;
    unsigned count = 0;
    int rc = 0;

    snprintf(path, sizeof(path), XENSTORE_BACKENDS "/%s/%.16s", kind_names[kind], domid);
    ids = xs_directory(store->xs, XBT_NULL, path, &count);
    if (!ids && errno != ENOENT)
        rc = xenstore_failure(path);
    for (unsigned i = 0; ids && !rc && i < count; i++)
        rc = place_add(store, p, kind, domid, ids[i]);
    free(ids);
    return rc;
}

int xenstore_device_list(struct xenstore *store, struct xenstore_place **places, unsigned *count)
{
    struct places p = { .list = calloc(1, sizeof(*p.list)), .room = 1 };
    int rc = p.list ? 0 : -ENOMEM;

    for (unsigned kind = XENSTORE_VBD; !rc && kind <= XENSTORE_VIF; kind++) {
        char path[PATH_BYTES], **domids;
        unsigned n = 0;

        snprintf(path, sizeof(path), XENSTORE_BACKENDS "/%s", kind_names[kind]);
        domids = xs_directory(store->xs, XBT_NULL, path, &n);
        if (!domids && errno != ENOENT)
            rc = xenstore_failure(path);
        for (unsigned i = 0; domids && !rc && i < n; i++)
            rc = places_of(store, &p, (enum xenstore_kind)kind, domids[i]);
        free(domids);
    }
    if (rc) {
        free(p.list);
        return rc;
    }
    *places = p.list;
    *count = p.count;
    return 0;
}
