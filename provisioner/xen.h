/* The hypervisor and xenstored, as the provisioner needs them: one verb for
 * each thing a step does. The tests link another xen.c that models domains,
 * memory and ports, so nothing else in this folder may call libxen*.
 *
 * Unless said otherwise a verb returns 0 or -errno as the hypervisor (or
 * xenstored) gave it. A struct xen belongs to one thread.
 */
#ifndef PROVISIONER_XEN_H
#define PROVISIONER_XEN_H

#include "provisioner/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XEN_COPY_BYTES (1u << 20)

struct xen;

/* Exits 1 with what is missing: no hypervisor, not root, stats page refused. */
struct xen *xen_open(void);
void xen_close(struct xen *xen);

struct xen_host {
    uint64_t pages_total, pages_free;
    uint32_t cpus;
    uint32_t domains;               /* dom0 included */
    uint32_t slots_free;            /* a new domain needs one */
    uint8_t boot_id[16];
    char version[32];
};
int xen_host_read(struct xen *xen, struct xen_host *host);

struct xen_domain {
    uint32_t domid;
    uint8_t uuid[16];
    uint64_t pages;
    bool dying;                     /* destroyed; someone still holds a page of it */
    bool paused;
    bool shutdown;
    unsigned reason;                /* SHUTDOWN_*, when shutdown */
};

/* All domains but dom0. *domains is malloc'd, also when empty; the caller frees. */
int xen_domain_list(struct xen *xen, struct xen_domain **domains, unsigned *count);

struct xen_domain_spec {
    uint8_t uuid[16];
    uint32_t vcpus;
    uint64_t pages_max;
    uint32_t weight;
    uint32_t cap_percent;           /* of one CPU; 0 none */
};
/* Makes it with its vCPUs and limits, paused and without memory. When a part
 * fails, what was made is destroyed again. */
int xen_domain_create(struct xen *xen, const struct xen_domain_spec *spec, uint32_t *domid);
int xen_domain_destroy(struct xen *xen, uint32_t domid);
int xen_domain_pause(struct xen *xen, uint32_t domid);
int xen_domain_unpause(struct xen *xen, uint32_t domid);

/* Gives pages from pfn on, in 2 MiB extents where they fit. -ENOMEM. */
int xen_memory_populate(struct xen *xen, uint32_t domid, uint64_t pfn, uint64_t pages);

/* The guest's memory is written from this buffer of XEN_COPY_BYTES, which the
 * hypervisor can read without a fault. */
void *xen_copy_buffer(struct xen *xen);
int xen_copy_in(struct xen *xen, uint32_t domid, uint64_t gpa, size_t bytes);

/* What the guest is told when it asks the hypervisor for its memory map (GRUB does; Linux has the start info). */
int xen_memory_map_set(struct xen *xen, uint32_t domid, const struct layout_range *ranges, unsigned count);

/* vCPU 0's start state: records as layout_cpu_fill makes them. */
int xen_cpu_set(struct xen *xen, uint32_t domid, uint8_t *records, size_t bytes);

/* The rings of a new domain: allocates the ports that dom0 will bind, tells
 * the guest by its hvm params, and grants dom0 the two pages. Done twice it
 * gives the same ports. */
struct xen_rings {
    uint64_t console_pfn, store_pfn;        /* in */
    uint32_t console_port, store_port;      /* out */
};
int xen_rings_make(struct xen *xen, uint32_t domid, struct xen_rings *rings);
/* How many bytes the guest has written to the console ring at this pfn that xenconsoled has not taken: 0 as well when
 * the guest has filled the ring with nonsense (xen/io/console.h), which xenconsoled leaves alone. -errno. */
int xen_console_unread(struct xen *xen, uint32_t domid, uint64_t console_pfn);

/* From the stats page. -ESRCH when no live slot holds this domain. */
int xen_incarnation(struct xen *xen, uint32_t domid, const uint8_t uuid[16], uint8_t incarnation[16]);
/* Errors as XS_METER_ack (xs/meter.h). */
int xen_meter_ack(struct xen *xen, uint32_t slot, const uint8_t incarnation[16]);

/* xenstored. */
struct xenstore;

/* Exits 1 when xenstored does not answer. */
struct xenstore *xenstore_open(void);
void xenstore_close(struct xenstore *store);

/* Readable when a domain may have shut down or gone, or a device's nodes have changed; take the
 * events with xenstore_changed until there is none. The hypervisor's own VIRQ_DOM_EXC can be
 * bound once only, and xenstored holds it; it passes the news on. */
enum xenstore_event { XENSTORE_NOTHING, XENSTORE_DOMAIN, XENSTORE_DEVICE };
int xenstore_fd(const struct xenstore *store);
enum xenstore_event xenstore_changed(struct xenstore *store);

struct xenstore_guest {
    uint32_t domid;
    uint32_t vcpus;
    const char *name;               /* xenconsoled's log file is guest-NAME.log */
    const char *uuid;               /* 8-4-4-4-12 */
    uint64_t memory_kib;
    struct xen_rings rings;
};
/* Writes the nodes and introduces the domain. Repeatable. */
int xenstore_publish(struct xenstore *store, const struct xenstore_guest *guest);
/* Removes what publish wrote for this UUID, if it is still there. Repeatable. */
int xenstore_retract(struct xenstore *store, uint32_t domid, const char *uuid);
/* Opens the terminal through which xenconsoled passes on what the guest is to read; non-blocking, -errno. -ENOENT: there
 * is none (yet). Any thread. The caller makes sure that the domain lived on after this. */
int xenstore_console_open(uint32_t domid);
/* "poweroff" or "reboot", for the guest's kernel to obey or not. */
int xenstore_ask(struct xenstore *store, uint32_t domid, const char *what);

/* Devices, with the nodes of devd/nodes.h. Each backend directory also says, in `vm`,
 * which guest it is for: a domid is used again. */
enum xenstore_kind { XENSTORE_VBD, XENSTORE_VIF };
struct xenstore_place {
    uint32_t domid, id;
    enum xenstore_kind kind;
    char uuid[40];                  /* the domain's, 8-4-4-4-12 */
};
struct xenstore_device {
    struct xenstore_place at;
    const char *params;             /* vbd */
    bool read_only;
    const char *mac, *ip, *bridge, *tap;        /* vif */
    const char *limit;              /* of all of the guest's of its kind; empty: none */
};
/* What is there already stays as it is. */
int xenstore_device_publish(struct xenstore *store, const struct xenstore_device *device);
/* state is io/xenbus.h's, of the backend; error is empty unless the device has failed. -ENOENT: not published. */
int xenstore_device_look(struct xenstore *store, const struct xenstore_place *at, unsigned *state, char error[128]);
/* Asks both ends to close it, or takes that back. */
int xenstore_device_close(struct xenstore *store, const struct xenstore_place *at);
int xenstore_device_reopen(struct xenstore *store, const struct xenstore_place *at);
/* Its file has grown. -ENOENT. */
int xenstore_device_resize(struct xenstore *store, const struct xenstore_place *at, const char *params);
/* Both ends' nodes, unless they are for another guest by now. */
int xenstore_device_remove(struct xenstore *store, const struct xenstore_place *at);
/* All that are published. *places is malloc'd, also when empty; the caller frees. */
int xenstore_device_list(struct xenstore *store, struct xenstore_place **places, unsigned *count);

#endif
