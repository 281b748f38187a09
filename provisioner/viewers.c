/* One epoll set. Whatever happens to a viewer, all that can be done for it is tried, and then it is said anew what to
 * wait for: no state beyond its place in the log and one packet of what was typed. */
#include "provisioner/viewers.h"
#include "common/daemon.h"
#include "common/json.h"
#include "common/local_socket.h"
#include "common/log.h"
#include "provisioner/console.h"
#include "provisioner/typing.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX 1024
#define PACKETS_A_TURN 8                /* then the others have theirs */
#define EVENTS 16

struct viewer;

struct source {
    enum { LISTENER, LOGS, PEER, INPUT } kind;
    struct viewer *viewer;              /* of PEER, INPUT */
};

struct viewer {
    struct viewers *home;
    struct viewer *next;
    struct source peer, input;
    int fd;
    uint32_t events;                    /* what epoll watches for on fd */
    bool begun;                         /* it has said what it wants to see */
    bool more;                          /* the log has more than it could take */
    bool gone;                          /* the log was removed: what is open is all there will be */
    const char *reason;                 /* why it ends, as soon as it can be told; NULL: it does not */
    bool over;                          /* goes at the end of this turn */
    char instance_id[64];
    int log_fd;                         /* -1: no log yet */
    int64_t offset;                     /* its place in the log */
    struct typing typing;
};

struct viewers {
    struct viewers_guests guests;
    char *path, *console_dir;
    int epoll_fd, listen_fd, logs_fd;
    struct source listener, logs;
    struct viewer *list;
    unsigned count;
};

