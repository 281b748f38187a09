/* Ten thousand connections that say nothing, or too much, or too slowly, from hundreds of addresses: the api keeps to
 * its memory, and an honest client hardly notices. This is the program as it is installed: a sanitizer's memory would
 * be measured instead. */
#include "tests/api/rig.h"
#include "tests/api/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define IDLE 10000
#define PER_ADDRESS 50                  /* below the host's limit, so that nothing else ends them */
#define LIMIT "64"                      /* as host/dom0/etc/xs/api.conf has it */
#define SPEAKING_EVERY 10               /* one in ten has finished its TLS handshake */
#define HONEST 1000
#define MEMORY_KIB_MAX (64 * 1024)
#define LOGINS 20
#define LOGIN "{\"email\":\"nobody@example.org\",\"password\":\"a wrong password\"}"
#define UNFINISHED 1000

static struct rig rig;
static SSL_CTX *tls;

struct honest {
    char key[64];
    atomic_int asked, served;
    atomic_bool enough;
};

static long memory_kib(const char *what)
{
    char path[64], line[256];
    long kib = -1;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/status", rig.api);
    file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, what, strlen(what)) == 0)
            kib = strtol(line + strlen(what), NULL, 10);
    if (file)
        fclose(file);
    return kib;
}

/* Each request on a connection of its own: who has one already would not notice that others are shut out. */
static void *honest_run(void *arg)
{
    struct honest *honest = arg;

    while (!honest->enough || honest->asked < HONEST) {
        const char *key = honest->asked % 2 ? honest->key : NULL;
        struct response answer = rig_call(&rig, &(struct call){ .method = "GET", .key = key, .header = "Connection: close",
                                                                .path = key ? "/v1/instances" : "/healthz" });

        honest->served += answer.status == 200;
        honest->asked++;
        answer_free(&answer);
    }
    return NULL;
}

/* From the n-th of many addresses; -1 if it is not let in. */
static int connect_from(unsigned address)
{
    struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010001 + address) };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)rig.port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ .tv_sec = 60 }, sizeof(struct timeval));
    if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0)
        tap_bail("a socket from another address: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    close(fd);
    return -1;
}

static SSL *handshake(int fd)
{
    SSL *ssl = SSL_new(tls);

    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) == 1)
        return ssl;
    SSL_free(ssl);
    return NULL;
}

