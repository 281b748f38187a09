/* The C library's calls, in front of its own, and what they do to a watched folder. */
#include "tests/accountd/disk-state.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FDS_MAX   256

const char *const disk_fault_names[DISK_FAULTS] = { "a full disk", "failing writes", "failing syncs", "failing reads" };

static struct change *changes;
static size_t changes_count, changes_room;
static struct disk *live;               /* as the watched folder is now */
static struct disk *start;              /* as it was when the watching began */
static int files_count;
static char watched[128];
static size_t watched_len;
static bool watching;
static struct { int file; bool used, folder; char name[NAME_MAX_]; } fds[FDS_MAX];
static struct { enum disk_fault fault; unsigned n, times, seen; bool armed, hit; } fail;
static int64_t clock_ms;

/* The path below the folder, or NULL: not ours. SQLite's index of a log is memory, not disk. */
static const char *ours(const char *path)
{
    size_t len = strlen(path);

    if (!watching || strncmp(path, watched, watched_len) != 0 || (path[watched_len] != '/' && path[watched_len] != 0) ||
        (len > 4 && strcmp(path + len - 4, "-shm") == 0))
        return NULL;
    path += watched_len;
    while (*path == '/')
        path++;
    if (strlen(path) >= NAME_MAX_)
        disk_give_up(path);
    return path;
}

/* The live state moves with each change while faults are played; otherwise only its names are needed. */
static void note(const struct change *c)
{
    if (changes_count == changes_room) {
        changes_room = changes_room ? 2 * changes_room : 1 << 16;
        /* Pointers into it are kept: it never moves. */
        if (changes)
            disk_give_up("too many changes");
        changes = calloc(changes_room, sizeof(*changes));
        if (!changes)
            disk_give_up("memory");
    }
    changes[changes_count] = *c;
    if (c->bytes) {
        changes[changes_count].bytes = malloc(c->len + 1);
        if (!changes[changes_count].bytes)
            disk_give_up("memory");
        memcpy(changes[changes_count].bytes, c->bytes, c->len);
    }
    disk_apply(live, &changes[changes_count++]);
}

static int read_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    char *bytes;
    FILE *in;

    (void)where;
    if (strlen(path) == watched_len)
        return 0;
    path += watched_len + 1;
    if (kind == FTW_D) {
        names_put(&live->now, path, -1);
        return 0;
    }
    bytes = malloc((size_t)st->st_size + 1);
    in = fopen(path - watched_len - 1, "re");
    if (!bytes || !in || fread(bytes, 1, (size_t)st->st_size, in) != (size_t)st->st_size || files_count == FILES_MAX)
        disk_give_up(path);
    fclose(in);
    names_put(&live->now, path, files_count);
    content_put(&live->file[files_count].now, 0, bytes, (size_t)st->st_size);
    content_put(&live->file[files_count].synced, 0, bytes, (size_t)st->st_size);
    files_count++;
    free(bytes);
    return 0;
}

void disk_watch(const char *folder)
{
    for (size_t i = 0; i < changes_count; i++)
        free(changes[i].bytes);
    changes_count = 0;
    files_count = 0;
    disk_forget(live);
    disk_forget(start);
    live = calloc(1, sizeof(*live));
    snprintf(watched, sizeof(watched), "%s", folder);
    watched_len = strlen(watched);
    if (!live || nftw(folder, read_one, 8, FTW_PHYS) != 0)
        disk_give_up(folder);
    live->synced = live->now;
    start = disk_copy(live);
    memset(fds, 0, sizeof(fds));
    fail.armed = fail.hit = false;
    watching = true;
}

void disk_rest(void)
{
    watching = false;
}

size_t disk_changes(void)
{
    return changes_count;
}

struct disk *disk_first(void)
{
    return disk_copy(start);
}

const struct disk *disk_now(void)
{
    return live;
}

bool disk_step(struct disk *d)
{
    if (d->next == changes_count)
        return false;
    disk_apply(d, &changes[d->next++]);
    return true;
}

void disk_fail(enum disk_fault fault, unsigned n, unsigned times)
{
    fail.fault = fault;
    fail.n = n;
    fail.times = times;
    fail.seen = 0;
    fail.armed = true;
    fail.hit = false;
}

bool disk_failed(void)
{
    fail.armed = false;
    return fail.hit;
}