/* 0, or -1 with errno: EAGAIN, it has to take something first. */
static int json_packet_send(struct viewer *viewer, json_t *json)
{
    char text[512] = "j";
    size_t size = json ? json_dumpb(json, text + 1, sizeof(text) - 1, JSON_COMPACT) : 0;

    json_decref(json);
    if (size >= sizeof(text)) {         /* it says how much it would have been */
        errno = EMSGSIZE;
        return -1;
    }
    return send(viewer->fd, text, size + 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static void refuse(struct viewer *viewer, const char *code, const char *detail)
{
    json_packet_send(viewer, json_pack("{s:{s:s, s:s}}", "error", "code", code, "detail", detail));
    viewer->over = true;
}

/* Tells why it ends, when it can take that. */
static void farewell(struct viewer *viewer)
{
    viewer->more = json_packet_send(viewer, json_pack("{s:s}", "closed", viewer->reason)) != 0 && errno == EAGAIN;
    viewer->over = !viewer->more;
}

/* what it sees */

static void begin(struct viewer *viewer, const json_t *request)
{
    struct viewers *home = viewer->home;
    struct json_why why;
    const char *id;
    int64_t from;

    if (json_arg_only(request, "instance_id replay_from", &why) ||
        json_arg_string(request, "instance_id", sizeof(viewer->instance_id) - 1, &id, &why) ||
        json_arg_int(request, "replay_from", -CONSOLE_OFFSET_MAX, CONSOLE_OFFSET_MAX, &from, &why)) {
        refuse(viewer, "bad_request", why.text);
        return;
    }
    if (!home->guests.known(home->guests.arg, id)) {
        refuse(viewer, "not_found", "instance_id: no such instance");
        return;
    }
    strcpy(viewer->instance_id, id);
    viewer->log_fd = console_log_open(home->console_dir, id);
    viewer->offset = viewer->log_fd < 0 ? 0 : console_place(viewer->log_fd, from);
    viewer->begun = true;
    json_packet_send(viewer, json_pack("{s:I}", "offset", (json_int_t)viewer->offset));
}

static void request_take(struct viewer *viewer)
{
    char text[REQUEST_MAX];
    ssize_t size = recv(viewer->fd, text, sizeof(text), MSG_DONTWAIT);
    json_t *request;

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0) {
        viewer->over = true;
        return;
    }
    request = json_loadb(text, (size_t)size, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(request))
        begin(viewer, request);
    else
        refuse(viewer, "bad_request", "the first packet must be a JSON object");
    json_decref(request);
}

/* One packet of the log. False: there is none, or it cannot be taken now. */
static bool part_send(struct viewer *viewer)
{
    char packet[VIEWERS_PACKET_MAX] = "b";
    ssize_t size = pread(viewer->log_fd, packet + 1, sizeof(packet) - 1, (off_t)viewer->offset);

    if (size <= 0)
        return false;
    if (!console_kept(viewer->log_fd, viewer->offset)) {
        viewer->reason = "slow";
        return false;
    }
    if (send(viewer->fd, packet, (size_t)size + 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        viewer->over = errno != EAGAIN && errno != EINTR && errno != ENOBUFS;
        viewer->more = true;
        return false;
    }
    viewer->offset += size;
    return true;
}

static void output(struct viewer *viewer)
{
    int turns = 0;

    viewer->more = false;
    if (viewer->log_fd < 0)
        viewer->log_fd = console_log_open(viewer->home->console_dir, viewer->instance_id);
    while (viewer->log_fd >= 0 && !viewer->reason && turns < PACKETS_A_TURN && part_send(viewer))
        turns++;
    viewer->more |= turns == PACKETS_A_TURN;
    if (viewer->gone && !viewer->more)
        viewer->reason = "deleted";
    if (viewer->reason && !viewer->over)
        farewell(viewer);
}

/* what it types */

static void typed_take(struct viewer *viewer)
{
    struct typing *typing = &viewer->typing;
    ssize_t size;

    typing_flush(typing);
    while (typing->size == 0) {
        size = recv(viewer->fd, typing->bytes, sizeof(typing->bytes), MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (size <= 0) {
            viewer->over = true;
            return;
        }
        typing->size = (size_t)size;
        typing_flush(typing);
    }
}

/* all of them */

static void viewer_free(struct viewer *viewer)
{
    struct viewer **at = &viewer->home->list;

    while (*at != viewer)
        at = &(*at)->next;
    *at = viewer->next;
    viewer->home->count--;
    typing_end(&viewer->typing);
    if (viewer->log_fd >= 0)
        close(viewer->log_fd);
    epoll_ctl(viewer->home->epoll_fd, EPOLL_CTL_DEL, viewer->fd, NULL);
    close(viewer->fd);
    free(viewer);
}

static void watch(struct viewer *viewer)
{
    struct epoll_event event = { .data.ptr = &viewer->peer };

    if (viewer->typing.size == 0)
        event.events |= EPOLLIN;
    if (viewer->more)
        event.events |= EPOLLOUT;
    if (event.events == viewer->events)
        return;
    viewer->events = event.events;
    viewer->over |= epoll_ctl(viewer->home->epoll_fd, EPOLL_CTL_MOD, viewer->fd, &event) != 0;
}

static void viewer_work(struct viewer *viewer, uint32_t events)
{
    /* It has left; what it typed before is the guest's, unless the guest does not read. */
    if (events & (EPOLLHUP | EPOLLERR) && viewer->typing.size)
        viewer->over = true;
    if (!viewer->begun)
        request_take(viewer);
    if (viewer->begun && !viewer->over)
        typed_take(viewer);
    if (viewer->begun && !viewer->over)
        output(viewer);
    if (!viewer->over)
        watch(viewer);
}

static void log_changed(void *arg, const char *instance_id, bool gone)
{
    struct viewers *home = arg;

    for (struct viewer *viewer = home->list; viewer; viewer = viewer->next) {
        if (!viewer->begun || viewer->over || (instance_id && strcmp(viewer->instance_id, instance_id) != 0))
            continue;
        viewer->gone |= gone;
        output(viewer);
        if (!viewer->over)
            watch(viewer);
    }
}

static bool may_connect(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    uid_t uid;
    gid_t gid;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
        return false;
    return peer.uid == geteuid() || peer.uid == 0 || (daemon_user("xs-api", &uid, &gid) && uid == peer.uid);
}

static void viewer_accept(struct viewers *home)
{
    int fd = accept4(home->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct viewer *viewer = fd >= 0 && home->count < VIEWERS_MAX && may_connect(fd) ? calloc(1, sizeof(*viewer)) : NULL;
    struct epoll_event event = { .events = EPOLLIN };

    if (!viewer) {
        if (fd >= 0)
            close(fd);
        return;
    }
    *viewer = (struct viewer){ .home = home, .next = home->list, .fd = fd, .events = EPOLLIN, .log_fd = -1,
                               .peer = { PEER, viewer }, .input = { INPUT, viewer } };
    typing_start(&viewer->typing, &home->guests, viewer->instance_id, home->epoll_fd, &viewer->input);
    event.data.ptr = &viewer->peer;
    home->list = viewer;
    home->count++;
    viewer->over = epoll_ctl(home->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0;
}

static void sweep(struct viewers *home)
{
    for (struct viewer *viewer = home->list, *next; viewer; viewer = next) {
        next = viewer->next;
        if (viewer->over)
            viewer_free(viewer);
    }
}

void viewers_run(struct viewers *home)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(home->epoll_fd, events, EVENTS, 0);

    for (int i = 0; i < count; i++) {
        struct source *source = events[i].data.ptr;

        if (source->kind == LISTENER)
            viewer_accept(home);
        else if (source->kind == LOGS)
            console_watch_run(home->logs_fd, home->console_dir, log_changed, home);
        else if (!source->viewer->over)
            viewer_work(source->viewer, source->kind == PEER ? events[i].events : 0);
    }
    sweep(home);
}

int viewers_fd(const struct viewers *viewers)
{
    return viewers->epoll_fd;
}

static bool source_watch(struct viewers *home, struct source *source, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = source };

    return fd >= 0 && epoll_ctl(home->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

struct viewers *viewers_new(const char *socket_path, const char *console_dir, const struct viewers_guests *guests)
{
    struct viewers *home = calloc(1, sizeof(*home));

    if (!home)
        return NULL;
    home->guests = *guests;
    home->listener.kind = LISTENER;
    home->logs.kind = LOGS;
    home->path = strdup(socket_path);
    home->console_dir = strdup(console_dir);
    home->logs_fd = console_watch_open(console_dir);
    home->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    home->listen_fd = local_listen(socket_path, SOCK_SEQPACKET, 0666, VIEWERS_MAX);
    if (home->path && home->console_dir && source_watch(home, &home->listener, home->listen_fd) &&
        source_watch(home, &home->logs, home->logs_fd))
        return home;
    log_warn("%s: cannot listen", socket_path);
    viewers_free(home);
    return NULL;
}

void viewers_free(struct viewers *home)
{
    while (home->list)
        viewer_free(home->list);
    if (home->listen_fd >= 0) {
        close(home->listen_fd);
        unlink(home->path);
    }
    close(home->logs_fd);
    if (home->epoll_fd >= 0)
        close(home->epoll_fd);
    free(home->path);
    free(home->console_dir);
    free(home);
}
