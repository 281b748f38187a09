#include "world_store.h"
#include "provisioner/uuid.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct xen {
    struct world *w;
    uint8_t copy[XEN_COPY_BYTES];
};

/* The way in which events reach another process: a byte each in a fifo beside the world. */
static int fifo_open(void)
{
    char path[4096];
    int fd;

    snprintf(path, sizeof(path), "%s.fifo", getenv("XS_WORLD"));
    if (mkfifo(path, 0600) && errno != EEXIST)
        err(1, "%s", path);
    fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        err(1, "%s", path);
    return fd;
}

struct world *world_attach(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct stat st;
    struct world *w;

    if (fd < 0 || fstat(fd, &st) || (!st.st_size && truncate(path, sizeof(*w))))
        err(1, "%s", path);
    w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (w == MAP_FAILED)
        err(1, "%s", path);
    close(fd);
    if (!st.st_size)
        world_reset(w);
    return w;
}

struct world *world_new(const char *dir)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/world", dir);
    setenv("XS_WORLD", path, 1);
    return world_attach(path);
}

void world_reset(struct world *w)
{
    pthread_mutexattr_t attr;

    memset(w, 0, sizeof(*w));
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&w->lock, &attr);
    w->pages_free = WORLD_PAGES;
    w->next_domid = 1;
    w->next_incarnation = 1;
    memset(w->boot_id, 0xB0, sizeof(w->boot_id));
}

void world_lock(struct world *w)
{
    if (pthread_mutex_lock(&w->lock) == EOWNERDEAD)
        pthread_mutex_consistent(&w->lock);
}

void world_unlock(struct world *w)
{
    pthread_mutex_unlock(&w->lock);
}

int world_enter(struct world *w, const char *verb)
{
    world_lock(w);
    w->calls++;
    if (w->calls == w->kill_at && !w->kill_after)
        kill(getpid(), SIGKILL);
    if (w->calls != w->fail_at && (!*w->fail_verb || strcmp(w->fail_verb, verb)))
        return 0;
    world_leave(w, 0);
    return w->fail_errno ? -w->fail_errno : -EIO;
}

int world_leave(struct world *w, int rc)
{
    if (w->calls == w->kill_at)
        kill(getpid(), SIGKILL);
    world_unlock(w);
    return rc;
}

void world_broken(struct world *w, const char *rule)
{
    if (!*w->broken)
        snprintf(w->broken, sizeof(w->broken), "%s (call %u)", rule, w->calls);
}

void world_note(struct world_entry *entries, unsigned *count, const char *instance_id, const char *incarnation)
{
    for (unsigned i = 0; i < *count; i++)
        if (!strcmp(entries[i].instance_id, instance_id) && !strcmp(entries[i].incarnation, incarnation))
            return;
    if (*count == WORLD_ENTRIES)
        errx(1, "more entries than the model has room for");
    snprintf(entries[*count].instance_id, sizeof(entries[*count].instance_id), "%s", instance_id);
    snprintf(entries[*count].incarnation, sizeof(entries[*count].incarnation), "%s", incarnation);
    ++*count;
}

struct world_domain *world_find(struct world *w, const uint8_t uuid[16])
{
    for (unsigned i = 0; i < WORLD_DOMAINS; i++)
        if (w->domain[i].used && !w->domain[i].dying && !memcmp(w->domain[i].uuid, uuid, 16))
            return &w->domain[i];
    return NULL;
}

struct world_domain *world_domid(struct world *w, uint32_t domid)
{
    for (unsigned i = 0; i < WORLD_DOMAINS; i++)
        if (w->domain[i].used && !w->domain[i].dying && w->domain[i].domid == domid)
            return &w->domain[i];
    return NULL;
}

unsigned world_alive(struct world *w)
{
    unsigned n = 0;

    for (unsigned i = 0; i < WORLD_DOMAINS; i++)
        n += w->domain[i].used && !w->domain[i].dying;
    return n;
}

void world_event(void)
{
    int fd = fifo_open();

    if (write(fd, "x", 1) != 1)
        err(1, "fifo");
    close(fd);
}

void world_shutdown(struct world *w, struct world_domain *d, unsigned reason)
{
    world_lock(w);
    d->shutdown = true;
    d->reason = reason;
    world_unlock(w);
    world_event();
}

struct xen *xen_open(void)
{
    struct xen *xen = calloc(1, sizeof(*xen));

    if (!xen || !getenv("XS_WORLD"))
        errx(1, "no XS_WORLD");
    xen->w = world_attach(getenv("XS_WORLD"));
    return xen;
}

