/* disk.c on real files: what is asked for is done, errors are the one operation's, and who holds the file; and that a
 * worker's io_uring does nothing else. */
#include "provisioner/backend/uring.h"
#include "provisioner/backend/worker.h"
#include "provisioner/blkback/disk.h"
#include "tests/provisioner/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_BYTES 65536u

/* disk.c ends a worker that cannot go on, and frees nothing then; here the test goes on. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static jmp_buf failed;
static char why[256];

void worker_failed(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(why, sizeof(why), fmt, args);
    va_end(args);
    longjmp(failed, 1);
}

static char path[] = "/tmp/xs-disk.XXXXXX";
static uint8_t *buffer;

static struct disk *opens(bool readonly)
{
    return setjmp(failed) == 0 ? disk_open(path, readonly) : NULL;
}

static struct disk_event next_event(struct disk *disk)
{
    struct disk_event event;

    while ((event = disk_next(disk)).kind == DISK_NOTHING)
        disk_wait(disk);
    return event;
}

static int does(struct disk *disk, enum disk_op op, uint64_t offset, uint64_t bytes)
{
    struct disk_event event;

    disk_submit(disk, 7, op, buffer, offset, bytes);
    event = next_event(disk);
    return event.kind == DISK_DONE && event.tag == 7 ? event.result : 1;
}

static void operations(int fd, struct disk *disk)
{
    uint8_t byte;
    struct stat st;

    memset(buffer, 0x5a, 8192);
    check(does(disk, DISK_WRITE, 512, 8192) == 0 && pread(fd, &byte, 1, 8703) == 1 && byte == 0x5a &&
          pread(fd, &byte, 1, 8704) == 1 && byte == 0, "a write");
    memset(buffer, 0, 8192);
    check(does(disk, DISK_READ, 4096, 512) == 0 && buffer[511] == 0x5a && buffer[512] == 0, "a read");
    check(does(disk, DISK_FLUSH, 0, 0) == 0, "a flush");
    check(does(disk, DISK_DISCARD, 0, 4096) == 0 && pread(fd, &byte, 1, 512) == 1 && byte == 0 && fstat(fd, &st) == 0 &&
          st.st_size == FILE_BYTES, "a discard leaves zeros and the size");
    for (unsigned tag = 0; tag < DISK_TAGS_MAX; tag++)
        disk_submit(disk, tag, DISK_READ, buffer + tag * 512, tag * 512, 512);
    for (unsigned tag = 0, done = 0; tag < DISK_TAGS_MAX; tag++) {
        done += next_event(disk).result == 0;
        if (tag == DISK_TAGS_MAX - 1)
            check(done == DISK_TAGS_MAX, "64 at once");
    }
}

static void watches(struct disk *disk)
{
    int pipes[2];
    char byte;
    struct disk_event event;

    if (pipe(pipes) != 0)
        abort();
    disk_watch(disk, pipes[0]);
    for (unsigned i = 0; i < 3; i++) {
        if (write(pipes[1], "x", 1) != 1)
            abort();
        event = next_event(disk);
        check(event.kind == DISK_READABLE && event.fd == pipes[0] && read(pipes[0], &byte, 1) == 1,
              "a watched descriptor, again and again");
    }
    disk_timer(disk, 1000000);
    check(next_event(disk).kind == DISK_TIMER, "the timer");
}

static void errors(int fd, struct disk *disk)
{
    if (ftruncate(fd, 4096) != 0)
        abort();
    check(does(disk, DISK_READ, 8192, 4096) == -EIO, "a file that ends early is an error");
    check(does(disk, DISK_READ, 0, 4096) == 0, "of that read");
    check(does(disk, DISK_READ, 2048, 4096) == -EIO, "also when a part of it is there");
}

static int completes(struct io_uring *uring)
{
    struct io_uring_cqe *cqe;
    int result = io_uring_submit_and_wait(uring, 1) < 0 || io_uring_peek_cqe(uring, &cqe) != 0 ? 1 : cqe->res;

    io_uring_cq_advance(uring, 1);
    return result;
}

static void refuses(struct io_uring *uring, int fd)
{
    uint8_t byte;

    io_uring_prep_openat(io_uring_get_sqe(uring), AT_FDCWD, "/dev/null", O_RDONLY, 0);
    check(completes(uring) == -EACCES, "an operation that was not asked for is refused");
    io_uring_prep_read(io_uring_get_sqe(uring), fd, &byte, 1, 0);
    check(completes(uring) == 1, "one that was passes");
    check(io_uring_register_files(uring, &fd, 1) == -EACCES, "nothing can be registered");
}

static void holders(int fd)
{
    check(flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK, "the file is held");
}

int main(void)
{
    static const uint8_t reads[] = { IORING_OP_READ };
    struct io_uring reader;
    struct disk *disk;
    int fd = mkstemp(path);

    buffer = aligned_alloc(DISK_ALIGN, 65536);
    if (fd < 0 || !buffer)
        abort();
    check(!opens(false) && strstr(why, "empty"), "an empty file is refused");
    if (uring_open(&reader, 4, reads, sizeof(reads)) != 0) {
        printf("1..0 # SKIP this kernel allows no io_uring\n");
        return 0;
    }
    if (ftruncate(fd, FILE_BYTES) != 0)
        abort();
    refuses(&reader, fd);
    disk = opens(false);
    if (!check(disk && disk_sectors(disk) == FILE_BYTES / 512, "a file is opened")) {
        printf("# %s\n", why);
        return tap_end();
    }
    holders(fd);
    operations(fd, disk);
    watches(disk);
    errors(fd, disk);
    unlink(path);
    check(!opens(false) && strstr(why, "No such file"), "a file that is missing");
    return tap_end();
}
