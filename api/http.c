/* Receiving, suspending, answering. */
#include "api/http.h"
#include "api/console/hub.h"
#include "api/deadline.h"
#include "api/dispatch.h"
#include "api/exchange.h"
#include "api/pool.h"
#include "api/renegotiation.h"
#include "api/streams.h"
#include "common/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A connection's memory: header lines, and what libmicrohttpd notes of them. Above 32 KiB libmicrohttpd maps it, and what nobody
 * fills costs nothing; malloc's would be used again and again until all of it had been touched. */
#define HEADER_BYTES_MAX   (36 * 1024)
/* 10 KiB each, and its header lines: with all else at most 64 MiB (tests/api/crowd). */
#define CONNECTIONS_MAX    700
#define CONNECTIONS_CALM   600              /* above it who is idle makes room; their ends overlap with new ones */
#define IDLE_S             30
#define ARRIVAL_MS         20000
#define SEND_MS            300000
#define WORKERS            6
#define WORKERS_QUEUE      256
/* Ours is the choice, and no block chaining: each cipher authenticates what it hides (RFC 9325 section 4.2). */
#define TLS_PRIORITIES                                                                                                 \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:-RSA:"         \
    "%SERVER_PRECEDENCE"

struct http {
    struct api *api;
    struct MHD_Daemon *daemon;
    struct pool *workers;
    struct pool *waiters;
    struct deadlines *deadlines;
    struct crowd crowd;
};

/* answering */

/* From here on the connection is the viewer's. */
static void upgraded(void *arg, struct MHD_Connection *connection, void *context, const char *early, size_t early_size,
                     MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
    struct exchange *exchange = context;
    struct place *place = exchange->rp.console;

    (void)arg;
    exchange->rp.console = NULL;
    place_take(place, &(struct upgraded){ connection, handle, exchange->http->deadlines, fd }, early, early_size);
}

static struct MHD_Response *upgrade_response(const struct reply *rp)
{
    struct MHD_Response *response = MHD_create_response_for_upgrade(upgraded, NULL);

    if (response) {
        MHD_add_response_header(response, "Upgrade", "websocket");
        MHD_add_response_header(response, "Sec-WebSocket-Accept", rp->websocket_accept);
    }
    return response;
}

static struct MHD_Response *response_make(struct exchange *exchange)
{
    struct reply *rp = &exchange->rp;
    struct MHD_Response *response;
    char *text = NULL;
    size_t size = 0;

    if (rp->file_fd >= 0) {
        response = MHD_create_response_from_fd_at_offset64(rp->file_size, rp->file_fd, rp->file_offset);
        rp->file_fd = -1;                   /* libmicrohttpd closes it */
        return response;
    }
    if (rp->console)
        return upgrade_response(rp);
    if (rp->stream) {
        response = stream_response(rp->stream, exchange->connection, exchange->http->deadlines);
        rp->stream = response ? NULL : rp->stream;
        return response;
    }
    if (rp->text) {
        response = MHD_create_response_from_buffer(rp->text_size, rp->text, MHD_RESPMEM_MUST_FREE);
        rp->text = NULL;
        return response;
    }
    if (rp->constant)
        return MHD_create_response_from_buffer(rp->text_size, (char *)(uintptr_t)rp->constant, MHD_RESPMEM_PERSISTENT);
    if (rp->json && (text = json_dumps(rp->json, JSON_COMPACT)) != NULL)
        size = strlen(text);
    response = MHD_create_response_from_buffer(size, text ? text : "", text ? MHD_RESPMEM_MUST_FREE
                                                                           : MHD_RESPMEM_PERSISTENT);
    return response;
}

static void header_number(struct MHD_Response *response, const char *name, long value)
{
    char text[24];

    snprintf(text, sizeof(text), "%ld", value);
    MHD_add_response_header(response, name, text);
}

static const char *content_type(const struct reply *rp)
{
    if (rp->text_type)
        return rp->text_type;
    return rp->status >= 400 ? "application/problem+json" : "application/json";
}

