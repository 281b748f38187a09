/* The client's side of rpc.h: one request at a time, with a deadline.
 *
 * A connection on which anything went wrong is closed: a late answer to a
 * request that was given up must never be taken for the answer to the next.
 */
#include "common/clock.h"
#include "common/local_socket.h"
#include "common/rpc.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct rpc_client {
    char *path;
    int fd;                             /* -1: not connected */
    int stop_fd;                        /* -1: none */
    json_int_t next_id;
    char *in;                           /* RPC_LINE_MAX bytes */
    size_t in_len;
};

struct rpc_client *rpc_client_new(const char *path)
{
    struct rpc_client *client = calloc(1, sizeof(*client));

    if (!client)
        return NULL;
    client->fd = client->stop_fd = -1;
    client->path = strdup(path);
    client->in = malloc(RPC_LINE_MAX);
    if (client->path && client->in)
        return client;
    rpc_client_free(client);
    return NULL;
}

void rpc_client_stop_on(struct rpc_client *client, int fd)
{
    client->stop_fd = fd;
}

static void disconnect(struct rpc_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    client->in_len = 0;
}

void rpc_client_free(struct rpc_client *client)
{
    if (!client)
        return;
    disconnect(client);
    free(client->path);
    free(client->in);
    free(client);
}

static int wait_for(const struct rpc_client *client, short events, int64_t deadline_ms)
{
    struct pollfd at[] = { { .fd = client->fd, .events = events }, { .fd = client->stop_fd, .events = POLLIN } };
    int64_t left = deadline_ms - clock_monotonic_ms();
    int rc;

    if (left < 0)
        left = 0;
    rc = poll(at, 2, (int)left);
    if (rc == 0)
        errno = ETIMEDOUT;
    if (rc > 0 && at[1].revents) {
        errno = ECANCELED;
        return -1;
    }
    return rc > 0 || (rc < 0 && errno == EINTR) ? 0 : -1;
}

static int send_all(struct rpc_client *client, const char *line, size_t len, int64_t deadline_ms)
{
    while (len) {
        ssize_t n = send(client->fd, line, len, MSG_NOSIGNAL);

        if (n >= 0) {
            line += n;
            len -= (size_t)n;
        } else if (errno != EINTR && (errno != EAGAIN || wait_for(client, POLLOUT, deadline_ms))) {
            return -1;
        }
    }
    return 0;
}

static json_t *take_line(struct rpc_client *client, size_t len)
{
    json_t *reply = json_loadb(client->in, len, JSON_REJECT_DUPLICATES, NULL);

    client->in_len -= len + 1;
    memmove(client->in, client->in + len + 1, client->in_len);
    if (json_is_object(reply))
        return reply;
    json_decref(reply);
    errno = EBADMSG;
    return NULL;
}

/* The next line as JSON; NULL with errno. ECONNRESET: the daemon closed. */
static json_t *receive(struct rpc_client *client, int64_t deadline_ms)
{
    char *end;

    while (!(end = memchr(client->in, '\n', client->in_len))) {
        ssize_t n;

        if (client->in_len == RPC_LINE_MAX) {
            errno = EMSGSIZE;
            return NULL;
        }
        n = recv(client->fd, client->in + client->in_len, RPC_LINE_MAX - client->in_len, 0);
        if (n == 0)
            errno = ECONNRESET;
        if (n == 0 || (n < 0 && errno != EINTR && (errno != EAGAIN || wait_for(client, POLLIN, deadline_ms))))
            return NULL;
        if (n > 0)
            client->in_len += (size_t)n;
    }
    return take_line(client, (size_t)(end - client->in));
}

static json_t *exchange(struct rpc_client *client, const char *line, json_int_t id, int64_t deadline_ms)
{
    json_t *reply;

    if (client->fd < 0 && (client->fd = local_connect(client->path, SOCK_STREAM)) < 0)
        return NULL;
    if (send_all(client, line, strlen(line), deadline_ms))
        return NULL;
    reply = receive(client, deadline_ms);
    if (reply && json_integer_value(json_object_get(reply, "id")) != id) {
        json_decref(reply);
        errno = EBADMSG;
        return NULL;
    }
    return reply;
}

static json_t *unavailable(const struct rpc_client *client, int err)
{
    char detail[256];

    snprintf(detail, sizeof(detail), "%s: %s", client->path, strerror(err));
    return json_pack("{s:s, s:s}", "code", "unavailable", "detail", detail);
}

static json_t *open_reply(json_t *reply, json_t **error)
{
    json_t *ok = json_incref(json_object_get(reply, "ok"));

    if (!ok)
        *error = json_incref(json_object_get(reply, "error"));
    if (!ok && !*error)
        *error = json_pack("{s:s, s:s}", "code", "internal", "detail", "a reply with neither ok nor error");
    json_decref(reply);
    return ok;
}

/* The request and its newline; NULL if it cannot be sent. */
static char *request_line(json_int_t id, const char *verb, json_t *args)
{
    json_t *request = json_pack("{s:I, s:s, s:o}", "id", id, "verb", verb, "args", args);
    char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
    char *line = NULL;

    if (text && strlen(text) < RPC_LINE_MAX && asprintf(&line, "%s\n", text) < 0)
        line = NULL;
    free(text);
    json_decref(request);
    return line;
}

json_t *rpc_call_sync(struct rpc_client *client, const char *verb, json_t *args, int timeout_ms, json_t **error)
{
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    bool reused = client->fd >= 0;
    json_int_t id = ++client->next_id;
    char *line = request_line(id, verb, args);
    json_t *reply;

    *error = NULL;
    if (!line) {
        *error = json_pack("{s:s, s:s}", "code", "bad_request", "detail", "the request is too long or not UTF-8");
        return NULL;
    }
    reply = exchange(client, line, id, deadline_ms);
    if (!reply && reused && (errno == EPIPE || errno == ECONNRESET)) {
        /* The daemon was restarted since our last request. Verbs carry ids: asking twice is safe. */
        disconnect(client);
        reply = exchange(client, line, id, deadline_ms);
    }
    free(line);
    if (reply)
        return open_reply(reply, error);
    *error = unavailable(client, errno);
    disconnect(client);
    return NULL;
}