static bool fails(enum disk_fault fault)
{
    if (!fail.armed || fail.fault != fault || ++fail.seen < fail.n || fail.seen >= fail.n + fail.times)
        return false;
    fail.hit = true;
    errno = fault == DISK_FULL ? ENOSPC : EIO;
    return true;
}

/* The calls, under the names that the C library has them by. */
int shim_open(const char *path, int flags, ...) __asm__("open");
int shim_open64(const char *path, int flags, ...) __asm__("open64");
int shim_close(int fd) __asm__("close");
ssize_t shim_read(int fd, void *to, size_t len) __asm__("read");
ssize_t shim_pread(int fd, void *to, size_t len, off_t at) __asm__("pread");
ssize_t shim_pread64(int fd, void *to, size_t len, off_t at) __asm__("pread64");
ssize_t shim_write(int fd, const void *bytes, size_t len) __asm__("write");
ssize_t shim_pwrite(int fd, const void *bytes, size_t len, off_t at) __asm__("pwrite");
ssize_t shim_pwrite64(int fd, const void *bytes, size_t len, off_t at) __asm__("pwrite64");
int shim_ftruncate(int fd, off_t len) __asm__("ftruncate");
int shim_ftruncate64(int fd, off_t len) __asm__("ftruncate64");
int shim_fsync(int fd) __asm__("fsync");
int shim_fdatasync(int fd) __asm__("fdatasync");
int shim_rename(const char *from, const char *to) __asm__("rename");
int shim_unlink(const char *path) __asm__("unlink");
int shim_mkdir(const char *path, mode_t mode) __asm__("mkdir");
int shim_clock_gettime(clockid_t which, struct timespec *out) __asm__("clock_gettime");

static struct change change_of(enum what what, const char *name)
{
    struct change c = { .what = what, .file = -1 };

    snprintf(c.name, sizeof(c.name), "%s", name);
    return c;
}

static void note_open(int fd, const char *name, bool was_there, int flags)
{
    struct change c = change_of(CREATE, name);
    struct stat st;

    if (fd >= FDS_MAX || fstat(fd, &st) != 0)
        disk_give_up(name);
    fds[fd].used = true;
    fds[fd].folder = S_ISDIR(st.st_mode);
    snprintf(fds[fd].name, NAME_MAX_, "%s", name);
    if (fds[fd].folder)
        return;
    if (!was_there) {
        if (files_count == FILES_MAX)
            disk_give_up("too many files");
        c.file = files_count++;
        note(&c);
    }
    fds[fd].file = live->now.of[names_find(&live->now, name)].file;
    if (was_there && (flags & O_TRUNC) && live->file[fds[fd].file].now.len) {
        c = (struct change){ .what = TRUNCATE, .file = fds[fd].file };
        note(&c);
    }
}

static int open_it(const char *path, int flags, mode_t mode)
{
    const char *name = ours(path);
    bool was_there = name && names_find(&live->now, name) >= 0;
    int fd;

    if (name && (flags & O_CREAT) && !was_there && fails(DISK_FULL))
        return -1;
    fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= 0 && fd < FDS_MAX)
        fds[fd].used = false;
    if (fd >= 0 && name)
        note_open(fd, name, was_there, flags);
    return fd;
}

int shim_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list ap;

    va_start(ap, flags);
    if (flags & O_CREAT)
        mode = va_arg(ap, mode_t);
    va_end(ap);
    return open_it(path, flags, mode);
}

int shim_open64(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list ap;

    va_start(ap, flags);
    if (flags & O_CREAT)
        mode = va_arg(ap, mode_t);
    va_end(ap);
    return open_it(path, flags, mode);
}

static bool is_ours(int fd)
{
    return watching && fd >= 0 && fd < FDS_MAX && fds[fd].used;
}

int shim_close(int fd)
{
    if (fd >= 0 && fd < FDS_MAX)
        fds[fd].used = false;
    return (int)syscall(SYS_close, fd);
}

ssize_t shim_read(int fd, void *to, size_t len)
{
    if (is_ours(fd) && fails(DISK_READ_ERROR))
        return -1;
    return syscall(SYS_read, fd, to, len);
}

ssize_t shim_pread64(int fd, void *to, size_t len, off_t at)
{
    if (is_ours(fd) && fails(DISK_READ_ERROR))
        return -1;
    return syscall(SYS_pread64, fd, to, len, at);
}

