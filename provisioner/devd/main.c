/* xs-devd: the devices of guests. Watches their nodes, leads them through device.c, keeps a worker for each that
 * is connected. Root in dom0, since it opens channels, maps and files for workers; it reads no data of guests but the
 * few nodes that handshake.c checks. */
#include "common/clock.h"
#include "provisioner/devd/channel.h"
#include "provisioner/devd/device.h"
#include "provisioner/devd/nodes.h"
#include "provisioner/devd/record.h"
#include "provisioner/devd/store.h"
#include "common/daemon.h"
#include "common/log.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xen/xen.h>

#define BACKENDS       "/local/domain/0/backend"
#define BACKENDS_TOKEN "backends"
#define EVENTS_AT_ONCE 16
#define END_S          3u

static struct device *devices;
static int epoll_fd, signal_fd;

static struct device *device_find(enum device_type type, uint32_t domid, uint32_t id)
{
    struct device *device = devices;

    while (device && (device->type != type || device->domid != domid || device->id != id))
        device = device->next;
    return device;
}

/* Its frontend's watch carries this. */
static char *token_of(const struct device *device, char token[static 64])
{
    snprintf(token, 64, "%s/%" PRIu32 "/%" PRIu32, device_kinds[device->type].name, device->domid, device->id);
    return token;
}

static char *frontend_state_of(const struct device *device, char path[static 80])
{
    snprintf(path, 80, "%s/state", device->frontend);
    return path;
}

static struct device *device_add(enum device_type type, uint32_t domid, uint32_t id)
{
    struct device *device = device_new(type, domid, id);
    char path[80], token[64];

    device->next = devices;
    devices = device;
    store_watch(frontend_state_of(device, path), token_of(device, token));
    return device;
}

static void listen_to(struct device *device, pid_t before)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = device->child.socket };

    if (device->child.pid && device->child.pid != before &&
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, device->child.socket, &event) != 0)
        fatal("epoll: a worker's socket");
}

static void look(struct device *device)
{
    pid_t before = device->child.pid;

    device_look(device, clock_monotonic_ms());
    listen_to(device, before);
}

static void devices_sweep(void)
{
    struct device **link = &devices;
    char path[80], token[64];

    while (*link) {
        struct device *device = *link;

        if (device->phase != PHASE_GONE) {
            link = &device->next;
            continue;
        }
        *link = device->next;
        store_unwatch(frontend_state_of(device, path), token_of(device, token));
        device_free(device);
    }
}

/* "vbd/5/51712" and perhaps "/node" behind it, in `node`. Moves text past it. */
static bool name_parse(const char *text, enum device_type *type, uint32_t *domid, uint32_t *id, const char **node)
{
    char word[3][16];
    uint64_t number[2];

    for (unsigned i = 0; i < 3; i++) {
        size_t length = strcspn(text, "/");

        if (length == 0 || length >= sizeof(word[i]))
            return false;
        memcpy(word[i], text, length);
        word[i][length] = 0;
        text += length + (text[length] == '/');
    }
    if (!handshake_number(word[1], DOMID_FIRST_RESERVED - 1u, &number[0]) || number[0] == 0 ||
        !handshake_number(word[2], UINT32_MAX, &number[1]))
        return false;
    *type = strcmp(word[0], "vbd") == 0 ? DEVICE_VBD : DEVICE_VIF;
    *domid = (uint32_t)number[0];
    *id = (uint32_t)number[1];
    *node = text;
    return strcmp(word[0], device_kinds[*type].name) == 0;
}

static struct device *device_named(const char *text, bool add, const char **node)
{
    enum device_type type;
    uint32_t domid, id;
    struct device *device;

    if (!name_parse(text, &type, &domid, &id, node))
        return NULL;
    device = device_find(type, domid, id);
    return device || !add ? device : device_add(type, domid, id);
}

static void scan_domain(enum device_type type, const char *domid)
{
    char path[80], name[64];
    const char *node;
    unsigned count;
    char **ids;

    snprintf(path, sizeof(path), BACKENDS "/%s/%s", device_kinds[type].name, domid);
    ids = store_list(path, &count);
    for (unsigned i = 0; ids && i < count; i++) {
        snprintf(name, sizeof(name), "%s/%s/%s", device_kinds[type].name, domid, ids[i]);
        device_named(name, true, &node);
    }
    free(ids);
}

/* All devices that there are; those that are no more find out by looking. */
static void scan(void)
{
    for (unsigned type = 0; type < DEVICE_KINDS; type++) {
        char path[80];
        unsigned count;
        char **domids;

        snprintf(path, sizeof(path), BACKENDS "/%s", device_kinds[type].name);
        domids = store_list(path, &count);
        for (unsigned i = 0; domids && i < count; i++)
            scan_domain((enum device_type)type, domids[i]);
        free(domids);
    }
}

