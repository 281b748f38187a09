/* Durable before it has its name: write, fsync, rename, fsync of the folder. */
#include "accountd/log/file.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);

    if (fd >= 0)
        close(fd);
    return rc;
}

/* The folder of `path` in `folder`. */
static void folder_of(const char *path, char folder[PATH_MAX])
{
    const char *slash = strrchr(path, '/');

    snprintf(folder, PATH_MAX, "%.*s", slash && slash > path ? (int)(slash - path) : 1, slash ? path : ".");
}

/* Whatever the umask: what is published is for everybody. */
static int make_folder(const char *folder)
{
    char parent[PATH_MAX];

    if (mkdir(folder, 0755) == 0) {
        folder_of(folder, parent);
        return chmod(folder, 0755) || sync_folder(parent) ? -1 : 0;
    }
    if (errno == EEXIST)
        return 0;
    if (errno != ENOENT)
        return -1;
    folder_of(folder, parent);
    return make_folder(parent) ? -1 : make_folder(folder);
}

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

int file_put(const char *path, const void *bytes, size_t len, mode_t mode)
{
    char folder[PATH_MAX], fresh[PATH_MAX];
    int fd, rc = -1;

    folder_of(path, folder);
    if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh) || make_folder(folder)) {
        log_warn("%s: cannot make its folder", path);
        return -1;
    }
    unlink(fresh);
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && write_all(fd, bytes, len) == 0 && fchmod(fd, mode) == 0 && fsync(fd) == 0 &&
        rename(fresh, path) == 0)
        rc = sync_folder(folder);
    if (rc)
        log_warn("%s: cannot write", path);
    if (fd >= 0)
        close(fd);
    if (rc)
        unlink(fresh);
    return rc;
}

char *file_get(const char *path, size_t most, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), why = 0;
    struct stat st;
    char *bytes = NULL;
    ssize_t got;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) != 0)
        why = errno;
    else if (!S_ISREG(st.st_mode) || (size_t)st.st_size > most)
        why = EFBIG;
    else if (!(bytes = malloc((size_t)st.st_size + 1)))
        why = ENOMEM;
    else if ((got = read(fd, bytes, (size_t)st.st_size)) != st.st_size)
        /* A read that is only short leaves errno as it was. ENOENT of before would say that there is no file. */
        why = got < 0 ? errno : EIO;
    close(fd);
    if (why) {
        free(bytes);
        errno = why;
        return NULL;
    }
    bytes[st.st_size] = 0;
    *len = (size_t)st.st_size;
    return bytes;
}
