/* Calls that change files in the folder of disks are calls of the model too: linked with
 * --wrap, each may fail or be the process's last. What it does is real. */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

int __real_openat(int dir_fd, const char *path, int flags, ...);
int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __real_unlinkat(int dir_fd, const char *path, int flags);
int __real_ftruncate(int fd, off_t bytes);
int __real_fsync(int fd);
int __wrap_openat(int dir_fd, const char *path, int flags, ...);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_unlinkat(int dir_fd, const char *path, int flags);
int __wrap_ftruncate(int fd, off_t bytes);
int __wrap_fsync(int fd);

static int refuse(int rc)
{
    errno = -rc;
    return -1;
}

static int done(int rc)
{
    int saved = errno;

    world_leave(world_here(), 0);
    errno = saved;
    return rc;
}

/* Looking is no change. */
int __wrap_openat(int dir_fd, const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list args;
    int rc;

    va_start(args, flags);
    if (flags & O_CREAT)
        mode = va_arg(args, mode_t);
    va_end(args);
    if (!(flags & O_CREAT))
        return __real_openat(dir_fd, path, flags);
    rc = world_enter(world_here(), "openat");
    return rc ? refuse(rc) : done(__real_openat(dir_fd, path, flags, mode));
}

int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    int rc = world_enter(world_here(), "renameat");

    return rc ? refuse(rc) : done(__real_renameat(from_fd, from, to_fd, to));
}

int __wrap_unlinkat(int dir_fd, const char *path, int flags)
{
    int rc = world_enter(world_here(), "unlinkat");

    return rc ? refuse(rc) : done(__real_unlinkat(dir_fd, path, flags));
}

int __wrap_ftruncate(int fd, off_t bytes)
{
    int rc = world_enter(world_here(), "ftruncate");

    return rc ? refuse(rc) : done(__real_ftruncate(fd, bytes));
}

int __wrap_fsync(int fd)
{
    int rc = world_enter(world_here(), "fsync");

    return rc ? refuse(rc) : done(__real_fsync(fd));
}
