#include "provisioner/catalog.h"
#include "common/json.h"
#include "common/log.h"
#include "provisioner/build.h"
#include "provisioner/layout.h"
#include "provisioner/network.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MEMORY_MIB_MAX  (1 << 20)
#define ID_MAX          32
#define TEXT_MAX        256
#define PATH_TEXT_MAX   1024
#define LIST_MAX        256
#define SIZE_MIB_MAX    (1ll << 30)
#define COUNT_MAX       1000000
#define OPS_MAX         1000000000
#define BYTES_MAX       (1ll << 40)
#define BURST_MS_MAX    60000           /* hv's (xs/meter.h) */

/* Where in the file we are, so that every complaint names its key. */
struct place {
    const char *path, *list;
    bool in_list;
    size_t index;
    struct catalog_fault *fault;
};

__attribute__((format(printf, 2, 3)))
static int complain(const struct place *at, const char *fmt, ...)
{
    char what[320];
    va_list args;

    va_start(args, fmt);
    vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    if (at->in_list)
        snprintf(at->fault->text, sizeof(at->fault->text), "%s: %s[%zu].%s", at->path, at->list, at->index, what);
    else
        snprintf(at->fault->text, sizeof(at->fault->text), "%s: %s%s%s", at->path, at->list, *at->list ? "." : "", what);
    return -1;
}

static int text_read(const struct place *at, const json_t *row, const char *key, size_t max, const char **out)
{
    struct json_why why;

    return json_arg_string(row, key, max, out, &why) ? complain(at, "%s", why.text) : 0;
}

static int number_read(const struct place *at, const json_t *row, const char *key, int64_t min, int64_t max,
                       int64_t *out)
{
    struct json_why why;

    return json_arg_int(row, key, min, max, out, &why) ? complain(at, "%s", why.text) : 0;
}

static int id_read(const struct place *at, const json_t *row, const char **out)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";

    if (text_read(at, row, "id", ID_MAX, out))
        return -1;
    return (*out)[strspn(*out, allowed)] ? complain(at, "id: only a-z 0-9 - _ . are allowed") : 0;
}

/* A file that will not boot is better found now than by the first customer. */
static int files_check(const struct place *at, const struct image *image)
{
    struct build_fault why;
    struct build b = { .kernel_path = image->kernel_path, .initrd_path = image->initrd_path,
                       .cmdline = image->cmdline, .vcpus = 1, .memory_mib = (uint64_t)image->memory_mib_min };

    return build_check(&b, &why) ? complain(at, "%s: %.250s", why.key, why.text) : 0;
}

static int kernel_image_read(const struct place *at, const json_t *row, struct image *image)
{
    if (text_read(at, row, "kernel", PATH_TEXT_MAX, &image->kernel_path) ||
        text_read(at, row, "cmdline", LAYOUT_CMDLINE_MAX / 2, &image->cmdline))
        return -1;
    if (json_has(row, "initrd") && text_read(at, row, "initrd", PATH_TEXT_MAX, &image->initrd_path))
        return -1;
    image->available = true;
    return files_check(at, image);
}

static bool disk_is_there(const struct image *image)
{
    struct stat st;

    if (!stat(image->disk_path, &st) && S_ISREG(st.st_mode) && st.st_size) {
        if (!stat(image->kernel_path, &st))
            return true;
        log_warn("image %s: boot_loader %s: the image is not offered", image->id, image->kernel_path);
    } else {
        log_warnx("image %s: disk %s is not on this host: the image is not offered", image->id, image->disk_path);
    }
    return false;
}

static int disk_image_read(const struct place *at, const json_t *row, const char *boot_loader, struct image *image)
{
    struct stat st;

    if (text_read(at, row, "disk", PATH_TEXT_MAX, &image->disk_path) ||
        number_read(at, row, "disk_mib_min", 1, SIZE_MIB_MAX, &image->disk_mib_min))
        return -1;
    if (!boot_loader)
        return complain(at, "disk: needs the catalogue's boot_loader");
    image->kernel_path = boot_loader;
    image->cmdline = "";
    image->available = disk_is_there(image);
    if (!image->available)
        return 0;
    if (!stat(image->disk_path, &st) && st.st_size > image->disk_mib_min << 20)
        return complain(at, "disk_mib_min: %s is larger", image->disk_path);
    return files_check(at, image);
}