/* Many events, one look for each device. */
static void store_events(void)
{
    bool all = false;
    char *path, *token;

    while (store_event(&path, &token)) {
        const char *name = strcmp(token, BACKENDS_TOKEN) ? token : path + strlen(BACKENDS "/"), *node = "";
        struct device *device = NULL;

        if (strlen(path) > strlen(BACKENDS "/") || name == token)
            device = device_named(name, name != token, &node);
        if (device)
            device->touched = true;
        else
            all = true;
        if (device && strcmp(node, "params") == 0)
            device_resized(device);
        free(path);
    }
    if (all)
        scan();
    for (struct device *device = devices; device; device = device->next) {
        if (all || device->touched)
            look(device);
        device->touched = false;
    }
}

static bool hear(struct device *device)
{
    json_t *message = child_heard(&device->child);

    if (!message)
        return false;
    device_heard(device, message);
    json_decref(message);
    return true;
}

static void worker_event(int fd, bool ended)
{
    struct device *device = devices;

    while (device && (!device->child.pid || device->child.socket != fd))
        device = device->next;
    if (!device)
        return;
    hear(device);                       /* one: a worker that never ceases to speak must not keep us from the others */
    if (ended)                          /* its status, and the rest of its words, come with SIGCHLD */
        epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static void reap(void)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct device *device = devices;

        while (device && device->child.pid != pid)
            device = device->next;
        if (!device)
            continue;
        while (hear(device))
            ;
        device_ended(device, status, clock_monotonic_ms());
        listen_to(device, pid);
    }
}

/* Workers answer what is in flight and end before we do, so that whoever stopped us may unmount what their files are
 * on. Should one not, the alarm ends us, and that ends it. The next xs-devd takes the devices up. */
static _Noreturn void end(void)
{
    for (const struct device *device = devices; device; device = device->next)
        if (device->child.pid)
            child_tell(&device->child, json_pack("{s:b}", "stop", 1));
    alarm(END_S);
    while (wait(NULL) > 0)
        ;
    exit(0);
}

static void signal_event(void)
{
    struct signalfd_siginfo info;

    while (read(signal_fd, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGCHLD)
            reap();
        else
            end();
    }
}

static int signals_open(void)
{
    sigset_t set;
    int fd;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    fd = sigprocmask(SIG_BLOCK, &set, NULL) == 0 ? signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK) : -1;
    if (fd < 0)
        fatal("cannot make a signalfd");
    return fd;
}

/* A device that was removed while no xs-devd ran has left its channel and files. */
static void record_seen(const char *name)
{
    char text[64], *dash;
    enum device_type type;
    uint32_t domid, id;
    const char *node;

    snprintf(text, sizeof(text), "%s", name);
    while ((dash = strchr(text, '-')))
        *dash = '/';
    if (!name_parse(text, &type, &domid, &id, &node) || device_find(type, domid, id))
        return;
    log_info("%s: removed while xs-devd did not run", name);
    channel_close(domid, device_kinds[type].class, id);
    record_remove(name);
}

static int due_in_ms(void)
{
    int64_t now = clock_monotonic_ms(), least = -1;

    for (const struct device *device = devices; device; device = device->next)
        if (device->due_ms && (least < 0 || device->due_ms - now < least))
            least = device->due_ms > now ? device->due_ms - now : 0;
    return (int)least;
}

static void due(void)
{
    int64_t now = clock_monotonic_ms();

    for (struct device *device = devices; device; device = device->next) {
        pid_t before = device->child.pid;

        if (!device->due_ms || device->due_ms > now)
            continue;
        device_due(device, now);
        listen_to(device, before);
    }
}

static void watch_fd(int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        fatal("epoll");
}

static void users_find(void)
{
    for (struct device_kind *kind = device_kinds; kind < device_kinds + DEVICE_KINDS; kind++)
        if (!daemon_user(kind->user, &kind->uid, &kind->gid))
            fatalx("user %s does not exist: create it (adduser --system --group %s)", kind->user, kind->user);
}

static void serve(void)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(epoll_fd, events, EVENTS_AT_ONCE, due_in_ms());

    if (count < 0 && errno != EINTR)
        fatal("epoll_wait");
    for (int i = 0; i < count; i++) {
        if (events[i].data.fd == store_fd())
            store_events();
        else if (events[i].data.fd == signal_fd)
            signal_event();
        else
            worker_event(events[i].data.fd, events[i].events & (EPOLLHUP | EPOLLERR));
    }
    due();
    devices_sweep();
}

int main(void)
{
    log_init("xs-devd");
    daemon_lock("/run/xs/devd.pid");
    users_find();
    record_open(DEVICE_STATE_DIR);
    channels_open();
    store_open();
    signal_fd = signals_open();
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        fatal("epoll_create1");
    watch_fd(signal_fd);
    watch_fd(store_fd());
    store_watch(BACKENDS, BACKENDS_TOKEN);      /* fires at once: the first scan */
    scan();
    record_each(record_seen);
    daemon_ready();
    for (;;)
        serve();
}
