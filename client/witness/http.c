#include "client/witness/http.h"
#include "common/log.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IDLE_S          30
#define CONNECTIONS_MAX 64

struct witness_http {
    struct MHD_Daemon *daemon;
    struct witness *witness;
};

struct upload {
    char *body;
    size_t len;
    bool excess;
};

static enum MHD_Result send_text(struct MHD_Connection *connection, int status, const char *type, char *text)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", type);
    if (status == 405)
        MHD_add_response_header(response, "Allow", "POST");
    result = MHD_queue_response(connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, int status, const char *text)
{
    char *copy = strdup(text);

    return copy ? send_text(connection, status, "text/plain; charset=utf-8", copy) : MHD_NO;
}

static enum MHD_Result take_more(struct upload *upload, const char *bytes, size_t *len)
{
    char *more;

    if (upload->len + *len > WITNESS_BODY_MAX) {
        upload->excess = true;
    } else {
        more = realloc(upload->body, upload->len + *len + 1);
        if (!more)
            return MHD_NO;
        memcpy(more + upload->len, bytes, *len);
        upload->body = more;
        upload->len += *len;
        more[upload->len] = 0;
    }
    *len = 0;
    return MHD_YES;
}

static enum MHD_Result finish(struct witness *witness, struct MHD_Connection *connection, const struct upload *upload)
{
    struct witness_reply reply;

    if (upload->excess)
        return refuse(connection, 413, "at most 65536 bytes\n");
    witness_add_checkpoint(witness, upload->body ? upload->body : "", upload->len, (int64_t)time(NULL), &reply);
    return reply.body ? send_text(connection, reply.status, reply.type, reply.body) : MHD_NO;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *bytes, size_t *len, void **state)
{
    struct witness_http *http = arg;
    struct upload *upload = *state;

    (void)version;
    if (!upload) {
        *state = calloc(1, sizeof(struct upload));
        return *state ? MHD_YES : MHD_NO;
    }
    if (*len)
        return take_more(upload, bytes, len);
    if (strcmp(url, "/add-checkpoint") != 0)
        return refuse(connection, 404, "a witness: POST /add-checkpoint\n");
    if (strcmp(method, "POST") != 0)
        return refuse(connection, 405, "a witness: POST /add-checkpoint\n");
    return finish(http->witness, connection, upload);
}

static void ended(void *arg, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
    struct upload *upload = *state;

    (void)arg;
    (void)connection;
    (void)code;
    if (upload)
        free(upload->body);
    free(upload);
    *state = NULL;
}

struct witness_http *witness_http_start(struct witness *witness, const char *address, uint16_t port)
{
    struct witness_http *http = calloc(1, sizeof(*http));
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };

    if (!http || inet_pton(AF_INET, address, &at.sin_addr) != 1) {
        log_warnx("%s: not an IPv4 address", address);
        free(http);
        return NULL;
    }
    http->witness = witness;
    http->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, port, NULL, NULL, handle, http,
                                    MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at, MHD_OPTION_NOTIFY_COMPLETED, ended,
                                    NULL, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_CONNECTION_LIMIT,
                                    (unsigned)CONNECTIONS_MAX, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
    if (http->daemon)
        return http;
    log_warn("%s:%u: cannot listen", address, port);
    free(http);
    return NULL;
}

uint16_t witness_http_port(const struct witness_http *http)
{
    return MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

void witness_http_stop(struct witness_http *http)
{
    MHD_stop_daemon(http->daemon);
    free(http);
}