static int image_read(const struct place *at, const json_t *row, const char *boot_loader, struct image *image)
{
    bool disk = json_has(row, "disk");
    struct json_why why;

    if (json_arg_only(row, disk ? "id name description disk disk_mib_min memory_mib_min"
                                : "id name description kernel initrd cmdline memory_mib_min", &why))
        return complain(at, "%s", why.text);
    if (id_read(at, row, &image->id) || text_read(at, row, "name", TEXT_MAX, &image->name) ||
        text_read(at, row, "description", TEXT_MAX, &image->description) ||
        number_read(at, row, "memory_mib_min", 16, MEMORY_MIB_MAX, &image->memory_mib_min))
        return -1;
    return disk ? disk_image_read(at, row, boot_loader, image) : kernel_image_read(at, row, image);
}

static int limit_read(const struct place *at, const json_t *row, const char *key, struct io_limit *limit)
{
    const json_t *object = json_object_get(row, key);
    struct json_why why;

    if (!object)
        return 0;
    if (!json_is_object(object))
        return complain(at, "%s: must be an object", key);
    if (json_arg_only(object, "ops_per_s bytes_per_s burst_ms", &why) ||
        json_arg_int(object, "ops_per_s", 0, OPS_MAX, &limit->ops_per_s, &why) ||
        json_arg_int(object, "bytes_per_s", 0, BYTES_MAX, &limit->bytes_per_s, &why) ||
        json_arg_int(object, "burst_ms", 1, BURST_MS_MAX, &limit->burst_ms, &why))
        return complain(at, "%s.%s", key, why.text);
    return 0;
}

static int flavor_read(const struct place *at, const json_t *row, struct flavor *flavor)
{
    struct json_why why;

    if (json_arg_only(row, "id name vcpus memory_mib weight cap_percent disk_limit net_limit", &why))
        return complain(at, "%s", why.text);
    if (id_read(at, row, &flavor->id) || text_read(at, row, "name", TEXT_MAX, &flavor->name) ||
        number_read(at, row, "vcpus", 1, LAYOUT_VCPUS_MAX, &flavor->vcpus) ||
        number_read(at, row, "memory_mib", 16, MEMORY_MIB_MAX, &flavor->memory_mib) ||
        number_read(at, row, "weight", 1, 65535, &flavor->weight) ||
        number_read(at, row, "cap_percent", 0, 100 * flavor->vcpus, &flavor->cap_percent) ||
        limit_read(at, row, "disk_limit", &flavor->disk_limit) || limit_read(at, row, "net_limit", &flavor->net_limit))
        return -1;
    if (flavor->memory_mib % 2)
        return complain(at, "memory_mib: must be even (memory comes in 2 MiB pieces)");
    return 0;
}

static int list_open(struct place *at, const json_t *root, const char *list, size_t *count, size_t each, void *rows)
{
    const json_t *array = json_object_get(root, list);
    void **out = rows;

    at->list = list;
    at->in_list = true;
    *count = json_array_size(array);
    *out = *count && *count <= LIST_MAX ? calloc(*count, each) : NULL;
    if (*out)
        return 0;
    *count = 0;
    snprintf(at->fault->text, sizeof(at->fault->text), "%s: %s: must be a list of 1 to %d objects", at->path, list,
             LIST_MAX);
    return -1;
}

static int images_read(struct catalog *c, struct place *at)
{
    if (list_open(at, c->root, "images", &c->nr_images, sizeof(*c->images), &c->images))
        return -1;
    for (at->index = 0; at->index < c->nr_images; at->index++) {
        struct image *image = &c->images[at->index];

        if (image_read(at, json_array_get(json_object_get(c->root, "images"), at->index), c->boot_loader, image))
            return -1;
        if (catalog_image(c, image->id) != image)
            return complain(at, "id: %s is there twice", image->id);
    }
    return 0;
}

static int flavors_read(struct catalog *c, struct place *at)
{
    if (list_open(at, c->root, "flavors", &c->nr_flavors, sizeof(*c->flavors), &c->flavors))
        return -1;
    for (at->index = 0; at->index < c->nr_flavors; at->index++) {
        struct flavor *flavor = &c->flavors[at->index];

        if (flavor_read(at, json_array_get(json_object_get(c->root, "flavors"), at->index), flavor))
            return -1;
        if (catalog_flavor(c, flavor->id) != flavor)
            return complain(at, "id: %s is there twice", flavor->id);
    }
    return 0;
}

