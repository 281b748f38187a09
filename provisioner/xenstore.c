/* The xenstored half of xen.h, but for devices. */
#include "provisioner/xenstore_nodes.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define CONSOLE_LIMIT_BYTES 1048576     /* what xenconsoled keeps for one who attaches late */

struct xenstore *xenstore_open(void)
{
    struct xenstore *store = calloc(1, sizeof(*store));

    if (!store)
        fatalx("out of memory");
    store->xs = xs_open(0);
    if (!store->xs)
        fatal("xenstored does not answer: start xenstored first");
    if (!xs_watch(store->xs, "@releaseDomain", "release"))
        fatal("xenstored refuses a watch on @releaseDomain");
    if (!xs_watch(store->xs, XENSTORE_BACKENDS, "device"))
        fatal("xenstored refuses a watch on " XENSTORE_BACKENDS);
    return store;
}

void xenstore_close(struct xenstore *store)
{
    xs_close(store->xs);
    free(store);
}

int xenstore_fd(const struct xenstore *store)
{
    return xs_fileno(store->xs);
}

enum xenstore_event xenstore_changed(struct xenstore *store)
{
    char **event = xs_check_watch(store->xs);
    enum xenstore_event what = XENSTORE_NOTHING;

    if (event)
        what = strcmp(event[XS_WATCH_TOKEN], "device") ? XENSTORE_DOMAIN : XENSTORE_DEVICE;
    free(event);
    return what;
}

int xenstore_failure(const char *path)
{
    int rc = errno ? -errno : -EIO;

    log_warn("xenstore: %s", path);
    return rc;
}

__attribute__((format(printf, 4, 5)))
static int node_write(struct xenstore *store, const char *base, const char *name, const char *fmt, ...)
{
    char path[160], value[128];
    va_list args;
    int bytes;

    va_start(args, fmt);
    bytes = vsnprintf(value, sizeof(value), fmt, args);
    va_end(args);
    snprintf(path, sizeof(path), "%s/%s", base, name);
    return xs_write(store->xs, XBT_NULL, path, value, (unsigned)bytes) ? 0 : xenstore_failure(path);
}

/* Nodes below inherit from their parent when they are made, so a directory's
 * rights are set before anything is put into it. */
static int directory_make(struct xenstore *store, const char *base, const char *name, uint32_t domid, bool writable)
{
    char path[160];
    struct xs_permissions rights[2] = {
        { .id = writable ? domid : 0, .perms = XS_PERM_NONE },
        { .id = domid, .perms = XS_PERM_READ },
    };

    snprintf(path, sizeof(path), "%s%s%s", base, *name ? "/" : "", name);
    if (xs_mkdir(store->xs, XBT_NULL, path) && xs_set_permissions(store->xs, XBT_NULL, path, rights, writable ? 1 : 2))
        return 0;
    return xenstore_failure(path);
}

/* The guest owns `control` (it says there what it understands, and takes its
 * requests away), its frontends' `device` and its own `data`; the rest it reads. */
static int directories_make(struct xenstore *store, const char *base, uint32_t domid)
{
    int rc = directory_make(store, base, "", domid, false);

    rc = rc ? rc : directory_make(store, base, "control", domid, true);
    rc = rc ? rc : directory_make(store, base, "device", domid, true);
    return rc ? rc : directory_make(store, base, "data", domid, true);
}

/* Each node is a round trip to another process: only those that someone reads.
 * Linux's balloon reads memory/, its bus control/, its CPUs cpu/; xenconsoled
 * reads name and console/. The rings' places PVH guests learn from hvm params. */
static int values_write(struct xenstore *store, const char *base, const struct xenstore_guest *g)
{
    int rc = node_write(store, base, "name", "%s", g->name);

    rc = rc ? rc : node_write(store, base, "vm", "/vm/%s", g->uuid);
    rc = rc ? rc : node_write(store, base, "domid", "%" PRIu32, g->domid);
    rc = rc ? rc : node_write(store, base, "memory/target", "%" PRIu64, g->memory_kib);
    rc = rc ? rc : node_write(store, base, "memory/static-max", "%" PRIu64, g->memory_kib);
    rc = rc ? rc : node_write(store, base, "control/platform-feature-xs_reset_watches", "1");
    rc = rc ? rc : node_write(store, base, "console/limit", "%d", CONSOLE_LIMIT_BYTES);
    rc = rc ? rc : node_write(store, base, "console/port", "%" PRIu32, g->rings.console_port);
    return rc ? rc : node_write(store, base, "console/ring-ref", "%" PRIu64, g->rings.console_pfn);
}

