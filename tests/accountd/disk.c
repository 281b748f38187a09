#include "tests/accountd/disk.h"

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

#define FILES_MAX 512
#define NAMES_MAX 128
#define NAME_MAX_ 120
#define FDS_MAX   256
#define SECTOR    512

const char *const disk_ending_names[DISK_ENDINGS] = { "kill -9", "a power cut", "a torn power cut",
                                                      "a power cut that reorders" };
const char *const disk_fault_names[DISK_FAULTS] = { "a full disk", "failing writes", "failing syncs", "failing reads" };

enum what { CREATE, MAKE_FOLDER, WRITE, TRUNCATE, SYNC, SYNC_FOLDER, RENAME, UNLINK };

struct change {
    enum what what;
    int file;                           /* CREATE, WRITE, TRUNCATE, SYNC */
    char name[NAME_MAX_], to[NAME_MAX_];        /* relative to the folder */
    uint64_t at, len;
    char *bytes;
};

struct content {
    char *bytes;
    size_t len;
};

struct file {
    struct content now, synced;
    size_t first, count;                /* of what is not synced, in pending */
    const struct change **pending;
    size_t room;
};

struct name {
    char path[NAME_MAX_];
    int file;                           /* -1: a folder */
};

struct names {
    struct name of[NAMES_MAX];
    unsigned count;
};

struct disk {
    size_t next;                        /* change */
    struct file file[FILES_MAX];
    struct names now, synced;
    const struct change *entries[1024]; /* changes of folders that are not synced */
    size_t entries_count;
};

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

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "disk: %s: %s\n", what, strerror(errno));
    _exit(99);
}

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
        give_up(path);
    return path;
}

static int find(const struct names *names, const char *path)
{
    for (unsigned i = 0; i < names->count; i++)
        if (strcmp(names->of[i].path, path) == 0)
            return (int)i;
    return -1;
}

static void names_put(struct names *names, const char *path, int file)
{
    int i = find(names, path);

    if (i < 0 && names->count == NAMES_MAX)
        give_up("too many names");
    if (i < 0)
        i = (int)names->count++;
    snprintf(names->of[i].path, NAME_MAX_, "%s", path);
    names->of[i].file = file;
}

static void names_drop(struct names *names, const char *path)
{
    int i = find(names, path);

    if (i >= 0)
        names->of[i] = names->of[--names->count];
}

static void names_apply(struct names *names, const struct change *c)
{
    int i;

    switch (c->what) {
    case CREATE: names_put(names, c->name, c->file); break;
    case MAKE_FOLDER: names_put(names, c->name, -1); break;
    case UNLINK: names_drop(names, c->name); break;
    default:
        i = find(names, c->name);
        if (i >= 0) {
            names_put(names, c->to, names->of[i].file);
            names_drop(names, c->name);
        }
    }
}

static void content_size(struct content *c, size_t len)
{
    char *bytes;

    if (len > c->len) {
        bytes = realloc(c->bytes, len);
        if (!bytes)
            give_up("memory");
        c->bytes = bytes;
        memset(c->bytes + c->len, 0, len - c->len);
    }
    c->len = len;
}

static void content_put(struct content *c, uint64_t at, const char *bytes, size_t len)
{
    if (at + len > c->len)
        content_size(c, at + len);
    if (len)
        memcpy(c->bytes + at, bytes, len);
}

static void content_apply(struct content *c, const struct change *change)
{
    if (change->what == TRUNCATE)
        content_size(c, change->len);
    else
        content_put(c, change->at, change->bytes, change->len);
}

static void pend(struct file *f, const struct change *c)
{
    if (f->count == f->room) {
        f->room = f->room ? 2 * f->room : 64;
        f->pending = realloc(f->pending, f->room * sizeof(*f->pending));
        if (!f->pending)
            give_up("memory");
    }
    f->pending[f->count++] = c;
}

static void sync_file(struct file *f)
{
    for (size_t i = 0; i < f->count; i++)
        content_apply(&f->synced, f->pending[i]);
    f->count = 0;
}

static bool is_in(const char *path, const char *folder)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;

    return strlen(folder) == len && strncmp(path, folder, len) == 0;
}

static void sync_folder(struct disk *d, const char *folder)
{
    size_t left = 0;

    for (size_t i = 0; i < d->entries_count; i++)
        if (is_in(d->entries[i]->name, folder))
            names_apply(&d->synced, d->entries[i]);
        else
            d->entries[left++] = d->entries[i];
    d->entries_count = left;
}

static void apply(struct disk *d, const struct change *c)
{
    switch (c->what) {
    case WRITE:
    case TRUNCATE:
        content_apply(&d->file[c->file].now, c);
        pend(&d->file[c->file], c);
        break;
    case SYNC: sync_file(&d->file[c->file]); break;
    case SYNC_FOLDER: sync_folder(d, c->name); break;
    default:
        if (d->entries_count == sizeof(d->entries) / sizeof(d->entries[0]))
            give_up("too many entries");
        d->entries[d->entries_count++] = c;
        names_apply(&d->now, c);
    }
}

/* The live state moves with each change while faults are played; otherwise only its names are needed. */
static void note(const struct change *c)
{
    if (changes_count == changes_room) {
        changes_room = changes_room ? 2 * changes_room : 1 << 16;
        /* Pointers into it are kept: it never moves. */
        if (changes)
            give_up("too many changes");
        changes = calloc(changes_room, sizeof(*changes));
        if (!changes)
            give_up("memory");
    }
    changes[changes_count] = *c;
    if (c->bytes) {
        changes[changes_count].bytes = malloc(c->len + 1);
        if (!changes[changes_count].bytes)
            give_up("memory");
        memcpy(changes[changes_count].bytes, c->bytes, c->len);
    }
    apply(live, &changes[changes_count++]);
}

