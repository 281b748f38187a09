/* Daemon start. Nothing forks into the background: whoever starts us supervises us. */
#include "common/daemon.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sodium.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

void daemon_lock(const char *pid_path)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char text[16];
    int len, fd = open(pid_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

    if (fd < 0)
        fatal("%s: cannot open the lock file", pid_path);
    if (fcntl(fd, F_SETLK, &lock) != 0) {
        if (errno != EAGAIN && errno != EACCES)
            fatal("%s: cannot lock", pid_path);
        if (fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK)
            lock.l_pid = 0;
        fatalx("already running as process %d (it holds %s): stop it first", (int)lock.l_pid, pid_path);
    }
    len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    if (ftruncate(fd, 0) != 0 || write(fd, text, len) != len)
        fatal("%s: cannot write", pid_path);
    /* The descriptor stays open: closing it would drop the lock. */
}

bool daemon_user(const char *user, uid_t *uid, gid_t *gid)
{
    const struct passwd *entry = getpwnam(user);

    if (!entry)
        return false;
    *uid = entry->pw_uid;
    *gid = entry->pw_gid;
    return true;
}

void daemon_drop(const char *user)
{
    uid_t uid;
    gid_t gid;

    if (geteuid() != 0)
        return;
    if (!daemon_user(user, &uid, &gid))
        fatalx("user %s does not exist: create it (adduser --system --group %s)", user, user);
    if (setgroups(1, &gid) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
        fatal("cannot become user %s", user);
    if (uid != 0 && setuid(0) == 0)
        fatalx("still able to become root after dropping to %s", user);
}

void daemon_mkdir(const char *path, mode_t mode, const char *user)
{
    uid_t uid;
    gid_t gid;

    if (mkdir(path, mode) != 0 && errno != EEXIST)
        fatal("%s: cannot create the directory", path);
    if (geteuid() != 0)
        return;
    if (!user || !daemon_user(user, &uid, &gid))
        return;
    if (chown(path, uid, gid) != 0 || chmod(path, mode) != 0)
        fatal("%s: cannot give it to user %s", path, user);
}

static void misused(void)
{
    fatalx("libsodium was called wrongly or got no random bytes: this is a fault of ours");
}

void daemon_sodium_start(void)
{
    if (sodium_init() < 0 || sodium_set_misuse_handler(misused) != 0)
        fatalx("libsodium does not start");
}

static void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    size_t len = path ? strlen(path) : 0;
    int fd;

    if (len == 0 || len >= sizeof(to.sun_path))
        return;
    memcpy(to.sun_path, path, len);
    if (to.sun_path[0] == '@')
        to.sun_path[0] = 0;             /* an abstract name */
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
                         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
        log_warn("NOTIFY_SOCKET %s: not told that we are ready", path);
    if (fd >= 0)
        close(fd);
}

void daemon_ready(void)
{
    log_info("ready");
    notify("READY=1");
}

int daemon_signal_fd(void)
{
    sigset_t set;
    int fd;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);           /* a file at its size limit is an error to report, as a full disk is */
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        fatal("cannot block signals");
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        fatal("cannot make a signalfd");
    return fd;
}