static int cpus_write(struct xenstore *store, const char *base, uint32_t vcpus)
{
    int rc = 0;

    for (uint32_t i = 0; i < vcpus && !rc; i++) {
        char name[40];

        snprintf(name, sizeof(name), "cpu/%" PRIu32 "/availability", i);
        rc = node_write(store, base, name, "online");
    }
    return rc;
}

int xenstore_publish(struct xenstore *store, const struct xenstore_guest *guest)
{
    char base[64];
    int rc;

    snprintf(base, sizeof(base), "/local/domain/%" PRIu32, guest->domid);
    rc = directories_make(store, base, guest->domid);
    rc = rc ? rc : values_write(store, base, guest);
    rc = rc ? rc : cpus_write(store, base, guest->vcpus);
    if (rc || xs_is_domain_introduced(store->xs, guest->domid))
        return rc;
    if (xs_introduce_domain(store->xs, guest->domid, guest->rings.store_pfn, guest->rings.store_port))
        return 0;
    return xenstore_failure("introduce");
}

int xenstore_tree_remove(struct xenstore *store, const char *path)
{
    return xs_rm(store->xs, XBT_NULL, path) || errno == ENOENT ? 0 : xenstore_failure(path);
}

int xenstore_retract(struct xenstore *store, uint32_t domid, const char *uuid)
{
    char base[64], vm_node[80], vm[64], *owner;
    bool ours;

    snprintf(vm, sizeof(vm), "/vm/%s", uuid);
    snprintf(base, sizeof(base), "/local/domain/%" PRIu32, domid);
    snprintf(vm_node, sizeof(vm_node), "%s/vm", base);
    /* A domid is used again: by now the tree may be another guest's. */
    owner = xs_read(store->xs, XBT_NULL, vm_node, NULL);
    if (!owner && errno != ENOENT)
        return xenstore_failure(vm_node);
    ours = owner && !strcmp(owner, vm);
    free(owner);
    return ours ? xenstore_tree_remove(store, base) : 0;
}

int xenstore_ask(struct xenstore *store, uint32_t domid, const char *what)
{
    char base[64];

    snprintf(base, sizeof(base), "/local/domain/%" PRIu32, domid);
    return node_write(store, base, "control/shutdown", "%s", what);
}

/* "/dev/pts/N", and nothing else: the node is dom0's to write, but what is opened here is typed into. */
static bool tty_valid(const char *path)
{
    static const char folder[] = "/dev/pts/";
    size_t len = strlen(folder);

    return strncmp(path, folder, len) == 0 && path[len] && !path[len + strspn(path + len, "0123456789")];
}

static int tty_open(const char *path)
{
    struct termios raw;
    int fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), rc;

    if (fd < 0)
        return -errno;
    /* As xenconsoled has set it: what is typed belongs to the guest, the line's own editing would hold it back. */
    if (tcgetattr(fd, &raw) == 0) {
        cfmakeraw(&raw);
        if (tcsetattr(fd, TCSANOW, &raw) == 0)
            return fd;
    }
    rc = -errno;
    close(fd);
    return rc;
}

/* The node is looked at again when its terminal is open: if xenconsoled was started again in between, the number may be
 * another guest's now (its service removes the old nodes before it starts). */
int xenstore_console_open(uint32_t domid)
{
    struct xs_handle *xs = xs_open(0);
    char node[64], *tty, *again = NULL;
    int fd = -ENOENT;

    if (!xs)
        return errno ? -errno : -EIO;
    snprintf(node, sizeof(node), "/local/domain/%" PRIu32 "/console/tty", domid);
    tty = xs_read(xs, XBT_NULL, node, NULL);
    if (tty && tty_valid(tty))
        fd = tty_open(tty);
    if (fd >= 0)
        again = xs_read(xs, XBT_NULL, node, NULL);
    if (fd >= 0 && (!again || strcmp(tty, again) != 0)) {
        close(fd);
        fd = -ENOENT;
    }
    free(tty);
    free(again);
    xs_close(xs);
    return fd;
}