static bool ended(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

static void idlers(int *fds)
{
    int in = 0, spoke = 0;

    for (unsigned i = 0; i < IDLE; i++) {
        SSL *ssl = NULL;

        fds[i] = connect_from(i / PER_ADDRESS);
        in += fds[i] >= 0;
        if (fds[i] >= 0 && i % SPEAKING_EVERY == 0)
            ssl = handshake(fds[i]);
        spoke += ssl != NULL;
        SSL_free(ssl);
    }
    ok(in == IDLE && spoke >= IDLE / SPEAKING_EVERY * 99 / 100, "%d connections were let in, %d spoke TLS", in, spoke);
}

/* Megabytes of header lines, each client until it is cut off. */
static void huge_headers(void)
{
    static char line[8192] = "X-Huge: ";
    int cut = 0;

    memset(line + 8, 'a', sizeof(line) - 10);
    memcpy(line + sizeof(line) - 2, "\r\n", 2);
    for (unsigned i = 0; i < 50; i++) {
        int fd = connect_from(1000 + i), sent = 0;
        SSL *ssl = fd >= 0 ? handshake(fd) : NULL;

        if (ssl && SSL_write(ssl, "GET /healthz HTTP/1.1\r\nHost: x\r\n", 32) > 0)
            while (sent < 1000 && SSL_write(ssl, line, sizeof(line)) > 0)
                sent++;
        cut += ssl && sent < 1000;
        SSL_free(ssl);
        close(fd);
    }
    ok_int(cut, 50, "who sends megabytes of headers is cut off");
}

/* Requests that are nearly whole, and stay so: `start`, and as much of its last part as it may have. */
static void unfinished(const char *what, unsigned address, const char *start, int filler)
{
    static char text[70000];
    static int fds[UNFINISHED];
    int len = snprintf(text, sizeof(text), "%s", start), sent = 0;

    memset(text + len, 'a', (size_t)filler);
    for (unsigned i = 0; i < UNFINISHED; i++) {
        SSL *ssl;

        fds[i] = connect_from(address + i / PER_ADDRESS);
        ssl = fds[i] >= 0 ? handshake(fds[i]) : NULL;
        sent += ssl && SSL_write(ssl, text, len + filler) > 0;
        SSL_free(ssl);
    }
    ok(sent >= UNFINISHED * 99 / 100, "%d %s: %ld KiB", sent, what, memory_kib("VmHWM:"));
    for (int i = 0; i < UNFINISHED; i++)
        close(fds[i]);
}

static void one_address(void)
{
    int fds[200], stay = 0;

    for (int i = 0; i < 200; i++) {
        struct pollfd end = { .fd = fds[i] = connect_from(2000), .events = POLLIN };

        /* The first that is refused comes after all that are let in. */
        if (stay == i && poll(&end, 1, i < atoi(LIMIT) ? 0 : 10000) == 0)
            stay++;
    }
    ok_int(stay, atoi(LIMIT), "of 200 connections from one address, as many stay as the limit says");
    for (int i = 0; i < 200; i++)
        close(fds[i]);
}

/* Passwords are hashed one at a time: most of a storm is asked to come again. */
static void *login_run(void *arg)
{
    atomic_int *answered = arg;

    for (int i = 0; i < 5; i++) {
        struct response answer = rig_post(&rig, NULL, "/v1/sessions", NULL, LOGIN);

        *answered += answer.status == 401 || *answer_header(&answer, "retry-after");
        answer_free(&answer);
    }
    return NULL;
}

static void logins(void)
{
    pthread_t threads[LOGINS];
    atomic_int answered = 0;

    for (int i = 0; i < LOGINS; i++)
        pthread_create(&threads[i], NULL, login_run, &answered);
    for (int i = 0; i < LOGINS; i++)
        pthread_join(threads[i], NULL);
    ok_int(answered, 5 * LOGINS, "each login of a storm is answered");
}

static void descriptors_raise(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max < IDLE + 1000)
        tap_bail("this test needs %d descriptors: raise the hard limit (ulimit -Hn)", IDLE + 1000);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(void)
{
    static int fds[IDLE];
    struct honest honest = { 0 };
    char account[40];
    pthread_t thread;
    long before, after;
    int stay = 0;

    rig_api = "api/xs-api";
    rig_start(&rig);
    descriptors_raise();
    rig_config_set(&rig, "limits.connections_per_address", LIMIT);
    rig_api_stop(&rig, 15);
    rig_api_start(&rig);
    rig_customer(&rig, "crowd", honest.key, account);
    tls = SSL_CTX_new(TLS_client_method());
    before = memory_kib("VmHWM:");
    pthread_create(&thread, NULL, honest_run, &honest);
    idlers(fds);
    for (int i = 0; i < IDLE; i++)
        stay += !ended(fds[i]);
    after = memory_kib("VmHWM:");
    printf("# %ld KiB before, %ld with %d idle connections, of which %d were kept\n", before, after, IDLE, stay);
    huge_headers();
    unfinished("headers that do not end", 3000, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Huge: ", 30000);
    unfinished("bodies that do not end", 4000, "POST /v1/keys HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n", 65000);
    one_address();
    logins();
    honest.enough = true;
    pthread_join(thread, NULL);
    ok(honest.served * 1000LL >= honest.asked * 999LL, "the honest client was served: %d of %d", honest.served, honest.asked);
    after = memory_kib("VmHWM:");
    ok(after > 0 && after <= MEMORY_KIB_MAX, "in all the api had at most %ld KiB, of %d allowed", after, MEMORY_KIB_MAX);
    for (int i = 0; i < IDLE; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    SSL_CTX_free(tls);
    rig_end(&rig);
    return tap_end();
}
