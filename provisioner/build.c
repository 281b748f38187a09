/* Files are read straight into the hypercall buffer, a piece at a time: the
 * kernel's 60 MiB are never held here. */
#include "provisioner/build.h"
#include "provisioner/acpi.h"
#include "provisioner/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is open while a guest is built. */
struct sources {
    int kernel_fd, initrd_fd;           /* -1: none */
    struct kernel kernel;
    struct layout layout;
};

__attribute__((format(printf, 3, 4)))
static int complain(struct build_fault *fault, const char *key, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(fault->text, sizeof(fault->text), fmt, args);
    va_end(args);
    fault->key = key;
    fault->errno_value = 0;
    return -1;
}

static int refused(struct build_fault *fault, const char *what, int rc)
{
    complain(fault, "memory_mib_min", "%s: the hypervisor answers %s", what, strerror(-rc));
    fault->errno_value = -rc;
    return -1;
}

static int file_open(const char *path, const char *key, int *fd, uint64_t *bytes, struct build_fault *fault)
{
    struct stat st;

    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0 || fstat(*fd, &st))
        return complain(fault, key, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode) || !st.st_size)
        return complain(fault, key, "%s: empty or not a regular file", path);
    *bytes = (uint64_t)st.st_size;
    return 0;
}

static int kernel_open(const struct build *b, struct sources *s, struct build_fault *fault)
{
    const char *why;
    uint64_t bytes;
    void *image;
    int rc;

    if (file_open(b->kernel_path, "kernel", &s->kernel_fd, &bytes, fault))
        return -1;
    image = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, s->kernel_fd, 0);
    if (image == MAP_FAILED)
        return complain(fault, "kernel", "%s: %s", b->kernel_path, strerror(errno));
    rc = kernel_parse(image, bytes, &s->kernel, &why);
    munmap(image, bytes);
    return rc ? complain(fault, "kernel", "%s: %s", b->kernel_path, why) : 0;
}

static int sources_open(const struct build *b, struct sources *s, struct build_fault *fault)
{
    uint64_t initrd_bytes = 0, need_bytes;

    *s = (struct sources){ .kernel_fd = -1, .initrd_fd = -1 };
    if (kernel_open(b, s, fault))
        return -1;
    if (b->initrd_path && file_open(b->initrd_path, "initrd", &s->initrd_fd, &initrd_bytes, fault))
        return -1;
    if (layout_plan(&s->layout, &s->kernel, initrd_bytes, b->memory_mib << 20, &need_bytes))
        return complain(fault, "memory_mib_min", "%s needs %" PRIu64 " MiB of memory, not %" PRIu64,
                        b->kernel_path, need_bytes >> 20, b->memory_mib);
    if (strlen(b->cmdline) > LAYOUT_CMDLINE_MAX)
        return complain(fault, "cmdline", "longer than %u bytes", LAYOUT_CMDLINE_MAX);
    return 0;
}

static void sources_close(struct sources *s)
{
    if (s->kernel_fd >= 0)
        close(s->kernel_fd);
    if (s->initrd_fd >= 0)
        close(s->initrd_fd);
}

int build_check(const struct build *b, struct build_fault *fault)
{
    struct sources s;
    int rc = sources_open(b, &s, fault);

    sources_close(&s);
    return rc;
}

int build_populate(const struct build *b, struct xen *xen, uint32_t domid, struct build_fault *fault)
{
    uint64_t ram_bytes = b->memory_mib << 20;
    uint64_t low_bytes = ram_bytes < LAYOUT_ACPI_GPA ? ram_bytes : LAYOUT_ACPI_GPA;
    const struct {
        uint64_t pfn, pages;
    } ranges[] = {
        { 0, low_bytes / LAYOUT_PAGE },
        { LAYOUT_HIGH_GPA / LAYOUT_PAGE, (ram_bytes - low_bytes) / LAYOUT_PAGE },
        { LAYOUT_ACPI_GPA / LAYOUT_PAGE, LAYOUT_ACPI_BYTES / LAYOUT_PAGE },
        { LAYOUT_STORE_PFN, 1 },
        { LAYOUT_CONSOLE_PFN, 1 },
    };

    for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        int rc = xen_memory_populate(xen, domid, ranges[i].pfn, ranges[i].pages);

        if (rc)
            return refused(fault, "giving the guest memory", rc);
    }
    return 0;
}