static void headers_add(struct MHD_Response *response, const struct reply *rp, const char *request_id)
{
    char name[112];

    if (rp->status != 204 && rp->status != 101)
        MHD_add_response_header(response, "Content-Type", content_type(rp));
    MHD_add_response_header(response, "X-Request-Id", request_id);
    MHD_add_response_header(response, "Cache-Control", rp->cache && rp->status == 200 ? rp->cache : "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    for (const char *const *header = rp->headers; header && rp->status == 200 && *header; header += 2)
        MHD_add_response_header(response, header[0], header[1]);
    if (rp->encoding && rp->status == 200)
        MHD_add_response_header(response, "Content-Encoding", rp->encoding);
    if (rp->etag[0] && rp->status == 200)
        MHD_add_response_header(response, "ETag", rp->etag);
    if (rp->location[0])
        MHD_add_response_header(response, "Location", rp->location);
    if (rp->cookie[0])
        MHD_add_response_header(response, "Set-Cookie", rp->cookie);
    if (rp->status == 426) {
        MHD_add_response_header(response, "Upgrade", "websocket");
        MHD_add_response_header(response, "Sec-WebSocket-Version", WEBSOCKET_VERSION);
    }
    if (rp->status == 405)
        MHD_add_response_header(response, "Allow", rp->allow);
    if (rp->status == 401)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    if (rp->replayed)
        MHD_add_response_header(response, "Idempotent-Replayed", "true");
    if (rp->retry_after_s)
        header_number(response, "Retry-After", rp->retry_after_s);
    if (rp->next_cursor)
        header_number(response, "X-Next-Cursor", rp->next_cursor);
    if (rp->file_name[0]) {
        snprintf(name, sizeof(name), "attachment; filename=\"%s\"", rp->file_name);
        MHD_add_response_header(response, "Content-Disposition", name);
    }
    if (rp->limit) {
        header_number(response, "RateLimit-Limit", rp->limit);
        header_number(response, "RateLimit-Remaining", rp->limit_remaining);
        header_number(response, "RateLimit-Reset", rp->limit_reset_s);
    }
}

static enum MHD_Result answer_queue(struct exchange *exchange)
{
    struct reply *rp = &exchange->rp;
    unsigned status = (unsigned)rp->status;
    struct MHD_Response *response = response_make(exchange);
    enum MHD_Result rc;

    if (!response)
        return MHD_NO;
    headers_add(response, rp, exchange->rq.request_id);
    deadline_set(exchange->http->deadlines, exchange->connection, SEND_MS);
    rc = MHD_queue_response(exchange->connection, status, response);
    MHD_destroy_response(response);
    return rc;
}

/* For what never reaches dispatch. */
static void refuse(struct exchange *exchange, enum answer answer, const char *detail)
{
    id_make("req_", exchange->rq.request_id);
    reply_fail(&exchange->rp, answer, "%s", detail);
    reply_finish(&exchange->rp, answer, exchange->rq.request_id);
    exchange->answered = true;
}

static void work(struct upstream *up, void *job)
{
    struct exchange *exchange = job;

    exchange->rq.up = up;
    dispatch(&exchange->rq, &exchange->rp);
    exchange->answered = true;
    MHD_resume_connection(exchange->connection);
}

static void work_submit(struct http *http, struct exchange *exchange)
{
    struct request *rq = &exchange->rq;

    deadline_set(http->deadlines, exchange->connection, 0);
    MHD_suspend_connection(exchange->connection);
    rq->may_wait = dispatch_waits(rq);
    if (rq->may_wait && pool_submit(http->waiters, exchange))
        return;
    rq->may_wait = false;
    if (pool_submit(http->workers, exchange))
        return;
    refuse(exchange, ANSWER_OVERLOADED, "try again in a moment");
    MHD_resume_connection(exchange->connection);
}

static bool announced_too_large(struct MHD_Connection *connection)
{
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");

    return length && strtoull(length, NULL, 10) > SWALLOW_BYTES_MAX;
}

static enum MHD_Result access_handle(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                                     const char *version, const char *bytes, size_t *size, void **context)
{
    struct http *http = arg;
    struct exchange *exchange = *context;

    (void)version;
    if (!exchange) {
        *context = exchange = exchange_new(http->api, connection, method, url, &http->crowd);
        if (!exchange)
            return MHD_NO;
        exchange->http = http;
        if (!announced_too_large(connection))
            return MHD_YES;
        refuse(exchange, ANSWER_TOO_LARGE, "a body may have at most 65536 bytes");
        return answer_queue(exchange);
    }
    if (exchange->answered)
        return answer_queue(exchange);
    if (*size) {
        size_t taken = *size;

        *size = 0;
        return exchange_receive(exchange, bytes, taken);
    }
    if (dispatch_at_once(&exchange->rq, &exchange->rp))
        return answer_queue(exchange);
    work_submit(http, exchange);
    return MHD_YES;
}

static void completed_notify(void *arg, struct MHD_Connection *connection, void **context,
                             enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *context;
    struct http *http = arg;

    (void)code;
    deadline_idle(http->deadlines, connection, IDLE_S * 1000 + ARRIVAL_MS);
    if (!exchange)
        return;
    exchange_free(exchange);
    *context = NULL;
}

static void connection_notify(void *arg, struct MHD_Connection *connection, void **context,
                              enum MHD_ConnectionNotificationCode code)
{
    deadlines_notify(arg, connection, context, code);
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        renegotiation_forbid(connection);
    else
        renegotiation_forget(connection);
}

/* What strangers do wrong is their own affair, and no way to fill our log; the rest is worth a line. */
static void library_log(void *arg, const char *fmt, va_list args)
{
    static const char *const theirs[] = { "TLS", "closed", "reset", "disconnected", "no longer available", "handshake",
                                          "connection limit", "processing request", NULL };
    char line[256];

    (void)arg;
    vsnprintf(line, sizeof(line), fmt, args);
    line[strcspn(line, "\n")] = 0;
    for (const char *const *their = theirs; *their; their++)
        if (strstr(line, *their))
            return;
    log_warnx("libmicrohttpd: %s", line);
}

int http_listen(const char *host, const char *port)
{
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found;
    int fd, on = 1, off = 0;

    if (getaddrinfo(host, port, &hints, &found) != 0)
        fatalx("listen %s:%s: not an address and a port", host, port);
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        fatal("listen %s:%s: no socket", host, port);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (found->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 1024) != 0)
        fatal("listen %s:%s: stop what uses it, or change \"listen\"", host, port);
    freeaddrinfo(found);
    return fd;
}

