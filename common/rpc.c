/* The server's side of rpc.h: an epoll set of connections, a table of verbs.
 *
 * One thread. A connection that sends faster than it reads is not read from
 * until its answers are gone, so a greedy caller holds at most RPC_LINE_MAX
 * in and OUT_HIGH + RPC_LINE_MAX out.
 */
#include "common/rpc.h"
#include "common/daemon.h"
#include "common/local_socket.h"
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNS_MAX    64
#define DEFERRED_MAX 256                /* of one connection */
#define OUT_HIGH     (4u << 20)
#define READ_BYTES   65536

struct conn {
    struct rpc_server *server;
    struct conn *next;
    struct rpc_call *deferred;          /* list by rpc_call.next */
    unsigned deferred_count;
    unsigned who;                       /* bits of enum rpc_who */
    int fd;
    uint32_t events;                    /* what epoll watches for */
    char *in;
    size_t in_len, in_size;
    char *out;
    size_t out_len, out_size;
};

struct rpc_server {
    const struct rpc_verb *verbs;
    struct conn *conns;
    unsigned conns_count;
    int epoll_fd;
    int listen_fd;
    char *path;
};

struct rpc_call {
    struct conn *conn;                  /* NULL: the caller has left */
    struct rpc_call *next;
    json_t *id;
    json_t *error;                      /* set by rpc_fail */
    bool deferred;
};

static int watch(struct conn *conn)
{
    struct epoll_event event = { .data.ptr = conn };

    if (conn->out_len < OUT_HIGH && conn->deferred_count < DEFERRED_MAX)
        event.events |= EPOLLIN;
    if (conn->out_len)
        event.events |= EPOLLOUT;
    if (event.events == conn->events)
        return 0;
    conn->events = event.events;
    return epoll_ctl(conn->server->epoll_fd, EPOLL_CTL_MOD, conn->fd, &event);
}

static void conn_close(struct conn *conn)
{
    struct conn **at = &conn->server->conns;

    while (*at != conn)
        at = &(*at)->next;
    *at = conn->next;
    conn->server->conns_count--;
    for (struct rpc_call *call = conn->deferred; call; call = call->next)
        call->conn = NULL;
    /* Not left to close(): a child between fork and exec holds the socket open, and epoll would go on naming conn. */
    epoll_ctl(conn->server->epoll_fd, EPOLL_CTL_DEL, conn->fd, NULL);
    close(conn->fd);
    free(conn->in);
    free(conn->out);
    free(conn);
}

static int grow(char **buffer, size_t *size, size_t need)
{
    size_t bytes = *size ? *size : 4096;
    char *bigger;

    if (need <= *size)
        return 0;
    while (bytes < need)
        bytes *= 2;
    bigger = realloc(*buffer, bytes);
    if (!bigger)
        return -1;
    *buffer = bigger;
    *size = bytes;
    return 0;
}

static json_t *error_object(const char *code, const char *detail, json_t *context)
{
    json_t *error = json_pack("{s:s, s:s#}", "code", code, "detail", detail, (int)strlen(detail));

    if (!error)                         /* the detail was not UTF-8 */
        error = json_pack("{s:s, s:s}", "code", code, "detail", "(not printable)");
    if (context)
        json_object_set_new(error, "context", context);
    return error;
}

static int put_line(struct conn *conn, const char *line, size_t len)
{
    if (grow(&conn->out, &conn->out_size, conn->out_len + len + 1))
        return -1;
    memcpy(conn->out + conn->out_len, line, len);
    conn->out[conn->out_len + len] = '\n';
    conn->out_len += len + 1;
    return 0;
}

/* Steals `value`. A caller who has left gets nothing. */
static void answer(struct rpc_call *call, const char *key, json_t *value)
{
    json_t *reply = json_pack("{s:O?, s:o}", "id", call->id, key, value);
    char *line = reply ? json_dumps(reply, JSON_COMPACT) : NULL;

    if (call->conn && line && strlen(line) >= RPC_LINE_MAX) {
        free(line);
        json_object_del(reply, key);
        json_object_set_new(reply, "error", error_object("internal", "the answer is too long: ask for less", NULL));
        line = json_dumps(reply, JSON_COMPACT);
    }
    if (call->conn && (!line || put_line(call->conn, line, strlen(line))))
        log_warnx("rpc: out of memory, a reply is lost");
    free(line);
    json_decref(reply);
}