void xen_close(struct xen *xen)
{
    munmap(xen->w, sizeof(*xen->w));
    free(xen);
}

int xen_host_read(struct xen *xen, struct xen_host *host)
{
    struct world *w = xen->w;
    int rc = world_enter(w, "host_read");

    if (rc)
        return rc;
    *host = (struct xen_host){ .pages_total = WORLD_PAGES, .pages_free = w->pages_free, .cpus = 2,
                               .domains = world_alive(w) + 1, .version = "4.17-model" };
    for (unsigned i = 1; i < WORLD_SLOTS; i++)
        host->slots_free += !w->slot[i].used;
    memcpy(host->boot_id, w->boot_id, 16);
    return world_leave(w, 0);
}

int xen_domain_list(struct xen *xen, struct xen_domain **domains, unsigned *count)
{
    struct world *w = xen->w;
    int rc = world_enter(w, "domain_list");

    if (rc)
        return rc;
    *domains = calloc(WORLD_DOMAINS, sizeof(**domains));
    *count = 0;
    for (unsigned i = 0; *domains && i < WORLD_DOMAINS; i++) {
        struct world_domain *d = &w->domain[i];
        struct xen_domain *out = &(*domains)[*count];

        if (!d->used)
            continue;
        *out = (struct xen_domain){ .domid = d->domid, .pages = d->pages, .dying = d->dying, .paused = d->pauses,
                                    .shutdown = d->shutdown, .reason = d->reason };
        memcpy(out->uuid, d->uuid, 16);
        ++*count;
    }
    return world_leave(w, *domains ? 0 : -ENOMEM);
}

static uint32_t slot_take(struct world *w, uint32_t domid)
{
    for (uint32_t i = 1; i < WORLD_SLOTS; i++)
        if (!w->slot[i].used) {
            w->slot[i] = (struct world_slot){ .used = true, .domid = domid };
            memcpy(w->slot[i].incarnation, &w->next_incarnation, sizeof(w->next_incarnation));
            w->next_incarnation++;
            return i;
        }
    return 0;
}

int xen_domain_create(struct xen *xen, const struct xen_domain_spec *spec, uint32_t *domid)
{
    struct world *w = xen->w;
    int rc = world_enter(w, "domain_create");
    unsigned i = 0;

    if (rc)
        return rc;
    if (world_find(w, spec->uuid))
        world_broken(w, "two live domains with one UUID");
    while (i < WORLD_DOMAINS && w->domain[i].used)
        i++;                            /* dead ones stay for the tests to look at */
    uint32_t slot = i < WORLD_DOMAINS ? slot_take(w, w->next_domid) : 0;
    if (!slot)
        return world_leave(w, -ENOSPC);
    w->domain[i] = (struct world_domain){ .used = true, .pauses = 1, .domid = w->next_domid++, .slot = slot,
                                          .pages_max = spec->pages_max, .spec = *spec };
    memcpy(w->domain[i].uuid, spec->uuid, 16);
    *domid = w->domain[i].domid;
    return world_leave(w, 0);
}

int xen_domain_destroy(struct xen *xen, uint32_t domid)
{
    struct world *w = xen->w;
    struct world_domain *d = NULL;
    int rc = world_enter(w, "domain_destroy");

    if (rc)
        return rc;
    for (unsigned i = 0; i < WORLD_DOMAINS; i++)
        if (w->domain[i].used && w->domain[i].domid == domid)
            d = &w->domain[i];
    if (!d)
        return world_leave(w, 0);
    d->dying = true;
    w->unheard += d->unread;
    d->unread = 0;
    world_leave(w, 0);
    rc = world_enter(w, "domain_destroy_on");   /* the caller may be killed between two pieces */
    if (rc)
        return rc;
    w->pages_free += d->pages;
    w->slot[d->slot].final = true;
    d->pages = 0;
    return world_leave(w, 0);
}

int xen_domain_pause(struct xen *xen, uint32_t domid)
{
    struct world *w = xen->w;
    int rc = world_enter(w, "domain_pause");
    struct world_domain *d = world_domid(w, domid);

    if (rc)
        return rc;
    if (d)
        d->pauses = 1;                  /* domctl's own pause counts once */
    return world_leave(w, d ? 0 : -ESRCH);
}

static bool is_registered(struct world *w, const struct world_domain *d)
{
    char hex[33];

    hex_text(w->slot[d->slot].incarnation, 16, hex);
    for (unsigned i = 0; i < w->nr_registered; i++)
        if (!strcmp(w->registered[i].incarnation, hex))
            return true;
    return false;
}

