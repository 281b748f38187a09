/* What the backends share: their socket to devd, grants, events, the state file, and the way into confinement. */
#include "provisioner/backend/worker.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xen/sys/evtchn.h>

#define MESSAGE_BYTES_MAX 65536
#define CONFIG_WAIT_MS    1000
#define PORTS_AT_ONCE     16u

static xengnttab_handle *grants;
static xenevtchn_handle *events;

static struct {
    evtchn_port_t ports[PORTS_AT_ONCE];
    unsigned next, count;
} fired;

/* 1 a message; 0 none now; -1 the socket has ended. */
static int receive(json_t **message, int flags)
{
    static char text[MESSAGE_BYTES_MAX];
    ssize_t bytes = recv(WORKER_SOCKET_FD, text, sizeof(text), flags);

    if (bytes < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (bytes <= 0)
        return -1;
    *message = json_loadb(text, (size_t)bytes, 0, NULL);
    if (!json_is_object(*message))
        worker_failed("devd's message is not a JSON object");
    return 1;
}

json_t *worker_config(void)
{
    struct pollfd fd = { .fd = WORKER_SOCKET_FD, .events = POLLIN };
    json_t *config = NULL;

    if (poll(&fd, 1, CONFIG_WAIT_MS) != 1 || receive(&config, MSG_DONTWAIT) != 1)
        worker_failed("no config on descriptor %d: xs-devd starts this program", WORKER_SOCKET_FD);
    return config;
}

/* Not json_arg_hex: with it libsodium would come into every worker. */
static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void worker_meter(const json_t *config, struct meter *meter)
{
    const char *token = json_string_value(json_object_get(config, "token"));

    if (!token || strlen(token) != 2 * sizeof(meter->token))
        worker_failed("config: token: 32 hex digits");
    for (unsigned i = 0; i < sizeof(meter->token); i++) {
        int high = digit(token[2 * i]), low = digit(token[2 * i + 1]);

        if (high < 0 || low < 0)
            worker_failed("config: token: 32 hex digits");
        meter->token[i] = (uint8_t)(high << 4 | low);
    }
    meter->channel = (uint32_t)json_integer_value(json_object_get(config, "channel"));
}

json_t *worker_heard(void)
{
    json_t *message = NULL;

    if (receive(&message, MSG_DONTWAIT) < 0)
        _exit(WORKER_STOPPED);
    return message;
}

void worker_say(json_t *message)
{
    char *text = json_dumps(message, JSON_COMPACT);

    json_decref(message);
    if (!text)
        _exit(WORKER_FAILED);
    (void)!send(WORKER_SOCKET_FD, text, strlen(text), MSG_NOSIGNAL);
    free(text);
}

__attribute__((noreturn))
static void end(enum worker_status status, const char *key, const char *fmt, va_list args)
{
    char text[256];

    vsnprintf(text, sizeof(text), fmt, args);
    log_warnx("%s", text);
    worker_say(json_pack("{s:s}", key, text));
    _exit(status);
}

void worker_broken(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    end(WORKER_BROKEN, "broken", fmt, args);
}

void worker_failed(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    end(WORKER_FAILED, "failed", fmt, args);
}

void *worker_map(uint32_t domid, const uint32_t *refs, unsigned count)
{
    if (!grants)
        grants = xengnttab_open(NULL, 0);
    if (!grants)
        return NULL;
    return xengnttab_map_domain_grant_refs(grants, count, domid, (uint32_t *)refs, PROT_READ | PROT_WRITE);
}

static int events_open(void)
{
    events = xenevtchn_open(NULL, 0);
    if (!events)
        return -errno;
    return fcntl(xenevtchn_fd(events), F_SETFL, O_NONBLOCK) == 0 ? 0 : -errno;
}

int worker_bind(uint32_t domid, uint32_t remote_port)
{
    int rc = events ? 0 : events_open();

    if (rc)
        return rc;
    rc = xenevtchn_bind_interdomain(events, domid, remote_port);
    return rc >= 0 ? rc : -errno;
}

int worker_event_fd(void)
{
    return xenevtchn_fd(events);
}

/* The driver masks a port when it fires and unmasks it on write: all that one read gave go back in one write, before
 * any ring is looked at. */
int worker_event_next(void)
{
    if (fired.next == fired.count) {
        ssize_t bytes;

        if (fired.count && fired.count < PORTS_AT_ONCE) {
            fired.next = fired.count = 0;       /* that read took all there were */
            return -EAGAIN;
        }
        bytes = read(xenevtchn_fd(events), fired.ports, sizeof(fired.ports));
        fired.next = 0;
        fired.count = bytes > 0 ? (unsigned)bytes / (unsigned)sizeof(fired.ports[0]) : 0;
        if (!fired.count)
            return -EAGAIN;
        if (write(xenevtchn_fd(events), fired.ports, fired.count * sizeof(fired.ports[0])) < 0)
            worker_failed("event channels cannot be unmasked: %s", strerror(errno));
    }
    return (int)fired.ports[fired.next++];
}

void worker_notify(int port)
{
    xenevtchn_notify(events, (evtchn_port_t)port);
}

void *worker_state(const char *path, size_t bytes)
{
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    struct stat st;
    void *state;

    if (fd < 0 || flock(fd, LOCK_EX) != 0 || fstat(fd, &st) != 0)
        return NULL;
    if (st.st_size != 0 && (size_t)st.st_size != bytes) {
        errno = EINVAL;
        return NULL;
    }
    errno = posix_fallocate(fd, 0, (off_t)bytes);       /* or a full /run would end us at some later store */
    if (errno)
        return NULL;
    state = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    return state != MAP_FAILED ? state : NULL;          /* fd stays open: the lock is its */
}

/* The death of our parent is ours; the kernel forgets that wish when the user changes, so it comes after. */
static void become(uid_t uid, gid_t gid)
{
    if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
        worker_failed("cannot become user %u: %s", (unsigned)uid, strerror(errno));
    if (uid == 0 || setuid(0) == 0)
        worker_failed("still able to become root after dropping to user %u", (unsigned)uid);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
        worker_failed("prctl: %s", strerror(errno));
}

static int allow_common(scmp_filter_ctx filter)
{
    static const char *const common[] = { "read",  "write", "recvfrom", "sendto", "clock_gettime", "exit_group",
                                          "munmap", "mremap", "madvise", "brk", "restart_syscall", NULL };
    int rc = 0;

    for (unsigned i = 0; common[i] && !rc; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(common[i]), 0);
    if (!rc && events)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 2,
                              SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)xenevtchn_fd(events)),
                              SCMP_A1(SCMP_CMP_EQ, IOCTL_EVTCHN_NOTIFY));
    /* malloc's: anonymous, never to be run. */
    return rc ? rc
              : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
                                 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
                                 SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
}

void worker_confine(uid_t uid, gid_t gid, const char *const *allowed)
{
    scmp_filter_ctx filter;
    int rc;

    if (grants)
        xengnttab_close(grants);        /* the maps stay: they hold the open file */
    grants = NULL;
    become(uid, gid);
    filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!filter)
        worker_failed("seccomp_init failed");
    rc = allow_common(filter);
    for (unsigned i = 0; allowed[i] && !rc; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(allowed[i]), 0);
    rc = rc ? rc : seccomp_load(filter);
    seccomp_release(filter);
    if (rc)
        worker_failed("the system call filter was refused: %s", strerror(-rc));
}
