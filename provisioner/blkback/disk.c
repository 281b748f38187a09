#include "provisioner/blkback/disk.h"
#include "provisioner/backend/uring.h"
#include "provisioner/backend/worker.h"
#include "provisioner/blkback/request.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUEUE_ENTRIES   128u            /* all tags, the watched descriptors and the timer at once */
#define LOCK_PATIENCE_S 10u

/* What a completion is for, in its user_data's high half; below it the tag or descriptor. */
enum purpose { FOR_TAG, FOR_FD, FOR_TIMER };

struct transfer {
    enum disk_op op;
    uint8_t *data;
    uint64_t offset, bytes;             /* what is left of it */
};

struct disk {
    int fd;
    uint64_t sectors;
    struct io_uring uring;
    struct __kernel_timespec timer;
    struct transfer transfers[DISK_TAGS_MAX];
};

static void alarmed(int signal)
{
    (void)signal;                       /* flock ends with EINTR */
}

/* The lock is the open description's, and each write under way holds that open: so it is free only when the last
 * write of a worker before us has ended. */
static void lock(int fd, const char *path, bool readonly)
{
    struct sigaction action = { .sa_handler = alarmed };

    sigaction(SIGALRM, &action, NULL);
    alarm(LOCK_PATIENCE_S);
    if (flock(fd, readonly ? LOCK_SH : LOCK_EX) != 0)
        worker_failed("%s: in use by another device for %u s", path, LOCK_PATIENCE_S);
    alarm(0);
}

/* Not through the page cache if the file system and the device can do that in units of a sector. */
static void go_direct(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    void *probe;

    if (fcntl(fd, F_SETFL, flags | O_DIRECT) != 0)
        return;
    probe = aligned_alloc(DISK_ALIGN, DISK_ALIGN);
    if (!probe)
        worker_failed("out of memory");
    if (pread(fd, probe, SECTOR_BYTES, 0) < 0 && errno == EINVAL)
        fcntl(fd, F_SETFL, flags);
    free(probe);
}

static uint64_t size_of(int fd, const char *path)
{
    struct stat st;
    uint64_t bytes;

    if (fstat(fd, &st) != 0)
        worker_failed("%s: %s", path, strerror(errno));
    if (S_ISREG(st.st_mode))
        return (uint64_t)st.st_size;
    if (!S_ISBLK(st.st_mode) || ioctl(fd, BLKGETSIZE64, &bytes) != 0)
        worker_failed("%s: neither a file nor a block device", path);
    return bytes;
}

struct disk *disk_open(const char *path, bool readonly)
{
    static const uint8_t ops[] = { IORING_OP_READ, IORING_OP_WRITE, IORING_OP_FSYNC, IORING_OP_FALLOCATE,
                                   IORING_OP_POLL_ADD, IORING_OP_TIMEOUT };
    struct disk *disk = calloc(1, sizeof(*disk));
    int rc;

    if (!disk)
        worker_failed("out of memory");
    /* O_NONBLOCK: a pipe is refused below, not waited for. */
    disk->fd = open(path, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
    if (disk->fd < 0)
        worker_failed("%s: %s", path, strerror(errno));
    disk->sectors = size_of(disk->fd, path) / SECTOR_BYTES;
    if (!disk->sectors)
        worker_failed("%s: empty", path);
    fcntl(disk->fd, F_SETFL, fcntl(disk->fd, F_GETFL) & ~O_NONBLOCK);
    lock(disk->fd, path, readonly);
    go_direct(disk->fd);
    rc = uring_open(&disk->uring, QUEUE_ENTRIES, ops, sizeof(ops));
    if (rc)
        worker_failed("io_uring: %s", strerror(-rc));
    return disk;
}

uint64_t disk_sectors(const struct disk *disk)
{
    return disk->sectors;
}

static struct io_uring_sqe *sqe_get(struct disk *disk)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&disk->uring);

    if (!sqe)
        worker_failed("io_uring: no room for %u entries", QUEUE_ENTRIES);
    return sqe;
}