static int quotas_read(struct catalog *c, struct place *at)
{
    const json_t *q = json_object_get(c->root, "quotas");
    struct json_why why;

    at->list = "quotas";
    at->in_list = false;
    if (!json_is_object(q) ||
        json_arg_only(q, "instances_max volumes_max volume_mib_max snapshots_max forwards_max", &why))
        return complain(at, "%s", json_is_object(q) ? why.text : "must be an object");
    if (number_read(at, q, "instances_max", 0, COUNT_MAX, &c->instances_max) ||
        number_read(at, q, "volumes_max", 0, COUNT_MAX, &c->volumes_max) ||
        number_read(at, q, "volume_mib_max", 0, SIZE_MIB_MAX, &c->volume_mib_max) ||
        number_read(at, q, "snapshots_max", 0, COUNT_MAX, &c->snapshots_max))
        return -1;
    return number_read(at, q, "forwards_max", 0, COUNT_MAX, &c->forwards_max);
}

static int disk_read(struct catalog *c, struct place *at)
{
    const json_t *d = json_object_get(c->root, "disk");
    struct json_why why;

    at->list = "disk";
    if (!json_is_object(d) || json_arg_only(d, "overcommit_percent reserve_mib", &why))
        return complain(at, "%s", json_is_object(d) ? why.text : "must be an object");
    if (number_read(at, d, "overcommit_percent", 1, 10000, &c->overcommit_percent))
        return -1;
    return number_read(at, d, "reserve_mib", 0, SIZE_MIB_MAX, &c->reserve_mib);
}

static int ports_set(struct catalog *c, int64_t first, int64_t last)
{
    if (first < 1 || last > 65535 || first > last || last - first >= NETWORK_FORWARDS_MAX)
        return -1;
    c->port_first = first;
    c->port_last = last;
    return 0;
}

static int ports_read(struct catalog *c, struct place *at)
{
    const json_t *range = json_object_get(c->root, "forward_ports");

    at->list = "";
    if (text_read(at, c->root, "public_host", TEXT_MAX, &c->public_host))
        return -1;
    if (json_array_size(range) == 2 && !ports_set(c, json_integer_value(json_array_get(range, 0)),
                                                  json_integer_value(json_array_get(range, 1))))
        return 0;
    return complain(at, "forward_ports: must be [FIRST, LAST], at most %u ports from 1 to 65535", NETWORK_FORWARDS_MAX);
}

int catalog_ports(struct catalog *c, const char *cmdline)
{
    static const char word[] = "xs.forward=";
    const char *at = cmdline;
    char *end;
    long first, last;

    while ((at = strstr(at, word)) && at != cmdline && at[-1] != ' ')
        at += sizeof(word) - 1;
    if (!at)
        return 0;
    first = strtol(at + sizeof(word) - 1, &end, 10);
    last = *end == '-' ? strtol(end + 1, &end, 10) : 0;
    return *end && !strchr(" \n", *end) ? -1 : ports_set(c, first, last);
}

static int whole_read(struct catalog *c, struct place *at)
{
    struct json_why why;

    at->list = "";
    if (json_arg_only(c->root, "images flavors boot_loader quotas disk public_host forward_ports", &why))
        return complain(at, "%s", why.text);
    if (json_has(c->root, "boot_loader") && text_read(at, c->root, "boot_loader", PATH_TEXT_MAX, &c->boot_loader))
        return -1;
    if (images_read(c, at) || flavors_read(c, at) || quotas_read(c, at) || disk_read(c, at))
        return -1;
    return ports_read(c, at);
}

int catalog_load(struct catalog *catalog, const char *path, struct catalog_fault *fault)
{
    struct place at = { .path = path, .fault = fault };
    json_error_t error;

    memset(catalog, 0, sizeof(*catalog));
    catalog->root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!catalog->root) {
        if (error.line > 0)
            snprintf(fault->text, sizeof(fault->text), "%s: line %d: %.200s", path, error.line, error.text);
        else
            snprintf(fault->text, sizeof(fault->text), "%.200s", error.text);
        return -1;
    }
    if (!whole_read(catalog, &at))
        return 0;
    catalog_free(catalog);
    return -1;
}

void catalog_free(struct catalog *catalog)
{
    free(catalog->images);
    free(catalog->flavors);
    json_decref(catalog->root);
    memset(catalog, 0, sizeof(*catalog));
}

const struct image *catalog_image(const struct catalog *catalog, const char *id)
{
    for (size_t i = 0; i < catalog->nr_images; i++)
        if (catalog->images[i].id && !strcmp(catalog->images[i].id, id))
            return &catalog->images[i];
    return NULL;
}

const struct flavor *catalog_flavor(const struct catalog *catalog, const char *id)
{
    for (size_t i = 0; i < catalog->nr_flavors; i++)
        if (catalog->flavors[i].id && !strcmp(catalog->flavors[i].id, id))
            return &catalog->flavors[i];
    return NULL;
}