int xen_domain_unpause(struct xen *xen, uint32_t domid)
{
    struct world *w = xen->w;
    int rc = world_enter(w, "domain_unpause");
    struct world_domain *d = world_domid(w, domid);

    if (rc)
        return rc;
    if (!d)
        return world_leave(w, -ESRCH);
    if (!d->pauses)
        return world_leave(w, -EINVAL);
    if (!d->cpu_set || !d->mapped || !d->introduced || !d->ports)
        world_broken(w, "a guest ran before it was built and connected");
    if (!is_registered(w, d))
        world_broken(w, "a guest ran before its incarnation was registered");
    d->pauses--;
    return world_leave(w, 0);
}

int xen_memory_populate(struct xen *xen, uint32_t domid, uint64_t pfn, uint64_t pages)
{
    struct world *w = xen->w;
    int rc = world_enter(w, "memory_populate");
    struct world_domain *d = world_domid(w, domid);

    if (rc || !pages)
        return rc ? rc : world_leave(w, 0);
    if (!d)
        return world_leave(w, -ESRCH);
    for (unsigned i = 0; i < d->nr_ranges; i++)
        if (pfn < d->range[i].pfn + d->range[i].pages && d->range[i].pfn < pfn + pages)
            world_broken(w, "a frame was populated twice");
    if (d->pages + pages > d->pages_max)
        world_broken(w, "more memory than the domain's limit");
    if (w->pages_free < pages || d->pages + pages > d->pages_max || d->nr_ranges == WORLD_RANGES)
        return world_leave(w, -ENOMEM);
    d->range[d->nr_ranges++] = (struct world_range){ pfn, pages };
    d->pages += pages;
    w->pages_free -= pages;
    return world_leave(w, 0);
}

void *xen_copy_buffer(struct xen *xen)
{
    return xen->copy;
}

static bool holds(const struct world_domain *d, uint64_t gpa, uint64_t bytes)
{
    for (unsigned i = 0; i < d->nr_ranges; i++) {
        uint64_t start = d->range[i].pfn << 12, end = start + (d->range[i].pages << 12);

        if (gpa >= start && gpa + bytes <= end)
            return true;
    }
    return false;
}

int xen_copy_in(struct xen *xen, uint32_t domid, uint64_t gpa, size_t bytes)
{
    struct world *w = xen->w;
    int rc = world_enter(w, "copy_in");
    struct world_domain *d = world_domid(w, domid);

    if (rc)
        return rc;
    if (!d || !d->pauses || !holds(d, gpa, bytes) || bytes > XEN_COPY_BYTES) {
        world_broken(w, "a write to memory that the guest does not have, or has begun to use");
        return world_leave(w, -EFAULT);
    }
    d->copied_bytes += bytes;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t base = (16 + i) << 20;

        if (gpa >= base && gpa + bytes <= base + sizeof(d->low[i]))
            memcpy(d->low[i] + (gpa - base), xen->copy, bytes);
    }
    if (bytes == LAYOUT_INFO_BYTES)
        memcpy(d->info, xen->copy, bytes);
    return world_leave(w, 0);
}

int xen_memory_map_set(struct xen *xen, uint32_t domid, const struct layout_range *ranges, unsigned count)
{
    struct world *w = xen->w;
    int rc = world_enter(w, "memory_map_set");
    struct world_domain *d = world_domid(w, domid);

    if (rc)
        return rc;
    if (!d || !d->pauses || !count || !holds(d, ranges[0].gpa, ranges[0].bytes))
        world_broken(w, "a memory map that is not the domain's");
    else
        d->mapped = true;
    return world_leave(w, 0);
}

int xen_cpu_set(struct xen *xen, uint32_t domid, uint8_t *records, size_t bytes)
{
    struct world *w = xen->w;
    int rc = world_enter(w, "cpu_set");
    struct world_domain *d = world_domid(w, domid);

    if (rc)
        return rc;
    if (!d || !d->pauses || !records || !bytes)
        world_broken(w, "vCPU state of a running or unknown domain");
    else
        d->cpu_set = true;
    return world_leave(w, 0);
}

int xen_rings_make(struct xen *xen, uint32_t domid, struct xen_rings *rings)
{
    struct world *w = xen->w;
    int rc = world_enter(w, "rings_make");
    struct world_domain *d = world_domid(w, domid);

    if (rc)
        return rc;
    if (!d || !holds(d, rings->console_pfn << 12, 4096) || !holds(d, rings->store_pfn << 12, 4096)) {
        world_broken(w, "a ring in memory that the guest does not have");
        return world_leave(w, -EINVAL);
    }
    d->ports = 2;
    rings->store_port = 1;
    rings->console_port = 2;
    d->rings = *rings;
    return world_leave(w, 0);
}