/* After its prep: some versions of that clear it. */
static void sqe_name(struct io_uring_sqe *sqe, enum purpose purpose, unsigned number)
{
    io_uring_sqe_set_data64(sqe, (uint64_t)purpose << 32 | number);
}

static void transfer_start(struct disk *disk, unsigned tag)
{
    const struct transfer *t = &disk->transfers[tag];
    struct io_uring_sqe *sqe = sqe_get(disk);

    switch (t->op) {
    case DISK_READ:
        io_uring_prep_read(sqe, disk->fd, t->data, (unsigned)t->bytes, t->offset);
        break;
    case DISK_WRITE:
        io_uring_prep_write(sqe, disk->fd, t->data, (unsigned)t->bytes, t->offset);
        break;
    case DISK_FLUSH:
        io_uring_prep_fsync(sqe, disk->fd, IORING_FSYNC_DATASYNC);
        break;
    case DISK_DISCARD:
        io_uring_prep_fallocate(sqe, disk->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)t->offset,
                                (off_t)t->bytes);
        break;
    }
    sqe_name(sqe, FOR_TAG, tag);
}

void disk_submit(struct disk *disk, unsigned tag, enum disk_op op, void *data, uint64_t offset, uint64_t bytes)
{
    disk->transfers[tag] = (struct transfer){ .op = op, .data = data, .offset = offset, .bytes = bytes };
    transfer_start(disk, tag);
}

void disk_watch(struct disk *disk, int fd)
{
    struct io_uring_sqe *sqe = sqe_get(disk);

    io_uring_prep_poll_multishot(sqe, fd, POLLIN);
    sqe_name(sqe, FOR_FD, (unsigned)fd);
}

void disk_timer(struct disk *disk, uint64_t ns)
{
    struct io_uring_sqe *sqe = sqe_get(disk);

    disk->timer.tv_sec = (long long)(ns / 1000000000u);
    disk->timer.tv_nsec = (long long)(ns % 1000000000u);
    io_uring_prep_timeout(sqe, &disk->timer, 0, 0);
    sqe_name(sqe, FOR_TIMER, 0);
}

/* True if the transfer has ended; if not, the rest of it is under way. */
static bool transfer_ended(struct disk *disk, unsigned tag, int rc, int *result)
{
    struct transfer *t = &disk->transfers[tag];
    bool moves = t->op == DISK_READ || t->op == DISK_WRITE;

    *result = rc < 0 ? rc : moves && rc == 0 ? -EIO : 0;
    if (rc == -EAGAIN || rc == -EINTR || (moves && rc > 0 && (uint64_t)rc < t->bytes)) {
        unsigned moved = rc > 0 ? (unsigned)rc : 0;

        t->data += moved;
        t->offset += moved;
        t->bytes -= moved;
        transfer_start(disk, tag);
        return false;
    }
    return true;
}

void disk_wait(struct disk *disk)
{
    int rc = io_uring_submit_and_wait(&disk->uring, 1);

    if (rc < 0 && rc != -EINTR && rc != -EAGAIN && rc != -EBUSY)
        worker_failed("io_uring: %s", strerror(-rc));
}

struct disk_event disk_next(struct disk *disk)
{
    struct disk_event event = { .kind = DISK_NOTHING };
    struct io_uring_cqe *cqe;

    while (event.kind == DISK_NOTHING && io_uring_peek_cqe(&disk->uring, &cqe) == 0) {
        enum purpose purpose = (enum purpose)(cqe->user_data >> 32);
        unsigned number = (uint32_t)cqe->user_data, flags = cqe->flags;
        int rc = cqe->res;

        io_uring_cqe_seen(&disk->uring, cqe);
        if (purpose == FOR_TIMER) {
            event.kind = DISK_TIMER;
        } else if (purpose == FOR_FD) {
            event = (struct disk_event){ .kind = DISK_READABLE, .fd = (int)number };
            if (!(flags & IORING_CQE_F_MORE))
                disk_watch(disk, (int)number);
        } else if (transfer_ended(disk, number, rc, &event.result)) {
            event.kind = DISK_DONE;
            event.tag = number;
        }
    }
    return event;
}