static int piece_read(int fd, void *to, size_t bytes, uint64_t offset)
{
    while (bytes) {
        ssize_t n = pread(fd, to, bytes, (off_t)offset);

        if (n <= 0) {
            if (n < 0 && errno == EINTR)
                continue;
            errno = n ? errno : ENODATA;
            return -1;
        }
        to = (uint8_t *)to + n;
        bytes -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

/* Writes the bytes of one run, which are all in the file. */
static int run_write(struct xen *xen, uint32_t domid, int fd, const char *path, uint64_t offset, uint64_t gpa,
                     uint64_t bytes, struct build_fault *fault)
{
    while (bytes) {
        size_t piece = bytes < XEN_COPY_BYTES ? (size_t)bytes : XEN_COPY_BYTES;
        int rc;

        if (piece_read(fd, xen_copy_buffer(xen), piece, offset))
            return complain(fault, "kernel", "%s: changed while it was read: %s", path, strerror(errno));
        rc = xen_copy_in(xen, domid, gpa, piece);
        if (rc)
            return refused(fault, path, rc);
        offset += piece;
        gpa += piece;
        bytes -= piece;
    }
    return 0;
}

/* The next run of data in [at, end): half of an unpacked Linux is zeros, which
 * are holes in the file when it was made with care (lseek(2), SEEK_DATA). A
 * file system that knows no holes says that all is data. */
static uint64_t run_find(int fd, uint64_t *at, uint64_t end)
{
    off_t data = lseek(fd, (off_t)*at, SEEK_DATA);
    off_t hole;

    if (data < 0 && errno == ENXIO)
        return 0;                       /* a hole up to the end of the file */
    if (data >= 0)
        *at = (uint64_t)data;
    if (*at >= end)
        return 0;
    hole = lseek(fd, (off_t)*at, SEEK_HOLE);
    return (hole < 0 || (uint64_t)hole > end ? end : (uint64_t)hole) - *at;
}

/* Memory is zero when it is given: holes are there already. */
static int file_write(struct xen *xen, uint32_t domid, int fd, const char *path, uint64_t offset, uint64_t gpa,
                      uint64_t bytes, struct build_fault *fault)
{
    uint64_t at = offset, run;

    while ((run = run_find(fd, &at, offset + bytes))) {
        if (run_write(xen, domid, fd, path, at, gpa + (at - offset), run, fault))
            return -1;
        at += run;
    }
    return 0;
}

static int tables_write(const struct build *b, const struct sources *s, struct xen *xen, uint32_t domid,
                        struct build_fault *fault)
{
    struct layout_range ranges[LAYOUT_RANGES_MAX];
    uint8_t records[LAYOUT_CPU_BYTES];
    int rc;

    layout_info_fill(&s->layout, b->cmdline, xen_copy_buffer(xen));
    rc = xen_copy_in(xen, domid, s->layout.info_gpa, LAYOUT_INFO_BYTES);
    if (rc)
        return refused(fault, "writing the start info", rc);
    acpi_fill((unsigned)b->vcpus, xen_copy_buffer(xen));
    rc = xen_copy_in(xen, domid, LAYOUT_ACPI_GPA, LAYOUT_ACPI_BYTES);
    if (rc)
        return refused(fault, "writing the ACPI tables", rc);
    rc = xen_memory_map_set(xen, domid, ranges, layout_map(&s->layout, ranges));
    if (rc)
        return refused(fault, "setting the memory map", rc);
    rc = xen_cpu_set(xen, domid, records, layout_cpu_fill(&s->layout, &s->kernel, records));
    return rc ? refused(fault, "setting vCPU 0", rc) : 0;
}

int build_write(const struct build *b, struct xen *xen, uint32_t domid, struct build_fault *fault)
{
    struct sources s;
    int rc = sources_open(b, &s, fault);

    for (unsigned i = 0; !rc && i < s.kernel.nr_segments; i++) {
        const struct kernel_segment *seg = &s.kernel.segment[i];

        rc = file_write(xen, domid, s.kernel_fd, b->kernel_path, seg->file_offset, seg->gpa, seg->file_bytes, fault);
    }
    if (!rc && s.layout.initrd_bytes)
        rc = file_write(xen, domid, s.initrd_fd, b->initrd_path, 0, s.layout.initrd_gpa, s.layout.initrd_bytes, fault);
    if (!rc)
        rc = tables_write(b, &s, xen, domid, fault);
    sources_close(&s);
    return rc;
}
