/* What this host offers: kernel images and machine sizes, from catalog.json:
 *     {"images":  [{"id", "name", "description", "kernel", "initrd", "cmdline", "memory_mib_min"}, ...],
 *      "flavors": [{"id", "name", "vcpus", "memory_mib", "weight", "cap_percent"}, ...]}
 * "initrd" may be left out. Read once, at start; a mistake stops the daemon
 * with the key's name, and so does a kernel that could not be booted.
 */
#ifndef PROVISIONER_CATALOG_H
#define PROVISIONER_CATALOG_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct image {
    const char *id, *name, *description, *kernel_path, *initrd_path /* NULL: none */, *cmdline;
    int64_t memory_mib_min;
};

struct flavor {
    const char *id, *name;
    int64_t vcpus, memory_mib;
    int64_t weight;                 /* share of CPU against the others; 256 is usual */
    int64_t cap_percent;            /* of one CPU; 0 none */
};

struct catalog {
    json_t *root;                   /* owns the strings */
    struct image *images;
    struct flavor *flavors;
    size_t nr_images, nr_flavors;
};

struct catalog_fault {
    char text[512];
};

/* 0, or -1 with fault->text: "PATH: images[1].kernel: what is wrong". */
int catalog_load(struct catalog *catalog, const char *path, struct catalog_fault *fault);
void catalog_free(struct catalog *catalog);

const struct image *catalog_image(const struct catalog *catalog, const char *id);      /* NULL: no such */
const struct flavor *catalog_flavor(const struct catalog *catalog, const char *id);

#endif
