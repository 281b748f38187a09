#include "api/exchange.h"
#include "api/dispatch.h"
#include "api/people/session.h"
#include "api/route.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BODY_BYTES_FREE    4096
#define BODIES_BYTES_MAX   (4u << 20)

/* The headers that mean something to us, and where they go. */
static const struct {
    const char *name;
    size_t at;
} headers[] = {
    { "Host", offsetof(struct request, host) },
    { "Authorization", offsetof(struct request, authorization) },
    { "Idempotency-Key", offsetof(struct request, idempotency_key) },
    { "Content-Type", offsetof(struct request, content_type) },
    { "Accept", offsetof(struct request, accept) },
    { "Accept-Encoding", offsetof(struct request, accept_encoding) },
    { "User-Agent", offsetof(struct request, agent) },
    { "Origin", offsetof(struct request, origin) },
    { "If-Match", offsetof(struct request, if_match) },
    { "Last-Event-ID", offsetof(struct request, last_event_id) },
    { "Stripe-Signature", offsetof(struct request, signature) },
    { "X-CSRF-Token", offsetof(struct request, csrf) },
    { "X-Reason", offsetof(struct request, reason) },
    { "X-Project", offsetof(struct request, project) },
    { "Connection", offsetof(struct request, handshake.connection) },
    { "Upgrade", offsetof(struct request, handshake.upgrade) },
    { "Sec-WebSocket-Key", offsetof(struct request, handshake.key) },
    { "Sec-WebSocket-Version", offsetof(struct request, handshake.version) },
};

/* Of a header that comes twice the first one is taken. */
static enum MHD_Result header_take(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        const char **place = (const char **)((char *)arg + headers[i].at);

        if (strcasecmp(name, headers[i].name) != 0)
            continue;
        *place = *place ? *place : value;
        break;
    }
    return MHD_YES;
}

static enum MHD_Result query_take(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct request *rq = arg;

    (void)kind;
    if (rq->query_count == QUERY_MAX) {
        rq->query_excess = true;
        return MHD_NO;
    }
    rq->query[rq->query_count++] = (struct query){ name ? name : "", value ? value : "" };
    return MHD_YES;
}

static void peer_print(struct MHD_Connection *connection, char *out, size_t size)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;

    if (!address || getnameinfo(address, address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in),
                                out, (socklen_t)size, NULL, 0, NI_NUMERICHOST) != 0)
        snprintf(out, size, "unknown");
}

struct exchange *exchange_new(struct api *api, struct MHD_Connection *connection, const char *method, const char *path,
                              struct crowd *crowd)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    struct request *rq = exchange ? &exchange->rq : NULL;

    if (!exchange)
        return NULL;
    exchange->connection = connection;
    exchange->crowd = crowd;
    reply_start(&exchange->rp);
    rq->api = api;
    rq->method = method;
    rq->path = path;
    rq->route = route_find(method, path, rq->param, exchange->rp.allow);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, header_take, rq);
    rq->cookie = MHD_lookup_connection_value(connection, MHD_COOKIE_KIND, cookie_name(path));
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, query_take, rq);
    peer_print(connection, rq->peer, sizeof(rq->peer));
    exchange->body_max = dispatch_body_max(rq);
    return exchange;
}

/* Takes room for `size` bytes more, or says that there is none. */
static bool room_take(struct exchange *exchange, size_t size)
{
    size_t after = exchange->rq.body_size + size;
    size_t more = after > BODY_BYTES_FREE ? after - BODY_BYTES_FREE - exchange->counted : 0;

    if (exchange->crowd->bytes + more > BODIES_BYTES_MAX)
        return false;
    exchange->crowd->bytes += more;
    exchange->counted += more;
    return true;
}

static void room_return(struct exchange *exchange)
{
    exchange->crowd->bytes -= exchange->counted;
    exchange->counted = 0;
}

enum MHD_Result exchange_receive(struct exchange *exchange, const char *bytes, size_t size)
{
    struct request *rq = &exchange->rq;
    char *more;

    exchange->received += size;
    if (exchange->received > SWALLOW_BYTES_MAX)
        return MHD_NO;
    if (!rq->body_excess && exchange->received <= exchange->body_max && !room_take(exchange, size))
        rq->body_crowded = true;
    if (rq->body_excess || rq->body_crowded || exchange->received > exchange->body_max) {
        rq->body_excess = true;
        free(rq->body);
        rq->body = NULL;
        rq->body_size = 0;
        room_return(exchange);
        return MHD_YES;
    }
    more = realloc(rq->body, rq->body_size + size);
    if (!more)
        return MHD_NO;
    memcpy(more + rq->body_size, bytes, size);
    rq->body = more;
    rq->body_size += size;
    return MHD_YES;
}

void exchange_free(struct exchange *exchange)
{
    room_return(exchange);
    reply_free(&exchange->rp);
    request_free(&exchange->rq);
    free(exchange);
}
