/* Clients that are slow or many: they are cut off, and an honest one next to
 * them is served as if they were not there. */
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SLOW 60
#define CUT_S_MAX 40

static struct rig rig;

struct client {
    pthread_t thread;
    const char *first;                  /* sent at once; then a byte now and then */
    bool tls;
    double seconds;                     /* until it was cut off; 0 it was not */
};

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int connect_api(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)rig.port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        tap_bail("connect");
    return fd;
}

/* Ends when the other side does, or after CUT_S_MAX. A byte every half second
 * keeps libmicrohttpd's own timeout from ever being reached. */
static bool dribble(int fd, SSL *ssl, double begun_s)
{
    struct pollfd end = { .fd = fd, .events = POLLIN };
    char byte;

    while (now_s() - begun_s < CUT_S_MAX) {
        if (poll(&end, 1, 500) > 0) {
            if (!ssl || SSL_read(ssl, &byte, 1) <= 0)
                return true;
        } else if (ssl && SSL_write(ssl, "a", 1) <= 0) {
            return true;
        }
    }
    return false;
}

static void *client_run(void *arg)
{
    struct client *client = arg;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = client->tls ? SSL_new(ctx) : NULL;
    double begun_s = now_s();
    int fd = connect_api();

    if (ssl) {
        SSL_set_fd(ssl, fd);
        if (SSL_connect(ssl) != 1)
            tap_bail("TLS");
        SSL_write(ssl, client->first, (int)strlen(client->first));
    }
    if (dribble(fd, ssl, begun_s))
        client->seconds = now_s() - begun_s;
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
    return NULL;
}

static void slow_clients(void)
{
    static const char *const firsts[] = {
        "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        "POST /v1/instances HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{",
        "GET /heal",
    };
    static struct client clients[SLOW];
    int cut = 0, late = 0, honest = 0, asked = 0;
    struct response answer;
    double begun_s = now_s();

    for (int i = 0; i < SLOW; i++) {
        clients[i].tls = i % 4 != 3;
        clients[i].first = firsts[i % 3];
        pthread_create(&clients[i].thread, NULL, client_run, &clients[i]);
    }
    while (now_s() - begun_s < 10) {
        struct timespec pause = { .tv_nsec = 50000000 };

        answer = rig_get(&rig, NULL, "/healthz");
        honest += answer.status == 200;
        asked++;
        answer_free(&answer);
        nanosleep(&pause, NULL);
    }
    ok(asked > 20 && honest == asked, "an honest client is served beside %d slow ones (%d of %d)", SLOW, honest, asked);
    for (int i = 0; i < SLOW; i++) {
        pthread_join(clients[i].thread, NULL);
        cut += clients[i].seconds > 0;
        late += clients[i].seconds > 30;
    }
    ok_int(cut, SLOW, "each slow client was cut off");
    ok_int(late, 0, "within 30 s");
}

/* Connections beyond the address's share are closed at once. */
static void many_connections(void)
{
    int fds[40], closed = 0;
    char byte;

    rig_api_stop(&rig, SIGTERM);
    rig_config_set(&rig, "limits.connections_per_address", "16");
    rig_api_start(&rig);
    for (int i = 0; i < 40; i++)
        fds[i] = connect_api();
    for (int i = 0; i < 40; i++) {
        struct pollfd end = { .fd = fds[i], .events = POLLIN };

        if (poll(&end, 1, 300) > 0 && recv(fds[i], &byte, 1, MSG_DONTWAIT) <= 0)
            closed++;
    }
    ok(closed >= 20, "of forty connections at most the allowed stay (%d were closed)", closed);
    for (int i = 0; i < 40; i++)
        close(fds[i]);
}

/* Whether a handshake with exactly this version succeeds. */
static bool speaks(int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl;
    int fd = connect_api();
    bool good;

    /* OpenSSL's own security level would not even offer the old ones. */
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    good = SSL_connect(ssl) == 1;
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
    return good;
}

/* A client's second handshake on a connection is refused by a fatal alert, at once. */
static void renegotiation(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl;
    int fd = connect_api();

    SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    ok(SSL_connect(ssl) == 1 && SSL_get_secure_renegotiation_support(ssl), "TLS 1.2 has a first handshake");
    ERR_clear_error();
    SSL_renegotiate(ssl);
    ok(SSL_do_handshake(ssl) != 1 && ERR_GET_REASON(ERR_peek_error()) == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
       "and no second one: a fatal alert ends it");
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
}

static void tls_versions(void)
{
    ok(speaks(TLS1_3_VERSION), "TLS 1.3 is spoken");
    ok(speaks(TLS1_2_VERSION), "TLS 1.2 is spoken");
    ok(!speaks(TLS1_1_VERSION), "TLS 1.1 is not");
    ok(!speaks(TLS1_VERSION), "TLS 1.0 is not");
}

int main(void)
{
    rig_start(&rig);
    tls_versions();
    renegotiation();
    slow_clients();
    many_connections();
    rig_end(&rig);
    return tap_end();
}