static void call_free(struct rpc_call *call)
{
    json_decref(call->id);
    json_decref(call->error);
    free(call);
}

int rpc_fail_context(struct rpc_call *call, const char *code, json_t *context, const char *fmt, ...)
{
    char detail[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(detail, sizeof(detail), fmt, args);
    va_end(args);
    json_decref(call->error);
    call->error = error_object(code, detail, context);
    return -1;
}

int rpc_fail(struct rpc_call *call, const char *code, const char *fmt, ...)
{
    char detail[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(detail, sizeof(detail), fmt, args);
    va_end(args);
    return rpc_fail_context(call, code, NULL, "%s", detail);
}

struct rpc_call *rpc_defer(struct rpc_call *call)
{
    call->deferred = true;
    call->next = call->conn->deferred;
    call->conn->deferred = call;
    call->conn->deferred_count++;
    return call;
}

static const struct rpc_verb *find_verb(const struct rpc_server *server, const char *name)
{
    for (const struct rpc_verb *verb = server->verbs; verb->name; verb++)
        if (strcmp(verb->name, name) == 0)
            return verb;
    return NULL;
}

static int dispatch(struct rpc_call *call, const json_t *request, json_t **result)
{
    const char *name = json_string_value(json_object_get(request, "verb"));
    json_t *args = json_object_get(request, "args");
    const struct rpc_verb *verb = name ? find_verb(call->conn->server, name) : NULL;

    if (!name)
        return rpc_fail(call, "bad_request", "verb: missing or not a string");
    if (!verb)
        return rpc_fail(call, "bad_request", "verb: %.60s is not known here", name);
    if (!(verb->who & call->conn->who))
        return rpc_fail(call, "forbidden", "%s: this user may not call it", verb->name);
    if (!json_is_object(args))
        return rpc_fail(call, "bad_request", "args: missing or not an object");
    return verb->handle(call, args, result);
}

/* 0, or -1: the line is not a request and the connection must go. */
static int handle_line(struct conn *conn, const char *line, size_t len)
{
    json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    json_t *result = NULL;
    struct rpc_call *call;

    if (!json_is_object(request)) {
        json_decref(request);
        return -1;
    }
    call = calloc(1, sizeof(*call));
    if (!call) {
        json_decref(request);
        return -1;
    }
    call->conn = conn;
    call->id = json_incref(json_object_get(request, "id"));
    if (dispatch(call, request, &result)) {
        json_decref(result);
        answer(call, "error", json_incref(call->error));
        call_free(call);
    } else if (!call->deferred) {
        answer(call, "ok", result);
        call_free(call);
    }
    json_decref(request);
    return 0;
}

static void forget_deferred(struct rpc_call *call)
{
    struct rpc_call **at = &call->conn->deferred;

    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    call->conn->deferred_count--;
}

void rpc_finish(struct rpc_call *call, json_t *result, const char *code, const char *detail)
{
    struct conn *conn = call->conn;

    if (conn)
        forget_deferred(call);
    if (result)
        answer(call, "ok", result);
    else
        answer(call, "error", error_object(code, detail, NULL));
    /* Its connection is written to, or closed, by the next rpc_server_run. */
    if (conn)
        watch(conn);
    call_free(call);
}

static int flush(struct conn *conn)
{
    size_t sent = 0;

    while (sent < conn->out_len) {
        ssize_t n = send(conn->fd, conn->out + sent, conn->out_len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0)
            return -1;
        sent += (size_t)n;
    }
    if (sent)
        memmove(conn->out, conn->out + sent, conn->out_len - sent);
    conn->out_len -= sent;
    return 0;
}

/* Handles the whole lines in the buffer while there is room for answers. */
static int handle_lines(struct conn *conn)
{
    size_t done = 0;
    char *end;
    int rc = 0;

    while (rc == 0 && conn->out_len < OUT_HIGH && conn->deferred_count < DEFERRED_MAX &&
           (end = memchr(conn->in + done, '\n', conn->in_len - done))) {
        size_t len = (size_t)(end - (conn->in + done));

        rc = len < RPC_LINE_MAX ? handle_line(conn, conn->in + done, len) : -1;
        done += len + 1;
    }
    memmove(conn->in, conn->in + done, conn->in_len - done);
    conn->in_len -= done;
    return rc || conn->in_len >= RPC_LINE_MAX + READ_BYTES ? -1 : 0;
}

static int take_input(struct conn *conn)
{
    ssize_t n;

    if (conn->in_len >= RPC_LINE_MAX && !memchr(conn->in, '\n', conn->in_len))
        return -1;
    if (grow(&conn->in, &conn->in_size, conn->in_len + READ_BYTES))
        return -1;
    n = recv(conn->fd, conn->in + conn->in_len, READ_BYTES, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (n == 0)
        return -1;
    conn->in_len += (size_t)n;
    return 0;
}

static void conn_work(struct conn *conn, uint32_t events)
{
    if (events & (EPOLLERR | EPOLLHUP) && !(events & EPOLLIN)) {
        conn_close(conn);
        return;
    }
    if ((events & EPOLLOUT && flush(conn)) || (events & EPOLLIN && take_input(conn)) ||
        (conn->in_len && handle_lines(conn)) || flush(conn) || watch(conn))
        conn_close(conn);
}

static void add_if_user(unsigned *who, uid_t uid, const char *user, unsigned bit)
{
    uid_t theirs;
    gid_t gid;

    if (daemon_user(user, &theirs, &gid) && theirs == uid)
        *who |= bit;
}

/* The provisioner runs as root where no user was made for it. Whoever runs
 * under our own uid could read our files and trace us: refusing it a verb
 * would protect nothing, and it lets tests run without the users. */
static unsigned who_is(uid_t uid)
{
    unsigned who = 0;

    if (uid == geteuid())
        return RPC_ROOT | RPC_ACCOUNTD | RPC_PROVISIONER | RPC_API | RPC_COSIGN | RPC_WEBHOOK;
    if (uid == 0)
        who |= RPC_ROOT | RPC_PROVISIONER;
    add_if_user(&who, uid, "xs-accountd", RPC_ACCOUNTD);
    add_if_user(&who, uid, "xs-provisioner", RPC_PROVISIONER);
    add_if_user(&who, uid, "xs-api", RPC_API);
    add_if_user(&who, uid, "xs-cosign", RPC_COSIGN);
    add_if_user(&who, uid, "xs-webhook", RPC_WEBHOOK);
    return who;
}

static struct conn *conn_new(struct rpc_server *server, int fd, uid_t uid)
{
    struct conn *conn = calloc(1, sizeof(*conn));
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = conn };

    if (!conn)
        return NULL;
    conn->server = server;
    conn->fd = fd;
    conn->who = who_is(uid);
    conn->events = EPOLLIN;
    if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        free(conn);
        return NULL;
    }
    conn->next = server->conns;
    server->conns = conn;
    server->conns_count++;
    return conn;
}

static void accept_one(struct rpc_server *server)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    if (server->conns_count >= CONNS_MAX) {
        log_warnx("%s: %d connections are open, another is refused", server->path, CONNS_MAX);
        close(fd);
        return;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || !conn_new(server, fd, peer.uid)) {
        log_warn("%s: a connection is dropped", server->path);
        close(fd);
    }
}