static void forget(struct disk *d)
{
    for (int i = 0; d && i < FILES_MAX; i++) {
        free(d->file[i].now.bytes);
        free(d->file[i].synced.bytes);
        free(d->file[i].pending);
    }
    free(d);
}

static struct disk *copy(const struct disk *d)
{
    struct disk *c = calloc(1, sizeof(*c));

    if (!c)
        give_up("memory");
    c->now = d->now;
    c->synced = d->synced;
    for (int i = 0; i < FILES_MAX; i++) {
        content_put(&c->file[i].now, 0, d->file[i].now.bytes, d->file[i].now.len);
        content_put(&c->file[i].synced, 0, d->file[i].synced.bytes, d->file[i].synced.len);
    }
    return c;
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
        give_up(path);
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
    forget(live);
    forget(start);
    live = calloc(1, sizeof(*live));
    snprintf(watched, sizeof(watched), "%s", folder);
    watched_len = strlen(watched);
    if (!live || nftw(folder, read_one, 8, FTW_PHYS) != 0)
        give_up(folder);
    live->synced = live->now;
    start = copy(live);
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
    return copy(start);
}

const struct disk *disk_now(void)
{
    return live;
}

bool disk_step(struct disk *d)
{
    if (d->next == changes_count)
        return false;
    apply(d, &changes[d->next++]);
    return true;
}

bool disk_is_synced(const struct disk *d)
{
    for (int i = 0; i < FILES_MAX; i++)
        if (d->file[i].count)
            return false;
    return d->entries_count == 0;
}

static uint64_t dice_state;
static uint64_t dice(uint64_t sides)
{
    dice_state = dice_state * 6364136223846793005ull + 1442695040888963407ull;
    return (dice_state >> 33) % sides;
}

/* All up to a point, the last of them not to its end. */
static void tear(struct content *c, const struct file *f)
{
    size_t keep = dice(f->count + 1);

    for (size_t i = 0; i < keep; i++)
        content_apply(c, f->pending[i]);
    if (keep < f->count && f->pending[keep]->what == WRITE)
        content_put(c, f->pending[keep]->at, f->pending[keep]->bytes,
                    dice(f->pending[keep]->len / SECTOR + 1) * SECTOR);
}

static void reorder(struct content *c, const struct file *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct change *p = f->pending[i];

        if (p->what == TRUNCATE && dice(2))
            content_size(c, p->len);
        for (uint64_t at = 0; p->what == WRITE && at < p->len; at += SECTOR)
            if (dice(2))
                content_put(c, p->at + at, p->bytes + at, p->len - at < SECTOR ? p->len - at : SECTOR);
    }
}

static void leave_file(const struct file *f, enum disk_ending ending, const char *path)
{
    struct content c = { NULL, 0 };
    FILE *out = fopen(path, "we");

    if (ending == DISK_KILL) {
        content_put(&c, 0, f->now.bytes, f->now.len);
    } else {
        content_put(&c, 0, f->synced.bytes, f->synced.len);
        if (ending == DISK_TORN)
            tear(&c, f);
        if (ending == DISK_REORDERED)
            reorder(&c, f);
    }
    if (!out || fwrite(c.bytes ? c.bytes : "", 1, c.len, out) != c.len || fchmod(fileno(out), 0600) != 0 ||
        fclose(out) != 0)
        give_up(path);
    free(c.bytes);
}

/* Parents before what is in them: their names are shorter. */
static void leave_names(const struct disk *d, const struct names *names, enum disk_ending ending, const char *folder)
{
    char path[300];

    for (size_t len = 1; len < NAME_MAX_; len++)
        for (unsigned i = 0; i < names->count; i++) {
            if (strlen(names->of[i].path) != len)
                continue;
            snprintf(path, sizeof(path), "%s/%s", folder, names->of[i].path);
            if (names->of[i].file < 0 && mkdir(path, 0700) != 0)
                give_up(path);
            /* Its folder's entry may be what is not there. */
            if (names->of[i].file >= 0 && access(path, F_OK) != 0) {
                char parent[300];

                snprintf(parent, sizeof(parent), "%.*s", (int)(strrchr(path, '/') - path), path);
                if (access(parent, F_OK) == 0)
                    leave_file(&d->file[names->of[i].file], ending, path);
            }
        }
}

void disk_leave(const struct disk *d, enum disk_ending ending, uint64_t seed, const char *folder)
{
    struct names names = ending == DISK_KILL ? d->now : d->synced;
    size_t keep;

    dice_state = seed * 0x9e3779b97f4a7c15ull + 1;
    keep = ending == DISK_TORN || ending == DISK_REORDERED ? dice(d->entries_count + 1) : 0;
    for (size_t i = 0; i < keep; i++)
        names_apply(&names, d->entries[i]);
    leave_names(d, &names, ending, folder);
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
        give_up(name);
    fds[fd].used = true;
    fds[fd].folder = S_ISDIR(st.st_mode);
    snprintf(fds[fd].name, NAME_MAX_, "%s", name);
    if (fds[fd].folder)
        return;
    if (!was_there) {
        if (files_count == FILES_MAX)
            give_up("too many files");
        c.file = files_count++;
        note(&c);
    }
    fds[fd].file = live->now.of[find(&live->now, name)].file;
    if (was_there && (flags & O_TRUNC) && live->file[fds[fd].file].now.len) {
        c = (struct change){ .what = TRUNCATE, .file = fds[fd].file };
        note(&c);
    }
}

static int open_it(const char *path, int flags, mode_t mode)
{
    const char *name = ours(path);
    bool was_there = name && find(&live->now, name) >= 0;
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
        give_up("losing what was written");
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