unsigned http_port(int listen_fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);

    if (getsockname(listen_fd, (struct sockaddr *)&address, &size) != 0)
        fatal("the listening socket has no address");
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

/* libmicrohttpd decodes in place; a %00 would end our strings early, and
 * "/v1/account%00x" would pass for "/v1/account". */
static size_t unescape(void *arg, struct MHD_Connection *connection, char *text)
{
    size_t size = MHD_http_unescape(text);

    (void)arg;
    (void)connection;
    for (size_t i = 0; i < size; i++)
        if (!text[i])
            text[i] = 1;
    return size;
}

static struct MHD_Daemon *daemon_start(struct http *http, int listen_fd, const struct tls_pair *tls)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE | MHD_USE_ERROR_LOG;

    return MHD_start_daemon(
        flags, 0, NULL, NULL, access_handle, http, MHD_OPTION_EXTERNAL_LOGGER, library_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_HTTPS_MEM_CERT, tls->certificate, MHD_OPTION_HTTPS_MEM_KEY,
        tls->private_key, MHD_OPTION_HTTPS_PRIORITIES, TLS_PRIORITIES, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)http->api->config.connections_per_address,
        MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_BYTES_MAX,
        MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL, MHD_OPTION_NOTIFY_COMPLETED, completed_notify, http,
        MHD_OPTION_NOTIFY_CONNECTION, connection_notify, http->deadlines, MHD_OPTION_END);
}

struct http *http_start(struct api *api, int listen_fd, const struct tls_pair *tls)
{
    struct http *http = calloc(1, sizeof(*http));

    if (!http)
        fatalx("out of memory");
    http->api = api;
    http->workers = pool_new(WORKERS, WORKERS_QUEUE, api->config.accountd, api->config.provisioner, work);
    http->waiters = pool_new(WAITS_MAX, 0, api->config.accountd, api->config.provisioner, work);
    http->deadlines = deadlines_new(ARRIVAL_MS, CONNECTIONS_CALM);
    http->daemon = daemon_start(http, listen_fd, tls);
    if (!http->daemon)
        fatalx("libmicrohttpd does not start with this certificate and key (the line above says why)");
    return http;
}

void http_stop(struct http *http)
{
    int listen_fd = MHD_quiesce_daemon(http->daemon);

    /* Every suspended connection has to be resumed before the daemon may stop:
     * emptying the pools and ending the streams does that. Those that left HTTP have to be given back. */
    pool_free(http->waiters);
    pool_free(http->workers);
    streams_stop(http->api->streams);
    hub_stop(http->api->consoles);
    MHD_stop_daemon(http->daemon);
    if (listen_fd >= 0)
        close(listen_fd);
    deadlines_free(http->deadlines);
    free(http);
}
