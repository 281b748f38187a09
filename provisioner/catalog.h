/* What this host offers: images, machine sizes, and how much of its disk and ports, from catalog.json:
 *     {"images":  [{"id", "name", "description", "kernel", "initrd", "cmdline", "memory_mib_min"},
 *                  {"id", "name", "description", "disk", "disk_mib_min", "memory_mib_min"}, ...],
 *      "flavors": [{"id", "name", "vcpus", "memory_mib", "weight", "cap_percent", "disk_limit", "net_limit"}, ...],
 *      "boot_loader": PATH,
 *      "quotas":  {"instances_max", "volumes_max", "volume_mib_max", "snapshots_max", "forwards_max"},
 *      "disk":    {"overcommit_percent", "reserve_mib"},
 *      "public_host", "forward_ports": [FIRST, LAST]}
 * "initrd" may be left out. A limit is {"ops_per_s", "bytes_per_s", "burst_ms"} of all of a guest's disks, or NICs, together
 * (XS_METER_limit in xs/meter.h); a rate of 0, or a limit left out: not limited. Read once, at start; a mistake stops the daemon
 * with the key's name, and so does a kernel that could not be booted.
 *
 * An image with a disk boots what that holds, by the boot loader (PVH GRUB): nothing
 * here reads a customer's kernel. It is optional: when its file or the boot
 * loader is not on this host, it is listed as not available.
 *
 * Quotas are those of one account. The sum of all disks and snapshots may be
 * overcommit_percent of what the host's disk holds beyond reserve_mib; and when less than the
 * reserve is free, no more is promised. Guests reach the host's forwarded ports at public_host.
 */
#ifndef PROVISIONER_CATALOG_H
#define PROVISIONER_CATALOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image {
    const char *id, *name, *description, *kernel_path, *initrd_path /* NULL: none */, *cmdline;
    const char *disk_path;          /* NULL: it boots kernel_path alone; else that is the boot loader */
    int64_t memory_mib_min, disk_mib_min;
    bool available;
};

struct io_limit {                   /* all 0: none */
    int64_t ops_per_s, bytes_per_s, burst_ms;
};

struct flavor {
    const char *id, *name;
    int64_t vcpus, memory_mib;
    int64_t weight;                 /* share of CPU against the others; 256 is usual */
    int64_t cap_percent;            /* of one CPU; 0 none */
    struct io_limit disk_limit, net_limit;
};

struct catalog {
    json_t *root;                   /* owns the strings */
    struct image *images;
    struct flavor *flavors;
    size_t nr_images, nr_flavors;
    const char *boot_loader, *public_host;
    int64_t instances_max, volumes_max, volume_mib_max, snapshots_max, forwards_max;
    int64_t overcommit_percent, reserve_mib;
    int64_t port_first, port_last;
};

struct catalog_fault {
    char text[512];
};

/* 0, or -1 with fault->text: "PATH: images[1].kernel: what is wrong". */
int catalog_load(struct catalog *catalog, const char *path, struct catalog_fault *fault);
void catalog_free(struct catalog *catalog);

/* The ports may be the machine's to say, on dom0's command line: "xs.forward=22000-22015". 0, or -1 when
 * that word is there and is no range; *cmdline without it changes nothing. */
int catalog_ports(struct catalog *catalog, const char *cmdline);

const struct image *catalog_image(const struct catalog *catalog, const char *id);      /* NULL: no such */
const struct flavor *catalog_flavor(const struct catalog *catalog, const char *id);

#endif
