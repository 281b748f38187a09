#include "common/local_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* 0 and a socket in *fd for this address, or -1 with errno. */
static int make(const char *path, int type, struct sockaddr_un *at, int *fd)
{
    *at = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(at->sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(at->sun_path, path);
    *fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return *fd < 0 ? -1 : 0;
}

static int closed(int fd)
{
    int err = errno;

    close(fd);
    errno = err;
    return -1;
}

int local_listen(const char *path, int type, mode_t mode, int backlog)
{
    struct sockaddr_un at;
    int fd;

    if (make(path, type, &at, &fd) != 0)
        return -1;
    if ((unlink(path) != 0 && errno != ENOENT) || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
        chmod(path, mode) != 0 || listen(fd, backlog) != 0)
        return closed(fd);
    return fd;
}

int local_connect(const char *path, int type)
{
    struct sockaddr_un to;
    int fd;

    if (make(path, type, &to, &fd) != 0)
        return -1;
    return connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 ? fd : closed(fd);
}
