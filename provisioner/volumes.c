#include "provisioner/volumes.h"
#include "common/daemon.h"
#include "common/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MIB             (1ll << 20)
#define NAME_BYTES      160
#define NEW             ".new"
#define COPY_BYTES      ((size_t)1 << 20)
#define COPY_STEP_BYTES (16 * MIB)      /* of an image, before others get their turn */
#define TAG_BYTES       (64 << 10)      /* of an image, that tell it from another of its age and size */

static const char *const kind_names[VOLUMES_KINDS] = { "volume", "snapshot", "seed", "image" };

struct volumes {
    char *path;
    int dir_fd;
    bool reflink;
    /* The image that is being copied; from_fd -1: none. */
    char image[NAME_BYTES];
    int from_fd, to_fd;
    int64_t at;
};

static int failed(void)
{
    return errno ? -errno : -EIO;
}

static void name_make(char name[NAME_BYTES], enum volumes_kind kind, const char *id, const char *suffix)
{
    snprintf(name, NAME_BYTES, "%s-%s.raw%s", kind_names[kind], id, suffix);
}

static int size_bytes_of(int64_t size_mib, off_t *bytes)
{
    if (size_mib <= 0 || size_mib > INT64_MAX / MIB)
        return -EINVAL;
    *bytes = size_mib * MIB;
    return 0;
}