ssize_t shim_pread(int fd, void *to, size_t len, off_t at)
{
    return shim_pread64(fd, to, len, at);
}

static void note_write(int fd, const void *bytes, size_t len, off_t at)
{
    struct change c = { .what = WRITE, .file = fds[fd].file, .at = (uint64_t)at, .len = len, .bytes = (char *)bytes };

    note(&c);
}

ssize_t shim_pwrite64(int fd, const void *bytes, size_t len, off_t at)
{
    if (is_ours(fd) && (fails(DISK_FULL) || fails(DISK_WRITE_ERROR)))
        return -1;
    if (is_ours(fd))
        note_write(fd, bytes, len, at);
    return syscall(SYS_pwrite64, fd, bytes, len, at);
}

ssize_t shim_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    return shim_pwrite64(fd, bytes, len, at);
}

ssize_t shim_write(int fd, const void *bytes, size_t len)
{
    if (!is_ours(fd))
        return syscall(SYS_write, fd, bytes, len);
    if (fails(DISK_FULL) || fails(DISK_WRITE_ERROR))
        return -1;
    note_write(fd, bytes, len, lseek(fd, 0, SEEK_CUR));
    return syscall(SYS_write, fd, bytes, len);
}

int shim_ftruncate64(int fd, off_t len)
{
    struct change c = { .what = TRUNCATE, .len = (uint64_t)len };

    if (is_ours(fd)) {
        if (fails(DISK_WRITE_ERROR))
            return -1;
        c.file = fds[fd].file;
        note(&c);
    }
    return (int)syscall(SYS_ftruncate, fd, len);
}

int shim_ftruncate(int fd, off_t len)
{
    return shim_ftruncate64(fd, len);
}

/* The kernel tells of a failed write-back once, and drops the pages. */
static void lose(int fd)
{
    struct file *f = &live->file[fds[fd].file];

    f->count = 0;
    content_size(&f->now, 0);
    content_put(&f->now, 0, f->synced.bytes, f->synced.len);
    if (syscall(SYS_ftruncate, fd, f->synced.len) != 0 ||
        syscall(SYS_pwrite64, fd, f->synced.bytes, f->synced.len, 0) != (long)f->synced.len)
        disk_give_up("losing what was written");
}

int shim_fsync(int fd)
{
    struct change c;

    if (!is_ours(fd))
        return (int)syscall(SYS_fsync, fd);
    if (fails(DISK_SYNC_ERROR)) {
        if (!fds[fd].folder)
            lose(fd);
        errno = EIO;
        return -1;
    }
    c = change_of(fds[fd].folder ? SYNC_FOLDER : SYNC, fds[fd].name);
    c.file = fds[fd].file;
    note(&c);
    return 0;
}

int shim_fdatasync(int fd)
{
    return shim_fsync(fd);
}

int shim_rename(const char *from, const char *to)
{
    const char *name = ours(from), *other = ours(to);
    struct change c;
    int rc;

    if (name && fails(DISK_WRITE_ERROR))
        return -1;
    rc = (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
    if (rc == 0 && name && other) {
        c = change_of(RENAME, name);
        snprintf(c.to, sizeof(c.to), "%s", other);
        note(&c);
    }
    return rc;
}

int shim_unlink(const char *path)
{
    const char *name = ours(path);
    int rc = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    struct change c;

    if (rc == 0 && name) {
        c = change_of(UNLINK, name);
        note(&c);
    }
    return rc;
}

int shim_mkdir(const char *path, mode_t mode)
{
    const char *name = ours(path);
    struct change c;
    int rc;

    if (name && fails(DISK_FULL))
        return -1;
    rc = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (rc == 0 && name) {
        c = change_of(MAKE_FOLDER, name);
        note(&c);
    }
    return rc;
}

void disk_clock(int64_t utc_ms)
{
    clock_ms = utc_ms;
}

int shim_clock_gettime(clockid_t which, struct timespec *out)
{
    if (which != CLOCK_REALTIME || clock_ms == 0)
        return (int)syscall(SYS_clock_gettime, which, out);
    *out = (struct timespec){ .tv_sec = clock_ms / 1000, .tv_nsec = clock_ms % 1000 * 1000000 };
    return 0;
}