int xen_console_unread(struct xen *xen, uint32_t domid, uint64_t console_pfn)
{
    struct world *w = xen->w;
    int rc = world_enter(w, "console_unread"), unread;
    struct world_domain *d = world_domid(w, domid);

    if (rc)
        return rc;
    if (!d || console_pfn != d->rings.console_pfn) {
        world_broken(w, "a console ring where the guest has none");
        return world_leave(w, -EINVAL);
    }
    unread = (int)d->unread;
    d->unread -= unread > 0;
    rc = world_leave(w, 0);
    return rc ? rc : unread;
}

int xen_incarnation(struct xen *xen, uint32_t domid, const uint8_t uuid[16], uint8_t incarnation[16])
{
    struct world *w = xen->w;
    int rc = world_enter(w, "incarnation");
    struct world_domain *d = world_domid(w, domid);

    if (rc)
        return rc;
    if (!d || memcmp(d->uuid, uuid, 16))
        return world_leave(w, -ESRCH);
    memcpy(incarnation, w->slot[d->slot].incarnation, 16);
    return world_leave(w, 0);
}

int xen_meter_ack(struct xen *xen, uint32_t slot, const uint8_t incarnation[16])
{
    struct world *w = xen->w;
    int rc = world_enter(w, "meter_ack");

    if (rc)
        return rc;
    if (slot >= WORLD_SLOTS || !w->slot[slot].used || memcmp(w->slot[slot].incarnation, incarnation, 16))
        return world_leave(w, -ENOENT);
    if (!w->slot[slot].final)
        return world_leave(w, -EBUSY);
    w->slot[slot] = (struct world_slot){ 0 };
    return world_leave(w, 0);
}

struct xenstore *xenstore_open(void)
{
    struct xenstore *store = calloc(1, sizeof(*store));

    if (!store)
        errx(1, "out of memory");
    store->w = world_attach(getenv("XS_WORLD"));
    store->fd = fifo_open();
    return store;
}

void xenstore_close(struct xenstore *store)
{
    close(store->fd);
    munmap(store->w, sizeof(*store->w));
    free(store);
}

int xenstore_fd(const struct xenstore *store)
{
    return store->fd;
}

enum xenstore_event xenstore_changed(struct xenstore *store)
{
    char byte;

    return read(store->fd, &byte, 1) == 1 ? XENSTORE_DOMAIN : XENSTORE_NOTHING;
}

int xenstore_publish(struct xenstore *store, const struct xenstore_guest *guest)
{
    struct world *w = store->w;
    int rc = world_enter(w, "publish");
    struct world_domain *d = world_domid(w, guest->domid);

    if (rc)
        return rc;
    if (!d || !d->ports || d->rings.store_port != guest->rings.store_port) {
        world_broken(w, "nodes of a domain without rings");
        return world_leave(w, -EINVAL);
    }
    snprintf(d->store_name, sizeof(d->store_name), "%s", guest->name);
    snprintf(d->store_uuid, sizeof(d->store_uuid), "%s", guest->uuid);
    d->introduced = true;
    return world_leave(w, 0);
}

/* Nodes outlive their domain until they are removed: dying ones are looked at too. */
int xenstore_retract(struct xenstore *store, uint32_t domid, const char *uuid)
{
    struct world *w = store->w;
    int rc = world_enter(w, "retract");

    if (rc)
        return rc;
    for (unsigned i = 0; i < WORLD_DOMAINS; i++) {
        struct world_domain *d = &w->domain[i];

        if (d->used && d->domid == domid && !strcmp(d->store_uuid, uuid)) {
            if (!d->dying)
                world_broken(w, "nodes of a live domain were removed");
            d->store_name[0] = d->store_uuid[0] = 0;
        }
    }
    return world_leave(w, 0);
}

int xenstore_console_open(uint32_t domid)
{
    struct world *w = world_attach(getenv("XS_WORLD"));
    struct world_domain *d;
    int fd = -ENOENT;

    world_lock(w);
    d = world_domid(w, domid);
    if (d && d->tty[0]) {
        fd = open(d->tty, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        fd = fd < 0 ? -errno : fd;
    }
    world_unlock(w);
    munmap(w, sizeof(*w));
    return fd;
}

int xenstore_ask(struct xenstore *store, uint32_t domid, const char *what)
{
    struct world *w = store->w;
    int rc = world_enter(w, "ask");
    struct world_domain *d = world_domid(w, domid);

    if (rc)
        return rc;
    if (d)
        snprintf(d->asked, sizeof(d->asked), "%s", what);
    return world_leave(w, d ? 0 : -ENOENT);
}