/* Makes NAME.new, to be filled. */
static int file_begin(struct volumes *v, const char *name, int *fd)
{
    char path[NAME_BYTES + sizeof(NEW)];

    snprintf(path, sizeof(path), "%s" NEW, name);
    *fd = openat(v->dir_fd, path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    return *fd < 0 ? failed() : 0;
}

/* NAME.new becomes NAME, durably; when rc says that it was not filled, it goes. Closes fd. */
static int file_end(struct volumes *v, const char *name, int fd, int rc)
{
    char path[NAME_BYTES + sizeof(NEW)];

    snprintf(path, sizeof(path), "%s" NEW, name);
    if (!rc && fsync(fd))
        rc = failed();
    close(fd);
    if (!rc && renameat(v->dir_fd, path, v->dir_fd, name))
        rc = failed();
    if (!rc)
        return fsync(v->dir_fd) ? failed() : 0;
    unlinkat(v->dir_fd, path, 0);
    return rc;
}

static bool exists(struct volumes *v, const char *name)
{
    struct stat st;

    return !fstatat(v->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW);
}

/* One file and its clone: the surest way to know. */
static bool reflink_try(struct volumes *v)
{
    char byte = 0;
    int from = openat(v->dir_fd, "reflink-from" NEW, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int to = openat(v->dir_fd, "reflink-to" NEW, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool works = from >= 0 && to >= 0 && write(from, &byte, 1) == 1 && !ioctl(to, FICLONE, from);

    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    unlinkat(v->dir_fd, "reflink-from" NEW, 0);
    unlinkat(v->dir_fd, "reflink-to" NEW, 0);
    return works;
}

struct volumes *volumes_open(const char *dir)
{
    struct volumes *v = calloc(1, sizeof(*v));

    if (!v || !(v->path = strdup(dir)))
        fatalx("out of memory");
    daemon_mkdir(dir, 0700, NULL);
    v->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (v->dir_fd < 0)
        fatal("%s", dir);
    v->from_fd = v->to_fd = -1;
    v->reflink = reflink_try(v);
    return v;
}

static void image_copy_end(struct volumes *v)
{
    if (v->from_fd >= 0)
        close(v->from_fd);
    v->from_fd = v->to_fd = -1;
}

void volumes_close(struct volumes *v)
{
    if (v->to_fd >= 0)
        close(v->to_fd);
    image_copy_end(v);
    close(v->dir_fd);
    free(v->path);
    free(v);
}

bool volumes_reflink(const struct volumes *v)
{
    return v->reflink;
}

void volumes_path(const struct volumes *v, enum volumes_kind kind, const char *id, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s-%s.raw", v->path, kind_names[kind], id);
}

int volumes_make(struct volumes *v, const char *volume_id, int64_t size_mib)
{
    char name[NAME_BYTES];
    off_t bytes;
    int fd, rc = size_bytes_of(size_mib, &bytes);

    name_make(name, VOLUMES_VOLUME, volume_id, "");
    if (rc || exists(v, name))
        return rc;
    rc = file_begin(v, name, &fd);
    return rc ? rc : file_end(v, name, fd, ftruncate(fd, bytes) ? failed() : 0);
}

static int write_all(int fd, const void *bytes, size_t count, off_t at)
{
    for (const uint8_t *from = bytes; count;) {
        ssize_t n = pwrite(fd, from, count, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return failed();
        from += n;
        at += n;
        count -= (size_t)n;
    }
    return 0;
}

/* The data of [at, end), holes left out. Returns how far it came (end at most), or -errno. */
static int64_t data_copy(int from, int to, int64_t at, int64_t end)
{
    static __thread uint8_t buffer[COPY_BYTES];
    off_t data = lseek(from, at, SEEK_DATA);

    if (data < 0)
        return errno == ENXIO ? end : failed();         /* a hole up to the end */
    while (data < end) {
        size_t want = end - data < (int64_t)sizeof(buffer) ? (size_t)(end - data) : sizeof(buffer);
        ssize_t n = pread(from, buffer, want, data);
        int rc;

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? failed() : -ENODATA;             /* shorter than it was */
        rc = write_all(to, buffer, (size_t)n, data);
        if (rc)
            return rc;
        data = lseek(from, data + n, SEEK_DATA);
        if (data < 0)
            return errno == ENXIO ? end : failed();
    }
    return end;
}

static int content_clone(const struct volumes *v, int from, int to, bool in_use)
{
    struct stat st;
    int64_t done;

    if (v->reflink)
        return ioctl(to, FICLONE, from) ? failed() : 0;
    if (in_use)
        return -EOPNOTSUPP;
    if (fstat(from, &st))
        return failed();
    done = data_copy(from, to, 0, st.st_size);
    return done < 0 ? (int)done : 0;
}

static int clone_as(struct volumes *v, const char *from_name, const char *name, int64_t size_mib, bool in_use)
{
    off_t bytes;
    int from, fd, rc = size_bytes_of(size_mib, &bytes);

    if (rc || exists(v, name))
        return rc;
    from = openat(v->dir_fd, from_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (from < 0)
        return failed();
    rc = file_begin(v, name, &fd);
    if (!rc) {
        rc = content_clone(v, from, fd, in_use);
        if (!rc && ftruncate(fd, bytes))
            rc = failed();
        rc = file_end(v, name, fd, rc);
    }
    close(from);
    return rc;
}

int volumes_clone(struct volumes *v, enum volumes_kind from, const char *from_id, enum volumes_kind to,
                  const char *to_id, int64_t size_mib, bool in_use)
{
    char from_name[NAME_BYTES], name[NAME_BYTES];

    name_make(from_name, from, from_id, "");
    name_make(name, to, to_id, "");
    return clone_as(v, from_name, name, size_mib, in_use);
}

int volumes_write(struct volumes *v, enum volumes_kind kind, const char *id, const void *bytes, size_t count)
{
    char name[NAME_BYTES];
    int fd, rc;

    name_make(name, kind, id, "");
    rc = file_begin(v, name, &fd);
    return rc ? rc : file_end(v, name, fd, write_all(fd, bytes, count, 0));
}

int volumes_grow(struct volumes *v, const char *volume_id, int64_t size_mib)
{
    char name[NAME_BYTES];
    struct stat st;
    off_t bytes;
    int fd, rc = size_bytes_of(size_mib, &bytes);

    name_make(name, VOLUMES_VOLUME, volume_id, "");
    if (rc)
        return rc;
    fd = openat(v->dir_fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return failed();
    if (fstat(fd, &st) || (st.st_size < bytes && (ftruncate(fd, bytes) || fsync(fd))))
        rc = failed();
    close(fd);
    return rc;
}

int volumes_remove(struct volumes *v, enum volumes_kind kind, const char *id)
{
    char name[NAME_BYTES];

    name_make(name, kind, id, "");
    if (unlinkat(v->dir_fd, name, 0) && errno != ENOENT)
        return failed();
    return fsync(v->dir_fd) ? failed() : 0;
}

int volumes_look(struct volumes *v, enum volumes_kind kind, const char *id, int64_t *size_bytes, int64_t *used_bytes)
{
    char name[NAME_BYTES];
    struct stat st;

    name_make(name, kind, id, "");
    if (fstatat(v->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW))
        return failed();
    *size_bytes = st.st_size;
    *used_bytes = (int64_t)st.st_blocks * 512;
    return 0;
}

int volumes_busy(struct volumes *v, enum volumes_kind kind, const char *id)
{
    char name[NAME_BYTES];
    int fd, rc = 0;

    name_make(name, kind, id, "");
    fd = openat(v->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : failed();
    if (flock(fd, LOCK_EX | LOCK_NB))
        rc = errno == EWOULDBLOCK ? 1 : failed();
    close(fd);
    return rc;
}

/* The kind of a file's name, and the id in it. False: none of ours. */
static bool name_read(const char *name, enum volumes_kind *kind, char id[NAME_BYTES])
{
    size_t len = strlen(name);

    for (unsigned k = 0; k < VOLUMES_KINDS; k++) {
        size_t prefix = strlen(kind_names[k]) + 1;

        if (len > prefix + 4 && len < NAME_BYTES && !strncmp(name, kind_names[k], prefix - 1) && name[prefix - 1] == '-' &&
            !strcmp(name + len - 4, ".raw")) {
            *kind = (enum volumes_kind)k;
            snprintf(id, NAME_BYTES, "%.*s", (int)(len - prefix - 4), name + prefix);
            return true;
        }
    }
    return false;
}

static DIR *folder_read(struct volumes *v)
{
    int fd = openat(v->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);

    if (!folder && fd >= 0)
        close(fd);
    return folder;
}

int volumes_room(struct volumes *v, struct volumes_room *room)
{
    char id[NAME_BYTES];
    enum volumes_kind kind;
    struct statvfs fs;
    struct dirent *e;
    struct stat st;
    DIR *folder;

    if (fstatvfs(v->dir_fd, &fs) || !(folder = folder_read(v)))
        return failed();
    *room = (struct volumes_room){ .total_mib = (int64_t)(fs.f_blocks * fs.f_frsize) / MIB,
                                   .free_mib = (int64_t)(fs.f_bavail * fs.f_frsize) / MIB };
    while ((e = readdir(folder)))
        if (name_read(e->d_name, &kind, id) && kind == VOLUMES_IMAGE && !fstatat(v->dir_fd, e->d_name, &st, 0))
            room->images_mib += ((int64_t)st.st_blocks * 512 + MIB - 1) / MIB;
    closedir(folder);
    return 0;
}

/* Another image of the same name, later, must not pass for this one. */
int volumes_image_tag(const char *image_id, const char *path, char *tag, size_t bytes)
{
    static __thread uint8_t head[TAG_BYTES];
    uint8_t hash[crypto_generichash_BYTES_MIN];
    char hex[2 * sizeof(hash) + 1], about[128];
    crypto_generichash_state state;
    struct stat st;
    ssize_t got;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return failed();
    got = fstat(fd, &st) ? -1 : pread(fd, head, sizeof(head), 0);
    close(fd);
    if (got <= 0)
        return got ? failed() : -ENODATA;
    snprintf(about, sizeof(about), "%jd %jd.%ld %jd.%ld", (intmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec,
             st.st_mtim.tv_nsec, (intmax_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
    crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    crypto_generichash_update(&state, (const uint8_t *)about, strlen(about));
    crypto_generichash_update(&state, head, (size_t)got);
    crypto_generichash_final(&state, hash, sizeof(hash));
    sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
    snprintf(tag, bytes, "%s-%s", image_id, hex);
    return 0;
}

static int image_name(const char *image_id, const char *path, char name[NAME_BYTES])
{
    char tag[NAME_BYTES - 16];
    int rc = volumes_image_tag(image_id, path, tag, sizeof(tag));

    if (!rc)
        name_make(name, VOLUMES_IMAGE, tag, "");
    return rc;
}

static int image_copy_begin(struct volumes *v, const char *name, const char *path)
{
    int rc;

    v->from_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (v->from_fd < 0)
        return failed();
    rc = file_begin(v, name, &v->to_fd);
    if (rc) {
        v->to_fd = -1;
        image_copy_end(v);
        return rc;
    }
    v->at = 0;
    snprintf(v->image, sizeof(v->image), "%s", name);
    return 0;
}

/* The copy becomes the image, or goes. */
static int image_copy_settle(struct volumes *v, int rc)
{
    struct stat st;

    if (!rc && (fstat(v->from_fd, &st) || ftruncate(v->to_fd, st.st_size)))
        rc = failed();
    rc = file_end(v, v->image, v->to_fd, rc);
    image_copy_end(v);
    return rc;
}

/* A piece of the copy that is under way: 1 there is more, 0 done, -errno. */
static int image_copy_go_on(struct volumes *v, int *percent)
{
    struct stat st;
    int64_t end;

    if (!v->at && !ioctl(v->to_fd, FICLONE, v->from_fd))
        return image_copy_settle(v, 0);                 /* on the same file system after all */
    if (fstat(v->from_fd, &st))
        return image_copy_settle(v, failed());
    end = v->at + COPY_STEP_BYTES < st.st_size ? v->at + COPY_STEP_BYTES : st.st_size;
    end = data_copy(v->from_fd, v->to_fd, v->at, end);
    if (end < 0 || end == st.st_size)
        return image_copy_settle(v, end < 0 ? (int)end : 0);
    sync_file_range(v->to_fd, v->at, end - v->at, SYNC_FILE_RANGE_WRITE);      /* or the fsync at the end takes it all */
    v->at = end;
    *percent = (int)(100 * end / st.st_size);
    return 1;
}

/* One copy at a time: whoever wants another one helps with the first. */
int volumes_image_copy(struct volumes *v, const char *image_id, const char *path, int *percent)
{
    char name[NAME_BYTES];
    int rc = image_name(image_id, path, name);

    *percent = 0;
    if (rc || exists(v, name))
        return rc;
    if (v->from_fd >= 0 && strcmp(v->image, name)) {
        image_copy_go_on(v, percent);
        *percent = 0;
        return 1;
    }
    if (v->from_fd < 0 && (rc = image_copy_begin(v, name, path)))
        return rc;
    return image_copy_go_on(v, percent);
}

int volumes_image_clone(struct volumes *v, const char *image_id, const char *path, const char *volume_id,
                        int64_t size_mib)
{
    char from_name[NAME_BYTES], name[NAME_BYTES];
    int rc = image_name(image_id, path, from_name);

    name_make(name, VOLUMES_VOLUME, volume_id, "");
    return rc ? rc : clone_as(v, from_name, name, size_mib, false);
}

static bool unwanted(const char *name, bool (*known)(void *context, enum volumes_kind kind, const char *id), void *context)
{
    size_t len = strlen(name);
    enum volumes_kind kind;
    char id[NAME_BYTES];

    if (len > sizeof(NEW) && !strcmp(name + len - (sizeof(NEW) - 1), NEW))
        return true;
    return name_read(name, &kind, id) && !known(context, kind, id);
}

int volumes_sweep(struct volumes *v, bool (*known)(void *context, enum volumes_kind kind, const char *id), void *context)
{
    struct dirent *e;
    DIR *folder = folder_read(v);
    int rc = 0;

    if (!folder)
        return failed();
    while ((e = readdir(folder)))
        if (unwanted(e->d_name, known, context)) {
            log_info("%s/%s: nothing knows it, removed", v->path, e->d_name);
            if (unlinkat(v->dir_fd, e->d_name, 0))
                rc = failed();
        }
    closedir(folder);
    return rc;
}