/* One event a turn: a handler may close or finish calls of other connections,
 * and a list of events fetched before would name what is gone. */
void rpc_server_run(struct rpc_server *server)
{
    struct epoll_event event;

    for (int turn = 0; turn < 4 * CONNS_MAX; turn++) {
        if (epoll_wait(server->epoll_fd, &event, 1, 0) != 1)
            return;
        if (event.data.ptr)
            conn_work(event.data.ptr, event.events);
        else
            accept_one(server);
    }
}

int rpc_server_fd(const struct rpc_server *server)
{
    return server->epoll_fd;
}

struct rpc_server *rpc_server_new(const char *path, mode_t mode, const struct rpc_verb *verbs)
{
    struct rpc_server *server = calloc(1, sizeof(*server));
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };

    if (!server)
        return NULL;
    server->verbs = verbs;
    server->path = strdup(path);
    server->listen_fd = local_listen(path, SOCK_STREAM, mode, CONNS_MAX);
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!server->path || server->listen_fd < 0 || server->epoll_fd < 0 ||
        epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->listen_fd, &event) != 0) {
        log_warn("%s: cannot listen", path);
        rpc_server_free(server);
        return NULL;
    }
    return server;
}

void rpc_server_free(struct rpc_server *server)
{
    while (server->conns) {
        flush(server->conns);
        conn_close(server->conns);
    }
    if (server->listen_fd >= 0) {
        close(server->listen_fd);
        unlink(server->path);
    }
    if (server->epoll_fd >= 0)
        close(server->epoll_fd);
    free(server->path);
    free(server);
}
